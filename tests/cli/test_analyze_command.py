"""The real `phiz` command in a process of its own: exit statuses, streams, signals."""

import csv
import fcntl
import io
import json
import os
import pty
import resource
import shutil
import signal
import struct
import subprocess
import sysconfig
import termios
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from phiz.data import ASTRONAUT
from phiz.image import suffixes

PHIZ = os.path.join(sysconfig.get_path("scripts"), "phiz")
HEADER = b"age                 gender           sure   face at x,y       size  picture\n"
EXPECTED = "expected JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC"
EMPTY = f"{EXPECTED}, got an empty file (0 bytes); copy it again from its source"


@pytest.fixture
def folder(tmp_path: Path, fake_model: Path) -> Path:
    """A working folder with plain chips a.png (female, 25 years) and b.png (male, 20), and empty.jpg."""
    Image.fromarray(np.full((50, 40, 3), (204, 50, 46), np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(np.full((50, 40, 3), (51, 99, 90), np.uint8)).save(tmp_path / "b.png")
    (tmp_path / "empty.jpg").touch()
    for file in (fake_model, fake_model.with_suffix(".json")):
        shutil.copy(file, tmp_path)
    return tmp_path


def phiz(folder: Path, *arguments: object, **options: object) -> "subprocess.CompletedProcess[bytes]":
    command = [PHIZ, "analyze", "--model", "fake.onnx", *map(os.fspath, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, timeout=120, **options)


def json_lines(text: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.decode("utf-8").splitlines()]


def test_table_of_chips(folder: Path) -> None:
    done = phiz(folder, "a.png", "b.png", "--cropped")
    assert done.stdout == HEADER + (
        b"25                  probably female   80%           0,0      40x50  a.png\n"
        b"20                  probably male     80%           0,0      40x50  b.png\n"
    )
    assert (done.stderr, done.returncode) == (b"", 0)


def test_json_line_of_a_photo(folder: Path) -> None:
    done = phiz(folder, ASTRONAUT, "--format", "jsonl")
    assert (done.stderr, done.returncode) == (b"", 0)
    (line,) = json_lines(done.stdout)
    assert list(line) == ["path", "width", "height", "faces", "error"]
    assert (line["path"], line["width"], line["height"], line["error"]) == (str(ASTRONAUT), 512, 512, None)
    (face,) = line["faces"]
    assert list(face) == [
        *("box", "score", "keypoints", "age", "age_interval"),
        *("gender", "gender_score", "quality", "flags"),
    ]
    assert [len(face["box"]), len(face["keypoints"])] == [4, 5]


def test_csv_of_a_bad_and_a_good_chip(folder: Path) -> None:
    done = phiz(folder, "empty.jpg", "a.png", "--cropped", "--format", "csv")
    bad, good = csv.DictReader(io.StringIO(done.stdout.decode()))
    assert (bad["path"], bad["age"], bad["error"]) == ("empty.jpg", "", f"empty.jpg: {EMPTY}")
    assert (good["path"], good["face"], good["age"], good["gender"]) == ("a.png", "1", "25.0", "female")
    assert done.stderr == b"phiz: 1 of 2 pictures could not be read\n"
    assert done.returncode == 1


def test_a_bad_picture_is_reported_in_its_place(folder: Path) -> None:
    done = phiz(folder, "a.png", "empty.jpg", "gone.jpg", "b.png", "--cropped")
    assert done.stdout == HEADER + (
        b"25                  probably female   80%           0,0      40x50  a.png\n"
        b"-                   -                   -             -          -  empty.jpg: "
        + EMPTY.encode()
        + b"\n"
        b"-                   -                   -             -          -  gone.jpg: no such file; "
        b"check the path\n"
        b"20                  probably male     80%           0,0      40x50  b.png\n"
    )
    assert done.stderr == b"phiz: 2 of 4 pictures could not be read\n"
    assert done.returncode == 1


def test_fail_fast_stops_at_the_bad_one(folder: Path) -> None:
    done = phiz(folder, "a.png", "empty.jpg", "b.png", "--format", "jsonl", "--fail-fast")
    assert [line["path"] for line in json_lines(done.stdout)] == ["a.png", "empty.jpg"]
    assert done.stderr.decode() == f"phiz: stopped at the first unreadable picture: empty.jpg: {EMPTY}\n"
    assert done.returncode == 1


def test_standard_input_takes_its_place_among_files(folder: Path) -> None:
    data = (folder / "b.png").read_bytes()
    done = phiz(folder, "a.png", "-", "--format", "jsonl", "--cropped", input=data)
    lines = json_lines(done.stdout)
    assert [(line["path"], line["faces"][0]["age"]) for line in lines] == [("a.png", 25.0), ("-", 20.0)]
    assert done.returncode == 0


def test_empty_standard_input(folder: Path) -> None:
    done = phiz(folder, "-", "--format", "jsonl", input=b"")
    (line,) = json_lines(done.stdout)
    assert (line["path"], line["error"]) == ("-", f"-: {EMPTY}")
    assert done.returncode == 1


def test_folder_and_quoted_glob(folder: Path) -> None:
    (folder / "sub").mkdir()
    shutil.copy(folder / "b.png", folder / "sub" / "c.PNG")
    done = phiz(folder, ".", "[ab].png", "--format", "jsonl")
    paths = [line["path"] for line in json_lines(done.stdout)]
    assert paths == ["./a.png", "./b.png", "./empty.jpg", "./sub/c.PNG", "a.png", "b.png"]


def test_a_name_that_is_not_utf8_prints_safely(folder: Path) -> None:
    shutil.copy(folder / "a.png", os.fsencode(folder) + b"/\xff\x1b[2J.png")
    done = phiz(folder, b"\xff\x1b[2J.png", "--format", "jsonl", "--cropped", "--annotate", "out")
    (line,) = json_lines(done.stdout)
    assert line["path"] == r"\xff\x1b[2J.png"
    assert line["faces"][0]["age"] == 25.0
    assert os.listdir(os.fsencode(folder / "out")) == [b"\xff\x1b[2J.annotated.jpg"]
    table = phiz(folder, b"\xff\x1b[2J.png", "--cropped").stdout
    assert table.endswith(b"  \\xff\\x1b[2J.png\n")
    missing = phiz(folder, b"gone\xff.png")
    assert missing.returncode == 1
    assert b"gone\\xff.png: no such file; check the path" in missing.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["bare"],
            f"phiz: no pictures in the folder bare; looked for {' '.join(suffixes())}",
        ),
        (["*.tiff"], "phiz: no file matches *.tiff; check the pattern"),
        (["a.png", "--output", "a.png"], "phiz: --output a.png is one of the pictures; name another file"),
        (
            ["a.png", "--output", "x.json"],
            "phiz: --output x.json: phiz writes one JSON object a line; name it .jsonl, "
            "or say --format jsonl",
        ),
        (["-", "-"], "phiz: standard input (-) can be read only once; name it once"),
    ],
)
def test_wrong_use_is_a_kind_message_and_status_2(folder: Path, arguments: list[str], message: str) -> None:
    (folder / "bare").mkdir()
    before = (folder / "a.png").read_bytes()
    done = phiz(folder, *arguments)
    assert done.stderr.decode() == message + "\n"
    assert (done.stdout, done.returncode) == (b"", 2)
    assert (folder / "a.png").read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a.png", "--format", "xml"],
        ["a.png", "--threads", "0"],
        ["a.png", "--min-face", "x"],
        ["a.png", "--no"],
    ],
)
def test_wrong_options_are_status_2_without_a_traceback(folder: Path, arguments: list[str]) -> None:
    done = phiz(folder, *arguments)
    assert done.returncode == 2
    assert b"Error: " in done.stderr
    assert b"Traceback" not in done.stderr


