"""`fedka operator`: arguments, logging, signals and exit codes around the operator on Kubernetes."""

import argparse
import asyncio
import gc
import logging
import signal
import socket
import sys
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fedka import exit_codes
from fedka.cli.logs import log_to_stderr
from fedka.error_groups import first_error
from fedka.kubernetes.configuration import (
    DEFAULT_PATH,
    ConfigurationInvalid,
    OperatorConfiguration,
    read_configuration,
)
from fedka.kubernetes.lease import LeadershipLost
from fedka.kubernetes.login import Login, NoClusterAccess, find_login
from fedka.kubernetes.process import CannotStart, serve
from fedka.reconcile.coverage import WatchSilent
from fedka.reconcile.operator import SHARE
from fedka.reconcile.ports import ClusterError

LOGGER = logging.getLogger("fedka.kubernetes")
LEVELS = ("debug", "info", "warning", "error")
SPARE_THREADS = 8
COLLECT_AFTER = 20_000  # new objects


def run_operator(arguments: Sequence[str]) -> int:
    """Run the operator until SIGTERM or SIGINT; the exit code."""
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as ended:  # argparse has said what is wrong, or has shown the help
        return exit_codes.USAGE if ended.code else exit_codes.OK
    _spare_the_collector()
    log_to_stderr("operator", level=getattr(logging, options.log_level.upper()))
    try:
        configuration = read_configuration(options.config)
        asyncio.run(_run(configuration, find_login(kubeconfig=options.kubeconfig, context=options.context)))
    except (ConfigurationInvalid, NoClusterAccess) as error:
        sys.stderr.write(f"fedka operator: {error}\n")
        return exit_codes.CONFIG
    except (CannotStart, ClusterError, LeadershipLost, WatchSilent) as error:
        LOGGER.error("%s", error)  # noqa: TRY400  the trace tells no more
        return exit_codes.FAILED
    except Exception:
        LOGGER.exception("the operator ends for a reason that it was not made for")
        return exit_codes.FAILED
    return exit_codes.OK


async def _run(configuration: OperatorConfiguration, login: Login) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Calls that a dead Kafka leaves unanswered must not take the threads that the others' calls need.
    threads = 2 * SHARE * len(configuration.kafka_clusters) + SPARE_THREADS
    loop.set_default_executor(ThreadPoolExecutor(threads, thread_name_prefix="fedka"))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    identity = f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}"
    try:
        await serve(configuration, login=login, identity=identity, stop=stop)
    except BaseExceptionGroup as errors:  # of workers, of which the first to fail has ended the others
        raise first_error(errors) from errors
    LOGGER.info("stopped")


def _spare_the_collector() -> None:
    """A page of JSON is a thousand new objects of which none is garbage: as often as by default, the collector would
    look through everything else for each of them, which cost most of a start with thousands of trainings.
    """
    gc.collect()
    gc.freeze()  # what has been imported stays
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fedka operator", description="Run the operator: it makes FederatedTrainings happen on a cluster."
    )
    parser.add_argument("--config", type=Path, default=DEFAULT_PATH, metavar="FILE", help="default: %(default)s")
    parser.add_argument("--log-level", choices=LEVELS, default="info", type=str.lower, help="default: %(default)s")
    parser.add_argument("--kubeconfig", metavar="FILE", help="default: KUBECONFIG, else the pod's ServiceAccount")
    parser.add_argument("--context", metavar="NAME", help="a context of the kubeconfig")
    return parser
