from hypothesis import given
from hypothesis import strategies as st

from fedka.wire.names import RunTopics, run_id

LABEL = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?", fullmatch=True)
UID = "1234abcd-0000-4000-8000-000000000000"
TOPICS = RunTopics(run_id("hospital", "screening", UID))


def all_topics(topics: RunTopics) -> list[str]:
    return [topics.spec, topics.journal, topics.audit, topics.model, topics.state, topics.update("ada")]


def test_topics_have_the_names_of_the_wire() -> None:
    assert all_topics(TOPICS) == [
        "fedka.spec.hospital.screening.1234abcd",
        "fedka.journal.hospital.screening.1234abcd",
        "fedka.audit.hospital.screening.1234abcd",
        "fedka.model.hospital.screening.1234abcd",
        "fedka.state.hospital.screening.1234abcd",
        "fedka.update.hospital.screening.1234abcd.ada",
    ]


def test_a_training_made_anew_is_another_run() -> None:
    assert run_id("hospital", "screening", "9" + UID[1:]) != TOPICS.run


def test_two_installations_share_no_topic() -> None:
    assert not set(all_topics(TOPICS)) & set(all_topics(RunTopics(TOPICS.run, prefix="other")))


@given(LABEL, LABEL, LABEL, LABEL)
def test_b21_an_update_topic_is_under_the_prefix_of_its_own_run_only(
    training: str, other: str, one: str, another: str
) -> None:
    """An ACL on a prefix that is a prefix of another's lets the wrong one in."""
    topics = RunTopics(run_id("ns", training, UID))
    stranger = RunTopics(run_id("ns", other, UID))
    assert topics.update(one).startswith(topics.update_prefix)
    assert topics.update(another).startswith(stranger.update_prefix) == (training == other)
    assert (topics.update(one) == topics.update(another)) == (one == another)
