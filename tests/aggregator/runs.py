"""Run states and records as the tests of the aggregator's pure parts need them."""

from fedka.wire.chunks import Pointer
from fedka.wire.layout import Layout, Tensor
from fedka.wire.records import Commit, Hello, ModelRef, RoundOpened, Rounds, Selected, Spec, Strategy
from fedka.wire.run_state import RunState

RUN = "test.run.00000000"
LAYOUT = Layout(tensors=(Tensor(name="w", dtype="float32", shape=(3000,)),), chunk_bytes=4096)
OTHER = Layout(tensors=(Tensor(name="v", dtype="float32", shape=(7,)),), chunk_bytes=4096)
POINTER = Pointer.of(upload=bytes(16), offsets=[4, 5, 6], digest="a" * 64)
MODEL = ModelRef(round=0, pointer=POINTER)
NONCE = "b" * 32


def hello(examples: int = 100, layout: Layout = LAYOUT) -> Hello:
    return Hello(examples=examples, layout=layout.digest(), software="test", instance="c" * 32)


def hellos(*names: str, layout: Layout = LAYOUT) -> dict[str, Hello]:
    return {name: hello(layout=layout) for name in names}


def spec(names: str = "abc", **more: object) -> Spec:
    rounds = {"count": 3, **more.pop("rounds", {})}  # type: ignore[dict-item]
    return Spec(generation=1, participants=tuple(names), rounds=Rounds(**rounds), **more)  # type: ignore[arg-type]


def begun(**changes: object) -> RunState:
    """A run that has its first model."""
    state = RunState(next_round=1, model=MODEL, layout=LAYOUT, layout_digest=LAYOUT.digest(), opened_once=True)
    return state._replace(**changes)  # type: ignore[arg-type]


def opened(number: int = 1, **changes: object) -> RoundOpened:
    values: dict[str, object] = {
        "round": number,
        "attempt": 1,
        "generation": 1,
        "revision": 0,
        "strategy": Strategy(),
        "target": 1,
        "quorum": 1,
        "selected": (Selected(participant="a", since=0, hello=0),),
        "weight_scale": 128,
        "base": MODEL if number else None,
        "nonce": NONCE,
        "deadline_seconds": 60,
        "count": 3,
        **changes,
    }
    return RoundOpened(**values)  # type: ignore[arg-type]


def commit(number: int = 1, **changes: object) -> Commit:
    values: dict[str, object] = {
        "run": RUN,
        "round": number,
        "attempt": 1,
        "nonce": NONCE,
        "base": POINTER.digest if number else None,
        "layout": LAYOUT.digest(),
        "examples": 100,
        "update": POINTER,
        "definition": None if number else LAYOUT,
        **changes,
    }
    return Commit(**values)  # type: ignore[arg-type]
