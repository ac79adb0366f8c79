"""The connection bundle: what a pod needs to take part, as one directory named by FEDKA_BUNDLE.

The whole contract with a pod is one command, this directory, and no other environment of ours. `bundle.json` holds
this document; files that it names (a CA, a password) lie beside it.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from fedka.wire.names import RunTopics
from fedka.wire.records import Name

VARIABLE = "FEDKA_BUNDLE"
DOCUMENT = "bundle.json"
CA_FILE = "ca.crt"
PASSWORD_FILE = "password"  # noqa: S105  the name of a file


class BundleUnreadable(Exception):
    """There is no bundle, or it is not one that this version reads."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class KafkaAccess(_Part):
    """How to reach Kafka. `ca_file` and `password_file` are names of files in the bundle."""

    bootstrap_servers: str = Field(min_length=1)
    security_protocol: Literal["PLAINTEXT", "SASL_SSL", "SSL"] = "PLAINTEXT"
    ca_file: str | None = None
    sasl_mechanism: Literal["SCRAM-SHA-512"] | None = None
    username: str | None = None
    password_file: str | None = None


class AppSettings(_Part):
    """What a participant runs: `module:object` and the configuration merged from the spec and this participant.

    `code_directory` comes first on the Python path, where it exists: modules that were mounted into the pod.
    """

    entrypoint: str
    code_directory: str | None = None
    config: dict[str, str] = Field(default_factory=dict)


class Bundle(_Part):
    """One pod's connection bundle."""

    v: Literal[1] = 1
    role: Literal["aggregator", "participant", "reader"]
    run: str
    training: str
    namespace: str
    topic_prefix: str = "fedka"
    participant: Name | None = None
    seed: int = 42
    kafka: KafkaAccess
    app: AppSettings | None = None
    state_directory: str | None = None

    @property
    def topics(self) -> RunTopics:
        """The run's topic names."""
        return RunTopics(run=self.run, prefix=self.topic_prefix)


def read_bundle(directory: Path) -> Bundle:
    """The bundle in a directory. Raises BundleUnreadable naming the file and the fault."""
    path = directory / DOCUMENT
    try:
        bundle = Bundle.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BundleUnreadable(
            f"{path}: {error.strerror}: {VARIABLE} must name the directory of a connection bundle"
        ) from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BundleUnreadable(f"{path}: {where}: {first['msg']}") from None
    for name in (bundle.kafka.ca_file, bundle.kafka.password_file):
        if name is not None and not _is_file(directory / name):
            raise BundleUnreadable(f"{path} names {name}, which does not lie beside it: the bundle is incomplete")
    return bundle


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long for any file
        return False
