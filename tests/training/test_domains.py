"""Validation on several domains: cells, the score, the poor camera, and a run that uses them all."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")
pytest.importorskip("onnx", reason="the extra train brings onnx")

from made_faces import make  # noqa: E402
from PIL import Image  # noqa: E402

from phiz.data import ASTRONAUT  # noqa: E402
from phiz.datasets.fgnet import TUNING_PEOPLE  # noqa: E402
from phiz.errors import DataError, RecipeError  # noqa: E402
from phiz.models.session import load_model  # noqa: E402
from phiz.training.age_gender import AgeAndGender, batches, epoch_order  # noqa: E402
from phiz.training.age_gender_answers import validate  # noqa: E402
from phiz.training.age_gender_data import load_parts, training_records  # noqa: E402
from phiz.training.crops import Crops  # noqa: E402
from phiz.training.domains import (  # noqa: E402
    SMALLEST_CELL,
    Figures,
    balance,
    cells,
    measure,
    poor,
    score,
)
from phiz.training.recipe import load_recipe  # noqa: E402
from phiz.training.run import run  # noqa: E402
from phiz.training.sets import under  # noqa: E402
from phiz.training.teachers import picture  # noqa: E402

NAN = float("nan")


def labelled(age, female, size=12):
    n = len(age)
    pixels = np.random.default_rng(0).integers(0, 256, (n, size, size, 3), dtype=np.uint8)
    nothing = np.full((n, 3), np.nan, np.float32)
    labels = np.float32(age), np.float32(female), np.full(n, "a.jpg"), nothing, nothing[:, :2]
    return Crops(pixels, *labels)


def test_cells_name_what_is_known():
    crops = labelled([5, 30, NAN, 70, NAN], [1, 0, 1, NAN, NAN])
    assert cells(crops).tolist() == ["0-12 female", "20-39 male", "female", "60+", ""]


def test_a_small_bad_cell_weighs_as_much_as_a_large_good_one():
    few, many = SMALLEST_CELL, 90
    crops = labelled([30] * many + [5] * few, [0] * many + [1] * few)
    age = np.float32([31] * many + [15] * few)
    female = np.float32([0.1] * many + [0.2] * few)
    found = measure(age, female, crops)
    assert found.age == {"0-12 female": 10, "20-39 male": 1}
    assert (found.age_mae, found.gender_accuracy) == (5.5, 0.5)
    assert found.worst() == {"age": "0-12 female", "gender": "0-12 female"}
    assert score({"a": found}) == pytest.approx(5.5 + 20 * 0.5)


def test_a_cell_of_very_few_pictures_counts_for_nothing():
    few = SMALLEST_CELL - 1
    crops = labelled([30] * 20 + [5] * few, [0] * 20 + [1] * few)
    found = measure(np.float32([31] * 20 + [90] * few), None, crops)
    assert found == Figures({"20-39 male": 1}, {})
    by_age, by_gender = balance(crops)
    assert by_age[20:].tolist() == [0] * few
    assert by_age.sum() == by_gender.sum() == pytest.approx(1)


def test_small_cells_count_together():
    crops = labelled([30] * 6 + [5] * 6, [0] * 6 + [1] * 6)
    answers = np.float32([32] * 6 + [9] * 6)
    assert measure(answers, None, crops).age == {"few": 3}
    tiny = labelled([30, 5], [0, 1])
    assert measure(np.float32([32, 9]), None, tiny).age == {"few": 3}
    assert balance(tiny)[0].tolist() == [0.5, 0.5]


def test_the_score_is_a_mean_over_the_domains_that_have_the_label():
    domains = {
        "both": Figures({"20-39 male": 4.0}, {"20-39 male": 0.9}),
        "gender": Figures({}, {"male": 0.8, "female": 0.6}),
        "age": Figures({"0-12": 6.0}, {}),
    }
    assert math.isnan(domains["gender"].age_mae)
    assert score(domains) == pytest.approx(5.0 + 20 * (1 - 0.8))


@pytest.mark.parametrize("lost", ["age", "gender", "both"])
def test_answers_that_are_no_numbers_have_no_score(lost):
    crops = labelled([30] * 20, [0] * 20)
    age = np.float32([NAN if lost != "gender" else 31] * 20)
    female = np.float32([NAN if lost != "age" else 0.1] * 20)
    assert math.isnan(score({"lost": measure(age, female, crops)}))
    assert math.isnan(
        score({"lost": measure(age, female, crops), "fine": Figures({"60+": 1.0}, {"male": 1.0})})
    )


def test_domains_and_cells_weigh_alike_where_branch_weights_are_fitted():
    by_age, _ = balance(labelled([30] * 40 + [5] * 10, [0] * 40 + [1] * 10))
    assert by_age[:40].sum() == pytest.approx(by_age[40:].sum())
    alone_age, alone_gender = balance(labelled([NAN] * 30, [0] * 20 + [1] * 10))
    assert alone_age.sum() == 0
    assert alone_gender[:20].sum() == pytest.approx(alone_gender[20:].sum()) == pytest.approx(0.5)


def test_a_poor_camera_sees_the_same_each_time_and_less_than_a_good_one():
    crops = labelled([30] * 8, [0] * 8, size=96)
    seen, again = poor(crops, 64), poor(crops, 64)
    assert seen.pixels.shape == (8, 64, 64, 3)
    assert (seen.pixels == again.pixels).all()
    assert (seen.pixels != crops.pixels[:, 16:80, 16:80]).any((1, 2, 3)).all()
    assert seen.age is crops.age


def test_a_range_is_in_its_middles_band_and_missed_by_years():
    crops = labelled([NAN] * 10, [1] * 10)
    crops.age_range[:] = [20, 29]
    assert set(cells(crops)) == {"20-39 female"}
    answers = np.float32([19, 32.5, *[25] * 8])
    assert measure(answers, None, crops).age_mae == pytest.approx((1 + 2.5) / 10)


def test_twelve_people_of_fgnet():
    assert len(TUNING_PEOPLE) == 12
    assert TUNING_PEOPLE[:3] == ("004", "011", "018")
    assert TUNING_PEOPLE[-1] == "081"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A made UTKFace, CelebA, FIW and FG-NET with a recipe that validates on all: (folder, recipe)."""
    folder = tmp_path_factory.mktemp("domains")
    path = make(folder, train=24, validation=24, photos=8)
    portrait = Image.open(ASTRONAUT).convert("RGB").crop((120, 0, 320, 200)).resize((112, 112))
    fiw, fgnet = folder / "data/FIW/faces", folder / "data/FGNET/images"
    for place in (fiw, fgnet):
        place.mkdir(parents=True)
    rows, split = ["file,family,person,gender"], ["file,part,cluster"]
    for i in range(12):
        portrait.rotate(i - 6).save(fiw / f"{i}.jpg")
        rows.append(f"{i}.jpg,F{i},MID1,female")
        split.append(f"{i}.jpg,{'train' if i < 6 else 'validation'},{i}")
        portrait.rotate(6 - i).save(fgnet / f"{(4, 5)[i % 2]:03}A{30 + i}.JPG")
    (folder / "data/FIW/labels.csv").write_text("\n".join(rows) + "\n")
    (folder / "fiw.csv").write_text("\n".join(split) + "\n")
    celeba = (folder / "celeba.csv").read_text().splitlines()
    celeba[-3:] = [row.replace("train", "validation") for row in celeba[-3:]]
    (folder / "celeba.csv").write_text("\n".join(celeba) + "\n")
    text = path.read_text().replace("poor = true\n", "")
    text = text.replace(
        "[data]", '[[train]]\ndataset = "fiw"\nsplit = "fiw.csv"\nshare = 0.5\nSETS[data]\nbalance = 0.5'
    )
    text = text.replace("epochs = 3", "epochs = 2")
    text = text.replace('[[validation]]\ndataset = "utkface"\nsplit = "split.csv"\n', "")
    splits = {"utkface": "split.csv", "celeba": "celeba.csv", "fiw": "fiw.csv", "fgnet": "tuning"}
    sets = [f'[[validation]]\ndataset = "{k}"\nsplit = "{v}"\npoor = true\n' for k, v in splits.items()]
    path.write_text(
        text.replace("SETS", "".join(sets))
        + "\n[augmentation]\nkeypoints = 0.02\nshrink = 0.3\njpeg = 0.3\nhat = 0.2\nrise = 0.5\n"
    )
    return folder, load_recipe(path)


