"""Docker, kind, kubectl and Helm as `kind.py` sees them: they note how they are called, and answer as the real ones do.

A test calls dozens of them, so they import little. What they remember lies in the directory of `STATE`: tests read and
prepare it through `Programs`.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pytest  # the programs have none

NAMES = ("docker", "kind", "kubectl", "helm")
STATE = "FAKE_PROGRAMS"
GATEWAY = "127.0.0.9"  # of Docker's network, and an address of this machine
NETWORKS = [{"Subnet": "fc00:f853:ccd:e793::/64", "Gateway": "fc00:f853:ccd:e793::1"}, {"Gateway": GATEWAY}]
KUBECONFIG = "--kubeconfig="
UNKNOWN = 97


class Refused(Exception):
    """The program ends with an error that says this."""


class Call(NamedTuple):
    """Of a program: its name and arguments, its standard input, and the file of values if it names one."""

    words: list[str]
    stdin: str
    values: dict[str, Any] | None
    environment: dict[str, str]

    @property
    def line(self) -> str:
        return " ".join(self.words)


class Programs:
    """`directory` has one program a name. `state` has what they know, such as the clusters that there are."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "programs"
        self.state = State(directory / "state")
        self.directory.mkdir()
        for name in NAMES:
            program = self.directory / name
            program.write_text(f'#!/bin/sh\nexec {sys.executable} -SE {__file__} {name} "$@"\n')
            program.chmod(0o755)

    @classmethod
    def installed(cls, directory: Path, monkeypatch: "pytest.MonkeyPatch") -> "Programs":
        """At the head of the PATH."""
        programs = cls(directory)
        programs.state.set("networks", NETWORKS)
        monkeypatch.setenv("PATH", f"{programs.directory}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv(STATE, str(programs.state.directory))
        monkeypatch.delenv("KIND_EXPERIMENTAL_DOCKER_NETWORK", raising=False)
        return programs

    def calls(self) -> list[Call]:
        """Since the last time."""
        path = self.state.path("calls")
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [Call(**json.loads(line)) for line in lines]


class State:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(exist_ok=True)

    def path(self, name: str) -> Path:
        return self.directory / name

    def known(self, name: str, default: Any) -> Any:
        path = self.path(name)
        return json.loads(path.read_text()) if path.exists() else default

    def set(self, name: str, value: Any) -> None:
        self.path(name).write_text(json.dumps(value))


def docker(words: list[str], state: State) -> str:
    match words:
        case ["version", "--format={{.Server.Version}}"]:
            return "27.3.1\n"
        case ["build", tag, *what]:
            made = f"{tag} {what} {state.known('tree', 'as it is')}"
            images = state.known("images", {}) | {_value(tag): f"sha256:{hashlib.sha256(made.encode()).hexdigest()}"}
            state.set("images", images)
            return ""
        case ["image", "inspect", "--format={{.Id}}", name]:
            return f"{_image(state, name)}\n"
        case ["start", node] if node.removesuffix("-control-plane") in state.known("clusters", []):
            return f"{node}\n"
        case ["tag", name, other]:
            state.set("images", state.known("images", {}) | {other: _image(state, name)})
            return ""
        case ["network", "inspect", "kind"] if state.known("networks", []):
            return json.dumps([{"Name": "kind", "IPAM": {"Driver": "default", "Config": state.known("networks", [])}}])
        case ["network", "inspect", name]:
            raise Refused(f"Error response from daemon: network {name} not found")
    raise NotImplementedError


def kind(words: list[str], state: State) -> str:
    clusters = state.known("clusters", [])
    match words:
        case ["get", "clusters"]:
            if not clusters:
                sys.stderr.write("No kind clusters found.\n")
            return "".join(f"{name}\n" for name in clusters)
        case ["create", "cluster", name, kubeconfig, "--wait=180s"]:
            if _value(name) in clusters:
                raise Refused(
                    "ERROR: failed to create cluster: node(s) already exist for a cluster with the name "
                    f'"{_value(name)}"'
                )
            state.set("clusters", [*clusters, _value(name)])
            _write_kubeconfig(kubeconfig)
            return ""
        case ["export", "kubeconfig", name, kubeconfig] if _value(name) in clusters:
            _write_kubeconfig(kubeconfig)
            return ""
        case ["load", "docker-image", name, *images] if _value(name) in clusters:
            for image in images:
                _image(state, image)
            return ""
        case ["delete", "cluster", name, _]:
            state.set("clusters", [each for each in clusters if each != _value(name)])
            return ""
    raise NotImplementedError


def kubectl(words: list[str], state: State) -> str:
    kubeconfig = next((_value(word) for word in words if word.startswith(KUBECONFIG)), os.environ.get("KUBECONFIG", ""))
    if not Path(kubeconfig).is_file():
        raise Refused("The connection to the server localhost:8080 was refused - did you specify the right host?")
    waited_for = next((_value(_value(word)) for word in words if word.startswith("--for=condition=")), None)
    if waited_for is not None:
        _wait_for(waited_for, state.known("conditions", ["Complete"]))
    if any(word.startswith("jsonpath=") for word in words):
        return str(state.known("message", ""))
    return "pod/fedka-0: ImagePullBackOff\n" if "describe" in words else ""


def _wait_for(condition: str, true: list[str]) -> None:
    """Where another one is true, this one stays away for as long as somebody waits."""
    if not true:
        raise Refused("error: timed out waiting for the condition on federatedtrainings/hospital")
    parent = os.getppid()
    while condition not in true and os.getppid() == parent:
        time.sleep(0.1)


def helm(words: list[str], state: State) -> str:
    return 'Release "fedka" has been upgraded. Happy Helming!\n'


PROGRAMS = {"docker": docker, "kind": kind, "kubectl": kubectl, "helm": helm}


def _value(option: str) -> str:
    """Behind the first `=`."""
    return option.split("=", 1)[1]


def _image(state: State, name: str) -> str:
    images: dict[str, str] = state.known("images", {})
    if name not in images:
        raise Refused(f"Error response from daemon: No such image: {name}")
    return images[name]


def _write_kubeconfig(option: str) -> None:
    Path(_value(option)).write_text("apiVersion: v1\nkind: Config\n")


def _values(words: list[str]) -> Iterator[dict[str, Any]]:
    for word in words:
        if word.startswith("--values="):
            yield json.loads(Path(_value(word)).read_text())


def _refuse(line: str, state: State) -> None:
    for beginning, message in state.known("refusals", {}).items():
        if line.startswith(beginning):
            raise Refused(message)
    once = state.known("refused once", {})
    beginning = next((each for each in once if line.startswith(each)), None)
    if beginning is not None:
        message = once.pop(beginning)
        state.set("refused once", once)
        raise Refused(message)


def _main() -> int:
    name, *words = sys.argv[1:]
    state = State(Path(os.environ[STATE]))
    stdin = "" if sys.stdin.isatty() else sys.stdin.read()
    call = Call([name, *words], stdin, next(_values(words), None), dict(os.environ))
    with state.path("calls").open("a") as calls:
        calls.write(json.dumps(call._asdict()) + "\n")
    try:
        _refuse(call.line, state)
        sys.stdout.write(PROGRAMS[name](words, state))
    except Refused as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    except NotImplementedError:
        sys.stderr.write(f"no such call is known: {call.line}\n")
        return UNKNOWN
    return 0


if __name__ == "__main__":
    sys.exit(_main())
