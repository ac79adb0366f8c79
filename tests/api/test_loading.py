"""Reading a file: the training with its defaults, or a message with file, line and fix."""

import pytest

from fedka.api.errors import InvalidResource
from fedka.api.loading import TrainingFileError, load_object

GOOD = """\
# A comment first
apiVersion: fedka.dev/v1alpha1
kind: FederatedTraining
metadata:
  name: fraud
spec:
  app:
    entrypoint: fraud:app
  rounds:
    count: 3
  participants:
    - name: bank-a
    - name: bank-b
"""


@pytest.fixture
def write(tmp_path):
    def write_file(text: str | bytes):
        path = tmp_path / "training.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write_file


def test_reads_a_training_as_it_was_written(write):
    training = load_object(write(GOOD))
    assert training["metadata"] == {"name": "fraud"}
    assert training["spec"]["rounds"] == {"count": 3}
    assert training["spec"]["participants"] == [{"name": "bank-a"}, {"name": "bank-b"}]


def test_a_date_is_text_as_to_kubernetes_and_a_good_name(write):
    text = GOOD.replace("name: fraud", "name: 2026-01-31")
    assert load_object(write(text))["metadata"]["name"] == "2026-01-31"


def test_empty_documents_around_it_do_not_count(write):
    assert load_object(write(f"---\n---\n{GOOD}---\n"))["metadata"]["name"] == "fraud"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("---\n# nothing\n---\n", "is empty"),
        (f"{GOOD}---\n{GOOD}", r"training.yaml:1[56]: a second document begins here; keep exactly one"),
        ("- a\n- b\n", "holds no mapping"),
        ("a: [1,\nb: 2\n", r"training.yaml:3:1: not valid YAML"),
        ("a:\n\tb: 1\n", r"training.yaml:2:1: not valid YAML"),
        ("a: 1\nb: 2\na: 3\n", r"training.yaml:3:1: not valid YAML: 'a' stands here twice"),
        ("a: !python/object:os.system x\n", r"training.yaml:1:4: not valid YAML"),
        ("a: &x {b: *x}\n", "line 1 refers to what it is a part of"),
        ("a: .inf\n", "JSON cannot say"),
        ('a: "\\ud800"\n', "JSON cannot say"),
        (b"a: \xff\n", r"is not UTF-8 text \(byte 3\)"),
    ],
)
def test_says_what_is_wrong_with_the_file(write, text, message):
    with pytest.raises(TrainingFileError, match=message):
        load_object(write(text))


def test_a_missing_file(tmp_path):
    with pytest.raises(TrainingFileError, match=r"absent.yaml: there is no such file; give the path"):
        load_object(tmp_path / "absent.yaml")


def test_a_folder(tmp_path):
    with pytest.raises(TrainingFileError, match="cannot be read: Is a directory"):
        load_object(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kind: FederatedTraining", "kind: Job", "training.yaml:3: kind: must be FederatedTraining, not Job"),
        ("v1alpha1", "v1", "training.yaml:2: apiVersion: must be fedka.dev/v1alpha1"),
        ("count: 3", "cuont: 3", "training.yaml:10: spec.rounds.cuont: is not a field of this resource; did you mean"),
        ("count: 3", "count: 0", "training.yaml:10: spec.rounds.count: must be at least 1, not 0"),
        ("    count: 3", "    seed: 3", "training.yaml:9: spec.rounds.count: is missing"),
        ("bank-b", "bank-a", "training.yaml:13: spec.participants[1]: has the same name"),
        ("count: 3", "count: 3\n    minAvailable: 3", "training.yaml:11: spec.rounds.minAvailable: must not exceed"),
        ("count: 3", "count: 3\n    quorum: 3", "training.yaml:11: spec.rounds.quorum: is 3 updates"),
    ],
)
def test_says_what_is_wrong_with_the_training_and_where(write, old, new, message):
    with pytest.raises(InvalidResource) as raised:
        load_object(write(GOOD.replace(old, new)))
    assert message in str(raised.value)
