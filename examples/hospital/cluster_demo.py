"""What `make demo-cluster` runs: the hospitals' training applied with kubectl, watched, and looked at from all sides.

It uses the cluster that KUBECONFIG names and leaves the training there, to be looked at and deleted by hand.
"""

import argparse
import queue
import subprocess
import sys
import threading
from pathlib import Path

FILE = Path(__file__).resolve().with_name("cluster.yaml")
FEDKA = str(Path(sys.executable).with_name("fedka"))
NAMESPACE, NAME = "hospitals", "hospital"
PATIENCE = "600s"
COMPLETE, FAILED = "Complete", "Failed"
MESSAGE = f"jsonpath={{.status.conditions[?(@.type=='{FAILED}')].message}}"


def main() -> int:
    """Apply, watch, look. Returns 0 once the training is Complete, 1 where it is not."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kubectl", default="kubectl", help="the program to call")
    kubectl = arguments.parse_args().kubectl
    here = [kubectl, "-n", NAMESPACE]
    run([kubectl, "apply", "-f", str(FILE)])
    watching = subprocess.Popen([*here, "get", "ft", NAME, "-w"])
    told = threading.Thread(target=watching.wait, daemon=True)
    told.start()
    try:
        end = first_of((COMPLETE, FAILED), here)
    finally:
        watching.terminate()
        told.join()
    print()
    run([FEDKA, "status", NAME, "-n", NAMESPACE])
    print("\nIts story, as kubectl describe tells it:")
    run([*here, "events", "--for", f"federatedtraining/{NAME}"])
    for line in next_steps():
        print(line)
    if end == FAILED:
        said = subprocess.run([*here, "get", "ft", NAME, "-o", MESSAGE], check=False, capture_output=True, text=True)
        print(f"\nThe training has failed: {said.stdout or said.stderr}", file=sys.stderr)
    return 0 if end == COMPLETE else 1


def first_of(conditions: tuple[str, ...], here: list[str]) -> str | None:
    """The condition that comes true first; None where none does in time. kubectl waits for one only."""
    wait = [*here, "wait", f"ft/{NAME}", f"--timeout={PATIENCE}"]
    waiting = {each: subprocess.Popen([*wait, f"--for=condition={each}"]) for each in conditions}
    ended: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()

    def tell(condition: str, process: subprocess.Popen[bytes]) -> None:
        ended.put((condition, process.wait()))

    for each in waiting.items():
        threading.Thread(target=tell, args=each, daemon=True).start()
    try:
        for condition, code in (ended.get() for _ in waiting):
            if code == 0:
                return condition
    finally:
        for process in waiting.values():
            process.terminate()
            process.wait()
    return None


def run(command: list[str], *, loudly: bool = True) -> int:
    """Run a command as a user would type it."""
    if loudly:
        print("$", " ".join([Path(command[0]).name, *command[1:]]), flush=True)
    return subprocess.run(command, check=False).returncode


def next_steps() -> list[str]:
    """What to look at now."""
    return [
        "",
        "Look at:",
        f"  fedka rounds {NAME} -n {NAMESPACE}                    every round, with its metrics",
        f"  fedka logs {NAME} university -n {NAMESPACE}           what a hospital's pod said",
        f"  fedka model get {NAME} -n {NAMESPACE} -o model.safetensors",
        f"  kubectl describe ft {NAME} -n {NAMESPACE}",
        "Try:",
        "  kubectl rollout restart deployment -n fedka-system      nothing changes",
        f"  kubectl delete ft {NAME} -n {NAMESPACE}                nothing is left",
    ]


if __name__ == "__main__":
    sys.exit(main())
