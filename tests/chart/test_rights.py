from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import EVERYTHING, NAMESPACE, ONE_KAFKA, Render, Rendered

pytestmark = pytest.mark.slow

OPERATOR = "fedka-system-fedka"
FAREWELL = f"{OPERATOR}-deleted-namespaces"


def _rules(objects: Rendered) -> Iterator[dict[str, Any]]:
    for (kind, _), each in objects.items():
        if kind in {"Role", "ClusterRole"}:
            yield from each["rules"]


def test_nobody_may_list_or_watch_secrets(render: Render, values):
    verbs = {verb for rule in _rules(render(values)) if "secrets" in rule["resources"] for verb in rule["verbs"]}
    assert verbs == {"get", "create", "patch", "delete"}


def test_no_right_is_given_by_a_wildcard(render: Render, values):
    for rule in _rules(render(values)):
        assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]


def test_for_all_namespaces_the_rights_hold_in_all(render: Render):
    objects = render(ONE_KAFKA)
    assert ("ClusterRoleBinding", OPERATOR) in objects
    assert objects["ClusterRole", OPERATOR]["rules"]


def test_for_named_namespaces_they_hold_in_these_alone(render: Render):
    objects = render(EVERYTHING)
    assert ("ClusterRole", OPERATOR) not in objects
    assert [name for kind, name in objects if kind == "ClusterRoleBinding"] == [FAREWELL]
    assert objects["Role", OPERATOR]["metadata"]["namespace"] == "banks"  # the last of two of one name


def test_of_a_deleted_namespace_it_may_do_no_more_than_let_trainings_go(render: Render):
    objects = render(EVERYTHING)
    assert objects["ClusterRole", FAREWELL]["rules"] == [
        {"apiGroups": ["fedka.dev"], "resources": ["federatedtrainings"], "verbs": ["list", "watch", "patch"]}
    ]
    assert objects["ClusterRoleBinding", FAREWELL]["roleRef"]["name"] == FAREWELL


def test_it_can_be_given_no_right_beyond_its_namespaces(render: Render):
    bound = {kind for kind, _ in render(EVERYTHING, "--set=rbac.deletedNamespaces=false")}
    assert "RoleBinding" in bound
    assert "ClusterRoleBinding" not in bound


def test_for_all_namespaces_nothing_is_added(render: Render):
    assert ("ClusterRole", FAREWELL) not in render(ONE_KAFKA)


def test_the_lease_is_in_the_operators_own_namespace(render: Render, values):
    role = render(values)["Role", "fedka-lease"]
    assert role["metadata"]["namespace"] == NAMESPACE
    assert [rule["resources"] for rule in role["rules"]] == [["leases"]]


def test_who_may_view_a_namespace_may_not_start_a_training(render: Render):
    view = render(ONE_KAFKA)["ClusterRole", f"{OPERATOR}-view"]
    assert view["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-view"] == "true"
    assert {verb for rule in view["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}


def test_who_may_edit_a_namespace_may_start_a_training(render: Render):
    edit = render(ONE_KAFKA)["ClusterRole", f"{OPERATOR}-edit"]
    labels = edit["metadata"]["labels"]
    assert labels["rbac.authorization.k8s.io/aggregate-to-edit"] == "true"
    assert "rbac.authorization.k8s.io/aggregate-to-view" not in labels
    assert "create" in edit["rules"][0]["verbs"]


def test_without_rbac_there_are_no_roles(render: Render):
    kinds = {kind for kind, _ in render(ONE_KAFKA, "--set=rbac.create=false", "--set=rbac.aggregate=false")}
    assert kinds == {"ConfigMap", "CustomResourceDefinition", "Deployment"}
