"""Why an update, an attempt or a run did not count, as the records say it."""

from enum import StrEnum


class RejectReason(StrEnum):
    """Why an update does not count."""

    APP_FAILED = "AppFailed"  # the participant's own code raised
    WRONG_LAYOUT = "WrongLayout"
    WRONG_BASE = "WrongBase"
    WRONG_SIZE = "WrongSize"  # chunks do not fit the layout
    BAD_OFFSETS = "BadOffsets"  # not distinct, outside of the partition or far apart
    BAD_DIGEST = "BadDigest"
    OUT_OF_RANGE = "OutOfRange"  # not finite, or |x| >= 2^14
    NORM_TOO_LARGE = "NormTooLarge"
    TOO_LARGE = "TooLarge"  # the first model exceeds update.maxModelBytes
    MALFORMED = "Malformed"  # not a record of ours
    CHUNKS_GONE = "ChunksGone"


class MissReason(StrEnum):
    """Why an attempt at a round did not count."""

    DEADLINE = "Deadline"
    QUORUM_IMPOSSIBLE = "QuorumImpossible"
    UPDATES_LOST = "UpdatesLost"  # decided updates could no longer be read


class FailReason(StrEnum):
    """Why a run ended without reaching its goal."""

    QUORUM_MISSED = "QuorumMissed"
    TOO_MANY_MISSED_ROUNDS = "TooManyMissedRounds"
    JOURNAL_LOST = "JournalLost"
    MODEL_LOST = "ModelLost"
    NO_FIRST_MODEL = "NoFirstModel"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    TOO_MANY_RESTARTS = "TooManyAggregatorRestarts"