def test_parts_of_every_domain_are_read(made):
    folder, recipe = made
    parts = load_parts(recipe, folder / "data", folder / "cache")
    assert {name: len(crops) for name, crops in parts.items()} == {
        "train utkface": 23,
        "train celeba": 4,
        "train fiw": 6,
        "validation utkface": 24,
        "validation celeba": 3,
        "validation fiw": 6,
        "validation fgnet": 6,
    }
    assert {Path(path).name[:3] for path in parts["validation fgnet"].paths} == {"004"}
    drawn = [labels for _, *labels in batches(recipe, parts, 0)]
    assert sum(len(age) for age, *_ in drawn) == 24  # 23 + 2 + 3 in batches of 8
    names = [records[0].path.parent.name for records, _ in training_records(recipe, folder / "data")]
    assert names == ["UTKFace", "img_align_celeba", "faces"]


def test_a_run_logs_every_domain_and_keeps_its_cells(made):
    folder, recipe = made
    torch.set_num_threads(1)
    path = run(recipe, folder / "data", folder / "out", folder / "cache")
    rows = list(csv.DictReader((folder / "out" / "log.csv").open()))
    assert len(rows) == 2
    parts = load_parts(recipe, folder / "data", folder / "cache", ["validation"])
    task = AgeAndGender(recipe, parts)
    found = validate(task.start(), task.domains, recipe)
    assert tuple(found) == task.columns
    assert set(task.columns) <= set(rows[0])
    assert float(rows[1]["utkface_poor_age_mae"]) > 0
    assert math.isnan(float(rows[1]["celeba_age_mae"]))
    whole = json.loads((folder / "out" / "validation.json").read_text())["fitted"]
    assert list(whole["domains"]) == list(task.domains)
    assert "worst" in whole["domains"]["utkface"]
    assert set(load_model(path).card.figures["validation"]["fitted"]) == {
        "age_weights", "age_mae", "gender_weights", "gender_accuracy", "score",
    }  # fmt: skip


