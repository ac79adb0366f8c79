"""Programs that a kubeconfig names to get credentials from, as those of cloud providers do.

The library would run them too, but of one that fails it only logs what it has said, and goes on without credentials:
whoever has to log in again would read of an answer 401 instead.
"""

import asyncio
import base64
import json
import os
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from fedka.wire.lines import one_line

KIND = "ExecCredential"
WORDS = 500  # characters of a program's last line


class ProgramFailed(Exception):
    """The program gives no credentials; in its own words, where it has any."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel)


class _Variable(_Part):
    name: str
    value: str


class _Asked(_Part):
    """What a user's `exec` says."""

    api_version: str
    command: str
    args: tuple[str, ...] | None = None
    env: tuple[_Variable, ...] | None = None
    install_hint: str | None = None

    def __str__(self) -> str:
        return f"the program {one_line(self.command)}, which the kubeconfig names,"


class _Status(_Part):
    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None


class _Given(_Part):
    """What the program prints."""

    api_version: str
    kind: str
    status: _Status


async def credentials_of(section: Any) -> dict[str, str]:
    """What the program gives that a user's `exec` asks for, as members of a user without such a section.

    Raises ProgramFailed.
    """
    try:
        asked = _Asked.model_validate(section)
    except ValidationError as error:
        field = ".".join(str(name) for name in ("exec", *error.errors()[0]["loc"]))
        raise ProgramFailed(f"the kubeconfig's {field}: {error.errors()[0]['msg']}") from None
    status = _status(await _output(asked), asked)
    given = {}
    if status.token:
        given["token"] = status.token
    if status.client_certificate_data and status.client_key_data:
        given["client-certificate-data"] = _encoded(status.client_certificate_data)
        given["client-key-data"] = _encoded(status.client_key_data)
    if not given:
        raise ProgramFailed(f"{asked} gives neither a token nor a certificate with its key")
    return given


async def _output(asked: _Asked) -> bytes:
    """What it prints. It may ask the person at the terminal something, and ends with us."""
    info = {"apiVersion": asked.api_version, "kind": KIND, "spec": {"interactive": os.isatty(0)}}
    told = {each.name: each.value for each in asked.env or ()}
    try:
        process = await asyncio.create_subprocess_exec(
            asked.command,
            *(asked.args or ()),
            env={**os.environ, **told, "KUBERNETES_EXEC_INFO": json.dumps(info)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        hint = f" ({one_line(asked.install_hint)})" if asked.install_hint else ""
        raise ProgramFailed(f"{asked} cannot be started: {error.strerror}{hint}") from error
    try:
        output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise ProgramFailed(f"{asked} has ended with code {process.returncode}{_last_words(errors)}")
    return output


def _status(output: bytes, asked: _Asked) -> _Status:
    try:
        given = _Given.model_validate_json(output)
    except ValidationError:  # whose message could show a part of a token
        given = None
    if given is None or (given.api_version, given.kind) != (asked.api_version, KIND):
        raise ProgramFailed(f"{asked} has printed no {KIND} of {asked.api_version}")
    return given.status


def _last_words(errors: bytes) -> str:
    lines = [text for line in errors.decode(errors="replace").splitlines() if (text := one_line(line))]
    return f": {lines[-1][:WORDS]}" if lines else ", without a word"


def _encoded(pem: str) -> str:
    return base64.b64encode(pem.encode()).decode()
