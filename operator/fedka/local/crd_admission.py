"""The FederatedTraining's CRD as the in-memory cluster's admission: what `fedka run` accepts, a cluster accepts."""

from collections.abc import Callable

from fedka.api.errors import InvalidResource
from fedka.api.validation import admit, admit_status
from fedka.local.objects import Json, describe
from fedka.reconcile.ports import FEDERATED_TRAINING, Cause, Invalid


class CrdAdmission:
    """Schema, defaults, pruning and CEL rules of the generated CRD."""

    def admit(self, new: Json, old: Json | None) -> Json:
        """See `Admission.admit`."""
        return _judged(new, lambda: admit(new, old))

    def admit_status(self, new: Json, old: Json) -> Json:
        """See `Admission.admit_status`."""
        return _judged(new, lambda: admit_status(new, old))


def _judged(new: Json, judge: Callable[[], Json]) -> Json:
    try:
        return judge()
    except InvalidResource as error:
        metadata = new["metadata"]
        subject = describe(FEDERATED_TRAINING, metadata.get("namespace"), metadata.get("name", ""))
        causes = [Cause(each.path, "; ".join(filter(None, (each.problem, each.fix)))) for each in error.errors]
        raise Invalid(subject, causes) from error
