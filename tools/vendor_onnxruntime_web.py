"""Fetch ONNX Runtime Web with npm and put what the page needs into src/phiz/serve/page/onnxruntime-web/.

Run to move to another version (VERSION below), then run the tests in web/ and tests/web/:

    python tools/vendor_onnxruntime_web.py

npm checks the package against the registry's checksum. The WebAssembly is stored gzipped, a quarter of its
size; the page unpacks it. Licence and notices come from the Python package onnxruntime: npm's has none.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import subprocess
import tarfile
import tempfile
from importlib.metadata import files
from pathlib import Path

VERSION = "1.30.0"
TARGET = Path(__file__).parents[1] / "src" / "phiz" / "serve" / "page" / "onnxruntime-web"
#: For the processor, which every browser has, and for the graphics processor (WebGPU).
MODULES = ("ort.wasm.bundle.min.mjs", "ort.webgpu.bundle.min.mjs")
BINARIES = ("ort-wasm-simd-threaded.wasm", "ort-wasm-simd-threaded.asyncify.wasm")


def main() -> None:
    """Write the modules, the gzipped WebAssembly, the licence and a list of what was taken."""
    TARGET.mkdir(parents=True, exist_ok=True)
    lines = [f"onnxruntime-web {VERSION} (npm), https://github.com/microsoft/onnxruntime, MIT licence", ""]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", f"onnxruntime-web@{VERSION}"],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as package:
            for name in (*MODULES, *BINARIES):
                member = package.extractfile(f"package/dist/{name}")
                assert member is not None, name
                content = member.read()
                lines.append(f"{hashlib.sha256(content).hexdigest()}  {name}")
                if name in BINARIES:
                    (TARGET / f"{name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
                else:  # without the pointer to a debugging file that is not shipped
                    (TARGET / name).write_bytes(re.sub(rb"\n//# sourceMappingURL=.*\n?$", b"\n", content))
    lines += [
        "",
        "sha256 of the files as npm has them. Changed here: .wasm gzipped, last line of .mjs cut.",
    ]
    (TARGET / "VERSION.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for path in files("onnxruntime") or []:
        if path.name in ("LICENSE", "ThirdPartyNotices.txt"):
            (TARGET / path.name).write_bytes(path.locate().read_bytes())  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
