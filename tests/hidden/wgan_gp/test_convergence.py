"""Two short trainings on a ring of eight Gaussians: small networks of the grader's, and the student's own.

The ring is turned, scaled and moved at random and by far, so that no network can know it beforehand. What is judged
is what the training leaves in the weights: those of the grader's generator are evaluated here, those of the student's
in a fresh network, which must be a continuous function of z. Clouds are compared with a cloud that has the same number
of points in each mode: random mode counts alone would make a distance of a third.
"""

import itertools
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
OWN = ("convergence", "train_wgan_gp", "Generator", "Critic")


def draw_ring(draw):
    """A ring: centres (8, 2) and a function that draws n points, n / 8 from each mode.

    Its middle is farther from 0 than a right training ends from the ring: one known beforehand is none of this one.
    """
    turn, way = 2 * math.pi * draw.uniform(2)
    angles = 2 * math.pi * torch.arange(8) / 8 + turn
    middle = draw.uniform(1, low=1.2, high=1.5) * torch.stack([way.cos(), way.sin()])
    centres = middle + draw.uniform(1, low=1.7, high=2.1) * torch.stack([angles.cos(), angles.sin()], 1)

    def cloud(n):
        return centres.repeat(n // 8, 1) + 0.05 * draw.normal(8 * (n // 8), 2)

    return centres, cloud


def train_on(student, draw, generator, critic, cloud):
    """Train on points of a ring; the data."""
    data = cloud(4000)[torch.randperm(4000, generator=draw.generator())]
    student.train_wgan_gp(generator, critic, data.float(), **SETTINGS)
    return data


def answers_of(weights, expect, z, widths):
    """What affine layers of these widths with ReLU between them make of z, with the weights that came back."""
    what = _("weights after training")
    weights = list(weights.values()) if isinstance(weights, dict) else []
    expect.true(len(weights) == 2 * len(widths) - 2, _("train_wgan_gp: the generator has lost its weights."))
    for k, (n, m) in enumerate(itertools.pairwise(widths)):
        weight, bias = expect.tensor(weights[2 * k], (m, n), what), expect.tensor(weights[2 * k + 1], (m,), what)
        z = z @ weight.T + bias
        z = z.relu() if k < len(widths) - 2 else z
    return z


def distance(samples, fresh):
    """Wasserstein-2 distance of two clouds, at most FAR."""
    return min(FAR, wasserstein_exact(samples, fresh)) if samples.abs().max() < 1e3 else FAR


def effective_modes(samples, centres):
    """Exponential of the entropy of the shares of samples nearest to each centre: 8 where all are equal, 1 for one."""
    shares = torch.cdist(samples, centres).argmin(1).bincount(minlength=len(centres)).double() / len(samples)
    return float(torch.special.entr(shares).sum().exp())


@check(points=1, kind="training", requires=PARTS, covers=("convergence", "any_module", "train_wgan_gp"), time_limit=120)
def test_ring_distance(student, probe, expect, calibrated, draw):
    """Trained on a ring of eight Gaussians, a small generator comes near to the data."""
    widths = [2, 64, 64, 2]
    generator, critic = probe.small_networks(widths, [2, 64, 64, 1], draw.seed(), draw.normal(1, dtype=torch.float32))
    _centres, cloud = draw_ring(draw)
    train_on(student, draw, generator, critic, cloud)
    samples = answers_of(probe.parameters(generator), expect, draw.normal(N_SAMPLES, 2), widths)
    calibrated(
        "ring_distance",
        distance(samples, cloud(N_SAMPLES)),
        what=_("Wasserstein-2 distance between samples and data"),
        hint=_("Look at the samples after 50, 150 and 300 steps: do they move towards the ring?"),
    )


def own_training(student, probe, expect, once):
    """The training of the student's own networks, shared by two checks: samples, data as many, centres."""

    def newborn(like):
        generator = expect.handle(student.Generator(latent_dim=2, dim=2))
        return probe.place_on(generator, like)

    def train(draw):
        z = draw.normal(N_SAMPLES, 2, dtype=torch.float32)
        shape = (N_SAMPLES, 2)
        what = _("samples after training")
        generator = newborn(z)
        critic = expect.handle(student.Critic(dim=2))
        probe.place_on(critic, z)
        centres, cloud = draw_ring(draw)
        fresh = cloud(N_SAMPLES)
        before = distance(expect.tensor(newborn(z)(z), shape, _("samples before training")), fresh)
        data = train_on(student, draw, generator, critic, cloud)
        hint = _("The training changes the generator's weights, and its samples come from z and these weights alone.")
        trained = probe.renewed(newborn(z), generator)
        expect.true(
            trained is not None,
            _("train_wgan_gp: after training the generator has other parameters or buffers than a new one."),
            hint=hint,
            mistake="training_stores_data",
        )
        trained = expect.handle(trained)
        samples = expect.tensor(trained(z), shape, what)
        after = distance(expect.tensor(newborn(z)(z), shape, what), fresh)
        expect.true(
            after > 0.5 * before,
            _("A new generator draws from the data after the training of another one."),
            hint=hint,
            mistake="training_stores_data",
        )
        copies = (torch.cdist(samples, data, compute_mode="donot_use_mm_for_euclid_dist").amin(1) < 1e-6).sum()
        expect.true(
            copies <= 5, _("The generator's samples are copies of training data."), mistake="training_stores_data"
        )
        if distance(samples, fresh) == FAR:  # they have run away, and the limits say so
            return samples, fresh, centres
        nearby = z + 1e-4 * draw.normal(N_SAMPLES, 2, dtype=torch.float32)
        ends = [expect.tensor(probe.evaluated(trained, rows), shape, what) for rows in (z, nearby)]
        jumps = ((ends[1] - ends[0]).norm(dim=1) > 0.03).double().mean()
        expect.true(
            jumps < 0.03,
            _("The generator's samples jump, or change from call to call, where z hardly moves: they are looked up or "
              "drawn, not made of z."),
            hint=hint,
            mistake="training_stores_data",
        )  # fmt: skip
        return samples, fresh, centres

    return once("own_training", train)


@check(points=0.5, kind="training", requires=(*PARTS, *NETWORKS), covers=OWN, time_limit=120)
def test_own_distance(student, probe, expect, calibrated, once):
    """Trained on a ring of eight Gaussians, your own networks come near to the data."""
    samples, fresh, _centres = own_training(student, probe, expect, once)
    calibrated(
        "own_distance",
        distance(samples, fresh),
        what=_("Wasserstein-2 distance between samples and data"),
        hint=_("Two or three hidden layers of 64 to 128 units are enough; the last layer has no activation."),
    )


@check(points=0.5, kind="training", requires=(*PARTS, *NETWORKS), covers=OWN, time_limit=120)
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
