"""Conditions as `metav1.Condition` defines them, so that kubectl wait, kstatus, Flux and Argo read them."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from fedka.api.fields import ApiModel, Time, int64


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(ApiModel):
    """One observation about the training."""

    model_config = ConfigDict(extra="ignore")

    type: Annotated[str, Field(strict=True, min_length=1, max_length=316)] = Field(
        description="What the condition is about, e.g. Ready."
    )
    status: ConditionStatus = Field(description="True, False or Unknown.")
    observed_generation: Annotated[int, int64(least=0)] | None = Field(
        default=None, description="Generation of the spec that this was observed for."
    )
    last_transition_time: Time = Field(description="When status last changed.")
    reason: Annotated[
        str, Field(strict=True, min_length=1, max_length=1024, pattern="^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
    ] = Field(description="The cause in one CamelCase word.")
    message: Annotated[str, Field(strict=True, max_length=4096)] = Field(
        description="The cause in a sentence, with the fix where there is one. At most 4096 characters."
    )


def make_condition(
    type_: str,
    *,
    status: bool | None,
    reason: str,
    message: str,
    generation: int,
    now: datetime,
) -> Condition:
    """A condition observed now; `status` None means unknown."""
    return Condition(
        type=type_,
        status=_word(status=status),
        reason=reason,
        message=message,
        observed_generation=generation,
        last_transition_time=now,
    )


def find_condition(conditions: Sequence[Condition], type_: str) -> Condition | None:
    """The condition of that type, where there is one."""
    return next((condition for condition in conditions if condition.type == type_), None)


def set_condition(conditions: Sequence[Condition], new: Condition, now: datetime) -> tuple[Condition, ...]:
    """The conditions with `new` in its type's place, or at the end.

    The transition time is `now` only if the status differs from before.
    """
    old = find_condition(conditions, new.type)
    since = old.last_transition_time if old is not None and old.status == new.status else now
    entry = new.model_copy(update={"last_transition_time": since})
    if old is None:
        return (*conditions, entry)
    return tuple(entry if condition.type == new.type else condition for condition in conditions)


def observe_condition(
    conditions: Sequence[Condition],
    type_: str,
    *,
    status: bool | None,
    reason: str,
    message: str,
    generation: int,
    now: datetime,
) -> tuple[Condition, ...]:
    """The conditions with what is observed now in its type's place, or at the end. Most often it is what they say."""
    old = find_condition(conditions, type_)
    said = (old.status, old.reason, old.message, old.observed_generation) if old is not None else None
    if said == (_word(status=status), reason, message, generation):
        return tuple(conditions)
    new = make_condition(type_, status=status, reason=reason, message=message, generation=generation, now=now)
    return set_condition(conditions, new, now)


def _word(*, status: bool | None) -> ConditionStatus:
    return ConditionStatus.UNKNOWN if status is None else ConditionStatus.TRUE if status else ConditionStatus.FALSE
