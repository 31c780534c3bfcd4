import os
from pathlib import Path

import pytest

from phiz.cli.inputs import expand
from phiz.errors import PhizError


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("b.jpg", "a.PNG", "notes.txt", ".hidden.jpg", "sub/c.webp", "sub/d.jpeg", ".git/e.jpg"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "notes.txt").touch()
    return tmp_path


def test_a_folder_gives_its_pictures_at_any_depth_sorted(tree: Path) -> None:
    assert expand(["photos"]) == [
        "photos/a.PNG",
        "photos/b.jpg",
        "photos/sub/c.webp",
        "photos/sub/d.jpeg",
    ]


def test_files_stay_as_named_whatever_their_suffix_and_in_order(tree: Path) -> None:
    named = ["photos/notes.txt", "-", "missing.jpg", "photos/b.jpg", "photos/b.jpg"]
    assert expand(named) == named


def test_globs_are_expanded_and_sorted(tree: Path) -> None:
    assert expand(["photos/*.*"]) == ["photos/a.PNG", "photos/b.jpg", "photos/notes.txt"]
    assert expand(["photos/**/*.jp*g"]) == ["photos/b.jpg", "photos/sub/d.jpeg"]


def test_a_name_with_glob_characters_is_that_file(tree: Path) -> None:
    (tree / "[1].jpg").touch()
    (tree / "1.jpg").touch()
    assert expand(["[1].jpg"]) == ["[1].jpg"]


def test_linked_folders_are_not_followed_linked_files_are(tree: Path) -> None:
    (tree / "photos" / "loop").symlink_to(tree / "photos")
    (tree / "photos" / "z.jpg").symlink_to(tree / "photos" / "b.jpg")
    assert expand(["photos"])[-2:] == ["photos/sub/c.webp", "photos/sub/d.jpeg"]
    assert "photos/z.jpg" in expand(["photos"])
    assert len(expand(["photos"])) == 5


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["bare"], "no pictures in the folder bare; looked for .bmp .gif .jfif .jpe .jpeg .jpg .png .webp"),
        (["photos/*.tiff"], "no file matches photos/*.tiff; check the pattern"),
        (["photos/su*"], "no file matches photos/su*; check the pattern"),
        (["-", "photos", "-"], "standard input (-) can be read only once; name it once"),
    ],
)
def test_what_yields_no_picture_is_an_error(tree: Path, paths: list[str], message: str) -> None:
    with pytest.raises(PhizError) as caught:
        expand(paths)
    assert str(caught.value) == message


def test_an_unreadable_folder_is_an_error(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.scandir

    def deny(path: str) -> object:
        if path == "photos/sub":
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", deny)
    with pytest.raises(PhizError) as caught:
        expand(["photos"])
    assert str(caught.value) == "cannot read the folder photos/sub: Permission denied"
