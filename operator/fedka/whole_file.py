"""A file that is replaced as a whole: a crash, a kill or a full disk leaves the old one or the new one."""

from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Write `text` beside it, as `NAME.new`, then put that in its place. Raises OSError; the file is then as it was."""
    draft = path.with_suffix(".new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
