"""Every phase, condition type and reason that a status may show, in one place: users write alerts against these words.

Reasons why a single update was rejected belong to the wire (`fedka.wire.records.RejectReason`); the status carries them
as plain text.
"""

from enum import StrEnum


class Phase(StrEnum):
    """One word for the printer column. Programs read the conditions instead."""

    PENDING = "Pending"
    PROVISIONING = "Provisioning"
    WAITING_FOR_PARTICIPANTS = "WaitingForParticipants"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    COMPLETE = "Complete"
    FAILED = "Failed"


ENDS = (Phase.COMPLETE, Phase.FAILED)
"""Nothing comes after these."""


class ConditionType(StrEnum):
    """The conditions.

    Ready, Reconciling and Stalled are read by kstatus (Flux, Argo); Complete, Failed and Suspended are a Job's words.
    """

    READY = "Ready"  # what the spec asks has been done: also True while running, suspended and after Complete
    KAFKA_READY = "KafkaReady"  # topics exist with the right settings, and Kafka answers
    AGGREGATOR_READY = "AggregatorReady"  # an aggregator has started and its journal goes on
    QUORUM_AVAILABLE = "QuorumAvailable"  # enough participants are present to open a round
    RECONCILING = "Reconciling"  # the operator is still bringing about what the spec asks
    STALLED = "Stalled"  # nothing will happen until a person changes something
    SUSPENDED = "Suspended"
    COMPLETE = "Complete"
    FAILED = "Failed"


class Reason(StrEnum):
    """The cause behind a condition's status."""

    # Ready, Reconciling
    PROVISIONING = "Provisioning"
    RUNNING = "Running"
    WAITING_FOR_PARTICIPANTS = "WaitingForParticipants"
    SPEC_NOT_DELIVERED = "SpecNotDelivered"  # this generation has not reached the spec topic yet
    UP_TO_DATE = "UpToDate"
    # KafkaReady
    TOPICS_READY = "TopicsReady"
    TOPICS_PENDING = "TopicsPending"
    KAFKA_UNREACHABLE = "KafkaUnreachable"
    KAFKA_CREDENTIALS_REFUSED = "KafkaCredentialsRefused"  # Kafka does not accept the operator's own
    PROVISIONING_REFUSED = "ProvisioningRefused"  # Kafka answered, and said no
    # AggregatorReady
    AGGREGATOR_STARTED = "AggregatorStarted"
    AGGREGATOR_STARTING = "AggregatorStarting"
    AGGREGATOR_RESTARTING = "AggregatorRestarting"
    AGGREGATOR_SUSPENDED = "AggregatorSuspended"
    AGGREGATOR_FINISHED = "AggregatorFinished"
    # QuorumAvailable
    ENOUGH_PARTICIPANTS = "EnoughParticipants"
    TOO_FEW_PARTICIPANTS = "TooFewParticipants"
    # Stalled
    NOT_STALLED = "NotStalled"
    INVALID_SPEC = "InvalidSpec"
    UNKNOWN_KAFKA_CLUSTER = "UnknownKafkaCluster"
    NAMESPACE_NOT_ALLOWED = "NamespaceNotAllowed"  # the Kafka cluster is not for this namespace
    TOO_MANY_PARTICIPANTS = "TooManyParticipants"  # more than the Kafka cluster takes
    NAME_CONFLICT = "NameConflict"  # a child of that name belongs to somebody else
    CREATION_FORBIDDEN = "CreationForbidden"  # a quota, a policy or a missing right keeps a child from being made
    CHANGE_FORBIDDEN = "ChangeForbidden"  # the same keeps a Job from being suspended, resumed or ended
    DELETION_FORBIDDEN = "DeletionForbidden"  # the same keeps a Job or a Secret from being deleted
    # Suspended
    SUSPENDED_BY_SPEC = "SuspendedBySpec"
    SUSPENDING = "Suspending"  # asked for; the aggregator has not confirmed it
    NOT_SUSPENDED = "NotSuspended"
    # Complete
    ALL_ROUNDS_DONE = "AllRoundsDone"
    STOP_RULE_MET = "StopRuleMet"
    NOT_FINISHED = "NotFinished"
    # Failed
    NOT_FAILED = "NotFailed"
    TOO_MANY_MISSED_ROUNDS = "TooManyMissedRounds"
    QUORUM_MISSED = "QuorumMissed"  # with onQuorumMiss: Fail
    AGGREGATOR_FAILED = "AggregatorFailed"  # more restarts in a row than failurePolicy allows
    DEADLINE_EXCEEDED = "DeadlineExceeded"  # activeDeadlineSeconds has passed
    JOURNAL_LOST = "JournalLost"
    NO_FIRST_MODEL = "NoFirstModel"  # no participant could make the first global model
    RUN_FAILED = "RunFailed"  # the aggregator ended the run for a cause that the message names


class EventReason(StrEnum):
    """Reasons of events that are neither a phase nor a condition's reason: those events carry that word."""

    KAFKA_REACHABLE = "KafkaReachable"  # again
    PARTICIPANT_FAILED = "ParticipantFailed"  # its process ended badly, and will be started again
    PARTICIPANT_NOT_STARTING = "ParticipantNotStarting"  # its pod waits for what may never come
    HAND_OVER_AGAIN = "HandOverAgain"  # an External participant its bundle: the password in the old one may be void
    USERS_MADE_AGAIN = "UsersMadeAgain"  # in Kafka, which had refused them to their pods
    CLEANUP_TIMED_OUT = "CleanupTimedOut"  # the resource has gone, what it had in Kafka has not


class DetailReason(StrEnum):
    """Reasons in a participant's detail that are Fedka's own; others are Kubernetes' words, conditions' reasons, or why
    an update was rejected.
    """

    NO_POD = "NoPod"  # its Job has made none
    PROCESS_ENDED = "ProcessEnded"  # nobody knows with which exit code
    NOT_HEARD_OF = "NotHeardOf"  # it said goodbye, or has fallen silent
    LATE = "Late"  # no update of it had come when its round was closed
    LEAVING = "Leaving"  # the run has ended, its process has not yet


class ParticipantState(StrEnum):
    """What a participant is doing, in `status.participants.detail`."""

    PENDING = "Pending"  # its topic or Job is not there yet
    STARTING = "Starting"  # its process has been started and has not said hello
    PRESENT = "Present"  # joined, not selected in the open round
    TRAINING = "Training"  # selected, its update has not come
    ACCEPTED = "Accepted"  # its update of the open round counts
    REJECTED = "Rejected"  # its update of the open round was refused, reason and message say why
    LOST = "Lost"  # no longer heard of
    FAILED = "Failed"  # its process ended badly and will be started again
    REMOVED = "Removed"
    DONE = "Done"  # the run has ended and it left in order
