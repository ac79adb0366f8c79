"""The image that every pod's first container comes from: one static program, put into an archive without any tool."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

from .programs import Programs

PAUSE_IMAGE = "localhost/pause:1"


def write_pause_image(path: Path, programs: Programs) -> Path:
    """An archive as `docker save` makes them. Untouched if it says the same already."""
    layer = _tar({"pause": Path(programs.path("pause")).read_bytes()})
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": ["/pause"], "User": "65535:65535"},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
    ).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [PAUSE_IMAGE], "Layers": ["layer.tar"]}]).encode()
    archive = _tar({"config.json": config, "layer.tar": layer, "manifest.json": manifest})
    if not path.exists() or path.read_bytes() != archive:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(archive)
    return path


def _tar(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()
