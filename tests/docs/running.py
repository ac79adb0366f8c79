"""Runs a command as a reader would, and says what is not as the page has it."""

import os
import subprocess
import sys
from pathlib import Path

from .pages import Command
from .shown import differs

PATIENCE_SECONDS = 280


def run(command: Command, scratch: Path, **environment: str) -> str:
    """What is wrong with what it said and ended with, or nothing."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command.text],
        cwd=scratch,
        env={**os.environ, "PATH": path, "COLUMNS": "120", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # a reader sees both in one terminal
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    if done.returncode != command.code:
        return f"{command.place}: {command.text}: ended with {done.returncode}:\n{done.stdout}"
    fault = differs(command.shown, done.stdout)
    return f"{command.place}: {command.text}: {fault}; all of it:\n{done.stdout}" if fault else ""
