"""`fedka replay`: a run's rounds recomputed from its log alone, and what came of it."""

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fedka import exit_codes
from fedka.aggregator.claims import Claims, read_claims
from fedka.aggregator.evidence import Evidence, KafkaEvidence, LogCut
from fedka.aggregator.replay import Outcome, ReplayedRound, replay_rounds
from fedka.cli.apart import apart
from fedka.cli.errors import CommandFailed
from fedka.cli.paper import paper, print_table
from fedka.cli.source import ReaderUnavailable, RunReader
from fedka.kafka.errors import TopicRefused

DIGEST_SHOWN = 12
_STYLES = {Outcome.MATCHES: "", Outcome.DIFFERS: "bold red", Outcome.NOT_CHECKABLE: "yellow"}
_WORDS = {Outcome.MATCHES: "matches", Outcome.DIFFERS: "DIFFERS", Outcome.NOT_CHECKABLE: "not checkable"}


@dataclass(frozen=True, slots=True)
class Report:
    """What a replay came to. `rounds` are those that the journal closed, in order."""

    run: str
    rounds: Sequence[ReplayedRound]
    claims: Claims

    def count(self, outcome: Outcome) -> int:
        """How many rounds came to this."""
        return Counter(each.outcome for each in self.rounds)[outcome]

    @property
    def exit_code(self) -> int:
        """0 where something could be checked and nothing contradicts the journal."""
        if self.count(Outcome.DIFFERS) or self.claims.torn_at is not None:
            return exit_codes.DIFFERS
        return exit_codes.OK if self.count(Outcome.MATCHES) else exit_codes.FAILED


async def replay(reading: AbstractAsyncContextManager[RunReader], *, as_json: bool) -> int:
    """Replay the run and print the report; the exit code. Raises ReaderUnavailable, CommandFailed or a KafkaError."""
    left = threading.Event()
    async with reading as reader:
        try:
            with Console(stderr=True).status("reading the journal") as status:  # shown on terminals only
                report = await apart(lambda: _replayed(reader, lambda: not left.is_set(), status.update))
        finally:
            left.set()  # the rest is not worth its reading
    if as_json:
        print_json(report)
    else:
        print_text(report)
    return report.exit_code


def _replayed(reader: RunReader, goes_on: Callable[[], bool], tell: Callable[[str], None]) -> Report:
    evidence = KafkaEvidence(reader.settings, reader.topics, reader.principal)
    try:
        return replayed(evidence, reader.topics.run, goes_on, tell)
    except LogCut as error:
        raise CommandFailed(str(error), exit_codes.FAILED) from error
    except TopicRefused as error:
        raise ReaderUnavailable(f"{error}. {_rights(reader)}") from error
    finally:
        evidence.close()


def replayed(evidence: Evidence, run: str, goes_on: Callable[[], bool], tell: Callable[[str], None]) -> Report:
    """The report; `tell` is told how far it is, as big models take their time."""
    claims = read_claims(evidence.journal())
    done: list[ReplayedRound] = []
    for each in replay_rounds(evidence, claims, run, goes_on):
        done.append(each)
        tell(f"round {each.round}: {_WORDS[each.outcome]} ({len(done)} of {len(claims.rounds)})")
    return Report(run, done, claims)


def print_text(report: Report) -> None:
    """A table for people, and the verdict."""
    if report.rounds:
        print_table(_table(report.rounds))
    console = paper()
    for line in _verdict(report):
        console.print(escape(line), soft_wrap=True)


def print_json(report: Report) -> None:
    """The same for programs."""
    matched, differ = report.count(Outcome.MATCHES), report.count(Outcome.DIFFERS)
    document = {
        "run": report.run,
        "checked": matched + differ,
        "matched": matched,
        "differ": differ,
        "notCheckable": report.count(Outcome.NOT_CHECKABLE),
        "ended": report.claims.state.ended,
        "tornAt": report.claims.torn_at,
        "notUnderstood": report.claims.not_understood,
        "rounds": [asdict(each) for each in report.rounds],
    }
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _table(rounds: Sequence[ReplayedRound]) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for title in ("Round", "Attempt", "Updates"):
        table.add_column(title, justify="right", no_wrap=True)
    for title in ("Digest", "Replay"):
        table.add_column(title, no_wrap=True)
    table.add_column("Why", overflow="fold")
    for each in rounds:
        numbers = (str(each.round), str(each.attempt), str(each.updates))
        words = (each.digest[:DIGEST_SHOWN], _WORDS[each.outcome], escape(each.reason))
        table.add_row(*numbers, *words, style=_STYLES[each.outcome])
    return table


def _verdict(report: Report) -> Iterable[str]:
    matched, differ = report.count(Outcome.MATCHES), report.count(Outcome.DIFFERS)
    if not report.rounds:
        yield f"run {report.run} has closed no round: there is nothing to replay"
    else:
        unchecked = report.count(Outcome.NOT_CHECKABLE)
        yield f"{matched + differ} of {len(report.rounds)} models recomputed from the log: " + (
            f"{differ} DIFFER from what was published" if differ else f"{'all' if matched else 'none'} match"
        )
        if unchecked:
            yield f"{unchecked} could not be checked; with spec.kafka.retention: Audit, nothing is freed"
    if report.claims.not_understood:
        yield f"{report.claims.not_understood} records of the journal are of a newer version: replay with that one"
    if report.claims.torn_at is not None:
        yield (
            f"the journal is torn: from offset {report.claims.torn_at} on, no record fits those before it. One was "
            "changed or lost, or an aggregator has just died: replay again once another one has started"
        )


def _rights(reader: RunReader) -> str:
    topics = reader.topics
    return (
        f"Replay reads the updates themselves: it needs Read and Describe on all topics that begin with "
        f"{topics.update_prefix} and on {topics.spec}, {topics.journal} and {topics.model}. The run's reader has the "
        "last two only, and is left with them; a Kafka administrator makes a user for the auditor, whose bundle goes "
        "to --bundle (docs/replay.md)"
    )
