"""What a pod writes, on its way to a log file that cannot fill the disk: an app may print a gigabyte.

As a kubelet does, two files of a Job are kept, the present one and the one before. What is written goes through a pipe,
so no file is ever larger than the limit; the pod's processes hold the reading end of it, too, so that the death of this
process makes them wait for their own end where a broken pipe would look like an error of the app's.
"""

import logging
import os
import threading
from pathlib import Path

LOGGER = logging.getLogger("fedka.local")
MOST_BYTES = 32 * 2**20  # of one file; a kubelet keeps 10 MiB, five times
MESSAGE_BYTES = 2048  # as the kubelet's FallbackToLogsOnError
_PIECE = 2**16  # what a pipe holds
_END_SECONDS = 5.0  # for what is left in the pipe after the last writer


def earlier(log: Path) -> Path:
    """The file that holds what was in `log` before it was begun anew."""
    return log.with_name(f"{log.name}.1")


class PodOutput:
    """Copies into `log`, below a line that says what begins there, from `start` until the last writer has gone.

    `descriptor` is for the process to write to, `shared` for it to keep open.
    """

    def __init__(self, log: Path, header: str, *, most_bytes: int = MOST_BYTES) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        self._header = f"--- {header}\n".encode()
        self._most = most_bytes
        self._file = log.open("a+b", buffering=0)
        try:
            self._end_line()
            self._write(self._header)
        except OSError:
            self._file.close()
            raise
        self._last = b""
        self._complained = False
        self.shared, self.descriptor = os.pipe()
        self._thread = threading.Thread(target=self._copy, name=f"log {log.name}", daemon=True)

    def start(self) -> None:
        """To be called once the process has been started, or could not be."""
        os.close(self.descriptor)
        self._thread.start()

    def finish(self) -> None:
        """Wait until everything is in the file. To be called when all writers have gone."""
        self._thread.join(_END_SECONDS)

    def last_words(self) -> str:
        """The end of what was written, at most 2 KiB."""
        return self._last.decode(errors="replace")

    def _copy(self) -> None:
        while piece := os.read(self.shared, _PIECE):
            self._last = (self._last + piece)[-MESSAGE_BYTES:]
            try:
                self._keep(piece)
            except OSError as error:  # a full disk: the pod must not stand still for it, and its last words are kept
                self._complain(error)
        os.close(self.shared)
        self._file.close()

    def _keep(self, piece: bytes) -> None:
        room = max(0, self._most - self._file.tell())
        if len(piece) > room:
            end_of_line = piece.rfind(b"\n", 0, room) + 1
            self._write(piece[:end_of_line])
            self._begin_anew()
            piece = piece[end_of_line:]
        self._write(piece)

    def _begin_anew(self) -> None:
        self._log.replace(earlier(self._log))
        anew = self._log.open("ab", buffering=0)
        self._file.close()
        self._file = anew
        self._write(self._header)

    def _end_line(self) -> None:
        """A pod that was killed in the middle of a line must not have the next one's header as the rest of it."""
        size = self._file.seek(0, os.SEEK_END)
        if size:
            self._file.seek(size - 1)
            if self._file.read(1) != b"\n":
                self._write(b"\n")

    def _write(self, data: bytes) -> None:
        while data:
            data = data[self._file.write(data) or 0 :]

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            LOGGER.warning("%s lacks lines from now on: %s", self._log, error.strerror)
