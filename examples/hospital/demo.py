"""What `make demo` runs: the federated training of training.yaml, then what it was worth.

python examples/hospital/demo.py             one run, with the live view
python examples/hospital/demo.py --seeds 10  ten runs, the patients dealt out ten ways: means and spread
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import yaml
from comparison import compare, show
from hospital import Config
from plot import plot
from rich.console import Console

from fedka.participant.config import typed_config

TRAINING = Path(__file__).resolve().with_name("training.yaml")


def main() -> int:
    """Run, compare, show. Returns the exit code of a training that did not complete."""
    arguments = _parser().parse_args()
    console = Console()
    arguments.out.mkdir(parents=True, exist_ok=True)
    spec = yaml.safe_load(TRAINING.read_text())["spec"]
    runs = []
    for changes in _changes(arguments.seeds):
        name = f"model-{changes['split_seed']}" if changes else "model"
        model = arguments.out / f"{name}.safetensors"
        code = _federated(changes, model, quiet=bool(changes))
        if code != 0:
            return code
        console.print("Now every hospital alone, and all data pooled, with as many epochs...", style="dim")
        config = typed_config(Config, spec["app"]["config"] | changes)
        runs.append(compare(config, spec["rounds"]["count"], model))
    console.print()
    show(console, runs)
    picture = arguments.out / "comparison.png"
    plot(runs, picture)
    _say_what_next(console, model, picture)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1, help="runs, the patients dealt out another way in each")
    parser.add_argument("--out", type=Path, default=Path(".fedka/demo"), help="where the models and the picture go")
    return parser


def _changes(seeds: int) -> list[dict[str, str]]:
    """What each run changes in the app's configuration: nothing in a single one."""
    if seeds <= 1:
        return [{}]
    return [{"split_seed": str(seed), "model_seed": str(seed)} for seed in range(seeds)]


def _federated(changes: dict[str, str], model: Path, *, quiet: bool) -> int:
    """`fedka run`; its exit code."""
    fedka = Path(sys.executable).with_name("fedka")
    command = [str(fedka), "run", str(TRAINING), "--model-out", str(model), *(["--quiet"] if quiet else [])]
    for key, value in changes.items():
        command += ["--set", f'app.config.{key}="{value}"']
    return subprocess.run(command, check=False).returncode


def _say_what_next(console: Console, model: Path, picture: Path) -> None:
    lines = [
        f"\nThe shared model: [bold]{_from_here(model)}[/bold]",
        f'  read it with safetensors.torch.load_file("{_from_here(model)}")',
        f"The table as a picture: [bold]{_from_here(picture)}[/bold]",
        "Try next:",
        "  .venv/bin/fedka run examples/hospital/training.yaml --set rounds.count=1000",
        "    and kill -9 the aggregator, or a hospital: the result stays the same to the last bit",
        "  --set strategy.weighting=Uniform: every hospital counts the same",
        "  .venv/bin/python examples/hospital/demo.py --seeds 10: how much of the table is luck",
        "  examples/hospital/hospital.py: all that a participant has to write",
    ]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def _from_here(path: Path) -> str:
    return os.path.relpath(path) if path.resolve().is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    sys.exit(main())
