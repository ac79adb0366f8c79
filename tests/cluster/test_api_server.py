from pathlib import Path

import pytest

from .api_server import ApiServer, KubectlFailed

pytestmark = pytest.mark.kubernetes


def test_serves_our_resource(api_server: ApiServer):
    assert "federatedtrainings.fedka.dev" in api_server.kubectl("api-resources", "--output=name").splitlines()


def test_a_service_account_has_its_own_rights_and_no_more(api_server: ApiServer):
    namespace = api_server.fresh_namespace("rights-of-one")
    kubeconfig = api_server.kubeconfig_for("default", namespace)
    assert f"system:serviceaccount:{namespace}:default" in api_server.kubectl("auth", "whoami", kubeconfig=kubeconfig)
    with pytest.raises(KubectlFailed, match="Forbidden"):
        api_server.kubectl("get", "secrets", kubeconfig=kubeconfig)


def test_the_controllers_work(api_server: ApiServer):
    namespace = api_server.fresh_namespace("controlled")
    api_server.kubectl("create", "deployment", "web", "--image=web:1", f"--namespace={namespace}")
    api_server.kubectl("wait", "deployment/web", f"--namespace={namespace}", "--for=create", "--timeout=60s")
    api_server.kubectl(
        "wait", "replicaset", "--selector=app=web", f"--namespace={namespace}", "--for=create", "--timeout=60s"
    )


def test_a_killed_server_comes_back_with_what_it_knew(tmp_path: Path):
    with ApiServer(tmp_path) as server:
        server.create_namespace("kept")
        server.kill("kube-apiserver")
        with pytest.raises(KubectlFailed, match="refused"):
            server.kubectl("get", "namespaces")
        server.restart("kube-apiserver")
        assert server.get("namespace", "kept")["status"] == {"phase": "Active"}


def test_nothing_is_left_running(tmp_path: Path):
    with ApiServer(tmp_path) as server:
        programs = [server.processes.pid(name) for name in ("etcd", "kube-apiserver", "kube-scheduler")]
        assert all(Path(f"/proc/{pid}").exists() for pid in programs)
    assert not any(Path(f"/proc/{pid}").exists() for pid in programs)
