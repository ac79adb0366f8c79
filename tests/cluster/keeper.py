"""`make cluster` and `make cluster-down`: a process in the background keeps a cluster for whoever works here.

The cluster is tied to its keeper, so that ending the one, in any way, ends the other. Of a cluster of kind, that is its
Kafka: the rest is kept by Docker until `make cluster-down`.
"""

# ruff: noqa: T201  it talks to whoever runs make
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from fedka.local.kafka_fetch import default_cache
from fedka.local.kafka_lock import FileLock

from . import current, kind
from .chart import Chart
from .cluster import Cluster
from .helm import helm_program
from .image_recipes import ROOT
from .images import build_images
from .programs import kubernetes_programs

DEMO = ROOT / "examples" / "hospital" / "cluster_demo.py"
STOP_SECONDS = 60.0
UP = "up"
WHICH = "FEDKA_CLUSTER"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of cluster. In its `home` are the `lock` that its keeper holds and the keeper's log.

    `running` gives the kubeconfig while the cluster runs, `programs` is what finds kubectl where the PATH does not, and
    `remove` takes away what outlives the keeper.
    """

    home: Path
    running: Callable[[Path, Progress], AbstractContextManager[Path]]
    programs: Callable[[], Path] | None = None
    remove: Callable[[Path], None] | None = None

    @property
    def kubeconfig(self) -> Path:
        """There as long as the cluster is ready."""
        return self.home / "kubeconfig"

    def keeper(self) -> int | None:
        """The process that has the lock; no other can, so its id is the right one."""
        path = self.home / "lock"
        if not path.exists():
            return None
        try:
            FileLock(path, patience_seconds=0, cancelled=threading.Event()).release()
        except BlockingIOError:
            return int(path.read_text())
        return None


def prepare() -> None:
    """Build all that a cluster is made of, which takes minutes the first time."""
    kubernetes_programs(progress=_say)
    helm_program(progress=_say)
    build_images(progress=_say)


@contextlib.contextmanager
def own_node(home: Path, progress: Progress) -> Iterator[Path]:
    """A node made from source, with Fedka on it."""
    build_images(progress=progress)
    with Cluster(home, progress=progress) as cluster:
        Chart.installed(cluster, progress=progress)
        yield cluster.api.kubeconfig


SORTS = {
    "": Sort(default_cache() / "cluster", own_node, programs=lambda: kubernetes_programs().directory),
    "kind": Sort(default_cache() / "kind", kind.running, remove=kind.remove),
}


def up(sort: Sort) -> int:
    """Start a keeper and come back when its cluster is ready."""
    if sort.keeper() is not None:
        print(f"The cluster runs already.\n{_advice(sort)}")
        return 0
    sort.home.mkdir(parents=True, exist_ok=True)
    path = sort.home / "keeper.log"
    with path.open("w") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", __spec__.name, "keep"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl-C, once this is over, is not for it
        )
    said = ""
    assert keeper.stdout is not None
    with keeper.stdout as lines:
        for line in lines:
            said = line.strip()
            if said != UP:
                print(said, flush=True)
    if said == UP:
        print(_advice(sort))
        return 0
    keeper.wait()
    print(
        f"The cluster did not start. Its keeper's log: {path}; its programs': {sort.home / 'state'}.", file=sys.stderr
    )
    return 1


def keep(sort: Sort) -> int:
    """Start the cluster, say so, and hold it until SIGTERM. What it prints is for `up`."""
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    try:
        with sort.running(sort.home, _say) as kubeconfig:
            try:
                shutil.copy(kubeconfig, sort.kubeconfig)
                _say(UP)
                _close(sys.stdout)
                told.wait()
            finally:
                sort.kubeconfig.unlink(missing_ok=True)
    except Exception as failure:
        _say(f"{failure}")  # to whoever waits in a terminal; the rest goes to the log
        raise
    return 0


def down(sort: Sort) -> int:
    """End the keeper, and come back when nothing of its cluster is left."""
    keeper = sort.keeper()
    if keeper is None and sort.remove is None:
        print("No cluster runs.")
        return 0
    if keeper is not None and not _end(keeper, sort.home):
        return 1
    if sort.remove is not None:
        try:
            sort.remove(sort.home)
        except kind.FAILURES as failure:
            print(failure, file=sys.stderr)
            return 1
    print("The cluster is gone. Its images stay for the next.")
    return 0


def demo(sort: Sort) -> int:
    """The hospitals' training in pods, on the cluster that is kept."""
    if sort.keeper() is None:
        print("No cluster runs. Start one: make cluster")
        return 1
    environment = os.environ | {"KUBECONFIG": str(sort.kubeconfig), "PATH": _path(sort, os.environ["PATH"])}
    return subprocess.run([sys.executable, DEMO], env=environment, check=False).returncode


def _end(keeper: int, home: Path) -> bool:
    os.kill(keeper, signal.SIGTERM)
    try:
        FileLock(home / "lock", patience_seconds=STOP_SECONDS, cancelled=threading.Event()).release()
    except BlockingIOError:
        log = home / "keeper.log"
        print(f"Process {keeper}, which keeps the cluster, is still there after {STOP_SECONDS:g} s. Its log: {log}.")
        return False
    return True


def _advice(sort: Sort) -> str:
    fedka = Path(sys.executable).parent
    helm = f"{helm_program().parent}:" if sort.programs is not None else ""
    return f"""
Point kubectl, helm and fedka at it, and watch a training:
  export KUBECONFIG={sort.kubeconfig} PATH={fedka}:{helm}{_path(sort, "$PATH")}
  kubectl apply -f examples/hospital/cluster.yaml
  kubectl get ft -n hospitals --watch
End it: make cluster-down"""


def _path(sort: Sort, path: str) -> str:
    return path if sort.programs is None else f"{sort.programs()}:{path}"


def _say(message: str) -> None:
    print(message, flush=True)


def _close(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # `up` reads until the end


def _sort(command: str) -> Sort:
    """The one that is told; to look at or to end, the one that is kept will do as well."""
    told = os.environ.get(WHICH, "")
    kept = [sort for sort in SORTS.values() if sort.keeper() is not None] if command in {"down", "demo"} else []
    return kept[0] if kept and not told else SORTS[told]


COMMANDS: dict[str, Callable[[Sort], int]] = {"up": up, "keep": keep, "down": down, "demo": demo}


def main(command: str) -> int:
    """What `make` asks for."""
    told = os.environ.get(WHICH, "")
    if command == "prepare":
        prepare()
        return 0
    if told == "current" and command in current.COMMANDS:
        return current.COMMANDS[command]()
    if told not in SORTS:
        print(
            f"{WHICH}={told} make: only `current` and `kind` can be told, and `current` has no demo.", file=sys.stderr
        )
        return 1
    return COMMANDS[command](_sort(command))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
