"""One pod's process: its environment, its log, its end.

It runs in a session of its own, so that Ctrl-C in the terminal reaches `fedka run` alone, which then ends its pods in
order; and it is tied to the node, so that a killed `fedka run` leaves nothing behind (see `fedka.tether`).
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fedka.descendants import descendants, kill_all
from fedka.local.objects import Json
from fedka.local.pod_output import PodOutput
from fedka.local.pod_volumes import UnsupportedPod, container_of, rewritten
from fedka.tether import LEFT_ALONE, tied


@dataclass(frozen=True, slots=True)
class Command:
    """What a pod runs."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]


def command_of(pod: Json, mounts: Mapping[str, Path], environment: Mapping[str, str]) -> Command:
    """The container's command, with paths of this machine. `environment` is what the container's own is added to.

    This interpreter's directory comes first on the PATH: `fedka` and `python` are those of the running installation.
    """
    container = container_of(pod)
    argv = [rewritten(text, mounts) for text in (*container["command"], *container.get("args", ()))]
    here = Path(sys.executable).parent
    if argv[0] == "fedka" and not (here / "fedka").exists():
        argv = [sys.executable, "-m", "fedka", *argv[1:]]
    merged = {**environment, "PATH": f"{here}{os.pathsep}{environment.get('PATH', os.defpath)}"}
    if container.get("envFrom"):
        raise UnsupportedPod(f"container {container['name']!r} has an envFrom: a local run knows plain values only")
    for variable in container.get("env") or ():
        if "valueFrom" in variable:
            raise UnsupportedPod(f"variable {variable['name']} has a valueFrom: a local run knows plain values only")
        merged[variable["name"]] = rewritten(variable.get("value", ""), mounts)
    return Command(tuple(argv), merged)


class PodProcess:
    """A running process and all that it started. Make one with `start`."""

    def __init__(self, process: asyncio.subprocess.Process, output: PodOutput) -> None:
        self._process = process
        self._output = output
        self._over = False

    @classmethod
    async def start(cls, command: Command, *, directory: Path, log: Path, header: str) -> "PodProcess":
        """Run in `directory`; what it writes is appended to `log`, below a line that says what begins there."""
        output = PodOutput(log, header)
        try:
            process = await asyncio.create_subprocess_exec(
                *tied(command.argv, by=LEFT_ALONE),  # a supervisor has others to end
                cwd=directory,
                env=dict(command.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output.descriptor,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=(output.shared,),
                start_new_session=True,
            )
        finally:
            output.start()
        return cls(process, output)

    async def wait(self) -> int:
        """The exit code; 128 + n after signal n. Whatever else the pod started ends with its first process."""
        code = await self._process.wait()
        self.kill()
        self._over = True
        await asyncio.to_thread(self._output.finish)
        return code if code >= 0 else 128 - code

    async def stop(self, grace_seconds: float) -> int:
        """SIGTERM to the first process, SIGKILL to all of them when the grace is over; the exit code."""
        with contextlib.suppress(ProcessLookupError):  # it ended by itself just now
            self._process.terminate()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                return await self.wait()
        self.kill()
        return await self.wait()

    def kill(self) -> None:
        """SIGKILL to all that the pod started; nothing once it is over, as its process id may be another's by then."""
        if self._over:
            return
        if self._process.returncode is None:
            kill_all(descendants(self._process.pid))  # those in a group of their own among them
        with contextlib.suppress(ProcessLookupError):  # none of them is left
            os.killpg(self._process.pid, signal.SIGKILL)

    def last_words(self) -> str:
        """The end of what this process wrote, at most 2 KiB."""
        return self._output.last_words()
