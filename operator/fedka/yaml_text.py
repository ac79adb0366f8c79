"""YAML that anybody may have written, read with an end.

PyYAML's safe loader runs no code, but it lets escape what `int`, `float`, `datetime` and its own regular expressions
say of a scalar that is not what its tag promises, overruns the stack on deep nesting, and follows references to
references: ten lines may stand for a billion values. Here each of these is a `yaml.YAMLError`, as any other fault is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

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
    """Raise YAMLError where a document stands for more values than anything of ours has, or refers to itself."""
    if _size(root, {}) > MOST_VALUES:
        raise yaml.YAMLError(f"with its references followed it holds more than {MOST_VALUES} values")


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Values in and below a node; each node is looked at once. As deep as PyYAML's own reading of it went."""
    if id(node) in known:
        if known[id(node)] == 0:
            raise yaml.YAMLError(f"line {node.start_mark.line + 1} refers to what it is a part of")
        return known[id(node)]
    if isinstance(node, yaml.ScalarNode):
        return 1
    known[id(node)] = 0
    children = node.value if isinstance(node, yaml.SequenceNode) else [each for pair in node.value for each in pair]
    known[id(node)] = 1 + sum(_size(child, known) for child in children)
    return known[id(node)]
