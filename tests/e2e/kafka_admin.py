"""What there is in Kafka, as its administrator sees it, or whose client settings are given."""

import time

from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from fedka.kafka.access import Settings

SECONDS = 30


class KafkaAdmin:
    def __init__(self, settings: Settings) -> None:
        self._admin = AdminClient(dict(settings))

    def topics(self, part: str) -> set[str]:
        """Topics whose name contains `part`."""
        return {name for name in self._admin.list_topics(timeout=SECONDS).topics if part in name}

    def users(self, part: str) -> set[str]:
        described = self._admin.describe_user_scram_credentials().result(SECONDS)
        return {name for name in described if part in name}

    def rights(self, part: str) -> set[str]:
        """Principals with ACLs whose name contains `part`."""
        everything = AclBindingFilter(
            ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
        )
        return {acl.principal for acl in self._admin.describe_acls(everything).result(SECONDS) if part in acl.principal}

    def traces(self, part: str) -> set[str]:
        """All that is left of a run."""
        return self.topics(part) | self.users(part) | self.rights(part)

    def until_no_trace(self, part: str) -> None:
        """The broker may tell for a moment longer of what its controller has deleted."""
        deadline = time.monotonic() + SECONDS
        while left := self.traces(part):
            assert time.monotonic() < deadline, left
            time.sleep(0.2)
