"""What the journal says that is worth a line in a participant's log."""

from collections.abc import Mapping

from fedka.wire import records as r


def news(record: r.JournalRecord, me: str) -> str | None:
    """One line about a journal record, or None where it does not concern this participant."""
    if getattr(record, "participant", me) != me:
        return None
    return _of_a_round(record) or _of_the_run(record)


def _of_a_round(record: r.JournalRecord) -> str | None:
    match record:
        case r.UpdateAccepted():
            return f"round {record.round}: update accepted"
        case r.UpdateRejected():
            return f"round {record.round}: update rejected; the training's status says why"
        case r.UpdateDropped():
            return f"round {record.round}: update could no longer be read and does not count"
        case r.RoundClosed():
            return f"round {record.round}: closed with {record.accepted} updates{figures(record.metrics)}"
        case r.RoundMissed():
            what = "skipped" if record.skipped else "to be repeated"
            return f"round {record.round}: missed with {record.accepted} updates ({record.reason.value}), {what}"
    return None


def _of_the_run(record: r.JournalRecord) -> str | None:  # noqa: PLR0911 one line a kind of news
    match record:
        case r.ParticipantJoined():
            return "joined the training"
        case r.ParticipantLost():
            return "counted as lost: saying hello again"
        case r.ParticipantRemoved():
            return "removed from the training"
        case r.RunSuspended():
            return "training suspended"
        case r.RunResumed():
            return "training resumed"
        case r.RunCompleted():
            return f"training complete ({record.reason})"
        case r.RunFailed():
            return f"training failed ({record.reason.value}): {record.message}"
    return None


def figures(metrics: Mapping[str, float]) -> str:
    """Metrics as the end of a line: `, loss=0.31, accuracy=0.95`."""
    return "".join(f", {name}={value:.4g}" for name, value in metrics.items())
