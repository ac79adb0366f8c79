"""What is built once, however many processes need it at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .building import ensure_built


def test_what_two_need_at_once_is_built_by_one(tmp_path: Path):
    made, began, go_on, built = tmp_path / "made", threading.Event(), threading.Event(), []

    def build() -> None:
        began.set()
        assert go_on.wait(60)
        built.append("once")
        made.touch()

    with ThreadPoolExecutor(2) as two:
        first = two.submit(ensure_built, made, build, home=tmp_path)
        assert began.wait(60)
        second = two.submit(ensure_built, made, build, home=tmp_path)
        go_on.set()
        first.result(60)
        second.result(60)
    ensure_built(made, build, home=tmp_path)
    assert built == ["once"]