def test_an_unknown_model_is_status_2(folder: Path) -> None:
    done = phiz(folder, "a.png", "--model", "multitask-65")
    assert done.stderr.startswith(b"phiz: no model is called 'multitask-65'; known: ")
    assert done.returncode == 2


def test_a_tampered_model_is_status_2(folder: Path) -> None:
    with (folder / "fake.onnx").open("ab") as file:
        file.write(b"\0")
    done = phiz(folder, "a.png")
    assert done.stderr.startswith(b"phiz: fake.onnx: the weights do not match their card: expected sha256 ")
    assert (done.stdout, done.returncode) == (b"", 2)


def test_output_file(folder: Path) -> None:
    done = phiz(folder, "a.png", "empty.jpg", "--format", "jsonl", "--output", "out.jsonl")
    assert done.stdout == b""
    assert [line["path"] for line in json_lines((folder / "out.jsonl").read_bytes())] == [
        "a.png",
        "empty.jpg",
    ]
    assert not (folder / "out.jsonl.part").exists()
    assert done.returncode == 1


def test_the_name_of_the_output_file_says_the_format(folder: Path) -> None:
    assert phiz(folder, "a.png", "--cropped", "-o", "out.csv").returncode == 0
    (row,) = csv.DictReader(io.StringIO((folder / "out.csv").read_text()))
    assert (row["path"], row["age"]) == ("a.png", "25.0")


