"""Networks beyond the reports: their heads against sums by hand, ensembles, random erasing."""

from functools import partial
from itertools import product

import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from digits.data.pairs import draw_pairs_reusing_images
from digits.models import beyond as networks
from digits.models.summary import parameter_count, summary_of


def logits(n, scale=1.0, seed=0, dtype=torch.float32):
    random = torch.Generator().manual_seed(seed)
    return scale * torch.randn(n, 2, 10, generator=random, dtype=dtype)


def by_brute_force(digits):
    """Sum over all hundred pairs of digits, one by one: P(a > b) and P(a <= b)."""
    found = []
    for first, second in digits.double().softmax(dim=2).tolist():
        greater = sum(first[i] * second[j] for i, j in product(range(10), repeat=2) if i > j)
        found.append([greater, sum(p * q for p in first for q in second) - greater])
    return torch.tensor(found, dtype=torch.float64)


@given(st.integers(0, 1000), st.sampled_from([0.1, 1.0, 5.0, 30.0]))
def test_the_structured_head_is_the_sum_over_all_pairs_of_digits(seed, scale):
    digits = logits(8, scale, seed)
    probabilities = networks.SumOverDigits()(digits).double().exp()
    assert torch.allclose(probabilities, by_brute_force(digits), atol=1e-6)
    assert torch.allclose(probabilities.sum(dim=1), torch.ones(8, dtype=torch.float64), atol=1e-6)


def test_a_temperature_sharpens_a_trained_networks_posteriors_and_changes_no_training():
    digits, plain, sharp = logits(8), networks.SumOverDigits(), networks.SumOverDigits(False, 0.5)
    assert torch.equal(sharp.train()(digits), plain.train()(digits))
    assert torch.allclose(sharp.eval()(digits), plain.eval()(2 * digits))


def test_the_structured_heads_gradient_is_that_of_finite_differences():
    digits = logits(3, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(networks.SumOverDigits(), (digits,))


def test_certain_digits_are_compared_without_an_infinity():
    digits = torch.full((3, 2, 10), -1e4)
    for pair, (a, b) in enumerate(((3, 7), (7, 3), (0, 0))):
        digits[pair, 0, a] = digits[pair, 1, b] = 1e4
    digits.requires_grad_()
    out = networks.SumOverDigits()(digits)
    assert out.argmax(dim=1).tolist() == [1, 0, 1]
    F.cross_entropy(out, torch.tensor([0, 1, 0])).backward()
    assert torch.isfinite(out).all() and torch.isfinite(digits.grad).all()


def test_the_most_likely_digits_are_compared_as_a_person_would():
    digits = logits(200)
    named = digits.argmax(dim=2)
    decided = networks.MostLikelyDigits()(digits).argmax(dim=1)
    assert torch.equal(decided, (named[:, 0] <= named[:, 1]).long())


def test_parameters_are_those_of_the_layers_by_hand():
    convolutions = [(1, 64), (64, 64), (64, 128), (128, 128), (128, 128)]
    branch = sum(9 * i * o + 2 * o for i, o in convolutions) + 1152 * 10 + 10
    assert branch == parameter_count(networks.deep_branch()) == 418_634
    unpooled = [(1, 32), (32, 64), (64, 64), (64, 96), (96, 128), (128, 160)]
    unpooled = sum(9 * i * o + 2 * o for i, o in unpooled) + 640 * 10 + 10
    assert unpooled == parameter_count(networks.unpooled_branch()) == 413_290
    ensemble = partial(networks.ensemble, networks.SumOverDigits)
    assert summary_of(ensemble).parameters == branch + unpooled
    deep = partial(networks.deep_net, networks.SumOverDigits)
    assert summary_of(deep).parameters == branch
    assert summary_of(partial(networks.deep_net, networks.learned)).parameters == branch + 252


def test_an_ensemble_averages_the_log_posteriors_of_its_members(sample):
    torch.manual_seed(0)
    model = networks.ensemble(networks.SumOverDigits).eval()
    pairs = draw_pairs_reusing_images(sample.test, 5, np.random.default_rng(0)).images / 255
    members = model.branches.first.members
    by_hand = torch.stack([m(pairs[:, :1]).log_softmax(dim=1) for m in members]).mean(dim=0)
    output = model(pairs)
    assert len(output.auxiliary) == 1
    assert torch.allclose(output.auxiliary[0][:, 0], by_hand, atol=1e-6)
    assert torch.equal(output.target, model.head(output.auxiliary[0]))


def test_half_of_the_images_miss_a_square_in_training_mode_and_none_in_evaluation():
    torch.manual_seed(0)
    erased = networks.RandomErasing(side=4, share=0.5)
    images = torch.rand(2000, 1, 14, 14) + torch.randn(2000, 1, 1, 1)
    found = erased(images)
    changed = (found != images)[:, 0]
    pixels = changed.sum(dim=(1, 2))
    # The darkest pixel is not changed by its own darkness.
    assert set(pixels.tolist()) == {0, 15, 16}
    assert 900 < (pixels > 0).sum() < 1100
    for square in changed[pixels == 16]:
        assert square.any(dim=0).sum() == square.any(dim=1).sum() == 4
    assert changed.any(dim=0).all()  # every pixel, to the corners
    assert torch.equal(found.amin(dim=(1, 2, 3)), images.amin(dim=(1, 2, 3)))
    assert torch.equal(torch.where(changed[:, None], images.amin((1, 2, 3), True), images), found)
    assert torch.equal(erased.eval()(images), images)
