import io
import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import phiz
from phiz import analyzer as module
from phiz.analyzer import Analyzer
from phiz.crop import face_crop
from phiz.data import ASTRONAUT
from phiz.errors import ImageError, ModelError
from phiz.image import Picture, load
from phiz.models.card import OutputSpec
from phiz.models.certainty import Caution
from phiz.readers import AHEAD
from phiz.types import Detection, Face, Result


def detection(left: float, top: float, side: float) -> Detection:
    """A face whose eyes and mouth lie where the fake model's template has them."""
    points = [(0.35, 0.4), (0.65, 0.4), (0.5, 0.55), (0.38, 0.7), (0.62, 0.7)]
    keypoints = tuple((left + x * side, top + y * side) for x, y in points)
    return Detection((left, top, side, side), 0.9, keypoints)


class ScriptedDetector:
    """Finds the given faces in every picture."""

    def __init__(self, *faces: Detection) -> None:
        self.faces = list(faces)

    def reduction(self, width: int, height: int) -> float:
        return 1.0

    def detect(self, image: np.ndarray, scale: float = 1.0) -> list[Detection]:
        return self.faces


@pytest.fixture
def two_faces(monkeypatch: pytest.MonkeyPatch) -> tuple[Detection, Detection]:
    faces = (detection(10, 10, 64), detection(100, 20, 32))
    monkeypatch.setattr(module, "Detector", lambda *args, **options: ScriptedDetector(*faces))
    return faces


def picture() -> np.ndarray:
    """Black, with a square of mean 100 under the first face and one of mean 80 under the second."""
    image = np.zeros((90, 160, 3), np.uint8)
    image[5:80, 5:80] = (255, 45, 0)
    image[10:60, 90:140] = (51, 99, 90)
    return image


def encoded(image: np.ndarray, format: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, format)
    return file.getvalue()


def reader_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("phiz-read")]


def test_each_face_gets_its_own_estimate(fake_model: Path, two_faces: tuple[Detection, ...]) -> None:
    first, second = two_faces
    result = Analyzer(fake_model).analyze(picture(), name="made")
    assert (result.path, result.width, result.height, result.error) == ("made", 160, 90, None)
    assert [(face.box, face.score, face.keypoints) for face in result.faces] == [
        (found.box, found.score, found.keypoints) for found in two_faces
    ]
    assert [(face.age, face.gender) for face in result.faces] == [(25.0, "female"), (20.0, "male")]
    assert [face.gender_score for face in result.faces] == pytest.approx([1.0, 0.8])
    assert first.box != second.box


@pytest.mark.parametrize("alone", [True, False])
def test_another_network_tells_gender_where_the_card_says_so(tmp_path: Path, alone: bool) -> None:
    fake = pytest.importorskip("fake_model", reason="the onnx package (extra train) builds the fake model")
    if alone:  # no gender of its own: the default model joins without being named
        outputs = (OutputSpec("age", "years", "age"),)
        path = fake.write(tmp_path, weights=fake.graph(outputs=("age",)), outputs=outputs)
    else:
        path = fake.write(tmp_path, gender_from="multitask-64")
    mixed, small = Analyzer(path), Analyzer("multitask-64")
    assert (mixed.card.name, mixed.gender_card.name) == ("fake", "multitask-64")
    (found,), (expected,) = mixed.analyze(ASTRONAUT).faces, small.analyze(ASTRONAUT).faces
    assert (found.gender, found.gender_score) == (expected.gender, expected.gender_score)
    assert found.age != expected.age
    located = mixed.locate(load(ASTRONAUT))
    assert mixed.combine(located, mixed.estimate(located.crops), None).faces == (found,)


