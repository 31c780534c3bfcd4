import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from phiz.datasets.near_duplicates import clusters, fingerprints, matches, shrink


def smooth(seed: int, size: int = 96) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)


def found(tmp_path, pictures, threshold=0.75):
    paths = []
    for number, picture in enumerate(pictures):
        paths.append(tmp_path / f"{number}.png")
        picture.save(paths[-1])
    return [(i, j) for i, j, _ in matches(shrink(paths), threshold)]


def test_copies_match_and_other_pictures_do_not(tmp_path) -> None:
    original, other = smooth(1), smooth(2)
    compressed = io.BytesIO()
    original.save(compressed, "JPEG", quality=20)
    brighter = original.point(lambda value: value * 0.6 + 60)
    pictures = [
        original,
        other,
        original.resize((48, 48)),
        brighter,
        original.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        Image.open(compressed),
        original.convert("L"),
    ]
    copies = [0, 2, 3, 4, 5, 6]
    assert found(tmp_path, pictures) == [(i, j) for i in copies for j in copies if i < j]


def test_plain_pictures_match_nothing(tmp_path) -> None:
    assert found(tmp_path, [Image.new("RGB", (40, 40), "red")] * 2) == []


def test_matches_agree_with_a_plain_double_loop_over_several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phiz.datasets.near_duplicates._BLOCK", 4)
    small = np.random.default_rng(3).integers(0, 256, (11, 32, 32), dtype=np.uint8)
    small[7], small[10] = small[2], small[5, :, ::-1]
    upright, mirrored = fingerprints(small), fingerprints(small[:, :, ::-1])
    expected = {
        (i, j): max(float(upright[i] @ upright[j]), float(mirrored[i] @ upright[j]))
        for i in range(11)
        for j in range(i + 1, 11)
    }
    got = {(i, j): alike for i, j, alike in matches(small, -1.0)}
    assert got.keys() == expected.keys()
    assert got == pytest.approx(expected, abs=1e-5)
    assert got[2, 7] == pytest.approx(1, abs=1e-5)
    assert got[5, 10] == pytest.approx(1, abs=1e-5)


def test_clusters_join_chains() -> None:
    assert clusters(6, [(4, 1), (1, 5), (2, 3)]) == [0, 1, 2, 2, 1, 1]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20))
def test_clusters_are_the_connected_components(pairs) -> None:
    reach = np.eye(12, dtype=bool)
    for i, j in pairs:
        reach[i, j] = reach[j, i] = True
    for _ in range(4):
        reach = (reach.astype(int) @ reach.astype(int)) > 0
    number = np.array(clusters(12, pairs))
    assert np.array_equal(number[:, None] == number[None, :], reach)
