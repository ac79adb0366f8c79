"""The pods of a run on this machine by what they have left: sections of the log files of its members."""

from collections.abc import Iterator
from pathlib import Path

from fedka.api.status import TrainingStatus
from fedka.api.training import FederatedTraining
from fedka.local.pod_sections import PodLog, SectionReader
from fedka.plan.names import child_name
from fedka.plan.snapshot import PodView, Role
from fedka.reconcile.ports import NotFound

UNKNOWN = "Unknown"  # Kubernetes' word for a pod that nobody can be asked about


class LocalPods:
    """The pods that have written into the `logs` of one run."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._files: dict[str, PodLog] = {}

    def views(self, training: FederatedTraining, *, running: bool) -> list[PodView]:
        """All of them, the newest of each member first. `running`: the newest may be at work."""
        found = []
        for role, participant in _members(training):
            for section in reversed(self._file(child_name(training, role, participant)).sections()):
                phase = "Running" if running and section.end is None else UNKNOWN
                found.append(PodView(section.pod, section.pod, role, participant, phase))
        return found

    def reader(self, pod: str, tail: int | None) -> SectionReader:
        """What reads a pod's log. Raises NotFound."""
        file = self._file(pod.rpartition("-")[0])
        if file.section(pod) is None:
            raise NotFound(f"pod {pod} has left no log in {self._logs}")
        return SectionReader(file, pod, tail)

    def _file(self, job: str) -> PodLog:
        return self._files.setdefault(job, PodLog(self._logs / f"{job}.log", job))


def _members(training: FederatedTraining) -> Iterator[tuple[Role, str | None]]:
    """The aggregator, the participants of the spec, and those that have left it."""
    yield Role.AGGREGATOR, None
    seen = (training.status or TrainingStatus()).participants
    left = [detail.name for detail in seen.detail] if seen is not None else []
    for name in dict.fromkeys([*(each.name for each in training.spec.participants), *left]):
        yield Role.PARTICIPANT, name
