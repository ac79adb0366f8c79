"""Reads a training from a YAML file and judges it: what is wrong is said with its line before anything starts."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from fedka.api.errors import FieldError, InvalidResource
from fedka.api.rules import spec_problems
from fedka.api.training import FederatedTraining
from fedka.api.validation import admit, validate_object
from fedka.yaml_text import check_size, faults_of_yaml


class TrainingFileError(Exception):
    """The file cannot be read as one YAML document; the message begins with the file, and the line where known."""


def load_object(path: Path) -> dict[str, Any]:
    """The training in the file as it was written, without defaults.

    Raises TrainingFileError for a file that holds no single YAML document, InvalidResource for a wrong training.
    """
    node = _only_document(path)
    obj = _as_json(node, path)
    errors = validate_object(obj) or spec_problems(FederatedTraining.from_object(admit(obj)))
    if errors:
        raise InvalidResource([replace(error, place=_place(path, node, error)) for error in errors])
    return obj


class _Loader(yaml.SafeLoader):
    """YAML as Kubernetes reads it: times stay text, and a key may stand only once."""

    yaml_implicit_resolvers = {  # noqa: RUF012  the name and shape that PyYAML looks for
        first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  PyYAML's signature
        """Refuses the second of two equal keys, of which PyYAML would silently keep the last."""
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} stands here twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _only_document(path: Path) -> yaml.MappingNode:
    """The root of the file's one document."""
    documents = [node for node in _documents(path) if node is not None]
    if not documents:
        raise TrainingFileError(f"{path}: is empty; write one FederatedTraining into it")
    if len(documents) > 1:
        line = documents[1].start_mark.line + 1
        raise TrainingFileError(
            f"{path}:{line}: a second document begins here; keep exactly one FederatedTraining in the file"
        )
    if not isinstance(documents[0], yaml.MappingNode):
        raise TrainingFileError(f"{path}: holds no mapping; it must begin with apiVersion, kind, metadata and spec")
    return documents[0]


def _documents(path: Path) -> list[yaml.Node | None]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise TrainingFileError(
            f"{path}: there is no such file; give the path of a FederatedTraining in YAML"
        ) from error
    except UnicodeDecodeError as error:
        raise TrainingFileError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise TrainingFileError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        with faults_of_yaml():
            nodes: list[yaml.Node] = list(yaml.compose_all(text, Loader=_Loader))
            for node in nodes:
                check_size(node)
        return [None if _is_empty(node) else node for node in nodes]
    except yaml.YAMLError as error:
        raise _syntax_error(path, error) from error


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _syntax_error(path: Path, error: yaml.YAMLError) -> TrainingFileError:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return TrainingFileError(f"{path}:{mark.line + 1}:{mark.column + 1}: not valid YAML: {error.problem}")
    return TrainingFileError(f"{path}: not valid YAML: {error}")


def _as_json(node: yaml.Node, path: Path) -> dict[str, Any]:
    """The document as the JSON object that Kubernetes would make of it."""
    loader = _Loader("")
    try:
        with faults_of_yaml():
            document = loader.construct_document(node)
        text = json.dumps(document, allow_nan=False, ensure_ascii=False).encode()
        obj: dict[str, Any] = json.loads(text)
    except yaml.YAMLError as error:
        raise _syntax_error(path, error) from error
    except (TypeError, ValueError, RecursionError) as error:  # a set, bytes, infinity, half a character
        raise TrainingFileError(
            f"{path}: holds what JSON cannot say, and Kubernetes could not store: {error}"
        ) from error
    finally:
        loader.dispose()
    return obj


def _place(path: Path, root: yaml.Node, error: FieldError) -> str:
    """File and line of the field, or of the nearest thing above it that stands in the file."""
    node, line = root, root.start_mark.line
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", error.path):
        found = _member(node, name) if name else _item(node, int(index))
        if found is None:
            break
        line, node = found
    return f"{path}:{line + 1}"


def _member(node: yaml.Node, name: str) -> tuple[int, yaml.Node] | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next(((key.start_mark.line, value) for key, value in pairs if key.value == name), None)


def _item(node: yaml.Node, index: int) -> tuple[int, yaml.Node] | None:
    if not isinstance(node, yaml.SequenceNode) or index >= len(node.value):
        return None
    found: yaml.Node = node.value[index]
    return found.start_mark.line, found
