"""From `kubectl apply` to the first open round: `make cluster`, then `python bench/first_round.py --times 5`.

Each time a new training of two participants, three pods in all, whose images the node has. The app is the small one of
the end-to-end tests, with numpy: what a framework takes to import comes on top. Printed are the medians of the seconds
since the training was applied, as one sees them who watches the API, and the range of the last.
"""

import argparse
import secrets
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.cluster.chart import NAMESPACE, RELEASE
from tests.cluster.keeper import SORTS
from tests.e2e.small_app import manifest
from tests.e2e.trainings import GROUP, PLURAL, VERSION, Api, Training, holds, make_namespace

from kubernetes import client, watch

PODS = 3
OPEN = "first round open"
LONGEST_SECONDS = 120
Reached = Callable[[str], None]


def of_status(status: dict[str, Any], reached: Reached) -> None:
    """What a training's status tells."""
    if holds(status, "KafkaReady"):
        reached("Kafka's side made")
    if holds(status, "AggregatorReady"):
        reached("aggregator started")
    if status.get("participants", {}).get("present") == PODS - 1:
        reached("all present")
    if status.get("rounds", {}).get("current"):
        reached(OPEN)


class Pods:
    """What the pods tell."""

    def __init__(self) -> None:
        self._running: dict[str, bool] = {}

    def take(self, pod: client.V1Pod, reached: Reached) -> None:
        """One of them as it is now."""
        self._running[pod.metadata.name] = pod.status.phase == "Running"
        if len(self._running) == PODS:
            reached("all pods made")
        if sum(self._running.values()) == PODS:
            reached("all pods running")


def follow(call: Callable[..., Any], *arguments: str, take: Callable[[Any], None]) -> None:
    """From now on, each change is taken."""

    def changes() -> None:
        for change in watch.Watch().stream(call, *arguments, timeout_seconds=LONGEST_SECONDS):
            take(change["object"])

    threading.Thread(target=changes, daemon=True).start()


def once(api: Api, image: str) -> dict[str, float]:
    """The seconds to each milestone of one training."""
    namespace = f"first-round-{secrets.token_hex(4)}"
    make_namespace(api, namespace)
    seen: dict[str, float] = {}
    opened, pods = threading.Event(), Pods()

    def reached(milestone: str) -> None:
        seen.setdefault(milestone, time.monotonic() - began)
        if milestone == OPEN:
            opened.set()

    trainings = (api.custom.list_namespaced_custom_object, GROUP, VERSION, namespace, PLURAL)
    try:
        follow(*trainings, take=lambda found: of_status(found.get("status", {}), reached))
        follow(api.core.list_namespaced_pod, namespace, take=lambda pod: pods.take(pod, reached))
        began = time.monotonic()
        Training(api, namespace, manifest("first", image=image)).create()
        if not opened.wait(LONGEST_SECONDS):
            sys.exit(f"no round was opened within {LONGEST_SECONDS} s; seen: {seen}")
    finally:
        api.core.delete_namespace(namespace)
    return seen


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--kubeconfig", type=Path, default=SORTS[""].kubeconfig, help="default: of make cluster")
    asked = parser.parse_args()
    api = Api(asked.kubeconfig)
    deployment = api.apps.read_namespaced_deployment(RELEASE, NAMESPACE)
    image: str = deployment.spec.template.spec.containers[0].image
    all_seen = []
    for _ in range(asked.times):
        all_seen.append(once(api, image))
        time.sleep(5)  # what was deleted goes
    for milestone in sorted(all_seen[0], key=lambda each: all_seen[0][each]):
        print(f"{statistics.median(seen[milestone] for seen in all_seen):6.2f} s  {milestone}")
    opened = sorted(seen[OPEN] for seen in all_seen)
    print(f"{OPEN}: {opened[0]:.2f} to {opened[-1]:.2f} s in {asked.times} trainings")
    return 0


if __name__ == "__main__":
    sys.exit(main())