def test_faces_of_a_picture_go_through_in_one_call(
    fake_model: Path, two_faces: tuple[Detection, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    analyzer = Analyzer(fake_model)
    batches = []
    real = analyzer._model.run
    monkeypatch.setattr(analyzer._model, "run", lambda crops: batches.append(crops) or real(crops))
    analyzer.analyze(picture())
    assert [crops.shape for crops in batches] == [(2, 64, 64, 3)]
    template = analyzer._model.template
    for crop, found in zip(batches[0], two_faces, strict=True):
        np.testing.assert_array_equal(crop, face_crop(picture(), found.keypoints, 64, template))


def test_path_bytes_and_array_give_the_same_faces(fake_model: Path, tmp_path: Path) -> None:
    analyzer = Analyzer(fake_model)
    path = tmp_path / "photo.png"
    with Image.open(ASTRONAUT) as photo:
        photo.convert("RGB").save(path)
    array = np.asarray(Image.open(path))
    results = [analyzer.analyze(source) for source in (path, str(path), path.read_bytes(), array)]
    assert len(results[0].faces) == 1
    assert len({result.faces for result in results}) == 1
    assert [result.path for result in results] == [str(path), str(path), None, None]
    assert {(result.width, result.height) for result in results} == {(512, 512)}


def test_the_bundled_photo_end_to_end(fake_model: Path) -> None:
    result = phiz.analyze(ASTRONAUT, model=fake_model)
    (face,) = result.faces
    x, y, width, height = face.box
    # The astronaut's face, by eye: chin to hairline 70-165, ear to ear 175-275.
    assert x < 224 < x + width
    assert y < 118 < y + height
    right_eye, left_eye = face.keypoints[:2]
    assert right_eye == pytest.approx((204, 102), abs=4)
    assert left_eye == pytest.approx((247, 103), abs=4)
    assert phiz.analyze(ASTRONAUT, model=fake_model) == result


def test_phiz_analyze_loads_the_networks_once(fake_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []
    real = module.load_model
    monkeypatch.setattr(module, "load_model", lambda *args, **kw: loads.append(args) or real(*args, **kw))
    image = np.zeros((40, 40, 3), np.uint8)
    assert phiz.analyze(image, model=fake_model, name="a") == Result("a", 40, 40, ())
    assert phiz.analyze(image, model=fake_model, name="b") == Result("b", 40, 40, ())
    assert len(loads) == 1


def test_an_unreadable_picture_raises(fake_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"missing\.jpg: no such file; check the path"):
        Analyzer(fake_model).analyze(tmp_path / "missing.jpg")


def test_an_unknown_model_raises() -> None:
    with pytest.raises(ModelError, match="no model is called 'multitask-65'"):
        Analyzer("multitask-65")


def test_a_chip_goes_through_as_one_face(fake_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chip = np.asarray(Image.open(ASTRONAUT).convert("RGB"))[60:190, 160:290]
    result = Analyzer(fake_model, cropped=True).analyze(chip)
    (face,) = result.faces
    assert face.score is not None
    assert len(face.keypoints) == 5


def test_a_chip_without_a_found_face_is_taken_whole(fake_model: Path) -> None:
    chip = np.full((50, 40, 3), (204, 50, 46), np.uint8)
    result = Analyzer(fake_model, cropped=True).analyze(chip, name="chip")
    assert result == Result(
        "chip",
        40,
        50,
        (
            Face(
                (0.0, 0.0, 40.0, 50.0),
                None,
                (),
                25.0,
                "female",
                result.faces[0].gender_score,
                quality={"size": 32.0, "sharpness": 0.0, "brightness": 350 / 1020, "inside": 1.0},
            ),
        ),
    )
    assert result.faces[0].gender_score == pytest.approx(0.8)


def test_faces_that_are_known_are_not_looked_for(fake_model: Path, two_faces: tuple[Detection, ...]) -> None:
    analyzer, known = Analyzer(fake_model), detection(60, 5, 40)
    located = analyzer.locate(picture(), [known])
    assert located.detections == (known,)
    template = analyzer._model.template
    assert (located.crops[0] == face_crop(picture(), known.keypoints, 64, template)).all()


def test_answers_are_as_sure_as_the_card_says(tmp_path: Path) -> None:
    fake = pytest.importorskip("fake_model", reason="the onnx package (extra train) builds the fake model")
    path = fake.write(tmp_path, certainty=fake.certainty())
    chip = np.full((50, 40, 3), (204, 50, 46), np.uint8)
    (face,) = Analyzer(path, cropped=True).analyze(chip).faces
    # Scale 2 years for a sharpness of 0; 0.9 reaches 2 scales down and 3 up. Logit of 0.8 is log 4, halved.
    assert (face.age, face.gender, face.flags) == (25.0, "female", ("small", "blurred"))
    assert face.age_interval == pytest.approx((21.0, 31.0))
    assert face.gender_score == pytest.approx(2 / 3)
    (half,) = Analyzer(path, cropped=True, coverage=0.5, min_gender_score=0.7).analyze(chip).faces
    assert (half.age, half.gender, half.flags) == (25.0, None, face.flags)
    assert half.gender_score == face.gender_score
    assert half.age_interval == pytest.approx((23.0, 27.0))
    (refused,) = Analyzer(path, cropped=True, strict=True).analyze(chip).faces
    assert (refused.age, refused.age_interval, refused.gender, refused.gender_score) == (None,) * 4
    assert (refused.flags, refused.quality) == (face.flags, face.quality)


def test_one_analyzer_answers_each_with_the_caution_asked_for(tmp_path: Path) -> None:
    fake = pytest.importorskip("fake_model", reason="the onnx package (extra train) builds the fake model")
    analyzer = Analyzer(fake.write(tmp_path, certainty=fake.certainty()), cropped=True)
    located = analyzer.locate(np.full((50, 40, 3), (204, 50, 46), np.uint8))
    estimates = analyzer.estimate(located.crops)
    (face,) = analyzer.combine(located, estimates, None, Caution(coverage=0.5)).faces
    assert face.age_interval == pytest.approx((23.0, 27.0))
    (face,) = analyzer.combine(located, estimates, None).faces
    assert face.age_interval == pytest.approx((21.0, 31.0))
    with pytest.raises(ModelError, match=r"fake: expected a coverage of 0\.5, 0\.9, got 0\.7"):
        analyzer.combine(located, estimates, None, Caution(coverage=0.7))
    with pytest.raises(ModelError, match=r"got 0\.7"):
        Analyzer(tmp_path / "fake.onnx", coverage=0.7)


def test_a_network_for_gender_alone_answers_as_sure_as_its_own_card_says(tmp_path: Path) -> None:
    fake = pytest.importorskip("fake_model", reason="the onnx package (extra train) builds the fake model")
    sure = fake.write(tmp_path, certainty=fake.certainty())
    (tmp_path / "other").mkdir()
    path = fake.write(tmp_path / "other", gender_from=str(sure))
    (face,) = Analyzer(path, cropped=True).analyze(np.full((50, 40, 3), (204, 50, 46), np.uint8)).faces
    assert face.gender_score == pytest.approx(2 / 3)
    assert (face.age_interval, face.flags) == (None, ())


def test_results_come_in_input_order(
    fake_model: Path, two_faces: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module.read

    def slow_for_odd(source: object, *details: object, **more: object) -> Picture:
        image = real(source, *details, **more)
        time.sleep(0.01 * (image.height % 2))
        return image

    monkeypatch.setattr(module, "read", slow_for_odd)
    heights = [51, 52, 53, 54, 55, 56, 57]
    sources = [np.zeros((height, 160, 3), np.uint8) for height in heights]
    assert [result.height for result in Analyzer(fake_model).analyze_many(sources)] == heights


def test_a_bad_picture_does_not_stop_the_others(fake_model: Path, two_faces: object, tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    good = encoded(picture())
    results = list(Analyzer(fake_model).analyze_many([good, tmp_path / "empty.jpg", b"", good]))
    assert [len(result.faces) for result in results] == [2, 0, 0, 2]
    assert results[1] == Result(
        path=str(tmp_path / "empty.jpg"),
        width=None,
        height=None,
        faces=(),
        error=f"{tmp_path}/empty.jpg: expected JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC, "
        "got an empty file (0 bytes); copy it again from its source",
    )
    assert results[0] == results[3]


def test_a_picture_that_can_only_be_read_smaller_costs_only_itself(
    fake_model: Path, two_faces: tuple[Detection, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    large, usual = encoded(picture(), "JPEG"), module.read

    def read(source: object, *rest: object, **options: object) -> Picture:
        made = usual(source, *rest, **options)
        if source != large:
            return made

        def whole() -> np.ndarray:
            raise ImageError("large: expected memory for 640x360 pixels, got too little; make it smaller")

        return Picture(made.pixels, 4, 640, 360, whole)

    monkeypatch.setattr(module, "read", read)
    results = list(Analyzer(fake_model).analyze_many([large, encoded(picture())]))
    assert results[0].error == "large: expected memory for 640x360 pixels, got too little; make it smaller"
    assert (results[0].faces, len(results[1].faces)) == ((), 2)


def test_fail_fast_raises_after_the_good_ones(fake_model: Path, two_faces: object) -> None:
    results = Analyzer(fake_model).analyze_many([picture(), b"", picture()], fail_fast=True)
    assert len(next(results).faces) == 2
    with pytest.raises(ImageError, match="got an empty file"):
        next(results)
    assert reader_threads() == []


def test_an_endless_source_is_read_only_a_little_ahead(fake_model: Path, two_faces: object) -> None:
    taken = 0

    def endless() -> Iterator[np.ndarray]:
        nonlocal taken
        while True:
            taken += 1
            yield picture()

    results = Analyzer(fake_model).analyze_many(endless())
    for asked in range(1, 6):
        next(results)
        time.sleep(0.02)  # a slow consumer
        assert taken <= asked - 1 + AHEAD
    results.close()
    assert reader_threads() == []


def test_reading_overlaps_with_analysis(
    fake_model: Path, two_faces: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyzer = Analyzer(fake_model)
    second_read = threading.Event()
    real_read, real_run = module.read, analyzer._model.run

    def read(source: object, *details: object, **more: object) -> Picture:
        if source.shape[0] == 91:
            second_read.set()
        return real_read(source, *details, **more)

    def run(crops: np.ndarray) -> dict[str, np.ndarray]:
        # While the first picture is in the network, the second is read by another thread.
        assert second_read.wait(timeout=10)
        return real_run(crops)

    monkeypatch.setattr(module, "read", read)
    monkeypatch.setattr(analyzer._model, "run", run)
    sources = [np.zeros((height, 160, 3), np.uint8) for height in (90, 91)]
    assert len(list(analyzer.analyze_many(iter(sources)))) == 2


def test_closing_early_leaves_no_threads(fake_model: Path, two_faces: object) -> None:
    results = Analyzer(fake_model).analyze_many(itertools.repeat(picture()))
    next(results)
    assert reader_threads() != []
    results.close()
    assert reader_threads() == []


def test_a_failing_source_raises_after_the_pictures_it_gave(fake_model: Path, two_faces: object) -> None:
    def failing() -> Iterator[np.ndarray]:
        yield picture()
        raise RuntimeError("the camera is gone")

    results = Analyzer(fake_model).analyze_many(failing())
    assert len(next(results).faces) == 2
    with pytest.raises(RuntimeError, match="the camera is gone"):
        next(results)
    assert reader_threads() == []


def test_one_analyzer_serves_many_threads(fake_model: Path) -> None:
    analyzer = Analyzer(fake_model)
    photo = np.asarray(Image.open(ASTRONAUT).convert("RGB"))
    variants = [np.roll(photo, shift, axis=1) for shift in (0, 40, 80, 120)]
    expected = [analyzer.analyze(variant) for variant in variants]
    assert len(set(expected)) == 4
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(analyzer.analyze, variants * 5)) == expected * 5
