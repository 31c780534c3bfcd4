"""The networks that the light one is compared with, and the light one with a part left out."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")
pytest.importorskip("timm", reason="the extra train brings timm")
pytest.importorskip("onnx", reason="the extra train brings onnx")

from torch import nn  # noqa: E402

from phiz.errors import RecipeError  # noqa: E402
from phiz.models.session import load_model  # noqa: E402
from phiz.networks import age, c3ae  # noqa: E402
from phiz.networks.build import build  # noqa: E402
from phiz.networks.multitask import BRANCHES, MultiTaskNet  # noqa: E402
from phiz.networks.network import Network  # noqa: E402
from phiz.networks.small_backbones import lmtcnn  # noqa: E402
from phiz.networks.ssr_net import SSRNet  # noqa: E402
from phiz.training import recipe as recipes  # noqa: E402
from phiz.training.age_gender_answers import validate  # noqa: E402
from phiz.training.crops import Crops  # noqa: E402
from phiz.training.export import export  # noqa: E402
from phiz.training.losses import multitask_loss  # noqa: E402
from phiz.training.recipe import Loss, load_recipe  # noqa: E402

ROOT = Path(__file__).parents[2]
SMALL = sorted((ROOT / "recipes" / "comparison" / "small").glob("*.toml"))
PUBLISHED = {"MobileNet-V1": "mobilenet-v1-025", "DenseNet": "densenet-19", "SSR-Net": "ssr-net"}


def size(net: nn.Module) -> int:
    """Parameters as those papers count them: with the running statistics of the norms."""
    buffers = sum(b.numel() for name, b in net.named_buffers() if "running_" in name)
    return sum(p.numel() for p in net.parameters()) + buffers


@pytest.mark.parametrize("row", PUBLISHED)
def test_parameters_are_within_two_per_cent_of_the_published(row):
    with (ROOT / "docs" / "published.csv").open(newline="", encoding="utf-8") as file:
        printed = {r["row"]: r["value"] for r in csv.DictReader(file) if r["metric"] == "parameters"}[row]
    published = float(printed.rstrip("K")) * 1000
    assert size(build(Network(PUBLISHED[row], gender=False))) == pytest.approx(published, rel=0.02)


def test_c3ae_has_its_papers_layers():
    sizes = [
        sum(p.numel() for p in m.parameters()) for m in c3ae.C3AE().one_scale if isinstance(m, nn.Conv2d)
    ]
    assert sizes == [896, 9248, 9248, 9248, 1056]
    assert sum(p.numel() for p in c3ae.C3AE().one_scale[-2].parameters()) == 6156


def test_lmtcnn_at_its_own_size_has_six_by_six_cells():
    net = lmtcnn().eval()
    net(torch.zeros(1, 3, 227, 227))
    first = next(m for m in net if isinstance(m, nn.Linear))
    assert first.in_features == 384 * 6 * 6


def test_the_names_are_known_to_recipes():
    assert recipes.RIVALS == age.RIVALS


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.stem)
def test_every_network_of_the_comparison_trains_a_step_and_exports_with_parity(path, tmp_path):
    """Shapes, one step that moves every weight that is to learn, and ONNX's answers those of PyTorch."""
    recipe = load_recipe(path)
    torch.manual_seed(0)
    net = build(recipe.network, pretrained=False)
    x, ages = torch.rand(8, 3, 64, 64) * 2 - 1, torch.arange(8.0) * 10
    female, years = net(x)
    rows = recipe.network.branches
    assert female.shape == (rows if recipe.network.gender else 0, 8)
    assert years.shape == (rows if recipe.network.age else 0, 8, len(net.ages))
    labels = torch.tensor([0.0, 1.0] * 4)
    multitask_loss(female, years, net.ages, ages, labels, recipe.loss, net.branches).backward()
    still = [name for name, p in net.named_parameters() if p.grad is None]
    assert still == []
    weights = (1 / rows,) * rows
    made = export(net.eval(), recipe, weights, weights, {}, tmp_path)  # raises where answers differ
    told = {output.name for output in load_model(made, gender_alone=True).card.outputs}
    assert {"age", "female"} & told == {
        name for name, has in (("age", recipe.network.age), ("female", recipe.network.gender)) if has
    }


