"""What a command leaves on a machine: processes, files where no file belongs, topics in a Kafka that others use too.

A variable of the environment marks all that the command starts, however far down and in whatever session: nothing of
ours takes it away. A listening port needs a process that listens, so it needs no look of its own.
"""

import os
import select
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..cli.command import GENEROUS_SECONDS, Directory, Running
from ..cli.trainings import APP, training

MARK = "FEDKA_TEST_MARK"
LONG = training(app={"entrypoint": "tiny_app:app", "config": {"pause": "0.05"}}, rounds={"count": 2000})
LEAVING_A_DAEMON = APP.replace(
    "    time.sleep",
    """
    import subprocess
    subprocess.Popen(["sleep", "3600"], start_new_session=True)
    time.sleep""",
)


class Machine(Directory):
    """A directory to run commands in, with a home and a place for temporary files that only they can know of.

    Two of them may share a path: each tells its own processes from the other's.
    """

    def __init__(self, path: Path) -> None:
        self.mark = f"{MARK}={uuid.uuid4()}"
        self.home, self.temporary, work = path / "home", path / "tmp", path / "work"
        for each in (self.home, self.temporary, work):
            each.mkdir(exist_ok=True)
        super().__init__(work)

    def start(self, *arguments: str, **environment: str) -> Running:
        return super().start(*arguments, **self.environment(environment))

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        """What marks a command, over the real environment; the cache stays the real one unless `more` names another."""
        name, value = self.mark.split("=")
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        places = {"HOME": str(self.home), "TMPDIR": str(self.temporary), "XDG_CACHE_HOME": cache}
        return {**places, name: value, **more}

    def processes(self) -> list[tuple[int, str]]:
        """Process ids and command lines of all that the commands started and that lives."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            try:
                if self.mark.encode() not in (entry / "environ").read_bytes().split(b"\0"):
                    continue
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError, PermissionError):  # it has ended, or is another user's
                continue
            found.append((int(entry.name), command))
        return found

    def wait_until_gone(self) -> None:
        """The kernel ends what is tied to a killed process, in its own time, and what that may have just started."""
        while living := self.processes():
            for pid, command in living:
                try:
                    descriptor = os.pidfd_open(pid)
                except ProcessLookupError:
                    continue
                gone, _, _ = select.select([descriptor], [], [], GENEROUS_SECONDS)
                os.close(descriptor)
                assert gone, f"{command} still runs"

    def litter(self) -> list[str]:
        """Files and directories outside the working directory."""
        return [str(path) for place in (self.home, self.temporary) for path in sorted(place.rglob("*"))]


@contextmanager
def leaving_nothing(path: Path) -> Iterator[Machine]:
    """A machine for any commands: whatever they end by, no file of theirs may then lie outside of their directory."""
    machine = Machine(path)
    try:
        yield machine
    finally:
        machine.end()
    assert machine.litter() == []
