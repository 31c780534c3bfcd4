"""The kinds of pictures that certainty is fitted on, and others that it is checked on."""

from __future__ import annotations

from pathlib import Path

from ..datasets import registry
from ..datasets.fgnet import TUNING_PEOPLE
from .answering import plan
from .looks_at_faces import Looks, look
from .protocols import load_protocol

#: For fitting and for the last look: by domain, the protocol that names the pictures. CelebA has no third
#: part: what is known of it comes from fits without it.
FIT = {"UTKFace": "utkface-validation", "CelebA": "celeba-validation", "FIW": "fiw-validation"}
TEST = {"UTKFace": "utkface-test", "CelebA": "celeba-validation", "FIW": "fiw-test"}
#: FG-NET is divided by people.
FGNET = "FG-NET"


def collect(
    part: dict[str, str], model: str, protocols: Path, data: Path, cache: Path, workers: int | None = None
) -> list[Looks]:
    """Return the looks of FIT or TEST, and those of FG-NET's tuning people or of the others.

    protocols, data: the folders of the protocol files and of the data sets. cache: a folder of this model's
    looks; what is there is read again.
    """
    found = []
    for domain, name in {**part, FGNET: "fgnet-cross-dataset"}.items():
        tuned = f"-{'tuning' if part is FIT else 'others'}" if domain == FGNET else ""
        file = cache / f"{name}{tuned}.npz"
        if not file.exists():
            protocol = load_protocol(protocols / f"{name}.toml")
            folder = data / registry.named(protocol.dataset).folder
            tests = plan(protocol, registry.read(protocol.dataset, data), folder)
            records = tests.records
            if tuned:
                wanted = part is FIT
                records = {k: r for k, r in records.items() if (r.subject in TUNING_PEOPLE) == wanted}
            chips = registry.named(protocol.dataset).chips
            look(records, tests.clusters, model, domain, cropped=chips, workers=workers).save(file)
        found.append(Looks.load(file))
    return found
