from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import pytest
from pydantic import BaseModel, Field

import fedka
from fedka.participant.config import typed_config
from fedka.participant.errors import AppMisused, ConfigRefused


class Optimizer(StrEnum):
    SGD = "sgd"
    ADAM = "adam"


@dataclass(frozen=True)
class Config:
    epochs: int
    rate: float = 0.1
    shuffle: bool = True
    optimizer: Optimizer = Optimizer.SGD
    device: Literal["cpu", "cuda"] = "cpu"
    made: str = field(default="here", init=False)


class Model(BaseModel):
    epochs: int = Field(default=1, ge=1)
    name: str = Field(default="", alias="label")


def refusal(config: type, **strings: str) -> str:
    with pytest.raises(ConfigRefused) as caught:
        typed_config(config, strings)
    return str(caught.value)


def test_strings_become_what_the_dataclass_says():
    typed = typed_config(Config, {"epochs": "2", "rate": "1e-3", "shuffle": "false", "optimizer": "adam"})
    assert typed == Config(epochs=2, rate=0.001, shuffle=False, optimizer=Optimizer.ADAM)
    assert type(typed) is Config


def test_pydantic_models_are_used_by_their_aliases():
    assert typed_config(Model, {"epochs": "3", "label": "x"}) == Model(epochs=3, label="x")


def test_without_a_type_the_strings_come_as_they_are():
    config = typed_config(None, {"epochs": "2"})
    assert config == {"epochs": "2"}
    with pytest.raises(TypeError):
        config["epochs"] = "3"


def test_a_wrong_value_is_named_with_key_and_type():
    message = refusal(Config, epochs="two")
    assert "epochs: 'two' does not fit int" in message


def test_a_rule_of_the_model_is_named_with_its_key():
    assert "epochs: '0' does not fit int: Input should be greater than or equal to 1" in refusal(Model, epochs="0")


def test_a_literal_says_what_is_allowed():
    assert "'cpu' or 'cuda'" in refusal(Config, epochs="1", device="gpu")


def test_a_missing_key_is_named_with_its_type():
    assert "epochs: missing; the app needs it (int)" in refusal(Config)


def test_an_unknown_key_comes_with_the_nearest_one():
    assert "epoch: unknown; did you mean epochs?" in refusal(Config, epochs="1", epoch="2")


def test_an_unknown_key_like_no_other_comes_with_all():
    message = refusal(Config, epochs="1", zzz="2")
    assert "zzz: unknown; the app knows device, epochs, optimizer, rate, shuffle" in message


def test_all_faults_come_at_once():
    message = refusal(Config, epochs="two", rate="fast", zzz="1")
    assert [line.split(":")[0].strip() for line in message.splitlines()[1:]] == ["zzz", "epochs", "rate"]


@pytest.mark.parametrize("config", [dict, 3, "Config"])
def test_an_app_takes_only_dataclasses_and_models(config):
    with pytest.raises(AppMisused, match="a dataclass or a pydantic model is expected"):
        fedka.App(config=config)


def test_an_instance_in_place_of_the_class_is_pointed_out():
    with pytest.raises(AppMisused, match="give the class, not an instance"):
        fedka.App(config=Config(epochs=1))
