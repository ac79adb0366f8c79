"""A connection bundle as one file, for whoever runs a participant outside the cluster.

`fedka bundle` writes it; `fedka join` reads it, and the Secret as kubectl prints it, and a directory with the files.
Whoever holds it can act as the participant: it is written and unpacked for its owner's eyes only.
"""

import os
import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkstemp
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fedka.wire.bundle import DOCUMENT, BundleUnreadable
from fedka.yaml_text import load_yaml

OWNER_ONLY = 0o600
MOST_BYTES = 2**20  # a Secret's own limit
_FILE_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}")  # as Kubernetes allows in a Secret; what fits into any directory
_WANTED = (
    "a connection bundle is needed (what `fedka bundle` writes, its directory, or the Secret as kubectl prints it)"
)


class BundleFile(BaseModel):
    """The document: a format number, and each file's text by its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = Field(default=1, alias="fedkaBundle")
    files: dict[str, str]


def pack(files: Mapping[str, bytes]) -> str:
    """The text of the file."""
    texts = {name: content.decode() for name, content in sorted(files.items())}
    return BundleFile(files=texts).model_dump_json(by_alias=True, indent=2) + "\n"


def unpack(text: str, source: str) -> dict[str, bytes]:
    """The files in a bundle file, or in a Secret as YAML or JSON. Raises BundleUnreadable, which names `source`."""
    document = _document(text, source)
    if document.get("kind") == "Secret":
        files = secret_files(document, source)
    else:
        try:
            files = {name: value.encode() for name, value in BundleFile.model_validate(document).files.items()}
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise BundleUnreadable(f"{source}: {_WANTED}, but {where}: {first['msg']}") from None
        except UnicodeEncodeError:  # half a surrogate pair, which JSON's escapes can say
            raise BundleUnreadable(f"{source}: {_WANTED}, but a file in it is no text") from None
    if DOCUMENT not in files:
        raise BundleUnreadable(f"{source}: {_WANTED}, but there is no {DOCUMENT} in it")
    strange = sorted(name for name in files if name in (".", "..") or not _FILE_NAME.fullmatch(name))
    if strange:
        raise BundleUnreadable(f"{source}: {strange[0]!r} is no name of a file: do not use this bundle")
    return files


def secret_files(secret: Mapping[str, Any], source: str) -> dict[str, bytes]:
    """The files in a Secret. Raises BundleUnreadable."""
    data = secret.get("data") or {}
    try:
        return {str(name): b64decode(value, validate=True) for name, value in data.items()}
    except (NotBase64, TypeError, ValueError, AttributeError):
        raise BundleUnreadable(f"{source}: the Secret's data are not base64: take it as kubectl prints it") from None


def read_files(path: Path) -> dict[str, bytes]:
    """The files of a bundle in a directory, a bundle file or a Secret's manifest. Raises BundleUnreadable."""
    try:
        if path.is_dir():
            # a mounted Secret also holds hidden directories that its links lead into
            files = {each.name: each.read_bytes() for each in path.iterdir() if each.is_file()}
            if DOCUMENT not in files:
                raise BundleUnreadable(f"{path}: holds no {DOCUMENT}: it is no directory of a connection bundle")
            return files
        return unpack(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError:
        raise BundleUnreadable(f"{path}: {_WANTED}, but it is no text") from None
    except OSError as error:
        raise BundleUnreadable(f"{path}: {error.strerror}: {_WANTED}") from None


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone may read, from its first byte on. Raises OSError."""
    # its name is drawn: in two containers on one volume, both writers may be process 1
    handle, draft = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)


def write_files(directory: Path, files: Mapping[str, bytes]) -> None:
    """Lay files out in a directory, for their owner's eyes only from their first byte on. Raises OSError."""
    for name, content in files.items():
        file = directory / Path(name).name  # whatever a Secret calls it, it lands nowhere else
        file.touch(mode=OWNER_ONLY)
        file.write_bytes(content)


def _document(text: str, source: str) -> dict[str, Any]:
    if len(text) > MOST_BYTES:
        raise BundleUnreadable(f"{source}: {_WANTED}, but it is larger than {MOST_BYTES} bytes")
    try:
        document = load_yaml(text)  # JSON is YAML, too
    except yaml.YAMLError:
        raise BundleUnreadable(f"{source}: {_WANTED}, but it is neither JSON nor YAML") from None
    if not isinstance(document, dict):
        raise BundleUnreadable(f"{source}: {_WANTED}, but it holds no mapping")
    return document
