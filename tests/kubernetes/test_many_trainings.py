"""An operator with 2000 trainings and their Jobs, 6000 objects: it looks at each after a cold start, and then does
nothing while nothing changes.
"""

import asyncio
import threading

import pytest

from ..cluster.waiting import wait_until
from .many_trainings import Figures, copy_first, cpu_seconds, make_first, read_figures, resident_mib, settled
from .operators import OperatorProcess, Operators

pytestmark = [pytest.mark.kubernetes, pytest.mark.slow, pytest.mark.timeout(1500)]
TRAININGS, PARTICIPANTS, JOBS = 2000, 8, 2
PATIENCE = 600.0
IDLE_SECONDS = 4.0
MOST_CPU_SECONDS = 0.4  # of those, however busy the machine is: it uses 0.01
MOST_MIB = 128  # it takes 109 on a machine with five times the work it can do
REQUESTS = "fedka_kubernetes_requests_total"


def figures(operator: OperatorProcess) -> Figures:
    return read_figures(operator.ask("metrics"))


def changing(now: Figures) -> Figures:
    """Requests that were not for its own Lease, which it renews for ever."""
    return {name: value for name, value in now.items() if name.startswith(REQUESTS) and 'resource="leases"' not in name}


def has_settled(operators: Operators) -> bool:
    if operators.processes[-1].process.poll() is not None:  # it lost its lease: a kubelet would start it again
        operators.start()
    try:
        return settled(figures(operators.processes[-1]), TRAININGS)
    except OSError:  # it has just ended
        return False


def test_2000_trainings_are_all_looked_at_and_then_left_in_peace(operators: Operators):
    server, namespace = operators.server, operators.namespace
    asyncio.run(make_first(server.kubeconfig, namespace, participants=PARTICIPANTS, jobs=JOBS))
    first = operators.start()
    operators.until("ft/many-00000", ".status.phase", "Suspended")
    first.stop()
    copy_first(server, namespace, range(1, TRAININGS))

    operators.start()
    assert wait_until(lambda: has_settled(operators), PATIENCE), operators.processes[-1].log.read_text()
    second = operators.processes[-1]
    before, cpu = figures(second), cpu_seconds(second.process.pid)
    assert before['fedka_trainings{phase="Suspended"}'] == TRAININGS
    assert not [name for name in changing(before) if 'method="GET"' not in name]

    threading.Event().wait(IDLE_SECONDS)  # what is looked for is that nothing happens
    after = figures(second)
    assert changing(after) == changing(before)
    assert after["fedka_reconcile_seconds_count"] == before["fedka_reconcile_seconds_count"]
    assert cpu_seconds(second.process.pid) - cpu < MOST_CPU_SECONDS
    assert resident_mib(second.process.pid, "VmHWM") < MOST_MIB
