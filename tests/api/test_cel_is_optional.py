"""The operator in a cluster runs without the CEL library: only who judges rules needs it."""

import subprocess
import sys

import pytest

from fedka.api.rule_engine import CelMissingError, check_rules


def test_no_import_of_ours_loads_it():
    program = "import sys, fedka.api.loading, fedka.api.crd; sys.exit('cel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_says_what_to_install_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "cel", None)  # as Python marks a module that cannot be imported
    schema = {"x-kubernetes-validations": [{"rule": "self == 'never compiled before'", "message": "unused"}]}
    with pytest.raises(CelMissingError, match=r"pip install 'fedka\[local\]'"):
        list(check_rules("x", None, schema, "spec"))
