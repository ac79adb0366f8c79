"""What a pod is told, and what is never told to another."""

import json
from base64 import b64decode
from dataclasses import replace
from typing import Any

from fedka.plan.bundles import bundle_secret, bundles
from fedka.plan.names import child_name
from fedka.plan.snapshot import Role, Snapshot
from fedka.plan.spec_record import wanted_spec
from fedka.wire.bundle import Bundle

from .case_files import load

SPEC = {
    "app": {"entrypoint": "fraud:app", "config": {"epochs": "2", "rate": "0.1"}},
    "participants": [{"name": "a", "config": {"rate": "0.5", "secret_path": "/data/a"}}, {"name": "b"}],
}


def bundle(role: Role, participant: str | None, **spec: Any) -> Bundle:
    secret = bundle_secret(load({"now": 0, "spec": SPEC | spec}), role, participant)
    return Bundle.model_validate(json.loads(b64decode(secret.manifest["data"]["bundle.json"])))


def test_a_participants_settings_win_over_the_shared_ones():
    app = bundle(Role.PARTICIPANT, "a").app
    assert app is not None
    assert app.config == {"epochs": "2", "rate": "0.5", "secret_path": "/data/a"}


def test_a_participant_hears_nothing_of_anothers_settings():
    app = bundle(Role.PARTICIPANT, "b").app
    assert app is not None
    assert app.config == {"epochs": "2", "rate": "0.1"}


def test_the_shared_spec_record_holds_no_participants_settings():
    assert "secret_path" not in wanted_spec(load({"now": 0, "spec": SPEC})).model_dump_json()


def test_an_aggregator_is_told_of_no_app():
    assert bundle(Role.AGGREGATOR, None).app is None


def test_a_participant_has_a_place_that_outlives_its_process():
    assert bundle(Role.PARTICIPANT, "a").state_directory == "/var/lib/fedka/a"


def test_the_seed_is_the_runs():
    assert bundle(Role.PARTICIPANT, "a", rounds={"count": 3, "seed": 7}).seed == 7


def test_a_managed_participant_is_told_where_mounted_code_lies():
    mounted = {"app": {"entrypoint": "fraud:app", "codeConfigMapRef": {"name": "fraud-code"}}}
    participants = [{"name": "a"}, {"name": "b", "mode": "External"}]
    of_a, of_b = (bundle(Role.PARTICIPANT, name, **mounted, participants=participants).app for name in "ab")
    assert of_a is not None
    assert of_b is not None
    assert (of_a.code_directory, of_b.code_directory) == ("/etc/fedka/code", None)


def without_b_since(jobs: dict[str, str]) -> Snapshot:
    """As an operator finds it that has just started, and knows of no Secret."""
    case = {"now": 5, "spec": {"participants": [{"name": "a"}]}, "jobs": jobs, "journal": ["started", "joined a b"]}
    return replace(load(case), bundles={})


def test_the_secret_of_who_was_removed_while_no_operator_was_there_goes_with_its_job():
    snapshot = without_b_since({"aggregator": "running", "a": "running", "b": "running"})
    secret = child_name(snapshot.training, Role.PARTICIPANT, "b")
    assert bundles(snapshot).bundle_removals == (secret,)
    jobs = {name: replace(job, deleting=name == secret) for name, job in snapshot.jobs.items()}
    assert bundles(replace(snapshot, jobs=jobs)).bundle_removals == ()
