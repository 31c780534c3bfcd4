import errno
import json
import os
from pathlib import Path

import pytest

from phiz.cli.output import Format, Sink, format_of, header, render
from phiz.errors import OutputError, PhizError
from phiz.types import Face, Result

KEYPOINTS = ((203.25, 100.75), (247.3, 108.2), (221.5, 125.0), (218.5, 145.8), (177.3, 109.2), (270.6, 124.2))
QUALITY = {
    "size": 94.94,
    "sharpness": 0.51249,
    "brightness": 0.4,
    "yaw": -4.06,
    "pitch": 8.0,
    "roll": 9.94,
    "inside": 0.99609375,
}
WOMAN = Face(
    (177.1, 80.4, 94.94, 94.94),
    0.92054,
    KEYPOINTS,
    31.24,
    "female",
    0.97654,
    age_interval=(26.04, 38.46),
    quality=QUALITY,
    flags=("profile", "cut off"),
)
BOY = Face((0.0, 0.0, 40.0, 50.0), None, (), 7.0, "male", 0.5)
TWO = Result("a, b.jpg", 640, 480, (WOMAN, BOY))
NONE = Result("sky.jpg", 640, 480, ())
BAD = Result("bad.jpg", None, None, (), "bad.jpg: no such file; check the path")


def written(format: Format) -> str:
    return header(format) + "".join(render(result, format) for result in (TWO, NONE, BAD))


def test_table() -> None:
    assert written(Format.table) == (
        "age                 gender           sure   face at x,y       size  picture\n"
        "26 to 38, about 31  female            98%        177,80      95x95  a, b.jpg (profile, cut off)\n"
        "7                   not sure          50%           0,0      40x50  a, b.jpg\n"
        "-                   -                   -             -          -  sky.jpg: no face found\n"
        "-                   -                   -             -          -  "
        "bad.jpg: no such file; check the path\n"
    )


def test_csv() -> None:
    assert written(Format.csv) == (
        "path,width,height,face,box_x,box_y,box_width,box_height,score,age,age_low,age_high,gender,gender_score,"
        "quality_size,quality_sharpness,quality_brightness,quality_yaw,quality_pitch,quality_roll,quality_inside,"
        "flags,error\n"
        '"a, b.jpg",640,480,1,177.1,80.4,94.9,94.9,0.9205,31.2,26.0,38.5,female,0.9765,'
        "94.9,0.512,0.4,-4.1,8.0,9.9,0.996,profile;cut off,\n"
        '"a, b.jpg",640,480,2,0.0,0.0,40.0,50.0,,7.0,,,male,0.5,,,,,,,,,\n'
        "sky.jpg,640,480,,,,,,,,,,,,,,,,,,,,\n"
        "bad.jpg,,,,,,,,,,,,,,,,,,,,,,bad.jpg: no such file; check the path\n"
    )


def test_jsonl() -> None:
    assert written(Format.jsonl) == (
        '{"path": "a, b.jpg", "width": 640, "height": 480, "faces": ['
        '{"box": [177.1, 80.4, 94.9, 94.9], "score": 0.9205, "keypoints": [[203.2, 100.8], [247.3, 108.2], '
        "[221.5, 125.0], [218.5, 145.8], [177.3, 109.2], [270.6, 124.2]], "
        '"age": 31.2, "age_interval": [26.0, 38.5], "gender": "female", "gender_score": 0.9765, '
        '"quality": {"size": 94.9, "sharpness": 0.512, "brightness": 0.4, "yaw": -4.1, "pitch": 8.0, '
        '"roll": 9.9, "inside": 0.996}, "flags": ["profile", "cut off"]}, '
        '{"box": [0.0, 0.0, 40.0, 50.0], "score": null, "keypoints": [], '
        '"age": 7.0, "age_interval": null, "gender": "male", "gender_score": 0.5, "quality": {}, '
        '"flags": []}], "error": null}\n'
        '{"path": "sky.jpg", "width": 640, "height": 480, "faces": [], "error": null}\n'
        '{"path": "bad.jpg", "width": null, "height": null, "faces": [], '
        '"error": "bad.jpg: no such file; check the path"}\n'
    )


