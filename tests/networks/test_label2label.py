"""Label2Label: words, masks, gradients, and that the network learns at all."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="the extra train brings PyTorch")

from torch.nn import functional as F  # noqa: E402

from phiz.networks.attribute_net import AttributeNet, AttributeNetwork  # noqa: E402
from phiz.networks.label2label import Attention, DecoderLayer, GroupLinear, Label2Label, sine_position  # noqa: E402

ATTRIBUTES = 5


def head(mask=0.5, dropout=0.0, layers=1):
    torch.manual_seed(0)
    settings = {"width": 8, "heads": 2, "hidden": 16, "query_layers": 1, "layers": layers}
    return Label2Label(6, 3, ATTRIBUTES, mask=mask, dropout=dropout, **settings)


FEATURES = torch.randn(16, 6, 3, 3, generator=torch.Generator().manual_seed(1))


def test_position_by_hand():
    position = sine_position(2, 3, 8).reshape(2, 3, 8)
    y, x = 1 / 2 * 2 * math.pi, 2 / 3 * 2 * math.pi  # first row, second column
    wanted = [math.sin(y), math.sin(y / 100), math.cos(y), math.cos(y / 100)]
    wanted += [math.sin(x), math.sin(x / 100), math.cos(x), math.cos(x / 100)]
    assert position[0, 1].tolist() == pytest.approx(wanted, abs=1e-6)


def test_every_place_has_a_position_of_its_own():
    position = sine_position(7, 7, 192)
    apart = torch.cdist(position, position) + torch.eye(49) * 9
    assert apart.min() > 0.5


def test_attention_equals_torchs_own():
    torch.manual_seed(0)
    ours, theirs = Attention(8, 2), torch.nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key.bias, ours.value.bias]))
    theirs.out_proj = ours.out
    x, keys, values = torch.randn(2, 5, 8), torch.randn(2, 9, 8), torch.randn(2, 9, 8)
    torch.testing.assert_close(ours(x, keys, values), theirs(x, keys, values)[0])


def test_each_attribute_has_a_linear_output_of_its_own():
    out = GroupLinear(3, 4)
    x = torch.randn(2, 3, 4)
    before = out(x)
    with torch.no_grad():
        out.weight[1] += 1.0
        out.bias[1] += 1.0
    changed = (out(x) != before).all(0)
    assert changed.tolist() == [False, True, False]


def test_words_say_present_or_absent():
    net = head().eval()
    said = torch.tensor([[True, False, False, True, False]])
    words = net.words(said)
    for attribute, present in enumerate(said[0]):
        wanted = net.present if present else net.absent
        assert torch.equal(words[0, attribute], wanted[attribute])


def test_the_words_are_the_first_answers_and_nothing_hidden_at_inference():
    net = head(mask=1.0).eval()
    seen = []
    net.layers[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    first, final = net(FEATURES)
    assert torch.equal(seen[0], torch.where((first > 0)[..., None], net.present, net.absent))
    assert torch.equal(net(FEATURES)[1], final)
    before = final.clone()
    with torch.no_grad():
        net.masked += 1.0
    assert torch.equal(net(FEATURES)[1], before)


def test_in_training_the_share_of_words_is_hidden():
    net = head(mask=0.1).train()
    with torch.no_grad():
        net.masked.fill_(7.0)
    words = net.words(torch.zeros(4000, ATTRIBUTES, dtype=torch.bool))
    hidden = (words == 7.0).all(2)
    assert hidden.float().mean().item() == pytest.approx(0.1, abs=0.01)
    assert torch.equal(words[~hidden], net.absent.expand(4000, -1, -1)[~hidden])


def test_masking_draws_differ_between_steps_and_follow_from_the_seed():
    net = head().train()
    said = torch.zeros(64, ATTRIBUTES, dtype=torch.bool)
    torch.manual_seed(5)
    one, other = net.words(said), net.words(said)
    assert not torch.equal(one, other)
    torch.manual_seed(5)
    assert torch.equal(net.words(said), one)


def test_each_attributes_words_receive_gradient():
    net = head(mask=0.3).train()
    with torch.no_grad():  # so that every attribute is said to be present in some pictures, absent in others
        net.first.bias -= net(FEATURES)[0].median(0).values
    for name in ("present", "absent", "masked"):
        net.zero_grad()
        net(FEATURES)[1].square().sum().backward()
        assert (getattr(net, name).grad.abs().sum(1) > 0).all(), name
    assert (net.queries.grad is None) or not net.queries.grad.any()  # thresholded words pass no gradient


def test_a_hidden_word_is_told_from_the_others():
    """The final answer for one attribute depends on the word said about another."""
    net = head().eval()
    face = net.project(FEATURES).flatten(2).transpose(1, 2)
    said = torch.zeros(16, ATTRIBUTES, dtype=torch.bool)
    other = said.clone()
    other[:, 0] = True
    answers = [net.final(net.layers[0](net.words(words), face, net.position)) for words in (said, other)]
    assert (answers[0][:, 1:] != answers[1][:, 1:]).all()


def test_the_query_network_answers_each_attribute_alone():
    layer = DecoderLayer(8, 2, 16, 0.0, among=False)
    tokens, face = torch.randn(1, 5, 8), torch.randn(1, 9, 8)
    before = layer(tokens, face, torch.zeros(9, 8))
    tokens[0, 0] += 1.0
    after = layer(tokens, face, torch.zeros(9, 8))
    assert (before != after).any(2)[0].tolist() == [True, False, False, False, False]


def test_unfit_widths_are_refused():
    with pytest.raises(ValueError, match="multiple of 4 and of the 4 heads, got 6"):
        Label2Label(6, 3, 5, width=6, heads=4, hidden=8, query_layers=1, layers=1, mask=0.1, dropout=0.0)


@pytest.mark.parametrize("kind", ["label2label", "plain"])
def test_one_batch_can_be_learnt_by_heart(kind):
    torch.manual_seed(0)
    how = AttributeNetwork(head=kind, size=32, width=16, hidden=32, layers=1)
    net = AttributeNet(how, ATTRIBUTES, dropout=0.0).train()
    x, labels = torch.randn(12, 3, 32, 32), torch.randint(0, 2, (12, ATTRIBUTES)).float()
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    for _ in range(60):
        logits = net(x)
        loss = F.binary_cross_entropy_with_logits(logits, labels.expand_as(logits))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
    assert logits.shape[0] == (2 if kind == "label2label" else 1)
    assert ((logits[-1] > 0) == labels.bool()).float().mean() > 0.97


def test_the_edge_recipe_stays_small():
    for how, most in ((AttributeNetwork(), 2.5e6), (AttributeNetwork(head="plain"), 1.05e6)):
        assert sum(p.numel() for p in AttributeNet(how, 40).parameters()) < most


@pytest.mark.parametrize("kind", ["label2label", "plain"])
def test_outputs_start_at_the_frequencies(kind):
    net = AttributeNet(AttributeNetwork(head=kind, size=32, width=16, hidden=32), ATTRIBUTES)
    frequency = torch.tensor([0.02, 0.2, 0.5, 0.8, 0.97])
    net.set_frequencies(frequency)
    assert all(torch.allclose(bias.sigmoid(), frequency) for bias in net.head.biases())


def test_a_backbone_of_timm_gives_its_map():
    net = AttributeNet(AttributeNetwork(backbone="resnet18", size=64, width=16, hidden=32), ATTRIBUTES).eval()
    assert net(torch.zeros(1, 3, 64, 64)).shape == (2, 1, ATTRIBUTES)
    assert net.mean.flatten().tolist() == pytest.approx([0.485, 0.456, 0.406])
