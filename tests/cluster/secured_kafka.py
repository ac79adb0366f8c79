"""A real Apache Kafka as a platform team would run it: TLS, SCRAM-SHA-512 and ACLs, and no way in without a user.

Only the controller's listener, bound to this machine alone, asks for no credentials: the one node speaks to itself.
"""

import secrets
import time
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from fedka.kafka.access import Settings, client_settings
from fedka.local.kafka_server import KafkaServer
from fedka.local.kafka_settings import Listener
from fedka.wire.bundle import KafkaAccess

from .certificates import write_certificates
from .operator_user import make_operator, operator_user

ADMIN = "admin"
MECHANISM: Literal["SCRAM-SHA-512"] = "SCRAM-SHA-512"
SNAPSHOT_SECONDS = 60.0
POLL_SECONDS = 0.05  # there is no event for "a file has appeared"


class SecuredKafka:
    """The broker whose everything lies in `home`. The same home gives the same cluster, users and certificates again,
    at the same port. Without a `port`, a free one is chosen at the first start.
    """

    def __init__(self, home: Path, *, address: str = "127.0.0.1", port: int | None = None) -> None:
        home = home.resolve()
        home.mkdir(parents=True, exist_ok=True)
        self._home = home
        self.admin_user = ADMIN
        self.admin_password = self._password(ADMIN)
        self.ca_file = home / "ca.crt"
        server = home / "kafka.pem"
        if not server.exists():
            write_certificates(ca=self.ca_file, server=server, names=(address, "127.0.0.1", "localhost"))
        self._server = KafkaServer(
            state_dir=home,
            listener=Listener(address, port, "SASL_SSL"),
            properties=_properties(self.admin_password, ca=self.ca_file, server=server),
            format_arguments=("--add-scram", f"{MECHANISM}=[name={ADMIN},password={self.admin_password}]"),
        )

    @property
    def bootstrap_servers(self) -> str:
        """`HOST:PORT`; only after `start`."""
        return self._server.bootstrap_servers

    def settings(self, user: str = ADMIN, password: str | None = None) -> Settings:
        """Client settings of a user; the administrator's by default."""
        access = KafkaAccess(
            bootstrap_servers=self.bootstrap_servers,
            security_protocol="SASL_SSL",
            ca_file=str(self.ca_file),
            sasl_mechanism=MECHANISM,
            username=user,
        )
        return {**client_settings(access), "sasl.password": self.admin_password if password is None else password}

    def add_operator(self, prefix: str = "fedka") -> tuple[str, str]:
        """The name and the password of an operator's user, the same for the same home; only after `start`."""
        user = operator_user(prefix)
        password = self._password(user)
        make_operator(self.settings(), user=user, password=password, prefix=prefix)
        return user, password

    @property
    def log_path(self) -> Path:
        """The broker's log."""
        return self._server.log_path

    @property
    def pid(self) -> int:
        """The broker's process id; only after `start`."""
        return self._server.pid

    def start(self) -> str:
        """The bootstrap servers, when the broker answers.

        Kafka 4.4.0, started on a log of users in which one is deleted and no snapshot of its metadata goes before, may
        forget all users (`ScramDelta.apply` drops those of a mechanism when a deletion comes first). A node that has
        run for an hour has its snapshot; here it is waited for, so that a restart is what it is elsewhere.
        """
        address = self._server.start()
        deadline = time.monotonic() + SNAPSHOT_SECONDS
        while not any(snapshot.stat().st_size for snapshot in self._snapshots()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"no snapshot of Kafka's metadata after {SNAPSHOT_SECONDS} s: see {self.log_path}")
            time.sleep(POLL_SECONDS)
        return address

    def _password(self, user: str) -> str:
        path = self._home / f"{user}-password"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(16))
        return path.read_text()

    def _snapshots(self) -> list[Path]:
        log = self.log_path.parent / "data" / "__cluster_metadata-0"
        return [path for path in log.glob("*.checkpoint") if int(path.name.split("-")[0]) > 0]

    def stop(self) -> None:
        """End it in order."""
        self._server.stop()

    def kill(self) -> None:
        """SIGKILL; `start` brings it back."""
        self._server.kill()

    def restart(self) -> None:
        """Stop in order and start at the same address."""
        self._server.restart()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _properties(password: str, *, ca: Path, server: Path) -> dict[str, str]:
    module = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(server),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(ca),
        "sasl.enabled.mechanisms": MECHANISM,
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f'{module} username="{ADMIN}" password="{password}";',
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "metadata.log.max.snapshot.interval.ms": "1000",  # an hour by default: see `start`
        "metadata.max.retention.ms": "60000",  # 7 days of a snapshot a second would be many
        "super.users": f"User:{ADMIN};User:ANONYMOUS",  # ANONYMOUS: the node itself, on the controller's listener
    }
