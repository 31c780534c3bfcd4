"""One piece of benchmarks/fuzz.py, in its own process: fuzz_piece.py TARGET CORPUS [libFuzzer's options]."""

from __future__ import annotations

import hashlib
import resource
import sys
from pathlib import Path

import atheris

#: What is watched for code that an input newly reaches; the rest is left as fast as it is.
WATCHED = {
    "multipart": ["phiz.serve", "phiz.image", "python_multipart", "starlette.requests"],
    "websocket": ["phiz.serve", "uvicorn.protocols", "websockets"],
    "csv": ["phiz.datasets", "phiz.evaluation.fold_files", "phiz.training.teachers"],
    "toml": ["phiz.toml_file", "phiz.training", "phiz.evaluation.protocols", "phiz.crop", "tomllib", "tomli"],
    "matlab": ["phiz.datasets", "scipy.io"],
    "hdf5": ["phiz.datasets", "h5py"],
    "card": ["phiz.models", "phiz.crop", "json"],
    "onnx": ["phiz.models"],
}
PICTURES = ["phiz.image", "PIL"]


def main() -> None:
    name, corpus = sys.argv[1], Path(sys.argv[2])
    with atheris.instrument_imports(include=WATCHED.get(name, PICTURES)):
        from fuzz_targets import TARGETS

        target = TARGETS[name]
        examples = target.examples()
        target.run(b"")  # what is imported late is watched too
        for example in examples:
            (corpus / hashlib.sha1(example).hexdigest()).write_bytes(example)
    most = 16 << 30  # of addresses; libFuzzer's own bound is on resident memory
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    atheris.Setup([sys.argv[0], *sys.argv[3:], str(corpus)], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
