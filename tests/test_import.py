import subprocess
import sys

import pytest

import phiz

HEAVY = [
    "torch",
    "av",
    "cv2",
    "pandas",
    "matplotlib",
    "fastapi",
    "scipy",
    "sklearn",
    "tensorflow",
    "onnx",
    "ray",
    "pyarrow",
]
#: What the bare `import phiz` leaves for later, so that asking for the version does not wait for it.
LATER = ["numpy", "onnxruntime", "PIL", "typer", "tqdm"]


def loaded_after(code: str) -> set[str]:
    """Run code in a fresh interpreter and return the top-level modules it leaves loaded."""
    report = "; import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_phiz_loads_nothing_heavy() -> None:
    assert loaded_after("import phiz").isdisjoint(HEAVY + LATER)


@pytest.mark.parametrize(
    "code",
    [
        "import phiz; phiz.Analyzer",
        "import phiz.cli.analyze_command, phiz.cli.models_command, phiz.cli.output, phiz.image.inputs",
        "from phiz.cli import app; import typer; typer.main.get_command(app).get_command(None, 'analyze')",
    ],
)
def test_the_main_job_loads_nothing_heavy(code: str) -> None:
    assert loaded_after(code).isdisjoint(HEAVY)


def test_onnx_runtime_is_told_to_report_nothing_before_it_is_loaded() -> None:
    code = (
        "import os, sys; os.environ.pop('ORT_DISABLE_TELEMETRY', None); import phiz; "
        "assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'; assert 'onnxruntime' not in sys.modules"
    )
    loaded_after(code)


def test_every_command_can_be_listed_without_its_extra() -> None:
    code = (
        "import typer; from phiz.cli import app; group = typer.main.get_command(app); "
        "[group.get_command(None, name) for name in group.list_commands(None)]"
    )
    assert loaded_after(code).isdisjoint(HEAVY)


def test_public_names() -> None:
    assert sorted(phiz.__all__) == [
        "Analyzer",
        "Detection",
        "Face",
        "ImageError",
        "ModelError",
        "PhizError",
        "Result",
        "__version__",
        "analyze",
        "analyze_many",
    ]
    assert all(hasattr(phiz, name) for name in phiz.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'phiz' has no attribute 'analyse'"):
        phiz.analyse  # noqa: B018
