"""`make cluster` and `make cluster-down`: a process in the background keeps a cluster for whoever works here.

The cluster is tied to its keeper, so that ending the one, in any way, ends the other.
"""

# ruff: noqa: T201  it talks to whoever runs make
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import TextIO

from fedka.local.kafka_fetch import default_cache
from fedka.local.kafka_lock import FileLock

from . import current
from .chart import Chart
from .cluster import Cluster
from .helm import helm_program
from .image_recipes import ROOT
from .images import build_images
from .programs import kubernetes_programs

HOME = default_cache() / "cluster"
KUBECONFIG = HOME / "kubeconfig"
LOG = HOME / "keeper.log"
DEMO = ROOT / "examples" / "hospital" / "cluster_demo.py"
STOP_SECONDS = 60.0
UP = "up"


def prepare() -> None:
    """Build all that a cluster is made of, which takes minutes the first time."""
    kubernetes_programs(progress=_say)
    helm_program(progress=_say)
    build_images(progress=_say)


def up() -> int:
    """Start a keeper and come back when its cluster is ready."""
    if _keeper() is not None:
        print(f"The cluster runs already.\n{_advice()}")
        return 0
    HOME.mkdir(parents=True, exist_ok=True)
    with LOG.open("w") as log:
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
        print(_advice())
        return 0
    keeper.wait()
    print(f"The cluster did not start. Its keeper's log: {LOG}; its programs': {HOME / 'state'}.", file=sys.stderr)
    return 1


def keep() -> None:
    """Start the cluster, say so, and hold it until SIGTERM. What it prints is for `up`."""
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    try:
        build_images(progress=_say)
        with Cluster(HOME, progress=_say) as cluster:
            Chart.installed(cluster, progress=_say)
            shutil.copy(cluster.api.kubeconfig, KUBECONFIG)
            _say(UP)
            _close(sys.stdout)
            told.wait()
    except Exception as failure:
        _say(f"{failure}")  # to whoever waits in a terminal; the rest goes to the log
        raise
    finally:
        KUBECONFIG.unlink(missing_ok=True)


def down() -> int:
    """End the keeper, and come back when nothing of its cluster is left."""
    keeper = _keeper()
    if keeper is None:
        print("No cluster runs.")
        return 0
    os.kill(keeper, signal.SIGTERM)
    try:
        FileLock(HOME / "lock", patience_seconds=STOP_SECONDS, cancelled=threading.Event()).release()
    except BlockingIOError:
        print(f"Process {keeper}, which keeps the cluster, is still there after {STOP_SECONDS:g} s. Its log: {LOG}.")
        return 1
    print("The cluster is gone. Its images stay for the next.")
    return 0


def demo() -> int:
    """The hospitals' training in pods, on the cluster that is kept."""
    if _keeper() is None:
        print("No cluster runs. Start one: make cluster")
        return 1
    programs = kubernetes_programs().directory
    environment = os.environ | {"KUBECONFIG": str(KUBECONFIG), "PATH": f"{programs}:{os.environ['PATH']}"}
    return subprocess.run([sys.executable, DEMO], env=environment, check=False).returncode


def _keeper() -> int | None:
    """The process that has the lock; no other can, so its id is the right one."""
    path = HOME / "lock"
    if not path.exists():
        return None
    try:
        FileLock(path, patience_seconds=0, cancelled=threading.Event()).release()
    except BlockingIOError:
        return int(path.read_text())
    return None


def _advice() -> str:
    return f"""
Point kubectl at it, and watch a training:
  export KUBECONFIG={KUBECONFIG} PATH={kubernetes_programs().directory}:$PATH
  kubectl apply -f examples/hospital/cluster.yaml
  kubectl get ft --watch
End it: make cluster-down"""


def _say(message: str) -> None:
    print(message, flush=True)


def _close(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # `up` reads until the end


COMMANDS: dict[str, Callable[[], int | None]] = {"prepare": prepare, "up": up, "keep": keep, "down": down, "demo": demo}

if __name__ == "__main__":
    commands = current.COMMANDS if os.environ.get("FEDKA_CLUSTER") == "current" else COMMANDS
    sys.exit(commands[sys.argv[1]]())
