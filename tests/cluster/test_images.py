import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from .images import Image, build_images, identity_anew

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

CODE_BYTES = 4 * 2**20
LIBRARIES_BYTES = 128 * 2**20  # packed; torch alone would be 3 GB


@pytest.fixture(scope="module")
def images() -> dict[str, Image]:
    return {image.kind: image for image in build_images(kinds=["fedka"])}


def _read(archive: Path, digest: str) -> Any:
    with tarfile.open(archive) as tar:
        blob = tar.extractfile(f"blobs/{digest.replace(':', '/')}")
        assert blob is not None
        return json.load(blob)


def _manifest(archive: Path) -> dict[str, Any]:
    with tarfile.open(archive) as tar:
        index = tar.extractfile("index.json")
        assert index is not None
        found: dict[str, Any] = _read(archive, json.load(index)["manifests"][0]["digest"])
    return found


def test_foundations_come_before_what_stands_on_them(images):
    assert list(images) == ["libraries", "fedka"]


def test_a_change_of_code_is_a_small_archive(images):
    assert images["fedka"].archive.stat().st_size < CODE_BYTES
    assert images["libraries"].archive.stat().st_size < LIBRARIES_BYTES


def test_an_archive_and_its_foundations_hold_all_layers(images):
    def blobs(kind: str) -> int:
        with tarfile.open(images[kind].archive) as tar:
            return sum(name.startswith("blobs/") for name in tar.getnames())

    manifest_and_config = 2
    layers = [len(_manifest(images[kind].archive)["layers"]) for kind in ("libraries", "fedka")]
    assert blobs("libraries") == layers[0] + manifest_and_config
    assert blobs("fedka") == layers[1] - layers[0] + manifest_and_config


def test_an_image_has_its_own_name_and_one_that_stays(images):
    with tarfile.open(images["fedka"].archive) as tar:
        index = tar.extractfile("index.json")
        assert index is not None
        names = [entry["annotations"]["io.containerd.image.name"] for entry in json.load(index)["manifests"]]
    assert names == [images["fedka"].name, images["fedka"].alias] == [images["fedka"].name, "localhost/fedka:dev"]


def test_it_runs_fedka_as_a_user_without_rights(images):
    archive = images["fedka"].archive
    config = _read(archive, _manifest(archive)["config"]["digest"])["config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["fedka"]


def test_without_a_change_nothing_is_built(images):
    said: list[str] = []
    assert build_images(progress=said.append, kinds=["fedka"]) == list(images.values())
    assert said == []


def test_the_same_tree_gives_the_same_image(images):
    assert identity_anew("fedka") == images["fedka"].identity
