"""An operator with 2000 trainings: it looks at each after a cold start, and then does nothing while nothing changes."""

import asyncio
import threading

import pytest

from ..cluster.waiting import wait_until
from .many_trainings import Figures, cpu_seconds, make_trainings, read_figures, resident_mib, settled
from .operators import OperatorProcess, Operators

pytestmark = [pytest.mark.kubernetes, pytest.mark.slow]
TRAININGS, PARTICIPANTS = 2000, 8
PATIENCE = 240.0
IDLE_SECONDS = 4.0
MOST_CPU_SECONDS = 2.0  # of those: it uses 0.01
MOST_MIB = 160  # it takes 98 at most; a loaded machine holds more at once
REQUESTS = "fedka_kubernetes_requests_total"


def figures(operator: OperatorProcess) -> Figures:
    return read_figures(operator.ask("metrics"))


def changing(now: Figures) -> Figures:
    """Requests that were not for its own Lease, which it renews for ever."""
    return {name: value for name, value in now.items() if name.startswith(REQUESTS) and 'resource="leases"' not in name}


def test_2000_trainings_are_all_looked_at_and_then_left_in_peace(operators: Operators):
    kubeconfig = operators.server.kubeconfig
    asyncio.run(make_trainings(kubeconfig, operators.namespace, range(1), participants=PARTICIPANTS))
    first = operators.start()
    operators.until("ft/many-0", ".status.phase", "Suspended")
    first.stop()
    status = operators.get("ft/many-0")["status"]
    numbers = range(1, TRAININGS)
    asyncio.run(make_trainings(kubeconfig, operators.namespace, numbers, participants=PARTICIPANTS, status=status))

    second = operators.start()
    second.until_said("leads")
    assert wait_until(lambda: settled(figures(second), TRAININGS), PATIENCE), second.log.read_text()
    before, cpu = figures(second), cpu_seconds(second.process.pid)
    assert before['fedka_trainings{phase="Suspended"}'] == TRAININGS
    assert not [name for name in changing(before) if 'method="GET"' not in name]

    threading.Event().wait(IDLE_SECONDS)  # what is looked for is that nothing happens
    after = figures(second)
    assert changing(after) == changing(before)
    assert after["fedka_reconcile_seconds_count"] == before["fedka_reconcile_seconds_count"]
    assert cpu_seconds(second.process.pid) - cpu < MOST_CPU_SECONDS
    assert resident_mib(second.process.pid, "VmHWM") < MOST_MIB
