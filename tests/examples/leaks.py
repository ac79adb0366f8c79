"""Looking for card numbers that should be nowhere: in every spelling and encoding that software writes numbers in."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fedka.masking import find_card_numbers

RUN = re.compile(rb"[0-9](?:[ -]?[0-9])+")
TOKEN = re.compile(rb"(?=([a-p]{32}))")
WORD = 8


class Planted:
    """Card numbers, as plain digits, that somebody may have let slip."""

    def __init__(self, numbers: Iterable[str]) -> None:
        self.numbers = frozenset(numbers)
        self._lengths = sorted({len(number) for number in self.numbers})
        whole = [int(number) for number in sorted(self.numbers)]
        self._words = np.sort(
            np.concatenate(
                [
                    np.array(whole, "<u8"),
                    np.array(whole, ">u8").view("<u8"),
                    np.array(whole, "<f8").view("<u8"),
                    np.array(whole, ">f8").view("<u8"),
                    np.array(
                        [int(number, 16) for number in sorted(self.numbers) if len(number) <= 2 * WORD], ">u8"
                    ).view("<u8"),  # packed decimal: a digit in each half byte
                ]
            )
        )

    def leaked_in(self, data: bytes) -> bool:
        """Whether any of them is there: with spaces, dashes or neither, inside other digits, UTF-16, or as a word."""
        plain = data.replace(b"\0", b"")
        found = self.numbers.intersection(find_card_numbers(data))
        return bool(found) or self._spelled_in(data) or self._spelled_in(plain) or self._as_word_in(data)

    def _spelled_in(self, data: bytes) -> bool:
        for run in RUN.finditer(data):
            digits = re.sub(rb"[ -]", b"", run[0]).decode("ascii")
            for length in self._lengths:
                if any(digits[at : at + length] in self.numbers for at in range(len(digits) - length + 1)):
                    return True
        return False

    def _as_word_in(self, data: bytes) -> bool:
        return any(self._among(_words(data, at)) for at in range(WORD))

    def _among(self, words: npt.NDArray[np.uint64]) -> bool:
        places = np.searchsorted(self._words, words)
        return bool((self._words[np.minimum(places, len(self._words) - 1)] == words).any())


def _words(data: bytes, at: int) -> npt.NDArray[np.uint64]:
    return (
        np.frombuffer(data, "<u8", max(0, len(data) - at) // WORD, at) if len(data) >= at + WORD else np.empty(0, "<u8")
    )


def tokens_in(data: bytes) -> set[str]:
    """Whatever could be a token."""
    return {found[1].decode("ascii") for found in TOKEN.finditer(data)}


def contents(*roots: Path) -> Mapping[Path, bytes]:
    """Every file below some directories, and its name beside what is in it: names can tell numbers, too.

    Of zeros at the end one word is left: Kafka's indices of open segments are 10 MB of them.
    """
    files = [path for root in roots for path in ([root] if root.is_file() else root.rglob("*")) if path.is_file()]
    return {path: bytes(path) + b"\n" + path.read_bytes().rstrip(b"\0") + bytes(WORD) for path in files}
