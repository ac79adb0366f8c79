"""What happens to programs inside of pods."""

from typing import Any

from ..cluster.cluster import Cluster

KILL = """
import os, pathlib, signal
for entry in pathlib.Path("/proc").iterdir():
    if entry.name.isdigit() and int(entry.name) not in (1, os.getpid()):
        command = (entry / "cmdline").read_bytes().split(b"\\0")
        if b"--unsupervised" in command:
            os.kill(int(entry.name), signal.SIGKILL)
            print("killed", entry.name)
"""


def run_python(cluster: Cluster, pod: Any, source: str) -> str:
    """Run a program in the pod's container; what it printed."""
    where = ("-n", pod.metadata.namespace, pod.metadata.name)
    return cluster.api.kubectl("exec", *where, "--", "python3", "-c", source)


def kill_program(cluster: Cluster, pod: Any) -> None:
    """SIGKILL to the program that the pod's supervisor watches over."""
    assert "killed" in run_python(cluster, pod, KILL)
