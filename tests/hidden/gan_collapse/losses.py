"""The losses of both networks, as the contract has them."""

from __future__ import annotations

import torch.nn.functional as F


def right_discriminator(real, fake, smoothing=0.0, loss="non_saturating"):
    """The sum of the two means."""
    if loss == "wasserstein":
        return fake.mean() - real.mean()
    return ((1 - smoothing) * F.softplus(-real) + smoothing * F.softplus(real)).mean() + F.softplus(fake).mean()


def right_generator(fake, loss="non_saturating"):
    """What the generator minimises."""
    return {"non_saturating": F.softplus(-fake), "saturating": -F.softplus(fake), "wasserstein": -fake}[loss].mean()
