"""The resource and the aggregator have the same strategies, by the same names."""

import pytest

from fedka.api.learning import StrategyType
from fedka.strategies.choose import STEPS, StrategyUnknown, step_of


def test_every_strategy_that_a_training_may_name_is_there_and_no_other():
    assert set(STEPS) == {str(name) for name in StrategyType}


def test_an_unknown_one_is_refused_with_those_that_are_known():
    with pytest.raises(StrategyUnknown, match=r"knows no strategy FedNova, only FedAvg"):
        step_of("FedNova")
