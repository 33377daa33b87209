"""The realtime runner as one executable file (PEP 441): its code, its networks, its emoji."""

import io
import zipfile
from pathlib import Path

import realtime


def archive(assets: dict[str, bytes]) -> bytes:
    """The runner's code and `assets` as an executable zip archive; the same content gives the same bytes."""
    code = Path(realtime.__file__).parent
    files = {f"realtime/{path.name}": path.read_bytes() for path in sorted(code.glob("*.py"))}
    files |= {"__main__.py": files["realtime/__main__.py"]}
    files |= {f"realtime/assets/{name}": content for name, content in assets.items()}
    buffer = io.BytesIO()
    buffer.write(b"#!/usr/bin/env python3\n")
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
