"""Local folders, file:// URIs and a filesystem that is not the local one name and read the same pictures."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pictures as made
import pytest
from pyarrow.fs import FileSystem, LocalFileSystem, SubTreeFileSystem

from phiz.errors import ImageError, PhizError
from phiz.image import inputs, load
from phiz.scale import pictures
from phiz.scale.pictures import Picture, expand, read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures at three depths, one empty, one hidden, and a text."""
    (tmp_path / "a/c").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    for name in ("b.png", "z.PNG", "a/y.png", "a/c/x.png", "a 1.png", ".no.png", ".hidden/no.png"):
        (tmp_path / name).write_bytes(made.encode(made.scene(), "PNG"))
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "notes.txt").touch()
    return tmp_path


@pytest.fixture
def elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder as store://bucket, a filesystem that is not the local one."""

    def locate(place: str) -> tuple[FileSystem, str]:
        return SubTreeFileSystem(str(folder.parent), LocalFileSystem()), folder.name

    monkeypatch.setattr(pictures, "locate", locate)
    return folder


def test_a_uri_finds_what_the_plain_command_finds_in_the_same_order(folder: Path) -> None:
    local = inputs.expand([str(folder)])
    assert len(local) == 6
    assert [picture.name for picture in expand([str(folder)])] == local
    found = expand([f"file://{folder}/"])
    assert [picture.name for picture in found] == [f"file://{name}" for name in local]
    assert [picture.path for picture in found] == local


def test_relative_names_stay_and_paths_become_absolute(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert expand(["b.png", "a*.png"]) == [
        Picture("b.png", str(folder / "b.png")),
        Picture("a 1.png", str(folder / "a 1.png")),
    ]


def test_another_filesystem(elsewhere: Path) -> None:
    found = expand(["store://user:secret@bucket/?endpoint=x"])
    assert [picture.name for picture in found[:2]] == ["store://bucket/a 1.png", "store://bucket/b.png"]
    assert [picture.name for picture in found[-2:]] == ["store://bucket/a/y.png", "store://bucket/a/c/x.png"]
    assert np.array_equal(read(found[0]), load(elsewhere / "a 1.png"))
    with pytest.raises(ImageError, match=r"^store://bucket/empty.jpg: expected JPEG, .*got an empty file"):
        read(found[2])
    (elsewhere / "b.png").unlink()
    with pytest.raises(ImageError, match=r"^store://bucket/b.png: no such file; check the path$"):
        read(found[1])


def test_a_huge_remote_picture_is_refused(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_BYTES", 250_000_000)
    with open(elsewhere / "b.png", "wb") as file:
        os.truncate(file.fileno(), 250_000_001)
    with pytest.raises(ImageError, match="expected at most 250,000,000 bytes, got 250,000,001"):
        read(expand(["store://bucket"])[1])


def test_a_missing_picture_fails_when_it_is_read(folder: Path) -> None:
    (picture,) = expand([f"file://{folder}/absent.png"])
    with pytest.raises(ImageError, match=r"^file://.*/absent.png: no such file; check the path$"):
        read(picture)


def test_what_is_refused(folder: Path) -> None:
    with pytest.raises(PhizError, match="standard input"):
        expand(["-"])
    with pytest.raises(PhizError, match="cannot open nowhere://bucket/x: "):
        expand(["nowhere://user:secret@bucket/x?key=secret"])
    for address in (
        "s3://key:secr/et@bucket/x",
        "s3://key:secr et@bucket/x",
        "nowhere://key:secr@et@bucket/x",
    ):
        with pytest.raises(PhizError, match=r"cannot open (s3|nowhere)://bucket/x: ") as caught:
            expand([address])
        assert "secr" not in str(caught.value)
    shutil.rmtree(folder / "a")
    (folder / "a").mkdir()
    with pytest.raises(PhizError, match=r"no pictures in the folder file://.*/a; looked for .*\.bmp \.gif"):
        expand([f"file://{folder}/a"])


def test_what_gives_nothing_beside_good_pictures_is_said(folder: Path) -> None:
    (folder / "bare").mkdir()
    (folder / "notes.txt").touch()
    (folder / "b.annotated.jpg").touch()
    aside = inputs.Aside()
    uri = f"file://{folder}"
    found = expand([f"{uri}/bare", str(folder / "bare"), uri], aside)
    assert [picture.name for picture in found] == [picture.name for picture in expand([uri])]
    assert [line.partition(";")[0] for line in aside.problems] == [
        f"no pictures in the folder {uri}/bare",
        f"no pictures in the folder {folder}/bare",
    ]
    assert (aside.passed_over[".txt"], aside.copies) == (1, 1)
