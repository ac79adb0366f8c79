"""What the programs of a control plane are told: certificates, tokens, kubeconfigs and command lines.

Everybody has a fixed token: the cluster lives on one machine and no longer than a test run, and certificates would
prove nothing more.
"""

import ssl
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import yaml

from .processes import Program
from .programs import Programs

SERVICES = "10.96.0.0/16"
PODS = "10.244.0.0/16"
USERS = {  # name: groups
    "admin": "system:masters",
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
    "system:kube-proxy": "",
    "system:node:node": "system:nodes",
}
ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class ControlPlane:
    """One that listens at `address`, and whose files lie in `home`."""

    home: Path
    programs: Programs
    address: str
    api_port: int
    etcd_port: int
    etcd_peer_port: int

    @property
    def url(self) -> str:
        return f"https://{self.address}:{self.api_port}"

    @property
    def ca_file(self) -> Path:
        """Holds the server's certificate and what signed it, once it has been ready."""
        return self.home / "certificates" / "apiserver.crt"

    @property
    def key_file(self) -> Path:
        return self.home / "service-accounts.key"

    @property
    def tokens_file(self) -> Path:
        return self.home / "tokens.csv"

    def write_files(self) -> None:
        """What has to be there before any program starts."""
        self.home.mkdir(parents=True, exist_ok=True)
        if not self.key_file.exists():
            subprocess.run(["openssl", "genrsa", "-out", self.key_file, "2048"], check=True, capture_output=True)
        self.tokens_file.write_text(
            "".join(f'{token_of(user)},{user},{user},"{groups}"\n' for user, groups in USERS.items())
        )
        for user in USERS:
            self.write_kubeconfig(self.kubeconfig(user), token_of(user))

    def kubeconfig(self, user: str) -> Path:
        """Of one of `USERS`."""
        return self.home / f"{user.replace(':', '-')}.kubeconfig"

    def write_kubeconfig(self, path: Path, token: str, namespace: str = "default") -> None:
        """Lets whoever reads it act as the token's owner."""
        cluster = {"server": self.url, "certificate-authority": str(self.ca_file)}
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "fedka", "cluster": cluster}],
                    "users": [{"name": "me", "user": {"token": token}}],
                    "contexts": [
                        {"name": "fedka", "context": {"cluster": "fedka", "user": "me", "namespace": namespace}}
                    ],
                    "current-context": "fedka",
                }
            )
        )
        path.chmod(0o600)

    def ready(self) -> bool:
        """Whether the API server says so of itself."""
        try:
            self.ask("GET", "/readyz")
        except (urllib.error.URLError, OSError):  # it does not listen yet, or has no certificate yet, or says no
            return False
        return True

    def ask(self, method: str, path: str, body: bytes | None = None, content_type: str = "application/json") -> bytes:
        """The answer to an administrator, without the half second that kubectl takes.

        Raises urllib.error.HTTPError for a refusal.
        """
        headers = {"Authorization": f"Bearer {token_of('admin')}", "Content-Type": content_type}
        request = urllib.request.Request(f"{self.url}{path}", data=body, method=method, headers=headers)  # noqa: S310  our own URL
        trust = ssl.create_default_context(cafile=self.ca_file)
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS, context=trust) as answer:  # noqa: S310  our own URL
            said: bytes = answer.read()
        return said

    def etcd(self) -> Program:
        mine, peers = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{self.etcd_peer_port}"
        command = [
            self.programs.path("etcd"),
            "--unsafe-no-fsync",  # a test's cluster need not survive a power cut
            f"--data-dir={self.home / 'etcd'}",
            f"--listen-client-urls={mine}",
            f"--advertise-client-urls={mine}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
        ]
        return Program("etcd", command)

    def api_server(self) -> Program:
        command = [
            self.programs.path("kube-apiserver"),
            f"--etcd-servers=http://127.0.0.1:{self.etcd_port}",
            f"--service-cluster-ip-range={SERVICES}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-signing-key-file={self.key_file}",
            f"--service-account-key-file={self.key_file}",
            f"--token-auth-file={self.tokens_file}",
            "--authorization-mode=Node,RBAC",
            f"--cert-dir={self.home / 'certificates'}",
            f"--bind-address={self.address}",  # never to be reached from another machine
            f"--advertise-address={_advertised(self.address)}",
            f"--secure-port={self.api_port}",
            "--kubelet-preferred-address-types=InternalIP",  # no DNS knows the node's name
            "--allow-privileged=true",  # so that refusing privileged pods is up to what is tested
            "--shutdown-watch-termination-grace-period=0s",
        ]
        return Program("kube-apiserver", command, ready=self.ready)

    def controller_manager(self) -> Program:
        kubeconfig = self.kubeconfig("system:kube-controller-manager")
        command = [
            self.programs.path("kube-controller-manager"),
            *_kubeconfigs(kubeconfig),
            f"--service-account-private-key-file={self.key_file}",
            f"--root-ca-file={self.ca_file}",
            "--use-service-account-credentials",
            "--leader-elect=false",  # there is one, and waiting for a lease would cost seconds
            f"--cluster-cidr={PODS}",
            "--allocate-node-cidrs=true",
            "--secure-port=0",  # nobody asks it anything
        ]
        return Program("kube-controller-manager", command)

    def scheduler(self) -> Program:
        command = [
            self.programs.path("kube-scheduler"),
            *_kubeconfigs(self.kubeconfig("system:kube-scheduler")),
            "--leader-elect=false",  # as above
            "--secure-port=0",
        ]
        return Program("kube-scheduler", command)


def token_of(user: str) -> str:
    """The fixed token of one of `USERS`."""
    return f"token-of-{user.replace(':', '-')}"


def _kubeconfigs(path: Path) -> list[str]:
    return [f"--{use}={path}" for use in ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")]


def _advertised(address: str) -> str:
    # an API server refuses to give a loopback address to pods; where there are none, any other will do
    return "10.244.0.1" if address.startswith("127.") else address
