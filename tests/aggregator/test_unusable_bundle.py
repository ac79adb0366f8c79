"""A bundle that no client can be made of: starting again would not help, so the exit code says that."""

from pathlib import Path

import pytest

from fedka import exit_codes
from fedka.aggregator.main import run_aggregator
from fedka.wire.bundle import CA_FILE, DOCUMENT, Bundle, KafkaAccess


def test_a_certificate_that_is_none_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    access = KafkaAccess(bootstrap_servers="127.0.0.1:1", security_protocol="SSL", ca_file=CA_FILE)
    bundle = Bundle(role="aggregator", run="a.b.00000000", training="b", namespace="a", kafka=access)
    (tmp_path / DOCUMENT).write_text(bundle.model_dump_json(by_alias=True))
    (tmp_path / CA_FILE).write_text("not a certificate")
    assert run_aggregator(tmp_path) == exit_codes.CONFIG
    assert "ssl.ca.location" in caplog.text
