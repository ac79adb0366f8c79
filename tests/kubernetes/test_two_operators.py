"""Two operators at once: one works, the other is ready to."""

import pytest

from fedka import exit_codes

from .operators import Operators, training

pytestmark = pytest.mark.kubernetes


def test_one_of_two_leads_and_both_are_ready(operators: Operators):
    one = operators.start()
    leader = one.until_said(r"(\S+) leads")
    two = operators.start()
    two.until_said(rf"standing by: {leader} leads")
    operators.apply(training(suspend=True))
    operators.until("ft/fraud", ".status.phase", "Suspended")
    for each in (one, two):
        assert each.ask("readyz").startswith("ok")
    assert "fedka_leader 0.0" in two.ask("metrics")
    assert 'resource="federatedtrainings/status"' not in two.ask("metrics")


def test_the_other_goes_on_when_one_ends_in_order(operators: Operators):
    one = operators.start()
    one.until_said(r"leads")
    two = operators.start()
    two.until_said(r"standing by")
    assert one.stop() == exit_codes.OK
    two.until_said(r"operator: \S+ leads")
    operators.apply(training(suspend=True))
    operators.until("ft/fraud", ".status.phase", "Suspended")


def test_the_other_goes_on_when_one_is_killed(operators: Operators):
    one = operators.start()
    one.until_said(r"leads")
    two = operators.start()
    two.until_said(r"standing by")
    one.kill()
    operators.apply(training(suspend=True))
    operators.until("ft/fraud", ".status.phase", "Suspended")
    assert two.process.poll() is None


def test_who_has_lost_the_lease_ends_at_once(operators: Operators):
    operator = operators.start()
    operator.until_said(r"leads")
    operators.kubectl("patch", "lease/fedka-operator", "--type=merge", '--patch={"spec":{"holderIdentity":"usurper"}}')
    operator.until_said(r"the lease is lost: usurper holds it")
    assert operator.process.wait(60) == exit_codes.FAILED
    assert operators.holder() == "usurper"