def test_jsonl_keeps_letters_of_every_script() -> None:
    line = render(Result("사진.jpg", 1, 1, ()), Format.jsonl)
    assert "사진.jpg" in line
    assert json.loads(line)["path"] == "사진.jpg"


def test_a_file_bears_its_name_only_once_complete(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("older")
    with Sink(str(path)) as sink:
        sink.write("one\n")
        assert path.read_text() == "older"
        assert (tmp_path / "out.txt.part").read_text() == "one\n"
        sink.write("två\n")
    assert path.read_bytes() == "one\ntvå\n".encode()
    assert os.listdir(tmp_path) == ["out.txt"]


def test_a_run_that_ends_early_leaves_the_older_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out.txt"
    path.write_text("older")
    with pytest.raises(KeyboardInterrupt), Sink(str(path)) as sink:  # noqa: PT012
        sink.write("one\n")
        raise KeyboardInterrupt
    assert path.read_text() == "older"
    assert (tmp_path / "out.txt.part").read_text() == "one\n"
    assert capsys.readouterr().err == f"phiz: not complete; the lines so far are in {path}.part\n"


def test_a_full_disk_leaves_whole_lines_only(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"

    class FullAfter:
        """Takes a few bytes of a write, like a disk that fills up, and then no more."""

        def __init__(self, file: object, room: int) -> None:
            self._file, self._room = file, room

        def write(self, data: memoryview) -> int:
            if self._room == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            count = self._file.write(data[: self._room])
            self._room -= count
            return count

        def __getattr__(self, name: str) -> object:
            return getattr(self._file, name)

    with pytest.raises(OutputError) as caught, Sink(str(path)) as sink:  # noqa: PT012
        sink._file = FullAfter(sink._file, 10)
        sink.write("first\n")
        sink.write("second\n")
    assert str(caught.value) == f"cannot write {path}: No space left on device"
    assert not path.exists()
    assert (tmp_path / "out.txt.part").read_text() == "first\n"


def test_a_link_keeps_pointing_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("older")
    (tmp_path / "link.txt").symlink_to("real.txt")
    with Sink(str(tmp_path / "link.txt")) as sink:
        sink.write("new\n")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new\n"


@pytest.mark.parametrize(
    ("name", "reason"), [("none/out.txt", "No such file or directory"), ("", "Is a directory")]
)
def test_a_file_that_cannot_be_opened(tmp_path: Path, name: str, reason: str) -> None:
    path = os.path.join(tmp_path, name)
    with pytest.raises(OutputError) as caught:
        Sink(path)
    assert str(caught.value) == f"cannot write {path}: {reason}"


def test_two_runs_never_write_one_output(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    with Sink(str(path)) as first:
        first.write("one\n")
        with pytest.raises(OutputError) as caught:
            Sink(str(path))
        first.write("two\n")
    assert str(caught.value) == (
        f"cannot write {path}: another phiz is writing it; wait for its end, or name another file"
    )
    assert path.read_text() == "one\ntwo\n"
    with Sink(str(path)) as second:
        second.write("three\n")
    assert path.read_text() == "three\n"


@pytest.mark.parametrize(
    ("output", "format"),
    [
        (None, Format.table),
        ("out", Format.table),
        ("out.txt", Format.table),
        ("a.b/OUT.CSV", Format.csv),
        ("out.jsonl", Format.jsonl),
        ("out.ndjson", Format.jsonl),
    ],
)
def test_the_name_of_the_output_says_the_format(output: str | None, format: Format) -> None:
    assert format_of(None, output) == format
    assert all(format_of(asked, output) == asked for asked in Format)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            "out.json",
            "--output out.json: phiz writes one JSON object a line; name it .jsonl, or say --format jsonl",
        ),
        ("o.parquet", "--output o.parquet: Parquet needs --engine ray (extra scale)"),
    ],
)
def test_a_name_that_promises_another_format_is_refused(output: str, message: str) -> None:
    with pytest.raises(PhizError) as caught:
        format_of(None, output)
    assert str(caught.value) == message
    assert format_of(Format.jsonl, output) == Format.jsonl
