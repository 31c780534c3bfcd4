"""The main job loads no landmark finder, and the mesh loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"torch", "cv2", "face_alignment", "numba", "skimage", "scipy", "sklearn", "matplotlib", "onnx"}


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_the_main_job_loads_no_landmark_finder() -> None:
    loaded = modules_after("import phiz; phiz.Analyzer; import phiz.cli.analyze_command")
    assert not {name for name in loaded if name.startswith("phiz.landmarks.")} & {
        "phiz.landmarks.mesh",
        "phiz.landmarks.fan",
    }


def test_mesh_loads_nothing_heavy() -> None:
    loaded = modules_after("from phiz.landmarks import load_landmarker; load_landmarker('mesh')")
    assert "phiz.landmarks.mesh" in loaded
    assert not HEAVY & {name.partition(".")[0] for name in loaded}
    assert "phiz.landmarks.fan" not in loaded
