"""What an update counts in its round: one rule for the engine, which adds by it, and for whoever replays the round."""

from collections.abc import Iterable

from fedka.wire.exact import Weight, weight_numerator, weight_scale
from fedka.wire.records import Commit, Hello, RoundOpened, Strategy


def scale_of(strategy: Strategy, asked: Iterable[Hello]) -> int:
    """The round's weight scale, by the hellos of everybody who is asked."""
    return 1 if _is_uniform(strategy) else weight_scale([hello.examples for hello in asked])


def weight_of(commit: Commit, hello: Hello, opened: RoundOpened) -> Weight:
    """The weight of an update in the round that was opened so; `hello` is the one that the opening refers to."""
    scale, uniform = opened.weight_scale, _is_uniform(opened.strategy)
    return Weight(weight_numerator(commit.examples, hello.examples, scale, uniform=uniform), scale)


def _is_uniform(strategy: Strategy) -> bool:
    return strategy.weighting == "Uniform"
