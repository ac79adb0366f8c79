"""Finding the app: `module:object`, looked up in mounted code, then the working directory, then the Python path."""

import importlib
import sys
from pathlib import Path

from fedka.participant.app import App
from fedka.participant.errors import AppUnloadable, Interrupted


def load_app(entrypoint: str, directory: Path, code: Path | None = None) -> App[object]:
    """The app that `module:object` names. Raises AppUnloadable; AppMisused where it lacks a function.

    `code` comes before the directory where it exists: a local run mounts none, and finds the modules beside the YAML.
    """
    module_name, colon, attribute = entrypoint.partition(":")
    if not colon or not all(part.isidentifier() for part in f"{module_name}.{attribute}".split(".")):
        raise AppUnloadable(f"entrypoint {entrypoint!r}: write module:object, for example fraud:app")
    places = [directory] if code is None or not code.is_dir() else [directory, code]
    for place in places:
        if str(place) not in sys.path[:1]:
            sys.path.insert(0, str(place))
    app = _attribute(_module(module_name, entrypoint, directory), attribute, entrypoint)
    if not isinstance(app, App):
        raise AppUnloadable(
            f"entrypoint {entrypoint!r}: {attribute} is an object of type {type(app).__name__}: "
            "it must be a fedka.App, made by app = fedka.App()"
        )
    app.check()
    return app


def _module(name: str, entrypoint: str, directory: Path) -> object:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            looked = "\n".join(f"  not in {place}" for place in dict.fromkeys([str(directory), *sys.path]) if place)
            hint = f" (a module's name has no .py: try {name[:-3]})" if name.endswith(".py") else ""
            raise AppUnloadable(f"entrypoint {entrypoint!r}: there is no module {name}{hint}\n{looked}") from None
        raise AppUnloadable(
            f"entrypoint {entrypoint!r}: {name} imports {error.name}, which is not installed here"
        ) from error
    except Interrupted:
        raise
    except BaseException as error:  # sys.exit among them: what ends with 0 would look like a run that has ended
        raise AppUnloadable(f"entrypoint {entrypoint!r}: importing {name} raised {type(error).__name__}") from error


def _attribute(module: object, path: str, entrypoint: str) -> object:
    found = module
    for name in path.split("."):
        if not hasattr(found, name):
            apps = ", ".join(sorted(key for key, value in vars(module).items() if isinstance(value, App)))
            hint = f"the fedka.App objects there are: {apps}" if apps else "there is no fedka.App in it"
            raise AppUnloadable(f"entrypoint {entrypoint!r}: the module has no {path}; {hint}")
        found = getattr(found, name)
    return found
