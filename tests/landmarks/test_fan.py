"""FAN's way in and out. Its published weights are large and come over the network; these are made here."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import numpy as np
import pytest

from phiz.crop import POINTS, fit
from phiz.errors import ModelError
from phiz.landmarks import fan, load_landmarker
from phiz.landmarks.base import FACE
from phiz.types import Detection

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")

URL = "https://example.org/2DFAN4-11f355bf06.pth.tar"


def test_without_the_package_the_error_names_the_extra(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "face_alignment", None)
    with pytest.raises(ModelError) as caught:
        load_landmarker("fan")
    assert str(caught.value) == (
        "the landmark finder fan needs face_alignment, which is not installed: "
        'pip install "phiz[fan]"; the landmark finder mesh needs nothing more'
    )


def test_without_a_network_the_error_says_what_to_do() -> None:
    def unreachable(url: str, check_hash: bool) -> str:
        assert check_hash
        raise URLError("Name or service not known")

    with pytest.raises(ModelError) as caught:
        fan._fetch(URL, unreachable)
    assert str(caught.value) == (
        "cannot fetch FAN's weights: <urlopen error Name or service not known>; they come over the network "
        f"once: where there is one, save {URL} and give the file with --fan-weights FILE; "
        "or use the landmark finder mesh, which ships with phiz"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "fan.pth: cannot read FAN's weights: No such file or directory"),
        (b"", "fan.pth: expected the weights of 2DFAN-4, a file that torch.load reads; it does not"),
        (
            b"not weights",
            "fan.pth: expected the weights of 2DFAN-4, a file that torch.load reads; it does not",
        ),
        (torch.zeros(3), "fan.pth: expected the weights of 2DFAN-4, got Tensor"),
    ],
)
def test_another_file_is_a_model_error(tmp_path: Path, content, message: str) -> None:
    path = tmp_path / "fan.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(ModelError, match=message):
        fan._read(path, torch)


@pytest.fixture
def face_alignment():
    return pytest.importorskip("face_alignment", reason="the extra fan brings face-alignment")


@pytest.fixture
def weights(face_alignment, tmp_path: Path) -> Path:
    """A FAN of one hourglass that answers, for all 68 points, how red a place is."""
    from face_alignment.models import FAN

    state = FAN(1).state_dict()
    made = {}
    for name, value in state.items():
        # One number each in the file, however large the tensor: residual blocks then pass their input on.
        norm = name.endswith("running_var") or (name.endswith("weight") and value.dim() == 1)
        made[name] = torch.tensor(float(norm), dtype=value.dtype).expand(value.shape)

    def passes(name: str) -> None:
        kernel = torch.zeros(state[name].shape)
        kernel[0 if kernel.shape[0] != 68 else slice(None), 0, kernel.shape[2] // 2, kernel.shape[3] // 2] = 1
        made[name] = kernel

    passes("conv_last0.weight")
    passes("l0.weight")
    for block in ("conv2", "conv4"):  # those that change the number of channels have a weight on the way past
        passes(f"{block}.downsample.2.weight")
    # The mean of three by three pixels of red, so that no step over every second one misses the spot.
    kernel = torch.zeros(state["conv1.weight"].shape)
    kernel[0, 0, 2:5, 2:5] = 1 / 9
    made["conv1.weight"] = kernel
    path = tmp_path / "fan.pth"
    torch.save(made, path)
    assert path.stat().st_size < 1e6
    return path


def spot(x: float, y: float) -> np.ndarray:
    """A picture with one soft red spot at (x, y)."""
    rows, columns = np.mgrid[:300, :320] + 0.5
    red = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 6**2))
    return np.stack([red, np.full_like(red, 80), np.full_like(red, 40)], axis=-1).astype(np.uint8)


#: A level face whose square of FACE is 120 pixels wide; the nose, which nothing asks for, lies far off.
SQUARE = 120.0
_PLACES = [getattr(FACE, name) for name in POINTS]
_POINTS = [(90 + SQUARE * x, 60 + SQUARE * y) for x, y in _PLACES]
LEVEL = Detection((90.0, 60.0, SQUARE, SQUARE), 0.9, (*_POINTS[:2], (-1e4, 1e4), *_POINTS[2:]))
#: Pixels of the picture between two places that FAN's heat map can tell, a quarter of its cell.
STEP = SQUARE * 2.125 / fan.HEATMAP / 4


@pytest.mark.parametrize("place", [(150.0, 120.0), (175.5, 140.5), (101.0, 160.0)])
def test_points_come_back_in_the_pictures_pixels(weights: Path, place: tuple[float, float]) -> None:
    points = load_landmarker("fan", fan_weights=weights).find(spot(*place), LEVEL)
    assert points.shape == (68, 2)
    assert np.abs(points - place).max() < 2 * STEP
    assert np.ptp(points, axis=0).max() == 0


def test_the_package_finds_the_same_but_for_whole_pixels(face_alignment, weights: Path) -> None:
    """Given the same box, FaceAlignment cuts to whole pixels and rounds its points down."""
    finder = load_landmarker("fan", fan_weights=weights)
    package = face_alignment.FaceAlignment.__new__(face_alignment.FaceAlignment)
    # Set up by hand: its constructor fetches the weights of a detector, which is not needed here.
    package.face_alignment_net, package.face_detector = finder._net, SimpleNamespace(reference_scale=195)
    package.landmarks_type, package.device, package.dtype = 1, finder._device, torch.float32
    package.flip_input, package.max_batch_size = True, 1
    # The box of which the package cuts the square that phiz looks at: 200/195 of width plus height on a side,
    # centred 0.12 of its height above the box's middle.
    turn, shift = fit(LEVEL.keypoints, fan.SIDE, fan.REGION)
    side = abs(turn) * fan.SIDE * 195 / 200 / 2
    centre = turn * complex(fan.SIDE, fan.SIDE) / 2 + shift + 0.12j * side
    x, y, width, height = centre.real - side / 2, centre.imag - side / 2, side, side
    for place in ((150.0, 120.0), (175.5, 140.5), (101.0, 160.0)):
        theirs = package.get_landmarks_from_image(spot(*place), [np.array([x, y, x + width, y + height])])[0]
        ours = finder.find(spot(*place), LEVEL)
        assert np.abs(theirs - ours).max() < 2 * STEP


def test_weights_of_another_network_are_refused(face_alignment, tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"l0.weight": torch.zeros(68, 256, 1, 1)}, path)
    with pytest.raises(
        ModelError, match=r"other.pth: expected the weights of 2DFAN-4, got others: .*Missing key"
    ):
        load_landmarker("fan", fan_weights=path)


def test_the_packages_own_way_to_its_weights_fails_with_advice(face_alignment, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(face_alignment.utils, "get_dir", lambda: str(tmp_path))

    def unreachable(*_args, **_options) -> None:
        raise URLError("no network")

    monkeypatch.setattr(face_alignment.utils, "download_url_to_file", unreachable)
    with pytest.raises(
        ModelError, match=r"no network.*save https://\S+/2DFAN4-\S+ and give the file with --fan"
    ):
        load_landmarker("fan")
