"""Builds images without a daemon or a registry, and writes them as archives for a container runtime to import."""

import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"  # Debian's place, in the base image too
UV_CACHE = "/srv"  # where a build sees this machine's cache of unpacked packages: a directory that every base has
ARCHIVED_FILES = ("oci-layout", "index.json")


class ToolsMissing(Exception):
    """Images cannot be built on this machine."""


class BuildFailed(Exception):
    """A step of an image's making failed."""


class Buildah:
    """With a storage of its own in `home`: the machine's own images are left alone."""

    def __init__(self, home: Path) -> None:
        missing = [tool for tool in ("buildah", "debootstrap") if shutil.which(tool) is None]
        if missing:
            raise ToolsMissing(f"{' and '.join(missing)} not found. On Debian: apt-get install buildah debootstrap")
        if os.geteuid() != 0:
            raise ToolsMissing("images are built by root here, as debootstrap wants it: run it as root")
        self._home = home
        self._temporary = home / "temporary"
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(parents=True)
        self._command = (
            "buildah",
            "--root",
            f"{home}/storage",
            "--runroot",
            f"{home}/run",
            "--storage-driver",
            "overlay",
        )

    def build(
        self,
        name: str,
        dockerfile: Path,
        context: Path,
        *,
        target: str | None = None,
        arguments: Mapping[str, str] | None = None,
        reproducible: bool = True,
        anew: bool = False,
    ) -> None:
        """Steps that are as they were come from the storage, unless all are made `anew`. Raises BuildFailed.

        `reproducible` sets the time of every file to 1970, which makes byte code look stale that goes by time.
        """
        command = ["bud", "--layers", "--isolation=chroot", "--network=host", f"--file={dockerfile}", f"--tag={name}"]
        command += [f"--target={target}"] if target else []
        command += ["--timestamp=0"] if reproducible else []
        command += ["--no-cache"] if anew else []
        command += [f"--build-arg={key}={value}" for key, value in (arguments or {}).items()]
        self._run(*command, *self._package_access(), str(context))

    def identity(self, name: str) -> str | None:
        """The hash of all that an image consists of, or None where there is no such image."""
        found = self._try("inspect", "--type=image", "--format={{.FromImageID}}", name)
        return found.strip() if found is not None else None

    def layers(self, name: str) -> tuple[str, ...]:
        """The digests of its layers as they are unpacked."""
        image = json.loads(self._run("inspect", "--type=image", name))
        return tuple(image["OCIv1"]["rootfs"]["diff_ids"])

    def export(self, name: str, tags: Sequence[str], archive: Path, *, without: Sequence[str] = ()) -> None:
        """An OCI archive of the image under other names, without the layers that the importer has already.

        Whole images are compressed, as torch's would take 6 GB of disk in each place it passes.
        """
        if self.layers(name)[: len(without)] != tuple(without):
            raise BuildFailed(f"{name} does not stand on the layers it should. Remove {self._home} and build again.")
        layout = self._home / "layout"
        shutil.rmtree(layout, ignore_errors=True)
        blobs = layout / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        sizes = self._layer_sizes()
        for (
            digest
        ) in without:  # what lies there already is not written again: a file of its size and no content will do
            hollow = blobs / digest.removeprefix("sha256:")
            hollow.touch()
            os.truncate(hollow, sizes[digest])
        form = ["--disable-compression"] if without else ["--compression-format=zstd", "--compression-level=1"]
        self._run("push", "--quiet", *form, name, f"oci:{layout}:image")
        _write_index(layout / "index.json", tags)
        _write_archive(layout, archive, {digest.removeprefix("sha256:") for digest in without})
        shutil.rmtree(layout)

    def forget(self, name: str) -> None:
        """Removes an image from the storage."""
        self._run("rmi", name)

    def finish(self) -> None:
        """Forgets what no name leads to any more, and leaves no mount behind."""
        self._run("rm", "--all")  # of builds that were killed
        self._run("rmi", "--prune", "--force")
        mounted = self._home / "storage" / "overlay"
        if mounted.is_mount():
            subprocess.run(["umount", str(mounted)], check=True)

    def _layer_sizes(self) -> dict[str, int]:
        layers = json.loads((self._home / "storage" / "overlay-layers" / "layers.json").read_text())
        return {layer["diff-digest"]: layer["diff-size"] for layer in layers if "diff-digest" in layer}

    def _package_access(self) -> list[str]:
        """This machine's way to the packages: its CA, index and cache, none of which stays in an image."""
        (self._home / "pip.conf").write_text(_pip_settings(os.environ))
        (self._home / "uv.toml").write_text(_uv_settings(os.environ))
        unpacked = _uv_cache(os.environ)
        unpacked.mkdir(parents=True, exist_ok=True)
        options = [f"--secret=id=pip,src={self._home}/pip.conf", f"--secret=id=uv,src={self._home}/uv.toml"]
        options.append(f"--volume={unpacked}:{UV_CACHE}")
        authorities = os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE") or AUTHORITIES
        if Path(authorities).is_file():
            options.append(f"--volume={authorities}:{AUTHORITIES}:ro")
        return options

    def _run(self, *arguments: str) -> str:
        done = self._ran(*arguments)
        if done.returncode != 0:
            said = (done.stdout + done.stderr)[-3000:]
            raise BuildFailed(f"buildah {arguments[0]} ended with code {done.returncode}. Its last words:\n{said}")
        return done.stdout

    def _try(self, *arguments: str) -> str | None:
        done = self._ran(*arguments)
        return done.stdout if done.returncode == 0 else None

    def _ran(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"TMPDIR": str(self._temporary)}
        return subprocess.run(
            [*self._command, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def _pip_settings(environment: Mapping[str, str]) -> str:
    index = environment.get("PIP_INDEX_URL")
    return f"[global]\ncert = {AUTHORITIES}\n" + (f"index_url = {index}\n" if index else "")


def _uv_settings(environment: Mapping[str, str]) -> str:
    index = environment.get("UV_DEFAULT_INDEX") or environment.get("UV_INDEX_URL") or environment.get("PIP_INDEX_URL")
    return f'system-certs = true\ncache-dir = "{UV_CACHE}"\n' + (
        f'[[index]]\nurl = "{index}"\ndefault = true\n' if index else ""
    )


def _uv_cache(environment: Mapping[str, str]) -> Path:
    caches = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(environment.get("UV_CACHE_DIR") or Path(caches, "uv"))


def _write_index(path: Path, names: Sequence[str]) -> None:
    index = json.loads(path.read_text())
    (manifest,) = index["manifests"]
    index["manifests"] = [
        manifest
        | {
            "annotations": {
                "io.containerd.image.name": name,
                "org.opencontainers.image.ref.name": name.rpartition(":")[2],
            }
        }
        for name in names
    ]
    path.write_text(json.dumps(index))


def _write_archive(layout: Path, archive: Path, hollow: Collection[str]) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    part = archive.with_suffix(".part")
    with tarfile.open(part, "w") as tar:
        for name in ARCHIVED_FILES:
            tar.add(layout / name, name)
        for blob in sorted((layout / "blobs" / "sha256").iterdir()):
            if blob.name not in hollow:
                tar.add(blob, f"blobs/sha256/{blob.name}")
                blob.unlink()  # at once: torch's is 3 GB, and would be there twice
    part.replace(archive)
