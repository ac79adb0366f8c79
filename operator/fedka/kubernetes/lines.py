"""An answer's bytes as lines, of which none fills the memory: a container may print a gigabyte without a line break."""

from collections.abc import Iterator

LONGEST_LINE = 16 * 2**20  # bytes; an object is told of in one line, and an API server takes none of more than 3 MiB
CUT = b" [the rest is left out: a line of more than 16 MiB]\n"
"""How a longer line ends."""


class Lines:
    """Of bytes that come in parts."""

    def __init__(self) -> None:
        self._line = bytearray()  # which grows in place: joining parts would take the square of a line's length
        self._cut = False

    def take(self, part: bytes) -> Iterator[bytes]:
        """The lines that end in this part, each with its end."""
        *ended, rest = part.split(b"\n")
        for piece in ended:
            self._add(piece)
            line = bytes(self._line) + (CUT if self._cut else b"\n")
            self._line.clear()
            self._cut = False
            yield line
        self._add(rest)

    def rest(self) -> bytes:
        """What has come of a line that has not ended."""
        return bytes(self._line)

    def _add(self, piece: bytes) -> None:
        room = LONGEST_LINE - len(self._line)
        self._line += piece[:room]
        self._cut = self._cut or len(piece) > room
