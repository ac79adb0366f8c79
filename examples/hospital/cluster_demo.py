"""What `make demo-cluster` runs: the hospitals' training applied with kubectl, watched, and looked at from all sides.

It uses the cluster that KUBECONFIG names and leaves the training there, to be looked at and deleted by hand.
"""

import argparse
import subprocess
import sys
import threading
from pathlib import Path

FILE = Path(__file__).resolve().with_name("cluster.yaml")
FEDKA = str(Path(sys.executable).with_name("fedka"))
NAMESPACE, NAME = "hospitals", "hospital"
PATIENCE = "600s"


def main() -> int:
    """Apply, watch, look. Returns 0 once the training is Complete."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kubectl", default="kubectl", help="the program to call")
    kubectl = arguments.parse_args().kubectl
    here = [kubectl, "-n", NAMESPACE]
    run([kubectl, "apply", "-f", str(FILE)])
    watching = subprocess.Popen([*here, "get", "ft", NAME, "-w"])
    told = threading.Thread(target=watching.wait, daemon=True)
    told.start()
    try:
        ended = run([*here, "wait", "--for=condition=Complete", f"ft/{NAME}", f"--timeout={PATIENCE}"], loudly=False)
    finally:
        watching.terminate()
        told.join()
    print()
    run([FEDKA, "status", NAME, "-n", NAMESPACE])
    print("\nIts story, as kubectl describe tells it:")
    run([*here, "events", "--for", f"federatedtraining/{NAME}"])
    for line in next_steps():
        print(line)
    return ended


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
