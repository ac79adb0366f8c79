"""Every command with its arguments and options, from the program's own help."""

from collections.abc import Iterator
from enum import Enum
from typing import Any

import typer

import fedka.cli.commands  # noqa: F401  registers the commands
from fedka.cli.command_line import app

_KINDS = {int: "NUMBER", float: "NUMBER"}


def render(panel: str) -> str:
    """All commands in Markdown; with `panel`, none other than those of the panel (`_` stands for a space)."""
    wanted = panel.replace("_", " ")
    return "\n".join(line for name, command in commands() for line in _command(name, command, wanted))


def commands() -> Iterator[tuple[str, Any]]:
    """Names as they are typed, and click's commands."""
    yield from _inside(typer.main.get_command(app), "fedka")


def _inside(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _inside(command, f"{path} {name}")
        elif not command.hidden:
            yield f"{path} {name}", command


def _command(name: str, command: Any, wanted: str) -> Iterator[str]:
    if wanted and wanted != (command.rich_help_panel or ""):
        return
    yield f"## `{name}`\n"
    usage = [_placeholder(each) for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    yield f"```text\n{' '.join([name, *usage, *(['[OPTIONS]'] if options else [])])}\n```\n"
    yield f"{_joined(command.help or '')}\n"
    for parameter in command.params:
        yield from _parameter(parameter)
    yield ""


def _joined(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.replace("\b", "").split("\n\n"))


def _placeholder(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    return name if argument.required else f"[{name}]"


def _parameter(parameter: Any) -> Iterator[str]:
    if parameter.param_type_name == "argument":
        names = f"`{parameter.metavar or parameter.name.upper()}`"
    else:
        names = ", ".join(f"`{each}`" for each in (*parameter.opts, *parameter.secondary_opts))
        names += f" {_value(parameter)}" if not parameter.is_flag else ""
    facts = [fact for fact in (_joined(getattr(parameter, "help", None) or ""), _default(parameter)) if fact]
    yield f"- {names}: {' '.join(facts)}"


def _value(option: Any) -> str:
    kind = option.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "`" + "|".join(str(choice.value) for choice in kind) + "`"
    return f"`{option.metavar or _KINDS.get(kind, 'TEXT')}`"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "Required."
    if isinstance(parameter.show_default, str):
        return f"Default: {parameter.show_default}."
    if parameter.show_default and parameter.default is not None and not getattr(parameter, "is_flag", False):
        return f"Default: `{parameter.default}`."
    return ""