def test_what_a_folder_leaves_out_is_said_and_what_fails_beside_good_pictures_costs_only_itself(
    folder: Path,
) -> None:
    (folder / "bare").mkdir()
    (folder / "notes.txt").touch()
    (folder / "empty.jpg").unlink()
    done = phiz(folder, "bare", ".", "*.tiff", "--format", "jsonl")
    assert [line["path"] for line in json_lines(done.stdout)] == ["./a.png", "./b.png"]
    assert done.stderr.decode().splitlines() == [
        f"phiz: no pictures in the folder bare; looked for {' '.join(suffixes())}",
        "phiz: no file matches *.tiff; check the pattern",
        "phiz: not looked at: 1 .json, 1 .onnx, 1 .txt",
    ]
    assert done.returncode == 1
    assert phiz(folder, ".", "--format", "jsonl").returncode == 0  # all that was named could be read


def test_the_bound_of_pixels_can_be_moved(folder: Path) -> None:
    done = phiz(folder, "a.png", "--max-pixels", "1999", "--format", "jsonl")
    (line,) = json_lines(done.stdout)
    assert line["error"] == (
        "a.png: expected at most 1,999 pixels, got 40x50 (2,000); "
        "make it smaller or allow more with max_pixels (phiz analyze: --max-pixels)"
    )
    assert phiz(folder, "a.png", "--max-pixels", "2000").returncode == 0


def test_annotated_copies_are_not_analysed_the_next_time(folder: Path) -> None:
    (folder / "empty.jpg").unlink()
    for _ in range(2):
        done = phiz(folder, ".", "--annotate", "./marked", "--cropped", "--format", "jsonl")
        assert [line["path"] for line in json_lines(done.stdout)] == ["./a.png", "./b.png"]
        assert sorted(path.name for path in (folder / "marked").iterdir()) == [
            "a.annotated.jpg",
            "b.annotated.jpg",
        ]
    assert b"phiz: not looked at: 2 annotated copies of an earlier run\n" in done.stderr


def test_a_full_disk(folder: Path) -> None:
    for options in ({}, {"preexec_fn": lambda: os.dup2(os.open("/dev/full", os.O_WRONLY), 1)}):
        target = [] if options else ["--output", "/dev/full"]
        done = phiz(folder, "a.png", *target, **options)
        where = "standard output" if options else "/dev/full"
        assert done.stderr.decode() == f"phiz: cannot write {where}: No space left on device\n"
        assert done.returncode == 1


def test_a_file_that_may_not_grow_keeps_whole_lines_under_another_name(folder: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (150, 150))

    done = phiz(folder, *["b.png"] * 9, "--format", "jsonl", "--output", "out.jsonl", preexec_fn=limit)
    assert done.stderr.decode() == (
        f"phiz: not complete; the lines so far are in {folder}/out.jsonl.part\n"
        "phiz: cannot write out.jsonl: File too large\n"
    )
    assert done.returncode == 1
    assert not (folder / "out.jsonl").exists()
    assert [line["path"] for line in json_lines((folder / "out.jsonl.part").read_bytes())] == ["b.png"] * 2


