import pytest
from pydantic import ValidationError

from fedka.api.fields import parse_quantity
from fedka.api.spec import Update
from fedka.api.training import FederatedTraining


@pytest.mark.parametrize(
    ("quantity", "size"),
    [("1", 1), ("1k", 1000), ("2Ki", 2048), ("5M", 5_000_000), ("16Gi", 16 * 2**30), ("999999Ti", 999_999 * 2**40)],
)
def test_quantity_in_bytes(quantity, size):
    assert parse_quantity(quantity) == size
    assert Update(max_model_bytes=quantity).max_model_size() == size
    assert size < 2**63


@pytest.mark.parametrize("quantity", ["", "0", "-1", "1.5Gi", "16GiB", "16 Gi", "Gi", "1Gi\n", "\u0661Gi"])
def test_not_a_quantity(quantity):
    with pytest.raises(ValueError, match="such as 16Gi"):
        parse_quantity(quantity)
    with pytest.raises(ValidationError):
        Update(max_model_bytes=quantity)


def test_the_resource_is_frozen(training):
    resource = FederatedTraining.from_object(training)
    with pytest.raises(ValidationError, match="frozen"):
        resource.spec.rounds.count = 3


def test_python_names_are_refused_in_objects(training, edit):
    with pytest.raises(ValidationError, match="sample_size"):
        FederatedTraining.from_object(edit(training, {"spec.rounds.sample_size": 3}))


def test_absent_mode_is_managed(training):
    modes = {p.name: p.managed for p in FederatedTraining.from_object(training).spec.participants}
    assert modes == {"bank-a": True, "bank-b": False, "bank-c": True}


def test_pod_template_comes_back_as_it_was_written(training):
    resource = FederatedTraining.from_object(training)
    assert resource.spec.participant_template is not None
    assert resource.spec.participant_template.to_object() == training["spec"]["participantTemplate"]
