"""`fedka validate`: what an API server with Fedka's CRD would say of a file, and what only the operator would see."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fedka import exit_codes
from fedka.api.errors import InvalidResource
from fedka.api.loading import TrainingFileError
from fedka.cli.training_file import read_object
from fedka.reconcile.ports import Cause, Invalid

Server = Callable[[Mapping[str, Any]], None]


def validate(files: Sequence[str], *, as_json: bool, server: Server | None = None) -> int:
    """Check every file; OK or CONFIG. Errors go to stdout, as they are what was asked for.

    What passes here is shown to the `server`, where there is one, which raises Invalid for what it refuses.
    """
    verdicts = [_verdict(file, server) for file in files]
    if as_json:
        json.dump({"files": verdicts}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        for verdict in verdicts:
            lines = [error["text"] for error in verdict["errors"]] or [f"{verdict['file']}: valid"]
            sys.stdout.write("".join(f"{line}\n" for line in lines))
    return exit_codes.OK if all(verdict["valid"] for verdict in verdicts) else exit_codes.CONFIG


def _verdict(file: str, server: Server | None) -> dict[str, Any]:
    try:
        obj = read_object(file)
        if server is not None:
            server(obj)
    except Invalid as error:
        return _invalid(file, [_refusal(file, cause) for cause in error.causes])
    except TrainingFileError as error:
        return _invalid(file, [{"text": str(error)}])
    except InvalidResource as error:
        errors = [
            {"path": each.path, "problem": each.problem, "fix": each.fix, "place": each.place, "text": str(each)}
            for each in error.errors
        ]
        return _invalid(file, errors)
    return {"file": file, "valid": True, "errors": []}


def _refusal(file: str, cause: Cause) -> dict[str, str]:
    text = ": ".join(part for part in (file, cause.field, cause.message) if part)
    return {"path": cause.field, "problem": cause.message, "fix": "", "place": file, "text": f"{text} (the cluster)"}


def _invalid(file: str, errors: list[dict[str, str]]) -> dict[str, Any]:
    return {"file": file, "valid": False, "errors": errors}
