"""`fedka model get`: a training's global model as a safetensors file, for whoever may read the run."""

import sys
from pathlib import Path

from fedka.cli.model_fetch import fetch_model, fetched
from fedka.cli.out_file import check_out_file
from fedka.cli.source import Source


async def get_model(source: Source, file: Path, *, round_number: int | None, bootstrap_servers: str | None) -> None:
    """Write it and say what it is. Raises ReaderUnavailable, NoModel or a KafkaError."""
    check_out_file("-o", file)
    training = await source.training()
    async with source.reader(bootstrap_servers) as reader:
        model = await fetched(
            file,
            lambda goes_on: fetch_model(
                reader.settings,
                reader.topics,
                training.metadata.name,
                file,
                round_number=round_number,
                principal=reader.principal,
                goes_on=goes_on,
            ),
        )
    sys.stdout.write(f"{file}: the model of round {model.round}, blake3:{model.pointer.digest}\n")
