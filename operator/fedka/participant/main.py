"""The participant's process: from a connection bundle to an exit code."""

import logging
import platform
import secrets
import signal
import time
from pathlib import Path
from types import FrameType

from fedka import exit_codes
from fedka.kafka.allocator import keep_chunk_memory
from fedka.kafka.errors import AccessRefused, KafkaError, TopicRefused, WriteForbidden, last_word
from fedka.participant.announced import AnnouncedExamples
from fedka.participant.conversation import Identity, JournalLost
from fedka.participant.ending import end_despite_threads
from fedka.participant.entrypoint import load_app
from fedka.participant.errors import AppMisused, AppRaised, AppUnloadable, ConfigRefused, Interrupted, ModelUnusable
from fedka.participant.journal import JournalUnreadable
from fedka.participant.kafka_wire import KafkaWire
from fedka.participant.learner import Circumstances, Learner
from fedka.participant.logs import APP_LOGGER, log_to_stderr
from fedka.participant.loop import Pace, Participant
from fedka.version import SOFTWARE
from fedka.wire.bundle import AppSettings, Bundle, BundleUnreadable, read_bundle

LOGGER = logging.getLogger("fedka.participant")
WHAT_HELPS = (
    "the operator makes what was lost anew, for a pod at once, for who takes part from outside within its "
    "resyncSeconds (600 by default): try again then; if it stays so, a new connection bundle is needed"
)


def run_participant(bundle_dir: Path) -> int:
    """Take part in the run that a bundle names until it has ended; an exit code of `fedka.exit_codes`.

    To be called in the main thread: SIGTERM and SIGINT end it in an orderly way.
    """
    try:
        bundle = read_bundle(bundle_dir)
        participant, app_settings = _participant_part(bundle, bundle_dir)
    except BundleUnreadable as error:
        log_to_stderr("participant")
        LOGGER.error("%s", error)  # noqa: TRY400 the message says it all
        return exit_codes.CONFIG
    log_to_stderr(participant)
    keep_chunk_memory()
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    code = exit_codes.FAILED
    try:
        code = _guarded(bundle, bundle_dir, participant, app_settings)
    except Interrupted:
        LOGGER.info("interrupted: good bye")
        code = exit_codes.INTERRUPTED
    finally:
        end_despite_threads(code)
    return code


def _participant_part(bundle: Bundle, directory: Path) -> tuple[str, AppSettings]:
    if bundle.role != "participant" or bundle.participant is None or bundle.app is None:
        raise BundleUnreadable(f"{directory}: a bundle of role {bundle.role}: a participant's, with an app, is needed")
    return bundle.participant, bundle.app


def _guarded(bundle: Bundle, directory: Path, participant: str, settings: AppSettings) -> int:
    try:
        _run(bundle, directory, participant, settings)
    except (AppUnloadable, AppMisused, ConfigRefused, ModelUnusable) as error:
        LOGGER.error("%s", error, exc_info=error.__cause__)  # noqa: TRY400 the app's traceback, not ours
        return exit_codes.CONFIG
    except AppRaised as error:
        LOGGER.error("%s", error, exc_info=error.__cause__)  # noqa: TRY400 the same
        return exit_codes.FAILED
    except (AccessRefused, TopicRefused, WriteForbidden) as error:
        LOGGER.error("%s; %s", last_word(error), WHAT_HELPS)  # noqa: TRY400 the message says it all
        return exit_codes.CONFIG
    except (KafkaError, JournalLost, JournalUnreadable) as error:
        LOGGER.error("%s", error)  # noqa: TRY400 the message says it all
        return exit_codes.FAILED
    return exit_codes.OK


def _run(bundle: Bundle, directory: Path, participant: str, settings: AppSettings) -> None:
    state_dir = Path(bundle.state_directory) if bundle.state_directory else None
    app = load_app(settings.entrypoint, Path.cwd(), Path(settings.code_directory) if settings.code_directory else None)
    learner = Learner(
        app,
        Circumstances(
            participant=participant,
            run_seed=bundle.seed,
            config=settings.config,
            state_dir=_made(state_dir / "app") if state_dir else None,
            logger=logging.getLogger(APP_LOGGER),
        ),
    )
    announced = AnnouncedExamples(state_dir, learner.announced_examples())
    identity = Identity(
        run=bundle.run,
        participant=participant,
        instance=secrets.token_hex(16),
        software=f"{SOFTWARE}, Python {platform.python_version()}",
    )
    wire = KafkaWire(bundle, directory, participant, secrets.token_bytes)
    try:
        Participant(identity, learner, wire, announced=announced, clock=time.monotonic, pace=Pace()).run()
    finally:
        wire.close()


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the first is enough: what follows would cut short the farewell
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise Interrupted
