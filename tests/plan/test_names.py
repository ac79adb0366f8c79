import re

from hypothesis import given
from hypothesis import strategies as st

from fedka.api.training import FederatedTraining
from fedka.plan.names import child_name, labels
from fedka.plan.snapshot import Role

from ..reconcile.builders import training_object

NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True)


def training(name: str, uid: str = "uid") -> FederatedTraining:
    obj = training_object(name)
    obj["metadata"]["uid"] = uid
    return FederatedTraining.from_object(obj)


@given(name=NAMES, participant=NAMES)
def test_a_childs_name_is_a_dns_label_that_fits_into_a_jobs_label(name: str, participant: str):
    made = child_name(training(name), Role.PARTICIPANT, participant)
    assert len(made) <= 58
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", made)


def test_names_whose_plain_joins_are_equal_differ():
    assert child_name(training("a-b"), Role.PARTICIPANT, "c") != child_name(training("a"), Role.PARTICIPANT, "b-c")


def test_a_participant_called_aggregator_is_not_the_aggregator():
    fraud = training("fraud")
    assert child_name(fraud, Role.PARTICIPANT, "aggregator") != child_name(fraud, Role.AGGREGATOR)


def test_names_that_are_cut_to_the_same_differ():
    long = "x" * 30
    fraud = training("fraud")
    assert child_name(fraud, Role.PARTICIPANT, f"{long}-a") != child_name(fraud, Role.PARTICIPANT, f"{long}-b")


def test_a_training_made_anew_has_other_children():
    assert child_name(training("a", "uid-1"), Role.AGGREGATOR) != child_name(training("a", "uid-2"), Role.AGGREGATOR)


def test_labels_carry_the_parts_unjoined():
    assert labels(training("fraud"), Role.PARTICIPANT, "a") == {
        "fedka.dev/training": "fraud",
        "fedka.dev/training-uid": "uid",
        "fedka.dev/role": "participant",
        "fedka.dev/participant": "a",
    }
