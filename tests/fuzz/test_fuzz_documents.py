"""Files that people write or hand over: YAML and JSON, right, wrong or hostile."""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml

from fedka.api.errors import InvalidResource
from fedka.api.loading import TrainingFileError, load_object
from fedka.cli.errors import CommandFailed
from fedka.cli.training_file import read_object
from fedka.kubernetes.configuration import ConfigurationInvalid, read_configuration
from fedka.kubernetes.login_programs import ProgramFailed, credentials_of
from fedka.local.invocation import FILE as INVOCATION_FILE
from fedka.local.invocation import Invocation
from fedka.local.kept_runs import kept_run
from fedka.local.saved import SavedTraining, SavedTrainingUnusable
from fedka.local.state_dir import TRAINING_FILE
from fedka.masking import KeyUnusable, read_key
from fedka.wire.bundle import CA_FILE, DOCUMENT, PASSWORD_FILE, Bundle, BundleUnreadable, KafkaAccess, read_bundle
from fedka.wire.bundle_file import pack, unpack, write_files

from ..cli.trainings import training
from . import mutation
from .mutation import cases

ROOT = Path(__file__).parents[2]
LONGEST = 3_000  # PyYAML reads a megabyte in ten seconds
DEEP = 500  # overruns the stack; PyYAML takes a hundred times as long for it as for anything else, and ever more beyond
LOGIN_VERSION = "client.authentication.k8s.io/v1"
KEY = "3141592653589793238462643383279502884197169399375105820974944592"  # any digits

# What PyYAML takes for a number, a date or a reference and stumbles over, in the place of any value.
SCALARS = (
    "2001-13-45", "2001-12-14t21:59:43.10-05:00", "0x_", "0b_", "!!int ''", "!!float ab", "!!timestamp 5", "!!binary x",
    "!!python/object/apply:os.system [exit]", "!!set {a, b}", "&a [*a]", "*unknown", "&a {<<: *a}", "<<", "=", ".inf",
    ".nan", "1:99:99", "0o17", "017", "y", "~", "? a", "|", ">-", "%", "@", "`", "- - - -", "!!omap [a: 1]", "!x y",
    "'\\u0000'", '"\\xff"', '"\\ud800"', "\t", "# no", "---", "...", "[" * DEEP, "{a: " * DEEP, "- " * DEEP,
    "!!pairs 1", "!!str [a]", "!!map 1", "!!seq a", "!!null x", "!!bool maybe", "1e400", "-.inf", "9" * 5000,
)  # fmt: skip


def bundle() -> dict[str, bytes]:
    access = KafkaAccess(bootstrap_servers="kafka:9093", security_protocol="SASL_SSL", ca_file="ca.crt")
    document = Bundle(role="participant", run="r.t.0", training="t", namespace="r", participant="a", kafka=access)
    return {DOCUMENT: document.model_dump_json(by_alias=True).encode(), "ca.crt": b"certificate", "password": b"secret"}


def secret() -> dict[str, Any]:
    data = {name: base64.b64encode(value).decode() for name, value in bundle().items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "fraud"}, "data": data}


def configuration() -> dict[str, Any]:
    access = {"bootstrapServers": "kafka:9092", "replication": 3, "prefix": "fedka"}
    images = {"aggregator": "fedka/aggregator:1", "participant": "fedka/participant:1"}
    return {"images": images, "kafkaClusters": [{"name": "default", **access}], "port": 8080}


def invocation() -> dict[str, Any]:
    return asdict(Invocation.of("fraud", "fraud.yaml", ["rounds.count=3"], "kafka:9092"))


def trainings() -> list[Any]:
    examples = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "examples").glob("*/training.yaml"))]
    return [training(), training(rounds={"count": 5, "quorum": "60%", "onQuorumMiss": "Skip"}), *examples]


def texts(name: str, count: int, documents: Sequence[Any]) -> Iterator[tuple[str, bytes]]:
    """As JSON, which is YAML; and as YAML, with something that only YAML knows in the place of a value."""
    corpus = [json.dumps(document).encode() for document in documents]
    for seed, data in cases(name, count, corpus):
        yield seed, data.replace(b"[" * max(mutation.DEEP), b"[" * DEEP)[:LONGEST]
    lines = [yaml.safe_dump(document).splitlines() for document in documents]
    for number in range(count):
        random = Random(f"{name} YAML {number}")  # noqa: S311  nothing here is a secret
        mine = list(random.choice(lines))
        at = random.randrange(len(mine))
        key, colon, _value = mine[at].partition(": ")
        mine[at] = f"{key}{colon or ': '}{random.choice(SCALARS)}"
        if random.random() < 0.3:
            del mine[random.randrange(len(mine))]
        yield f"{name} YAML {number}", "\n".join(mine).encode()


