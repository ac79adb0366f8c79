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


def planned_anew(case: dict[str, Any], **changes: Any) -> set[str]:
    """The members whose users are made again whatever their Secrets say: participants, `aggregator` and `reader`."""
    external = [{"name": "a", "mode": "External"}, {"name": "b", "mode": "External"}, {"name": "c"}]
    running = {"now": 5, "identities": True, "journal": ["started", "joined a c"], "spec": {"participants": external}}
    snapshot = replace(load(running | case), **changes)
    labels = [secret.manifest["metadata"]["labels"] for secret in bundles(snapshot).bundles if secret.anew]
    return {each.get("fedka.dev/participant", each["fedka.dev/role"]) for each in labels}


def test_a_user_is_made_again_for_the_pod_that_was_refused():
    jobs = {"aggregator": "running"}
    refused = {"c": {"restarts": 1, "at": 5, "exitCode": 78, "reason": "KafkaRefused"}}
    assert planned_anew({"jobs": jobs, "failures": refused}) == {"c"}


def test_of_those_without_a_pod_who_is_not_present_is_made_again_when_all_is_looked_at_again():
    jobs = {"aggregator": "running", "c": "running"}
    assert planned_anew({"jobs": jobs}, users_in_doubt=True) == {"b", "reader"}
    assert planned_anew({"jobs": jobs}) == set()


def test_an_ended_or_suspended_run_gets_no_user_again():
    refused = {"c": {"restarts": 1, "at": 5, "exitCode": 78, "reason": "KafkaRefused"}}
    ended = {"journal": ["started", "joined a c", "first model c", "completed"], "failures": refused}
    assert planned_anew(ended, users_in_doubt=True) == set()
    external = [{"name": "a", "mode": "External"}, {"name": "c"}]
    suspended = {"spec": {"participants": external, "suspend": True}, "failures": refused}
    assert planned_anew(suspended, users_in_doubt=True) == set()


def test_who_was_removed_gets_no_user_again():
    refused = {"c": {"restarts": 1, "at": 5, "exitCode": 78, "reason": "KafkaRefused"}}
    without = {"spec": {"participants": [{"name": "a"}]}, "failures": refused}
    assert planned_anew(without, users_in_doubt=True) == {"reader"}
