"""What a machine must have to be a node, and how to say what it lacks."""

import os
import shutil
import sys
from pathlib import Path

from .node import PLUGINS

PACKAGES = {  # Debian's package: what is looked for
    "containerd": ("containerd", "ctr", "containerd-shim-runc-v2"),
    "runc": ("runc",),
    "containernetworking-plugins": (str(PLUGINS / "bridge"), str(PLUGINS / "host-local")),
    "iptables": ("iptables",),
    "iproute2": ("ip",),
    "procps": ("sysctl",),
    "util-linux": ("unshare", "nsenter", "mount"),
    "openssl": ("openssl",),
    "buildah": ("buildah",),
    "debootstrap": ("debootstrap",),
}
SEARCHED = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])  # not everyone's path has these


class ToolsMissing(Exception):
    """This machine cannot run a node as it is."""


def check_tools() -> None:
    """Raises ToolsMissing with what to do."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise ToolsMissing(
            "A node needs Linux and root: pods are made of mounts, interfaces and cgroups. "
            "Elsewhere use kind (FEDKA_CLUSTER=kind make cluster) or a cluster that you have (FEDKA_CLUSTER=current)."
        )
    missing = [
        package
        for package, wanted in PACKAGES.items()
        if not all(Path(name).exists() if "/" in name else shutil.which(name, path=SEARCHED) for name in wanted)
    ]
    if missing:
        raise ToolsMissing(
            f"The node needs what these Debian packages hold; install them: apt-get install {' '.join(missing)}. "
            "Or use kind (FEDKA_CLUSTER=kind make cluster) or a cluster that you have (FEDKA_CLUSTER=current)."
        )
