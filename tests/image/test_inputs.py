import os
from pathlib import Path

import pytest

from phiz.errors import PhizError
from phiz.image import formats, suffixes
from phiz.image.inputs import Aside, expand

NONE = f"no pictures in the folder bare; looked for {' '.join(suffixes())}"
NO_TIFF = "no file matches photos/*.tiff; check the pattern"


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
        (["bare"], f"{NONE}\nphiz: not looked at: 1 .txt"),
        (["bare", "photos/*.tiff"], f"{NONE}\nphiz: {NO_TIFF}\nphiz: not looked at: 1 .txt"),
        (["photos/*.tiff"], NO_TIFF),
        (["photos/su*"], "no file matches photos/su*; check the pattern"),
        (["-", "photos", "-"], "standard input (-) can be read only once; name it once"),
    ],
)
def test_what_yields_no_picture_is_an_error(tree: Path, paths: list[str], message: str) -> None:
    with pytest.raises(PhizError) as caught:
        expand(paths)
    assert str(caught.value) == message


def deny(monkeypatch: pytest.MonkeyPatch, *folders: str) -> None:
    """Let the system refuse to list these folders, also to whoever may read everything."""
    real = os.scandir

    def scandir(path: str) -> object:
        if path in folders:
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)


def test_what_gives_nothing_beside_good_pictures_is_said_and_the_rest_goes_on(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deny(monkeypatch, "photos/sub")
    (tree / "photos" / "zz").mkdir()  # an empty folder in a good one is nothing to say
    aside = Aside()
    assert expand(["bare", "photos", "photos/*.tiff", "missing.jpg"], aside) == [
        "photos/a.PNG",
        "photos/b.jpg",
        "missing.jpg",
    ]
    assert aside.problems == [NONE, "cannot read the folder photos/sub: Permission denied", NO_TIFF]


def test_nothing_but_an_unreadable_folder_is_an_error(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deny(monkeypatch, "photos")
    with pytest.raises(PhizError) as caught:
        expand(["photos"])
    assert str(caught.value) == "cannot read the folder photos: Permission denied"


@pytest.mark.parametrize(("levels", "name", "reachable"), [(1000, "d", True), (20, "d" * 250, False)])
def test_folders_deeper_than_calls_and_names_can_go(
    tree: Path, levels: int, name: str, reachable: bool
) -> None:
    """1000 are more than Python's calls, 20 of 250 letters a longer name than the system takes."""
    (tree / "photos" / "a.jpg").touch()
    home = Path.cwd()
    os.chdir("photos")
    try:
        for _ in range(levels):
            os.mkdir(name)
            os.chdir(name)
        Path("deep.jpg").touch()
        os.chdir(home)
        aside = Aside()
        found = expand(["photos"], aside)
        assert found[:2] == ["photos/a.PNG", "photos/a.jpg"]
        assert any(path.endswith("/deep.jpg") for path in found) == reachable
        assert [line[-20:] for line in aside.problems] == ([] if reachable else [": File name too long"])
        assert all(len(line) < 300 for line in aside.problems)
        pattern = Aside()
        assert expand(["photos/**/*.jpg", "photos/b.jpg"], pattern)[-1] == "photos/b.jpg"
    finally:  # none of the standard library's ways gets there
        os.chdir(home / "photos")
        depth = 0
        while os.path.isdir(name):
            os.chdir(name)
            depth += 1
        Path("deep.jpg").unlink(missing_ok=True)
        for _ in range(depth):
            os.chdir("..")
            os.rmdir(name)
        os.chdir(home)


def test_what_a_folder_holds_beside_pictures_is_counted_by_suffix(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "_heic", lambda: None)
    for name in (
        "1.heic",
        "2.HEIC",
        "sub/3.heif",
        "4.cr2",
        "5.mp4",
        "README",
        "a.annotated.jpg",
        "sub/b.annotated-12.jpg",
    ):
        (tree / "photos" / name).touch()
    aside = Aside()
    assert expand(["photos"], aside) == expand(["photos"])
    assert aside.lines() == [
        "not looked at: 1 .cr2, 2 .heic, 1 .heif, 1 .mp4, 1 .txt, 1 no suffix; "
        'pip install "phiz[heif]" reads HEIC; phiz watch FILE reads a video',
        "not looked at: 2 annotated copies of an earlier run",
    ]
    assert not any("annotated" in path for path in expand(["photos"]))
    assert expand(["photos/a.annotated.jpg"]) == [
        "photos/a.annotated.jpg"
    ]  # named outright it is one more picture


def test_what_can_be_read_is_taken_from_a_folder(tree: Path) -> None:
    for kind in suffixes():
        (tree / "bare" / f"x{kind}").touch()
    assert len(expand(["bare"])) == len(suffixes())
    assert {".tif", ".tiff"} <= set(suffixes())
