"""Weight sharing is one module for both images, and each image reaches its own branch."""

import torch
from torch import nn

from digits.models import zadoks
from digits.models.blocks import PerImage


def test_both_images_train_a_shared_module():
    layer = PerImage(lambda: torch.nn.Linear(1, 1, bias=False), shared=True)
    first, second = layer(torch.tensor([[2.0]]), torch.tensor([[3.0]]))
    (first + second).backward()
    assert layer.first.weight.grad.item() == 5.0


def test_the_first_and_the_second_image_reach_their_own_branch():
    model = zadoks.twin_net(shared=False, auxiliary=True).eval()
    pairs = torch.rand(2, 2, 14, 14) * 255
    changed = pairs.clone()
    changed[:, 1] = 0
    before, after = model(pairs).auxiliary[0], model(changed).auxiliary[0]
    assert torch.equal(before[:, 0], after[:, 0])
    assert not torch.equal(before[:, 1], after[:, 1])


def test_one_batch_means_statistics_of_both_positions():
    apart, together = (
        PerImage(lambda: nn.BatchNorm1d(1), shared=True, one_batch=one) for one in (False, True)
    )
    low, high = torch.zeros(4, 1), torch.ones(4, 1)
    assert [x.mean().item() for x in apart(low, high)] == [0, 0]
    first, second = together(low, high)
    assert (first < 0).all() and (second > 0).all()