def test_turned_faces_are_learnt_unless_their_source_is_not(made):
    folder, recipe = made
    turned = folder / "turned"
    train = load_parts(recipe, folder / "data", folder / "cache", ["train"])["train utkface"]
    names = [picture(path) for path in train.paths.tolist()]
    held_out = {f"UTKFace/{p.name}" for p in (folder / "data/UTKFace").iterdir()} - set(names)
    portrait = Image.open(ASTRONAUT).convert("RGB").crop((120, 0, 320, 200))
    (turned / "UTKFace").mkdir(parents=True)
    listed = [names[0], names[1], min(held_out)]
    for name in listed:
        portrait.save(turned / name)
    (turned / "faces.csv").write_text("file,age,gender\n" + "".join(f"{n},33,female\n" for n in listed))
    path = folder / "turned.toml"
    text = recipe.path.read_text()
    path.write_text(text.replace("[data]", '[data]\nturned = "turned"\nturned_share = 1.0'))
    parts = load_parts(load_recipe(path), folder / "data", folder / "cache")
    assert [picture(name) for name in parts["train turned"].paths] == listed[:2]
    assert parts["train turned"].age.tolist() == [33, 33]
    order = epoch_order(load_recipe(path), parts, torch.Generator().manual_seed(0))
    learnt = under("train", parts)
    whole = sum(map(len, learnt.values()))
    assert list(learnt)[-1] == "turned"
    assert {whole - 2, whole - 1} & set(np.concatenate(order).tolist())
    (turned / "faces.csv").write_text(f"file,age,gender\n{min(held_out)},33,female\n")
    with pytest.raises(RecipeError, match="none of the faces there is of a training picture"):
        load_parts(load_recipe(path), folder / "data", folder / "cache")


def test_a_part_that_a_data_set_lacks_says_how_to_draw_one(made):
    folder, recipe = made
    (tmp := folder / "official.toml").write_text(recipe.path.read_text().replace('split = "fiw.csv"\n', ""))
    expected = 'in the validation part of Families in the Wild, by official, got none; split = "person" draws'
    with pytest.raises(DataError, match=expected):
        load_parts(load_recipe(tmp), folder / "data", folder / "cache", ["validation"])
