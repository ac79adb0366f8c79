import math

import numpy as np
import pytest

import fedka
from fedka.participant.errors import AppMisused
from fedka.participant.results import count_examples, plain_metrics

RESULTS = pytest.mark.parametrize("kind", [fedka.Trained, fedka.Evaluated])


@RESULTS
@pytest.mark.parametrize("examples", [1, 2**29, np.int64(120)])
def test_examples_are_whole_numbers_from_1_to_2_to_the_29(kind, examples):
    assert count_examples(kind(examples=examples)) == int(examples)


@RESULTS
@pytest.mark.parametrize("examples", [0, -1, 2**29 + 1])
def test_examples_out_of_bounds_are_refused_with_the_bounds(kind, examples):
    with pytest.raises(AppMisused, match=rf"{kind.__name__}.examples is {examples}: 1 to 536870912 \(2\^29\)"):
        kind(examples=examples)


@RESULTS
@pytest.mark.parametrize("examples", [1.5, "3", True, None])
def test_examples_of_another_type_are_refused(kind, examples):
    with pytest.raises(AppMisused, match="give the number of examples as an int"):
        kind(examples=examples)


def test_metrics_may_be_anything_that_is_one_number():
    trained = fedka.Trained(examples=1, metrics={"a": np.float32(0.5), "b": np.array(2), "c": 3})
    assert plain_metrics(trained) == {"a": 0.5, "b": 2.0, "c": 3.0}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_metrics_that_are_not_finite_are_refused(value):
    with pytest.raises(AppMisused, match=r"metrics\['loss'\] is .*only finite numbers"):
        fedka.Trained(examples=1, metrics={"loss": value})


@pytest.mark.parametrize("value", ["0.5", None, [1.0], np.zeros(2)])
def test_metrics_that_are_not_numbers_are_refused(value):
    with pytest.raises(AppMisused, match=r"metrics\['loss'\] is"):
        fedka.Trained(examples=1, metrics={"loss": value})


def test_sixteen_metrics_are_the_limit():
    fedka.Trained(examples=1, metrics={f"m{i}": i for i in range(16)})
    with pytest.raises(AppMisused, match="17 entries: at most 16"):
        fedka.Trained(examples=1, metrics={f"m{i}": i for i in range(17)})


@pytest.mark.parametrize("name", ["", "x" * 64, 7, "two\nlines", "\x1b[2J"])
def test_names_of_metrics_have_1_to_63_characters(name):
    with pytest.raises(AppMisused, match="string of 1 to 63 printable characters"):
        fedka.Trained(examples=1, metrics={name: 1.0})


def test_metrics_must_be_a_dict():
    with pytest.raises(AppMisused, match="give a dict"):
        fedka.Trained(examples=1, metrics=0.5)


def test_a_result_is_what_it_was_when_it_was_made():
    metrics = {"loss": np.array(0.5)}
    trained = fedka.Trained(examples=np.int64(3), metrics=metrics)
    metrics["loss"].fill(np.nan)
    metrics["more"] = object()
    assert (count_examples(trained), plain_metrics(trained)) == (3, {"loss": 0.5})
