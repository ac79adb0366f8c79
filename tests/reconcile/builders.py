"""Small journals and trainings, for readable tests."""

from typing import Any

from fedka.wire import records as r
from fedka.wire.chunks import Pointer
from fedka.wire.layout import Layout, Tensor

LAYOUT = Layout(tensors=(Tensor(name="w", dtype="float32", shape=(1000,)),))
NONCE = "0" * 32


def training_object(name: str = "fraud", **spec: Any) -> dict[str, Any]:
    """A FederatedTraining of participants a and b, as a user writes it."""
    wanted: dict[str, Any] = {
        "app": {"entrypoint": "fraud:app"},
        "rounds": {"count": 3},
        "participants": [{"name": "a"}, {"name": "b"}],
    }
    metadata = {"name": name, "namespace": "default"}
    return {
        "apiVersion": "fedka.dev/v1alpha1",
        "kind": "FederatedTraining",
        "metadata": metadata,
        "spec": wanted | spec,
    }


def pointer(number: int) -> Pointer:
    return Pointer.of(upload=bytes([number % 256]) * 16, offsets=[number], digest=f"{number:064x}")


def joined(*names: str) -> list[r.JournalRecord]:
    return [r.ParticipantJoined(participant=name, offset=0) for name in names]


def opened(number: int, *names: str, attempt: int = 1, count: int = 3) -> r.RoundOpened:
    return r.RoundOpened(
        round=number,
        attempt=attempt,
        generation=1,
        revision=0,
        strategy=r.Strategy(),
        target=len(names),
        quorum=len(names),
        selected=tuple(r.Selected(participant=name, since=1, hello=0) for name in names),
        weight_scale=1024,
        base=None if number == 0 else r.ModelRef(round=number - 1, pointer=pointer(number - 1)),
        nonce=NONCE,
        deadline_seconds=600,
        count=count,
    )


def closed(number: int, *names: str, attempt: int = 1, loss: float = 0.5) -> list[r.JournalRecord]:
    """Accepts all, decides, closes."""
    return [
        *(r.UpdateAccepted(round=number, attempt=attempt, participant=name, offset=10 + number) for name in names),
        r.RoundClosing(
            round=number,
            attempt=attempt,
            accepted=tuple(r.Taken(participant=name, offset=10 + number) for name in names),
        ),
        r.RoundClosed(
            round=number,
            attempt=attempt,
            model=r.ModelRef(round=number, pointer=pointer(number)),
            metrics={"loss": loss},
            accepted=len(names),
            rejected=0,
            evaluate=False,
        ),
    ]


def first_model(name: str) -> list[r.JournalRecord]:
    """Round 0: the first model comes from one participant."""
    return [
        opened(0, name),
        r.LayoutDefined(layout=LAYOUT, digest=LAYOUT.digest(), participant=name),
        *closed(0, name),
    ]


def whole_round(number: int, *names: str) -> list[r.JournalRecord]:
    return [opened(number, *names), *closed(number, *names)]
