import sys
from itertools import count
from pathlib import Path

import pytest

from fedka.participant.entrypoint import load_app
from fedka.participant.errors import AppMisused, AppUnloadable

APP = "import fedka\napp = fedka.App()\napp.model(lambda c: {})\napp.train(lambda m, c: None)\n"
NAMES = count()


@pytest.fixture(autouse=True)
def own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


def module(directory: Path, text: str) -> str:
    """Write a module of a name that no other test has imported."""
    name = f"an_app_{next(NAMES)}"
    (directory / f"{name}.py").write_text(text)
    return name


def test_an_app_beside_the_working_directory_is_found(tmp_path):
    load_app(f"{module(tmp_path, APP)}:app", tmp_path)


def test_the_working_directory_comes_first(tmp_path):
    name = module(tmp_path, APP)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / f"{name}.py").write_text("raise RuntimeError")
    sys.path.insert(0, str(elsewhere))
    load_app(f"{name}:app", tmp_path)


def test_mounted_code_comes_before_the_working_directory(tmp_path):
    code = tmp_path / "code"
    code.mkdir()
    name = module(code, APP)
    (tmp_path / f"{name}.py").write_text("raise RuntimeError")
    load_app(f"{name}:app", tmp_path, code)


def test_where_no_code_is_mounted_the_working_directory_serves(tmp_path):
    load_app(f"{module(tmp_path, APP)}:app", tmp_path, tmp_path / "nowhere")


def test_an_app_inside_an_object_is_found(tmp_path):
    name = module(tmp_path, APP + "class Holder: inner = app\n")
    load_app(f"{name}:Holder.inner", tmp_path)


@pytest.mark.parametrize("entrypoint", ["fraud", "fraud:", ":app", "fraud app:x", "fraud.py:app:x"])
def test_a_malformed_entrypoint_shows_the_form(entrypoint, tmp_path):
    with pytest.raises(AppUnloadable, match="write module:object, for example fraud:app"):
        load_app(entrypoint, tmp_path)


def test_a_missing_module_comes_with_the_places_searched(tmp_path):
    with pytest.raises(AppUnloadable, match=r"there is no module nowhere\.at_all") as caught:
        load_app("nowhere.at_all:app", tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_missing_package_of_the_app_is_not_taken_for_a_missing_app(tmp_path):
    name = module(tmp_path, "import nowhere_at_all")
    with pytest.raises(AppUnloadable, match=f"{name} imports nowhere_at_all, which is not installed"):
        load_app(f"{name}:app", tmp_path)


@pytest.mark.parametrize("text", ["1 / 0", "def broken(:"])
def test_a_module_that_raises_keeps_its_traceback(text, tmp_path):
    name = module(tmp_path, text)
    with pytest.raises(AppUnloadable, match=f"importing {name} raised") as caught:
        load_app(f"{name}:app", tmp_path)
    assert isinstance(caught.value.__cause__, ZeroDivisionError | SyntaxError)


def test_a_module_that_exits_does_not_end_the_participant_as_if_all_were_done(tmp_path):
    name = module(tmp_path, "import sys; sys.exit(0)")
    with pytest.raises(AppUnloadable, match=f"importing {name} raised SystemExit"):
        load_app(f"{name}:app", tmp_path)


def test_a_missing_object_comes_with_the_apps_there_are(tmp_path):
    with pytest.raises(AppUnloadable, match=r"the module has no application; the fedka\.App objects there are: app"):
        load_app(f"{module(tmp_path, APP)}:application", tmp_path)


def test_something_else_than_an_app_is_refused(tmp_path):
    with pytest.raises(AppUnloadable, match=r"app is an object of type int: it must be a fedka\.App"):
        load_app(f"{module(tmp_path, 'app = 3')}:app", tmp_path)


def test_an_incomplete_app_is_refused(tmp_path):
    with pytest.raises(AppMisused, match=r"no @app\.model function"):
        load_app(f"{module(tmp_path, 'import fedka; app = fedka.App()')}:app", tmp_path)


def test_a_file_name_in_the_place_of_a_module_gets_a_hint(tmp_path):
    (tmp_path / "fraud.py").write_text("")
    with pytest.raises(AppUnloadable, match=r"there is no module fraud\.py \(.*try fraud\)"):
        load_app("fraud.py:app", tmp_path)
