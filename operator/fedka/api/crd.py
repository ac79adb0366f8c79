"""Writes the CustomResourceDefinition from the models: `python -m fedka.api.crd`; `--check` fails when it is stale."""

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml

from fedka.api.structural import training_schema
from fedka.api.training import GROUP, KIND, PLURAL, VERSION

CRD_PATH = Path(__file__).parents[3] / "crds" / f"{GROUP}_{PLURAL}.yaml"
_HEADER = "# Generated from the models in operator/fedka/api by `python -m fedka.api.crd`. Do not edit.\n"

PRINTER_COLUMNS: tuple[dict[str, Any], ...] = (
    {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
    {"name": "Round", "type": "string", "jsonPath": ".status.rounds.summary"},
    {"name": "Participants", "type": "string", "jsonPath": ".status.participants.summary"},
    # Blank while there is no metric of that name.
    {"name": "Loss", "type": "string", "priority": 1, "jsonPath": '.status.model.metrics[?(@.name=="loss")].value'},
    {"name": "Strategy", "type": "string", "priority": 1, "jsonPath": ".spec.strategy.type"},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
)


def custom_resource_definition() -> dict[str, Any]:
    """The whole CRD as an object."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": KIND.lower(),
                "shortNames": ["ft"],
                "categories": ["federated"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [dict(column) for column in PRINTER_COLUMNS],
                    "schema": {"openAPIV3Schema": training_schema()},
                }
            ],
        },
    }


class _PlainDumper(yaml.SafeDumper):
    """Writes every place in full: anchors would be valid YAML, and hard to read in a diff."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never."""
        del data
        return True


def render() -> str:
    """The file's text."""
    return _HEADER + yaml.dump(custom_resource_definition(), Dumper=_PlainDumper, sort_keys=False, width=120)


def main(arguments: list[str] | None = None) -> int:
    """Writes or checks the file; 1 when it was stale."""
    parser = argparse.ArgumentParser(prog="python -m fedka.api.crd", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if the file is stale")
    parser.add_argument(
        "--path", type=Path, default=CRD_PATH, help="the file to write (default: crds/ of the checkout)"
    )
    options = parser.parse_args(arguments)
    text = render()
    path: Path = options.path
    stale = not path.exists() or path.read_text(encoding="utf-8") != text
    if options.check:
        if stale:
            sys.stderr.write(f"{path} does not match the models; run: python -m fedka.api.crd\n")
        return int(stale)
    if stale:
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
