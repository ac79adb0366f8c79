"""`fedka rounds`: every round that has ended. The status holds the last ten; the journal, where it may be read, all."""

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace

import yaml

from fedka.api.status import ParticipantDetail, TrainingStatus
from fedka.api.training import FederatedTraining
from fedka.cli.apart import apart
from fedka.cli.command_line import say
from fedka.cli.journal_read import read_past
from fedka.cli.paper import print_table
from fedka.cli.rejections import read_rejections
from fedka.cli.round_rows import Row, rounds_table, row_of_record, row_of_summary
from fedka.cli.source import ReaderUnavailable, Source
from fedka.kafka.errors import KafkaError
from fedka.local.kafka_errors import LocalKafkaError


async def rounds(source: Source, *, output: str | None, bootstrap_servers: str | None) -> None:
    """Print them, as a table, `json`, `yaml` or `csv`."""
    training = await source.training()
    rows: Sequence[Row] = _of_status(training)
    seen = (training.status or TrainingStatus()).rounds
    unexplained = source.sees_audit and any(row.rejected for row in rows)
    if seen is not None and (seen.completed + seen.missed > len(rows) or unexplained):
        rows = await _all_rounds(source, rows, bootstrap_servers)
    _PRINTERS[output](rows)
    if output is None:
        for detail in _rejected(training):
            where = f"{detail.name}: {detail.rejections} rejected in all"
            say(f"{where}, the last: {detail.reason or 'unknown'}{f' ({detail.message})' if detail.message else ''}")


async def _all_rounds(source: Source, known: Sequence[Row], bootstrap_servers: str | None) -> Sequence[Row]:
    """By the journal; without access to it, what is known already, and why it is not more."""
    try:
        async with source.reader(bootstrap_servers) as reader:
            past = await apart(lambda: read_past(reader.settings, reader.topics, reader.principal))
            rows = [row_of_summary(past.rounds[number]) for number in sorted(past.rounds)]
            if not source.sees_audit or not any(row.rejected for row in rows):
                return rows
            rejections = await apart(lambda: read_rejections(reader.settings, reader.topics))
            return [replace(row, rejections=rejections.get(row.round, ())) for row in rows]
    except (ReaderUnavailable, LocalKafkaError, KafkaError) as error:
        say(f"these are the last {len(known)} rounds, as the status has them; for all of them: {error}")
        return known


def _of_status(training: FederatedTraining) -> list[Row]:
    seen = (training.status or TrainingStatus()).rounds
    return [row_of_record(past) for past in seen.history] if seen is not None else []


def _rejected(training: FederatedTraining) -> list[ParticipantDetail]:
    seen = (training.status or TrainingStatus()).participants
    return [detail for detail in seen.detail if detail.rejections] if seen is not None else []


def _print_table(rows: Sequence[Row]) -> None:
    print_table(rounds_table(rows))


def _print_json(rows: Sequence[Row]) -> None:
    json.dump({"rounds": [asdict(row) for row in rows]}, sys.stdout, indent=2)
    sys.stdout.write("\n")


def _print_yaml(rows: Sequence[Row]) -> None:
    yaml.safe_dump({"rounds": [asdict(row) for row in rows]}, sys.stdout, sort_keys=False)


def _print_csv(rows: Sequence[Row]) -> None:
    names = sorted({name for row in rows for name in row.metrics})
    writer = csv.writer(sys.stdout, lineterminator="\n")
    told = any(row.rejections is not None for row in rows)
    writer.writerow(["round", "seconds", "accepted", "rejected", "missed", *(["reasons"] if told else []), *names])
    for row in rows:
        seconds = "" if row.seconds is None else row.seconds
        figures = [row.metrics.get(name, "") for name in names]
        why = ["; ".join(f"{each.participant} {each.reason}" for each in row.rejections or ())] if told else []
        writer.writerow([row.round, seconds, row.accepted, row.rejected, str(row.missed).lower(), *why, *figures])


_PRINTERS = {None: _print_table, "json": _print_json, "yaml": _print_yaml, "csv": _print_csv}
