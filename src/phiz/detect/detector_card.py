"""The detector's card: what Python and JavaScript share about it, in one JSON file beside its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..errors import ModelError
from ..models.card import TrainingData, read_json, read_record
from ..types import KEYPOINT_NAMES

WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True, slots=True)
class DetectorCard:
    """What the detector is and how it looks; `yunet.json` beside `yunet.onnx`.

    keypoints: what the network's points are, in its order. strides: pixels per cell of each output.
    score, chip_score: least score of a face in a photo, and in a picture known to be one cropped face.
    overlap: of two boxes that overlap more (intersection over union) the better one stays.
    min_face: width in pixels of the smallest face looked for by default. fills: pixels of the look that it
    fills at least. slack: boxes narrower than this share of it are left out. watch_share: smallest face in a
    stream, as a share of a frame's longer side. least_look_pixels: no picture is shrunk below it by default.
    look_pixels: most of a default look, unless that would shrink a picture to less than a half;
    finest_look_pixels: most that it has then; asked_look_pixels: most where min_face is named. coarse_above:
    shorter side of the first look from which a coarse one follows, for faces larger than the network reaches;
    coarse_side: longer side of that, at most; coarse_least: narrowest face taken from it.
    """

    name: str
    task: str
    sha256: str
    license: str
    notice: str
    source: str
    paper: str
    training_data: tuple[TrainingData, ...]
    keypoints: tuple[str, ...]
    strides: tuple[int, ...]
    score: float
    chip_score: float
    overlap: float
    min_face: int
    fills: int
    slack: float
    watch_share: float
    least_look_pixels: int
    look_pixels: int
    finest_look_pixels: int
    asked_look_pixels: int
    coarse_above: int
    coarse_side: int
    coarse_least: int


def load_card(path: Path = WEIGHTS / "yunet.json") -> DetectorCard:
    """Read and check the detector's card. Raises ModelError where it is missing or damaged."""
    card: DetectorCard = read_record(DetectorCard, read_json(path), str(path))
    if card.keypoints != KEYPOINT_NAMES:
        raise ModelError(f"{path}: expected the keypoints {', '.join(KEYPOINT_NAMES)}, got {card.keypoints}")
    return card
