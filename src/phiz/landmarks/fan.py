"""FAN: the face alignment network of the package face-alignment (extra `fan`), run by PyTorch.

Source: A. Bulat and G. Tzimiropoulos, "How far are we from solving the 2D & 3D Face Alignment problem?",
ICCV 2017, arXiv 1703.07332; 2DFAN with four hourglasses. Network, weights and the reading of its heat maps
are the package's. Its own detector is not used: phiz's box takes that place.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from phiz.crop import check_image, fit, resample
from phiz.detect import Image
from phiz.errors import ModelError
from phiz.landmarks.base import FACE, Landmarks
from phiz.types import Detection

NAME = "2DFAN-4"
#: Width of the network's input and of its heat maps, pixels.
SIDE, HEATMAP = 256, 64
#: The network sees the face level in a square this many times as wide as FACE's and centred higher: about
#: what the package cuts round its own detector's box.
REGION = FACE.zoomed_out(2.125).moved(0, -0.053)


class Fan:
    """FAN, on a GPU where there is one.

    weights: file of its weights; without one the package's own copy, which it fetches at first use.
    Raises ModelError where the extra is missing, and where the weights cannot be had or are no FAN's.
    """

    def __init__(self, weights: Path | None = None) -> None:
        try:
            torch, package = (import_module(name) for name in ("torch", "face_alignment"))
        except ModuleNotFoundError as error:
            raise ModelError(
                f"the landmark finder fan needs {error.name}, which is not installed: "
                'pip install "phiz[fan]"; the landmark finder mesh needs nothing more'
            ) from error
        self._torch, self._utils = torch, package.utils
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        if weights is None:
            weights = _fetch(package.api.models_urls[NAME], package.utils.load_file_from_url)
        state = _read(weights, torch)
        stacked = len([key for key in state if re.fullmatch(r"l\d+\.weight", key)])
        self._net = package.models.FAN(stacked)
        try:
            self._net.load_state_dict(state)
        except RuntimeError as error:
            detail = " ".join(str(error).split())[:200]
            raise ModelError(f"{weights}: expected the weights of {NAME}, got others: {detail}") from error
        self._net.to(self._device).eval()

    def find(self, image: Image, face: Detection) -> Landmarks:
        """Return the 68 points of `face`, in pixels of `image`; FAN never says that there is no face.

        image: uint8, H x W x 3, RGB. Answers for the region and for its mirror image are averaged.
        Raises ValueError on another type or shape.
        """
        check_image(image)
        turn, shift = fit(face.keypoints, SIDE, REGION)
        seen = resample(image, turn, shift, SIDE).transpose(2, 0, 1).astype(np.float32) / 255
        with self._torch.no_grad():
            faces = self._torch.from_numpy(seen)[None].to(self._device)
            maps = self._net(faces)[-1]
            maps = maps + self._utils.flip(self._net(self._utils.flip(faces))[-1], is_label=True)
        points, _, _ = self._utils.get_preds_fromhm(maps.float().cpu().numpy())
        z = points[0].astype(np.float64) @ (1, 1j) * (SIDE / HEATMAP)
        z = turn * z + shift
        return np.stack([z.real, z.imag], axis=1)


def _fetch(url: str, load_file_from_url: Any) -> Path:
    """Return the package's own copy of the weights, fetched where it has none yet."""
    try:
        return Path(load_file_from_url(url, check_hash=True))
    except (OSError, RuntimeError) as error:  # no network; a fetched file that is not what it should be
        raise ModelError(
            f"cannot fetch FAN's weights: {error}; they come over the network once: where there is one, save "
            f"{url} and give the file with --fan-weights FILE; "
            "or use the landmark finder mesh, which ships with phiz"
        ) from error


def _read(path: Path, torch: Any) -> dict[str, Any]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"{path}: cannot read FAN's weights: {error.strerror}") from error
    except Exception as error:  # torch.load raises whatever the damage leads to
        raise ModelError(
            f"{path}: expected the weights of {NAME}, a file that torch.load reads; it does not"
        ) from error
    if not isinstance(state, dict):
        raise ModelError(f"{path}: expected the weights of {NAME}, got {type(state).__name__}")
    return state
