"""Rare cells come more often, suspected labels less, and nothing else changes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")

from phiz.errors import DataError  # noqa: E402
from phiz.training.crops import Crops  # noqa: E402
from phiz.training.sampling import draw, load_suspects, weights  # noqa: E402

AGES = np.float32([30] * 90 + [5] * 10)


def crops(age=AGES):
    n = len(age)
    nothing = np.full((n, 3), np.nan, np.float32)
    paths = np.array([f"faces/{i}.jpg" for i in range(n)])
    labels = age, np.zeros(n, np.float32), paths, nothing, nothing[:, :2]
    return Crops(np.zeros((n, 4, 4, 3), np.uint8), *labels)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def test_alike_weights_draw_every_row_once():
    rows = draw(weights(crops(), 0.0, (), 0.5), 100, seeded(0))
    assert sorted(rows) == list(range(100))
    assert rows.tolist() != list(range(100))


def test_a_share_draws_so_many_different_rows():
    rows = draw(np.ones(100), 15, seeded(0))
    assert len(set(rows)) == len(rows) == 15
    assert set(rows) != set(draw(np.ones(100), 15, seeded(1)))


@pytest.mark.parametrize(("balance", "children"), [(0.0, 10), (0.5, 25), (1.0, 50)])
def test_balance_goes_from_as_it_is_to_all_cells_alike(balance, children):
    rows = draw(weights(crops(), balance, (), 0.5), 100, seeded(0))
    assert (rows >= 90).sum() == pytest.approx(children, abs=1)
    times = Counter(rows[rows >= 90].tolist())
    assert len(times) == 10  # each child in every epoch
    assert max(times.values()) - min(times.values()) <= 1


def test_suspects_come_so_much_less_often():
    weight = weights(crops(), 0.0, {"0.jpg", "95.jpg"}, 0.25)
    assert weight[[0, 1, 95]].tolist() == [0.25, 1, 0.25]
    seen = Counter(row for seed in range(60) for row in draw(weight, 100, seeded(seed)).tolist())
    assert 5 <= seen[0] + seen[95] <= 60
    left_out = draw(weights(crops(), 0.0, {"0.jpg"}, 0.0), 100, seeded(0))
    assert 0 not in left_out


def test_suspects_file(tmp_path):
    path = tmp_path / "suspects.csv"
    path.write_text("# made\ndataset,file,reason\nutkface,a.jpg,age\nfiw,b.jpg,gender\nutkface,c.jpg,age\n")
    assert load_suspects(path) == {"utkface": {"a.jpg", "c.jpg"}, "fiw": {"b.jpg"}}
    with pytest.raises(DataError, match=r"none\.csv: expected a CSV file"):
        load_suspects(tmp_path / "none.csv")
