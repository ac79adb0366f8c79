"""What may change while a training runs, and takes effect without a restart of what need not restart."""

import pytest

from .conftest import Make
from .trainings import completed, condition, ended, holds

pytestmark = pytest.mark.cluster


def test_a_suspended_training_has_no_pods_and_goes_on_where_it_was(make: Make):
    training = make(rounds={"count": 500}).create()
    training.until_round(2)
    training.patch({"suspend": True})
    status = training.until(lambda status: holds(status, "Suspended") and status["phase"] == "Suspended", "suspended")
    done = completed(status)
    training.wait_for(lambda: not [pod for pod in training.pods() if pod.status.phase == "Running"], "without pods")
    assert 1 < done < 500
    training.patch({"suspend": False, "rounds": {"count": done + 3}})
    status = training.until_complete()
    assert (ended(status), completed(status)) == ("Complete", done + 3)


def test_more_rounds_may_be_asked_for_while_it_runs(make: Make):
    training = make(rounds={"count": 8}, pause=1.0).create()
    training.until_round(1)
    pods = {pod.metadata.uid for pod in training.pods()}
    training.patch({"rounds": {"count": 10}})
    status = training.until_complete()
    assert (ended(status), completed(status)) == ("Complete", 10)
    assert {pod.metadata.uid for pod in training.pods()} == pods


def test_a_participant_may_be_added_and_one_removed(make: Make):
    training = make(rounds={"count": 2000, "quorum": 1, "minAvailable": 1}, pause=0.3).create()
    training.until_round(1)
    training.patch({"participants": [{"name": "bank-a"}, {"name": "bank-b"}, {"name": "bank-c"}]})
    training.until(lambda status: "bank-c" in at_work(status), "joined by bank-c")
    training.patch({"participants": [{"name": "bank-a"}, {"name": "bank-c"}]})
    training.until(lambda status: detail(status, "bank-b").get("state") == "Removed", "left by bank-b")
    done = completed(training.status)
    training.until_round(done + 2)
    training.wait_for(lambda: not training.pods(participant="bank-b"), "rid of bank-b's pod")
    training.patch({"rounds": {"count": completed(training.status) + 3}})
    assert ended(training.until_complete()) == "Complete"


def test_a_missed_quorum_ends_a_run_that_asks_for_it(make: Make):
    rounds = {"count": 5, "onQuorumMiss": "Fail", "deadlineSeconds": 5, "minAvailable": 2}
    participants = [{"name": "bank-a"}, {"name": "bank-b", "config": {"pause": "600"}}]
    training = make(rounds=rounds, participants=participants, pause=0.1).create()
    status = training.until_complete()
    assert ended(status) == "Failed"
    assert condition(status, "Failed")["reason"] == "QuorumMissed"


def detail(status, name):
    return next((line for line in status.get("participants", {}).get("detail", []) if line["name"] == name), {})


def at_work(status):
    working = {"Present", "Training", "Accepted"}
    return {line["name"] for line in status.get("participants", {}).get("detail", []) if line["state"] in working}
