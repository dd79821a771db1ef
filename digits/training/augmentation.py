"""New training pairs from old ones: images paired anew, and images a little distorted.

Only the pairs that are handed over are used, so what is held out stays out.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from digits.data.pairs import Pairs, target_of
from digits.training.recipe import Recipe

#: The most that an image is turned (radians), scaled (logarithm), sheared (pixels to the side a
#: pixel upwards) and shifted (pixels of the 14x14 image); each is uniform up to that, either way.
ROTATION, SCALING, SHEAR, SHIFT = 0.26, 0.15, 0.15, 1.0
#: Elastic bending: SD of each pixel's way, and of the Gaussian that neighbours' ways are blurred
#: by, in pixels of the 14x14 image.
BEND, BLUR = 0.5, 2.0


def augment(pairs: Pairs, recipe: Recipe, generator: torch.Generator, epoch: int) -> Pairs:
    """Return what an epoch of a training, from 0, trains on.

    That is `pairs`, paired anew and distorted as `recipe` says.
    """
    if recipe.augmentation == "re-pairing":
        pairs = re_pair(pairs, generator)
    elif recipe.augmentation == "permuting":
        pairs = permute(pairs, generator)
    if epoch >= recipe.distorted_epochs:
        return pairs
    images = distort(pairs.images.flatten(0, 1), generator, elastic=recipe.distortion == "elastic")
    return Pairs(images.unflatten(0, (-1, 2)), pairs.classes, pairs.target)


def re_pair(pairs: Pairs, generator: torch.Generator) -> Pairs:
    """Pair the 2N images of N pairs anew: each once as the first, with any of them as the second.

    The order of the first images stays as it is; the second may be the same image, as in the code
    of cadei.
    """
    images, classes = pairs.images.flatten(0, 1), pairs.classes.flatten()
    second = torch.randint(len(images), (len(images),), generator=generator).to(images.device)
    new_classes = torch.stack([classes, classes[second]], dim=1)
    return Pairs(torch.stack([images, images[second]], dim=1), new_classes, target_of(new_classes))


def permute(pairs: Pairs, generator: torch.Generator) -> Pairs:
    """Pair the 2N images of N pairs anew to N pairs, each image in one of them."""
    order = torch.randperm(2 * len(pairs), generator=generator).to(pairs.images.device).view(-1, 2)
    classes = pairs.classes.flatten()[order]
    return Pairs(pairs.images.flatten(0, 1)[order], classes, target_of(classes))


def distort(images: Tensor, generator: torch.Generator, elastic: bool) -> Tensor:
    """Turn, scale, shear and shift each image (N, 14, 14) a little; `elastic`: bend it as well.

    Pixels are linear mixtures of the image's own and of its darkest one, which also fills in from
    outside: none leaves the range that the image had.
    """
    n, height, width = images.shape
    device = images.device

    def uniform(most: float) -> Tensor:
        drawn = torch.rand(n, 1, 1, generator=generator)
        return (2 * drawn - 1).mul(most).to(device)

    angle, shear = uniform(ROTATION), uniform(SHEAR)
    across, along = uniform(SCALING).exp(), uniform(SCALING).exp()
    # Where each pixel of the new image is taken from, in pixels from the centre.
    y, x = torch.meshgrid(
        torch.arange(height, device=device) - (height - 1) / 2,
        torch.arange(width, device=device) - (width - 1) / 2,
        indexing="ij",
    )
    x, y = x + shear * y, y.expand(n, -1, -1)
    x, y = across * (x * angle.cos() - y * angle.sin()), along * (x * angle.sin() + y * angle.cos())
    x, y = x + uniform(SHIFT), y + uniform(SHIFT)
    if elastic:
        bent = bending(n, height, width, generator).to(device)
        x, y = x + bent[:, 0], y + bent[:, 1]
    return sample(images, x, y)


def bending(n: int, height: int, width: int, generator: torch.Generator) -> Tensor:
    """Draw smooth fields of displacements (n, 2, height, width), in pixels, of SD `BEND`."""
    reach = round(3 * BLUR)
    bell = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / BLUR) ** 2)
    bell /= bell.norm()  # keeps the SD of independent numbers at 1
    noise = torch.randn(2 * n, 1, height + 2 * reach, width + 2 * reach, generator=generator)
    blurred = F.conv2d(F.conv2d(noise, bell.view(1, 1, -1, 1)), bell.view(1, 1, 1, -1))
    return BEND * blurred.view(n, 2, height, width)


def sample(images: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Read images (N, H, W) at places (N, H, W) between pixels, given in pixels from the centre."""
    height, width = images.shape[1:]
    darkest = images.amin(dim=(1, 2), keepdim=True)
    grid = torch.stack([x * 2 / width, y * 2 / height], dim=-1)
    read = F.grid_sample((images - darkest).unsqueeze(1), grid, align_corners=False)
    # Rounding alone could leave the range.
    read = torch.minimum(read.squeeze(1), (images - darkest).amax(dim=(1, 2), keepdim=True))
    return read.clamp(min=0) + darkest
