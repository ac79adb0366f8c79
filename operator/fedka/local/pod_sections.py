"""The logs of a run's pods as the kubelet has left them: one file a member, in which each pod has its section.

A pod is gone with the run's process; its section stays. What an app writes may look like the line that begins one, but
for the suffix that it would have to guess; so a forged one costs its writer alone.
"""

import contextlib
import mmap
import os
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fedka.local.pod_output import earlier

LONGEST_LINE = 2**20  # bytes: an app may print a gigabyte without an end of line


@dataclass(frozen=True, slots=True)
class Section:
    """What one pod wrote: from `begin` in the file to `end`, which is None for the newest one."""

    pod: str
    begin: int
    end: int | None = None


class PodLog:
    """The log file of one Job: what its pods have written, one after the other. Read on from where it was read to."""

    def __init__(self, file: Path, job: str) -> None:
        self.file = file
        self._job = job
        self._header = re.compile(rb"^--- \S+ (" + re.escape(job.encode()) + rb"-[a-z0-9]{5}): [^\n]*\n", re.MULTILINE)
        self._read = 0
        self._sections: list[Section] = []
        self._inode: int | None = None

    @property
    def inode(self) -> int | None:
        """That of the file that was read last: one that has grown too large is begun anew (`pod_output`)."""
        return self._inode

    def before(self) -> "PodLog":
        """What was in the file before it was begun anew."""
        return PodLog(earlier(self.file), self._job)

    def sections(self) -> Sequence[Section]:
        """Those that there are, the oldest first."""
        try:
            descriptor = os.open(self.file, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return []
        try:
            self._notice_another(os.fstat(descriptor).st_ino)
            if os.fstat(descriptor).st_size > self._read:
                with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as content:
                    self._take(content)
        finally:
            os.close(descriptor)
        return self._sections

    def section(self, pod: str) -> Section | None:
        """That of a pod."""
        return next((section for section in self.sections() if section.pod == pod), None)

    def _notice_another(self, inode: int) -> None:
        if inode != self._inode:
            self._inode, self._read = inode, 0
            self._sections.clear()

    def _take(self, content: mmap.mmap) -> None:
        for match in self._header.finditer(content, self._read):
            if self._sections:
                self._sections[-1] = replace(self._sections[-1], end=match.start())
            self._sections.append(Section(match[1].decode(), match.end()))
        self._read = max(self._read, content.rfind(b"\n") + 1)


class SectionReader:
    """The lines of a section, as far as they go at each call."""

    def __init__(self, log: PodLog, pod: str, tail: int | None = None) -> None:
        self._log = log
        self._pod = pod
        self._place: int | None = None
        self._inode: int | None = None
        self._tail = tail
        self.over = False  # whether the section has an end, and all its lines have been read

    def lines(self, *, last: bool) -> Iterator[str]:
        """Those that have come since; `last`: also one that has no end yet."""
        section = self._log.section(self._pod)
        if section is None:
            return
        if self._inode is not None and self._inode != self._log.inode:
            yield from self._left_behind()
        if self._inode != self._log.inode:
            self._inode, self._place = self._log.inode, None
        new = self._new_lines(self._log, section, last=last)
        if self._tail is not None:
            new, self._tail = iter(deque(new, maxlen=self._tail)), None
        yield from new
        self.over = section.end is not None

    def _left_behind(self) -> Iterator[str]:
        """What came before the file was begun anew; where that has happened twice since, it is gone."""
        before = self._log.before()
        section = before.section(self._pod)
        if section is not None and before.inode == self._inode:
            yield from self._new_lines(before, section, last=True)

    def _new_lines(self, source: PodLog, section: Section, *, last: bool) -> Iterator[str]:
        place = section.begin if self._place is None else self._place
        with contextlib.suppress(FileNotFoundError), source.file.open("rb") as log:  # being begun anew: look again
            if os.fstat(log.fileno()).st_ino != source.inode:
                return
            log.seek(place)
            while section.end is None or place < section.end:
                line = log.readline(LONGEST_LINE if section.end is None else min(LONGEST_LINE, section.end - place))
                whole = line.endswith(b"\n") or len(line) == LONGEST_LINE
                if not line or not (whole or last or section.end is not None):
                    return
                place = self._place = place + len(line)
                yield line.decode(errors="replace").removesuffix("\n")
