"""YAML that anybody may have written, read with an end.

PyYAML's safe loader runs no code, but it lets escape what `int`, `float`, `datetime` and its own regular expressions
say of a scalar that is not what its tag promises, overruns the stack on deep nesting, and follows references to
references: ten lines may stand for a billion values. Here each of these is a `yaml.YAMLError`, as any other fault is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import yaml

DEEPEST = 100  # levels; an object of Kubernetes has less than 30, and its managedFields have twice as many
MOST_VALUES = 100_000  # with every reference followed; the largest resource that Kubernetes stores has fewer
_UNDERSTOOD = (ValueError, TypeError, AttributeError, LookupError, OverflowError)  # what PyYAML's constructors let out


@contextmanager
def faults_of_yaml() -> Iterator[None]:
    """Whatever PyYAML raises inside leaves as a YAMLError."""
    try:
        yield
    except RecursionError:
        raise yaml.YAMLError("it is nested too deeply") from None
    except _UNDERSTOOD as error:
        raise yaml.YAMLError(f"a value is not what it looks like or is tagged as: {error}") from error


def load_yaml(text: str) -> Any:
    """The one document in `text`, as `yaml.safe_load` makes it. Raises YAMLError, and nothing else."""
    with faults_of_yaml():
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            return None
        check_size(node)
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_document(node)
        finally:
            loader.dispose()


def check_size(root: yaml.Node) -> None:
    """Raise YAMLError where a document stands for more values than anything of ours has, nests deeper, or refers to
    itself.
    """
    size = _size(root, {})
    if size.values > MOST_VALUES:
        raise yaml.YAMLError(f"with its references followed it holds more than {MOST_VALUES} values")
    if size.levels > DEEPEST:
        raise yaml.YAMLError("it is nested too deeply")


class _Size(NamedTuple):
    """In and below a node."""

    values: int
    levels: int


_SCALAR, _UNDER_WAY = _Size(1, 0), _Size(0, 0)


def _size(node: yaml.Node, known: dict[int, _Size]) -> _Size:
    """Each node is looked at once. As deep as PyYAML's own reading of it went."""
    if id(node) in known:
        if known[id(node)] is _UNDER_WAY:
            raise yaml.YAMLError(f"line {node.start_mark.line + 1} refers to what it is a part of")
        return known[id(node)]
    if isinstance(node, yaml.ScalarNode):
        return _SCALAR
    known[id(node)] = _UNDER_WAY
    children = node.value if isinstance(node, yaml.SequenceNode) else [each for pair in node.value for each in pair]
    sizes = [_size(child, known) for child in children]
    known[id(node)] = _Size(1 + sum(each.values for each in sizes), 1 + max((each.levels for each in sizes), default=0))
    return known[id(node)]