def test_annotated_copies_never_replace_a_source_or_each_other(folder: Path) -> None:
    (folder / "sub").mkdir()
    shutil.copy(folder / "b.png", folder / "sub" / "a.png")
    Image.new("RGB", (30, 30)).save(folder / "a.annotated.jpg")  # a source whose name a copy would take
    sources = ["a.png", "sub/a.png", "a.annotated.jpg"]
    before = [(folder / name).read_bytes() for name in sources]
    done = phiz(folder, *sources, "--annotate", ".", "--cropped")
    assert (done.stderr, done.returncode) == (b"", 0)
    assert [(folder / name).read_bytes() for name in sources] == before
    copies = sorted(path.name for path in folder.glob("*.annotated*"))
    assert copies == [
        "a.annotated-2.jpg",
        "a.annotated-3.jpg",
        "a.annotated.annotated.jpg",
        "a.annotated.jpg",
    ]
    with (
        Image.open(folder / "a.annotated-2.jpg") as first,
        Image.open(folder / "a.annotated-3.jpg") as second,
    ):
        assert first.size == second.size == (40, 50)
        assert np.asarray(first)[:, :, 0].mean() > np.asarray(second)[:, :, 0].mean() + 50


def test_annotating_does_not_write_through_a_link(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "keep.jpg").write_bytes(b"precious")
    (folder / "out" / "a.annotated.jpg").symlink_to(folder / "keep.jpg")
    assert phiz(folder, "a.png", "--annotate", "out", "--cropped").returncode == 0
    assert (folder / "keep.jpg").read_bytes() == b"precious"


def test_annotating_into_a_file_is_an_error(folder: Path) -> None:
    done = phiz(folder, "a.png", "--annotate", "b.png")
    assert done.stderr == b"phiz: cannot make the folder b.png: File exists\n"
    assert done.returncode == 1


def test_a_reader_that_goes_away_ends_the_run_quietly(folder: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [PHIZ, "analyze", "--model", "fake.onnx", *["a.png"] * 20]
    done = subprocess.run(command, cwd=folder, stdout=writer, stderr=subprocess.PIPE, timeout=120)
    os.close(writer)
    assert done.stderr == b""
    assert done.returncode == 141


@pytest.mark.parametrize("to_file", [False, True])
def test_ctrl_c_keeps_the_lines_already_written(folder: Path, to_file: bool) -> None:
    command = [PHIZ, "analyze", "--model", "fake.onnx", "--format", "jsonl", *["a.png"] * 20_000]
    part = folder / "out.jsonl.part"
    if to_file:
        command += ["--output", "out.jsonl"]
    run = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if to_file:
        while not part.exists() or part.stat().st_size == 0:
            assert run.poll() is None
        first = b""
    else:
        first = run.stdout.readline()
    run.send_signal(signal.SIGINT)
    rest, errors = run.communicate(timeout=120)
    lines = json_lines(part.read_bytes() if to_file else first + rest)
    assert 1 <= len(lines) < 20_000
    assert {line["path"] for line in lines} == {"a.png"}
    expected = f"phiz: not complete; the lines so far are in {part}\n" if to_file else ""
    assert errors.decode() == expected
    assert not (folder / "out.jsonl").exists()
    assert run.returncode == 130


def errors_on_a_terminal(folder: Path, *arguments: str) -> str:
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
    command = [PHIZ, "analyze", "--model", "fake.onnx", *arguments]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=terminal, timeout=120)
    assert done.returncode == 0
    os.close(terminal)
    shown = b""
    try:
        while block := os.read(main, 4096):
            shown += block
    except OSError:  # how Linux says that the terminal's other side is closed
        pass
    os.close(main)
    return shown.decode()


def test_a_bar_shows_for_more_than_a_few_pictures_on_a_terminal(folder: Path) -> None:
    assert "6/6" in errors_on_a_terminal(folder, *["a.png"] * 6)
    assert errors_on_a_terminal(folder, *["a.png"] * 5) == ""


def test_no_bar_where_standard_error_is_piped(folder: Path) -> None:
    assert phiz(folder, *["a.png"] * 6).stderr == b""
