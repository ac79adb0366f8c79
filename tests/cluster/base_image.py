"""A file system with Python, from Debian's packages: the base of the images where no public base image can be had."""

import shutil
import subprocess
from pathlib import Path

from .buildah import Buildah, BuildFailed

# another number makes the base anew, where a new Debian release or other packages are wanted
NAME = "localhost/fedka-base:1"
RELEASE = "bookworm"  # its Python is 3.11
PACKAGES = ("python3", "python3-venv", "ca-certificates")
UNREAD = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info")


def ensure_base(buildah: Buildah, scratch: Path) -> str:
    """Its name; made where it is not yet, in about a minute. Raises BuildFailed."""
    if buildah.identity(NAME) is None:
        root = scratch / "base"
        shutil.rmtree(root, ignore_errors=True)
        _unpack_debian(root)
        (scratch / "Basefile").write_text("FROM scratch\nADD base.tar /\n")
        subprocess.run(["tar", "--create", "--file", scratch / "base.tar", "--directory", root, "."], check=True)
        buildah.build(NAME, scratch / "Basefile", scratch)
        shutil.rmtree(root)
        (scratch / "base.tar").unlink()
    return NAME


def _unpack_debian(root: Path) -> None:
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", RELEASE, str(root)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise BuildFailed(f"debootstrap could not make the base image. Its last words:\n{made.stdout[-2000:]}")
    for directory in UNREAD:
        shutil.rmtree(root / directory, ignore_errors=True)
    for device in (root / "dev").iterdir():  # a container runtime makes its own
        device.unlink() if not device.is_dir() or device.is_symlink() else shutil.rmtree(device)