def test_ssr_net_answers_an_age_by_hand():
    """With nothing but the first class of a stage's weights it is that class's age, and 0 for class 0."""
    net = SSRNet(gender=False).eval()
    with torch.no_grad():
        for stage in net.stages:
            for layer in (stage.weights, stage.shifts, stage.scale):
                layer.weight.zero_()
                layer.bias.zero_()
        net.stages[0].weights.bias.copy_(torch.tensor([0.0, 1.0, 0.0]))  # class 1 of three: a third of 101
        net.stages[1].weights.bias.copy_(torch.tensor([0.0, 0.0, 1.0]))  # class 2 of nine
        _, ages = net(torch.zeros(1, 3, 64, 64))
    assert net.expected_age(ages).item() == pytest.approx(101 / 3 + 2 * 101 / 9, rel=1e-6)


@pytest.mark.parametrize(
    ("switch", "branches"),
    [
        ({"auxiliary": False}, ("main", "ensemble")),
        ({"ensemble": False}, ("main", "auxiliary")),
        ({"auxiliary": False, "ensemble": False}, ("main",)),
    ],
)
def test_the_weight_of_a_branch_stays_with_it(switch, branches):
    """Without the auxiliary pair the ensemble keeps its own weight."""
    torch.manual_seed(0)
    net = MultiTaskNet(**switch)
    assert net.branches == branches
    female, ages = net(torch.rand(4, 3, 64, 64))
    label = torch.tensor([0.0, 1.0, 1.0, 0.0])
    ours = multitask_loss(female, ages, net.ages, label * 30, label, Loss(), net.branches)
    rows = [BRANCHES.index(name) for name in branches]
    whole_f, whole_a = torch.zeros(3, 4), torch.zeros(3, 4, len(net.ages))
    whole_f[rows], whole_a[rows] = female.detach(), ages.detach()
    only = {name: getattr(Loss(), name) if name in branches else 0.0 for name in BRANCHES}
    theirs = multitask_loss(whole_f, whole_a, net.ages, label * 30, label, Loss(**only))
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-6)


def test_what_is_left_in_keeps_its_names_so_that_checkpoints_fit():
    whole = set(MultiTaskNet().state_dict())
    for switch in ("auxiliary", "ensemble", "gender", "age"):
        assert set(MultiTaskNet(**{switch: False}).state_dict()) < whole


@pytest.mark.parametrize(("switch", "missing"), [("age", "val_age_mae"), ("gender", "val_gender_accuracy")])
def test_a_task_that_is_left_out_is_no_figure(switch, missing, tmp_path):
    recipe = load_recipe(ROOT / "recipes" / "comparison" / "small" / f"multitask-{_OTHER[switch]}-alone.toml")
    n = 5
    crops = Crops(
        torch.randint(0, 256, (n, 96, 96, 3), dtype=torch.uint8).numpy(),
        torch.arange(n).float().numpy(),
        torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0]).numpy(),
        torch.zeros(n).numpy().astype(str),
        torch.full((n, 3), torch.nan).numpy(),
        torch.full((n, 2), torch.nan).numpy(),
    )
    found = validate(build(recipe.network, pretrained=False), {"utkface": crops}, recipe)
    without = {name for name, value in found.items() if value is None or value != value}
    assert {"val_age_mae", "val_gender_accuracy", "score"} & without == {missing}


_OTHER = {"age": "gender", "gender": "age"}
GOOD = (ROOT / "recipes" / "comparison" / "small" / "multitask.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (
            'name = "ssr-net"',
            r"\[loss\] distribution is of a distribution over ages; ssr-net answers one number",
        ),
        ('name = "lmtcnn"\nsize = 96', "lmtcnn takes 64 pixels and has no ImageNet weights"),
        ('name = "lmtcnn"\nauxiliary = false', "auxiliary belongs to the network multitask; lmtcnn has"),
        ("gender = false\nage = false", "without age and without gender nothing is left to learn"),
        (
            "auxiliary = false\n[decision]\nage = [1.0, 0.0, 0.0]",
            r"\[decision\] belongs to .* has 2; leave it",
        ),
    ],
)
def test_networks_that_cannot_be_are_refused(tmp_path, network, message):
    (tmp_path / "r.toml").write_text(
        GOOD.replace("[optimisation]", f"[network]\n{network}\n\n[optimisation]")
    )
    with pytest.raises(RecipeError, match=message):
        load_recipe(tmp_path / "r.toml")
