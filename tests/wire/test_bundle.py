import json
from pathlib import Path

import pytest

from fedka.wire.bundle import Bundle, BundleUnreadable, KafkaAccess, read_bundle

BUNDLE = Bundle(
    role="participant",
    run="ns.demo.1234abcd",
    training="demo",
    namespace="ns",
    participant="ada",
    kafka=KafkaAccess(bootstrap_servers="localhost:9092"),
)


def write(directory: Path, text: str) -> None:
    (directory / "bundle.json").write_text(text)


def test_a_bundle_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path, BUNDLE.model_dump_json(by_alias=True))
    assert read_bundle(tmp_path) == BUNDLE


def test_a_bundle_names_the_topics_of_its_run() -> None:
    assert BUNDLE.topics.update("ada") == "fedka.update.ns.demo.1234abcd.ada"


def test_a_missing_bundle_is_told_with_its_path_and_the_variable(tmp_path: Path) -> None:
    with pytest.raises(BundleUnreadable, match=r"bundle\.json: No such file or directory: FEDKA_BUNDLE must name"):
        read_bundle(tmp_path)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"v": 2}, "v: "),
        ({"role": "operator"}, "role: "),
        ({"participant": "Ada.B"}, "participant: "),
        ({"kafka": {"bootstrapServers": ""}}, "kafka.bootstrapServers: "),
        ({"stranger": 1}, "stranger: Extra inputs"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_a_bundle_of_another_form_is_refused_by_the_name_of_the_field(
    tmp_path: Path, changed: dict[str, object], said: str
) -> None:
    write(tmp_path, json.dumps(json.loads(BUNDLE.model_dump_json(by_alias=True)) | changed))
    with pytest.raises(BundleUnreadable) as caught:
        read_bundle(tmp_path)
    assert said in str(caught.value)


def test_what_is_not_json_is_no_bundle(tmp_path: Path) -> None:
    write(tmp_path, "{")
    with pytest.raises(BundleUnreadable, match="Invalid JSON"):
        read_bundle(tmp_path)


@pytest.mark.parametrize("member", ["caFile", "passwordFile"])
def test_a_bundle_lacks_no_file_that_it_names(tmp_path: Path, member: str) -> None:
    document = json.loads(BUNDLE.model_dump_json(by_alias=True))
    document["kafka"][member] = "secret.txt"
    write(tmp_path, json.dumps(document))
    with pytest.raises(BundleUnreadable, match=r"names secret\.txt, which does not lie beside it"):
        read_bundle(tmp_path)
    (tmp_path / "secret.txt").touch()
    read_bundle(tmp_path)


def test_a_file_whose_name_is_too_long_for_any_does_not_lie_beside_it(tmp_path: Path) -> None:
    kafka = BUNDLE.kafka.model_copy(update={"ca_file": "a" * 300})
    write(tmp_path, BUNDLE.model_copy(update={"kafka": kafka}).model_dump_json(by_alias=True))
    with pytest.raises(BundleUnreadable, match="does not lie beside it"):
        read_bundle(tmp_path)