Read = Callable[[Path], object]


def unpacked(path: Path) -> object:
    """As `fedka join` does: in a directory of its own."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
    files = unpack(text, "the bundle")
    with TemporaryDirectory(dir=path.parent) as directory:
        write_files(Path(directory), files)
        return read_bundle(Path(directory))


def printed() -> dict[str, Any]:
    status = {"token": "secret", "clientCertificateData": "certificate", "clientKeyData": "key"}
    return {"apiVersion": LOGIN_VERSION, "kind": "ExecCredential", "status": status}


def login(path: Path) -> object:
    """By a program that a kubeconfig names, and that prints this file."""
    return asyncio.run(credentials_of({"apiVersion": LOGIN_VERSION, "command": "cat", "args": [str(path)]}))


READERS: dict[str, tuple[Read, tuple[type[Exception], ...], Callable[[], list[Any]]]] = {
    "training": (load_object, (TrainingFileError, InvalidResource), trainings),
    "bundle file": (unpacked, (BundleUnreadable,), lambda: [json.loads(pack(bundle())), secret()]),
    "bundle": (lambda path: read_bundle(path.parent), (BundleUnreadable,), lambda: [json.loads(bundle()[DOCUMENT])]),
    "configuration": (read_configuration, (ConfigurationInvalid,), lambda: [configuration()]),
    "login by a program": (login, (ProgramFailed,), lambda: [printed()]),
    "masking key": (read_key, (KeyUnusable,), lambda: [int(KEY)]),  # JSON and YAML, too
    "saved training": (lambda path: SavedTraining(path).load(), (SavedTrainingUnusable,), trainings),
}


@pytest.mark.parametrize("name", READERS)
def test_a_file_is_read_or_refused(name: str, few: int, tmp_path: Path) -> None:
    read, refusals, documents = READERS[name]
    path, taken, reasons = tmp_path / DOCUMENT, 0, list[str]()
    for beside in (CA_FILE, PASSWORD_FILE):  # what a bundle names has to be there
        (tmp_path / beside).touch()
    for seed, data in texts(name, few, documents()):
        path.write_bytes(data)
        try:
            read(path)
        except refusals as error:
            reasons.append(str(error))
        except Exception as error:
            raise AssertionError(f"{seed}: {error!r}") from error
        else:
            taken += 1
    assert taken > few // 50, "the mutations leave nothing to read"
    assert all(reasons)


@pytest.mark.parametrize("file", [TRAINING_FILE, INVOCATION_FILE])
def test_a_run_is_listed_whatever_is_in_its_files(file: str, few: int, tmp_path: Path) -> None:
    """One that cannot be read must not hide the others from `fedka runs` and from the completion of names."""
    (tmp_path / TRAINING_FILE).touch()
    documents, understood = trainings() if file == TRAINING_FILE else [invocation()], 0
    for seed, data in texts(file, few, documents):
        (tmp_path / file).write_bytes(data)
        try:
            run = kept_run(tmp_path)
            assert run is not None
            assert isinstance(f"{run.name} {run.phase} {run.interrupted} {run.rounds} {run.began}", str)
            assert all(isinstance(name, str) for name in run.participants)
            if run.invocation is not None:
                assert run.invocation.command(tmp_path)
        except Exception as error:
            raise AssertionError(f"{seed}: {error!r}") from error
        understood += run.training is not None or run.invocation is not None
    assert understood > few // 50, "the mutations leave nothing to read"


@pytest.mark.parametrize("value", SCALARS)
def test_a_setting_on_the_command_line_is_read_or_refused(value: str, tmp_path: Path) -> None:
    path = tmp_path / "training.yaml"
    path.write_text(yaml.safe_dump(training()))
    with suppress(CommandFailed, InvalidResource, TrainingFileError):
        assert read_object(str(path), [f"app.config.x={value}"])


def bomb(depth: int) -> str:
    """YAML of a few lines that stands for 9^depth values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    names = [f"a{number}" for number in range(depth + 1)]
    for before, name in pairwise(names):
        lines.append(f"{name}: &{name} [{', '.join(['*' + before] * 9)}]")
    return "\n".join(lines)


@pytest.mark.parametrize("name", READERS)
def test_references_to_references_are_not_followed_without_end(name: str, tmp_path: Path) -> None:
    read, refusals, documents = READERS[name]
    path = tmp_path / DOCUMENT
    path.write_text(f"{yaml.safe_dump(documents()[0])}{bomb(12)}\n")
    with pytest.raises(refusals):
        read(path)
