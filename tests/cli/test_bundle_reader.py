"""What a command makes of a bundle's files to read a run with."""

from pathlib import Path

from fedka.cli.bundle_reader import bundle_reader
from fedka.wire.bundle import CA_FILE, DOCUMENT, PASSWORD_FILE, Bundle, KafkaAccess

PASSWORD = "not to be guessed"
ACCESS = KafkaAccess(
    bootstrap_servers="kafka:9093",
    security_protocol="SASL_SSL",
    sasl_mechanism="SCRAM-SHA-512",
    username="reader",
    password_file=PASSWORD_FILE,
    ca_file=CA_FILE,
)


def contents(directory: Path) -> list[str]:
    return [path.read_text() for path in directory.iterdir()]


async def test_password_is_on_the_disk_no_longer_than_it_takes_to_read_it():
    bundle = Bundle(
        role="reader", run="default.tiny.1", training="tiny", namespace="default", topic_prefix="fedka", kafka=ACCESS
    )
    document = bundle.model_dump_json(by_alias=True, exclude_none=True).encode()
    files = {DOCUMENT: document, PASSWORD_FILE: PASSWORD.encode(), CA_FILE: b"a certificate"}
    async with bundle_reader(files, None) as reader:
        assert reader.settings["sasl.password"] == PASSWORD
        ca = Path(str(reader.settings["ssl.ca.location"]))
        assert "a certificate" in contents(ca.parent)
        assert PASSWORD not in "".join(contents(ca.parent))
    assert not ca.parent.exists()
