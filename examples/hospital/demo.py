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
from rich.console import Console

from fedka.participant.config import typed_config

HERE = Path(__file__).resolve().parent
TRAINING = HERE / "training.yaml"


def main() -> int:
    """Run, compare, show. Returns the exit code of a training that did not complete."""
    arguments = _parser().parse_args()
    console = Console()
    out: Path = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    runs = []
    for seed in range(max(1, arguments.seeds)):
        training = yaml.safe_load(TRAINING.read_text())
        settings = training["spec"]["app"]["config"]
        file, model = TRAINING, out / "model.safetensors"
        if arguments.seeds > 1:
            settings |= {"split_seed": str(seed), "model_seed": str(seed)}
            file, model = out / f"training-{seed}.yaml", out / f"model-{seed}.safetensors"
            file.write_text(yaml.safe_dump(training, sort_keys=False))
        code = _federated(file, model, view=arguments.seeds <= 1)
        if code != 0:
            return code
        console.print("Now every hospital alone, and all data pooled, with as many epochs...", style="dim")
        config = typed_config(Config, settings)
        runs.append(compare(config, training["spec"]["rounds"]["count"], model))
    console.print()
    show(console, runs)
    _say_what_next(console, model)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1, help="runs, the patients dealt out another way in each")
    parser.add_argument("--out", type=Path, default=Path(".fedka/demo"), help="where the models go")
    return parser


def _federated(training: Path, model: Path, *, view: bool) -> int:
    """`fedka run`; its exit code."""
    fedka = Path(sys.executable).with_name("fedka")
    command = [str(fedka), "run", str(training), "--model-out", str(model), *([] if view else ["--quiet"])]
    environment = {**os.environ, "PYTHONPATH": str(HERE)}  # the app is here, wherever the file is
    return subprocess.run(command, check=False, env=environment).returncode


def _say_what_next(console: Console, model: Path) -> None:
    where = os.path.relpath(model)
    console.print(
        f"\nThe shared model: [bold]{where}[/bold]\n"
        f'  read it with safetensors.torch.load_file("{where}")\n'
        "Try next:\n"
        "  kill -9 the aggregator's process during a run: the result stays the same to the last bit\n"
        "  edit examples/hospital/training.yaml: weighting Uniform, a quorum of 60%, more rounds\n"
        "  examples/hospital/demo.py --seeds 10: how much of the table is luck\n"
        "  examples/hospital/hospital.py: all that a participant has to write",
        highlight=False,
    )


if __name__ == "__main__":
    sys.exit(main())
