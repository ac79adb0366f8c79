"""An API server without a CRD's rules, for tests of what does not depend on them."""

from fedka.local.objects import Json


class AdmitAnything:
    """Stores each object as it came."""

    def admit(self, new: Json, old: Json | None) -> Json:  # noqa: ARG002  the port's signature
        return new

    def admit_status(self, new: Json, old: Json) -> Json:  # noqa: ARG002  the port's signature
        return new
