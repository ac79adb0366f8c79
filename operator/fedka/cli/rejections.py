"""Why updates were refused, by the audit topic: the journal, which every participant reads, only counts them."""

from collections.abc import Mapping

from fedka.cli.round_rows import Rejection
from fedka.kafka.access import Settings
from fedka.kafka.log_view import LogView
from fedka.wire import records as r
from fedka.wire.codec import MalformedRecord, audit_decoder
from fedka.wire.names import RunTopics


def read_rejections(settings: Settings, topics: RunTopics) -> Mapping[int, tuple[Rejection, ...]]:
    """By round, those of its last attempt. Blocks. Raises a KafkaError."""
    view = LogView(settings, name="fedka-audit-reader")
    try:
        records = view.read_to_end(topics.audit)
    finally:
        view.close()
    decoder, attempts = audit_decoder(), dict[int, int]()
    found: dict[int, dict[tuple[str, int], Rejection]] = {}
    for record in records:
        try:
            said = decoder.decode(record.value)
        except MalformedRecord:
            continue  # it says nothing that this version understands, and it only explains
        if not isinstance(said, r.UpdateAudited) or said.accepted:
            continue
        if said.attempt > attempts.setdefault(said.round, said.attempt):
            attempts[said.round] = said.attempt
            del found[said.round]
        if said.attempt == attempts[said.round]:  # an aggregator that took over may tell of a commit again
            rejection = Rejection(said.participant, str(said.reason or ""), said.message)
            found.setdefault(said.round, {})[said.participant, said.offset] = rejection
    return {number: tuple(each.values()) for number, each in found.items()}
