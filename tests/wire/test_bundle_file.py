"""The bundle as one file."""

import base64
import json
import os
import stat

import pytest
import yaml

from fedka.wire.bundle import BundleUnreadable
from fedka.wire.bundle_file import pack, read_files, unpack, write_files, write_private

FILES = {"bundle.json": b'{"v": 1}', "ca.crt": b"-----BEGIN", "password": b"secret\n"}
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "fraud-bank-b"},
    "data": {name: base64.b64encode(content).decode() for name, content in FILES.items()},
}


def test_what_was_packed_is_unpacked():
    assert unpack(pack(FILES), "f") == FILES
    assert json.loads(pack(FILES))["fedkaBundle"] == 1


@pytest.mark.parametrize("form", [json.dumps, yaml.safe_dump])
def test_secret_as_kubectl_prints_it_is_unpacked(form):
    assert unpack(form(SECRET), "f") == FILES


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[1, 2", "neither JSON nor YAML"),
        ("hello", "holds no mapping"),
        ('{"kind": "Pod"}', "files: Field required"),
        (json.dumps({"fedkaBundle": 2, "files": {}}), "fedkaBundle"),
        (json.dumps({"fedkaBundle": 1, "files": {"password": "x"}}), "there is no bundle.json in it"),
        (json.dumps({"fedkaBundle": 1, "files": {"bundle.json": "", "../it": "x"}}), "'../it' is no name of a file"),
        (json.dumps({"fedkaBundle": 1, "files": {"bundle.json": "", "a\0": "x"}}), r"'a\x00' is no name of a file"),
        (json.dumps({"fedkaBundle": 1, "files": {"bundle.json": "", "a" * 300: "x"}}), "aaa' is no name of a file"),
        (json.dumps({**SECRET, "data": {"bundle.json": "plain text!"}}), "not base64"),
        (json.dumps({**SECRET, "data": ["bundle.json"]}), "not base64"),
        (json.dumps({"fedkaBundle": 1, "files": {"bundle.json": "\ud800"}}), "a file in it is no text"),
    ],
)
def test_what_is_no_bundle_is_refused_by_its_fault(text, fault):
    with pytest.raises(BundleUnreadable, match=r"^here") as caught:
        unpack(text, "here")
    assert fault in str(caught.value)


def test_directory_is_read_as_it_is(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "..data").mkdir()
    assert read_files(tmp_path) == FILES


def test_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BundleUnreadable, match=r"nowhere: No such file or directory"):
        read_files(tmp_path / "nowhere")


def test_directory_without_the_document_is_named(tmp_path):
    with pytest.raises(BundleUnreadable, match=r"holds no bundle\.json"):
        read_files(tmp_path)


def test_file_is_for_its_owner_only_and_takes_the_place_of_an_open_one(tmp_path):
    path = tmp_path / "b.json"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_the_draft_of_a_writer_with_our_process_id_in_another_container_is_left_alone(tmp_path):
    draft = tmp_path / f".b.json.{os.getpid()}"
    draft.write_text("half")
    write_private(tmp_path / "b.json", "ours")
    assert (tmp_path / "b.json").read_text() == "ours"
    assert draft.read_text() == "half"


def test_files_are_laid_out_for_their_owner_only_and_nowhere_else(tmp_path):
    directory = tmp_path / "bundle"
    directory.mkdir()
    write_files(directory, {**FILES, "../strange": b"x"})
    assert read_files(directory) == {**FILES, "strange": b"x"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    assert list(tmp_path.iterdir()) == [directory]
