"""The rights that the chart gives the operator, read from its template, and given on an API server without Helm."""

import re
from pathlib import Path
from typing import Any

import yaml

RBAC = Path(__file__).parents[2] / "charts/fedka/templates/rbac.yaml"
ACCOUNT = "fedka-operator"
GROUP = "rbac.authorization.k8s.io"

Rules = list[dict[str, Any]]
Right = tuple[str, str]


def namespace_rules() -> Rules:
    """What it may do where it works on trainings."""
    return _defined("fedka.rules")


def lease_rules() -> Rules:
    """What it may do in its own namespace."""
    found = re.search(r"rules:\n(  - apiGroups: \[coordination.*?)---", RBAC.read_text(), re.DOTALL)
    assert found is not None
    rules: Rules = yaml.safe_load(found[1])
    return rules


def deleted_namespaces_rules() -> Rules:
    """What it may do in all namespaces where it watches some."""
    return _defined("fedka.deletedNamespacesRules")


def rights_of(rules: Rules) -> set[Right]:
    return {(resource, verb) for rule in rules for resource in rule["resources"] for verb in rule["verbs"]}


def account(namespace: str) -> dict[str, Any]:
    """The operator's ServiceAccount."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": namespace}}


def role(namespace: str, rules: Rules, *, of: str) -> list[dict[str, Any]]:
    """These rights in one namespace for the account of the namespace `of`."""
    metadata = {"name": ACCOUNT, "namespace": namespace}
    return [
        {"apiVersion": f"{GROUP}/v1", "kind": "Role", "metadata": metadata, "rules": rules},
        {"apiVersion": f"{GROUP}/v1", "kind": "RoleBinding", "metadata": metadata, **_bound("Role", ACCOUNT, of)},
    ]


def cluster_role(name: str, rules: Rules, *, of: str) -> list[dict[str, Any]]:
    """These rights in all namespaces."""
    metadata = {"name": name}
    return [
        {"apiVersion": f"{GROUP}/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules},
        {
            "apiVersion": f"{GROUP}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": metadata,
            **_bound("ClusterRole", name, of),
        },
    ]


def _bound(kind: str, name: str, of: str) -> dict[str, Any]:
    return {
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": of}],
    }


def _defined(name: str) -> Rules:
    """What a named template of the chart says."""
    found = re.search(rf'define "{name}" -}}}}\n(.*?){{{{- end }}}}', RBAC.read_text(), re.DOTALL)
    assert found is not None
    rules: Rules = yaml.safe_load(found[1])
    return rules
