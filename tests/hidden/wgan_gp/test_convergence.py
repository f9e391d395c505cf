"""Two short trainings on a ring of eight Gaussians: small networks of the grader's, and the student's own.

The ring is turned and moved at random, so that no network can know it beforehand. Clouds are compared with a cloud that
has the same number of points in each mode: random mode counts alone would make a distance of a third.
"""

import math

import torch

from autograder.judge import check
from autograder.language import _
from autograder.statistics import wasserstein_exact

SETTINGS = {"steps": 300, "n_critic": 3, "lr": 2.5e-3, "gp_weight": 1.0, "batch_size": 64}
N_SAMPLES = 640
FAR = 3.0  # farther is no worse: the ring itself is 4 wide, and diverged trainings would blur the calibration
PARTS = ("training_updates", "penalty_weight_gradient")
NETWORKS = ("generator_answers", "critic_scores")


def draw_ring(draw):
    """A ring: centres (8, 2) and a function that draws n points, n / 8 from each mode."""
    angles = 2 * math.pi * torch.arange(8) / 8 + 2 * math.pi * draw.uniform(1)
    centres = draw.uniform(2, low=-0.5, high=0.5) + 2 * torch.stack([angles.cos(), angles.sin()], 1)

    def cloud(n):
        return centres.repeat(n // 8, 1) + 0.05 * draw.normal(8 * (n // 8), 2)

    return centres, cloud


def trained_cloud(student, expect, draw, generator, critic):
    """Train on a ring: samples of the generator (N, 2), a fresh cloud of data (N, 2), training data, the centres."""
    centres, cloud = draw_ring(draw)
    data = cloud(4000)[torch.randperm(4000, generator=draw.generator())]
    student.train_wgan_gp(generator, critic, data.float(), **SETTINGS)
    samples = expect.tensor(
        generator(draw.normal(N_SAMPLES, 2, dtype=torch.float32)), (N_SAMPLES, 2), _("samples after training")
    )
    return samples, cloud(N_SAMPLES), data, centres


def distance(samples, fresh):
    """Wasserstein-2 distance of two clouds, at most FAR."""
    return min(FAR, wasserstein_exact(samples, fresh)) if samples.abs().max() < 1e3 else FAR


def effective_modes(samples, centres):
    """Exponential of the entropy of the shares of samples nearest to each centre: 8 where all are equal, 1 for one."""
    shares = torch.cdist(samples, centres).argmin(1).bincount(minlength=len(centres)).double() / len(samples)
    return float(torch.special.entr(shares).sum().exp())


@check(points=1, kind="training", requires=PARTS, covers=("convergence", "any_module"))
def test_ring_distance(student, probe, expect, calibrated, draw):
    """Trained on a ring of eight Gaussians, a small generator comes near to the data."""
    like = draw.normal(1, dtype=torch.float32)
    generator, critic = probe.small_networks([2, 64, 64, 2], [2, 64, 64, 1], draw.seed(), like)
    samples, fresh, _data, _centres = trained_cloud(student, expect, draw, generator, critic)
    calibrated(
        "ring_distance",
        distance(samples, fresh),
        what=_("Wasserstein-2 distance between samples and data"),
        hint=_("Look at the samples after 50, 150 and 300 steps: do they move towards the ring?"),
    )


def own_training(student, probe, expect, once):
    """The training of the student's own networks, shared by two checks."""

    def train(draw):
        generator = expect.handle(student.Generator(latent_dim=2, dim=2))
        critic = expect.handle(student.Critic(dim=2))
        like = draw.normal(1, dtype=torch.float32)
        probe.place_on(generator, like)
        probe.place_on(critic, like)
        samples, fresh, data, centres = trained_cloud(student, expect, draw, generator, critic)
        copies = (torch.cdist(samples, data, compute_mode="donot_use_mm_for_euclid_dist").amin(1) < 1e-6).sum()
        expect.true(copies <= 5, _("The generator's samples are copies of training data."))
        return samples, fresh, centres

    return once("own_training", train)


@check(points=0.5, kind="training", requires=(*PARTS, *NETWORKS), covers=("convergence",), time_limit=120)
def test_own_distance(student, probe, expect, calibrated, once):
    """Trained on a ring of eight Gaussians, your own networks come near to the data."""
    samples, fresh, _centres = own_training(student, probe, expect, once)
    calibrated(
        "own_distance",
        distance(samples, fresh),
        what=_("Wasserstein-2 distance between samples and data"),
        hint=_("Two or three hidden layers of 64 to 128 units are enough; the last layer has no activation."),
    )


@check(points=0.5, kind="training", requires=(*PARTS, *NETWORKS), covers=("convergence",), time_limit=120)
def test_own_modes(student, probe, expect, calibrated, once):
    """Trained on a ring of eight Gaussians, your own generator covers the modes: no mode collapse."""
    samples, fresh, centres = own_training(student, probe, expect, once)
    lost = len(centres) - effective_modes(samples, centres)
    # Samples that ran away, or lie between the modes, are another story: the ring's own spread is 2.
    spread = float(samples.var(0).sum().sqrt())
    collapsed = lost > 3 and spread < 0.5 and distance(samples, fresh) < FAR
    calibrated(
        "lost_modes",
        lost,
        what=_("Number of modes that the samples miss"),
        hint=_("Does every coordinate of z reach the output? Draw 500 samples and look at them."),
        mistake="collapsed" if collapsed else None,
    )
