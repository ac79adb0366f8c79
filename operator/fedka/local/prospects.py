"""Whether a local run can still come to a round. In a cluster somebody may mend an app or add a participant any time;
here nobody will, so waiting for what cannot come would be waiting for ever.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from fedka.api.training import FederatedTraining
from fedka.exit_codes import CONFIG, HOPELESS, RUN_FAILED
from fedka.plan.snapshot import PodView, Role
from fedka.wire.selection import round_size

MOST_PODS = 2  # of a participant that never joined; in each of them the supervisor has tried seven times


@dataclass(slots=True)
class Prospects:
    """What is known of the pods so far."""

    needed: int
    total: int
    _lost: dict[str, PodView] = field(default_factory=dict)
    _joined: set[str] = field(default_factory=set)
    _counted: set[str] = field(default_factory=set)
    _failures: Counter[str] = field(default_factory=Counter)
    _aggregator: PodView | None = None

    def joined(self, participant: str) -> None:
        """It has been there once: what ends it now may pass."""
        self._joined.add(participant)

    def take(self, pod: PodView) -> None:
        """Note a pod's state."""
        if pod.exit_code in (None, 0) or pod.uid in self._counted:
            return
        self._counted.add(pod.uid)
        if pod.role is Role.AGGREGATOR:
            self._aggregator = pod if pod.exit_code in HOPELESS else None
        elif pod.participant is not None:
            self._failures[pod.participant] += 1
            never_came = pod.participant not in self._joined and self._failures[pod.participant] >= MOST_PODS
            if pod.exit_code in HOPELESS or never_came:
                self._lost[pod.participant] = pod

    @property
    def lost(self) -> Mapping[str, PodView]:
        """The participants that will not come, by name, with the pod that said so."""
        return self._lost

    def verdict(self) -> "NoProspect | None":
        """Why no round can be expected any more, if so."""
        if self._aggregator is not None:
            return NoProspect("the aggregator cannot start, and would not at another try", (self._aggregator,))
        left = self.total - len(self._lost)
        if left >= self.needed:
            return None
        who = "no participant" if left == 0 else f"only {left} of {self.total} participants"
        return NoProspect(
            f"{who} can take part, and a round needs {self.needed}",
            tuple(self._lost[name] for name in sorted(self._lost)),
        )


@dataclass(frozen=True, slots=True)
class NoProspect:
    """The sentence, and the pods whose messages give the causes."""

    message: str
    pods: tuple[PodView, ...]

    @property
    def code(self) -> int:
        """The exit code of the run."""
        return CONFIG if any(pod.exit_code in HOPELESS for pod in self.pods) else RUN_FAILED


def prospects(training: FederatedTraining) -> Prospects:
    """What the training needs: participants for one round to open and to count."""
    rounds, total = training.spec.rounds, len(training.spec.participants)
    size = round_size(
        present=total, sample_size=rounds.sample_size, over_selection=rounds.over_selection, quorum=rounds.quorum
    )
    needed = size.quorum if rounds.min_available is None else max(rounds.min_available, size.quorum)
    return Prospects(needed=needed, total=total)
