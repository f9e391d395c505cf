"""Two short trainings on digits: networks of the judge's, and the student's own.

The pixels stand in a secret order, and half of them are inverted, so that no network can know them beforehand. What is
judged is what the training leaves in the weights: those of the judge's generator are evaluated here, those of the
student's in a fresh network, which must be a continuous function of z.
"""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _

SETTINGS = {"steps": 600, "batch_size": 64}
LATENT, HIDDEN, SIDE = 16, 64, 8
N_SAMPLES = 1500
COORDINATES = 20
FAR = 2.0  # farther is no worse: diverged trainings would blur the calibration
PARTS = ("training_updates",)
NETWORKS = ("generator_answers", "generator_norm", "discriminator_logits")


def draw_digits(draw):
    """1,797 digits of 8 x 8 pixels in [-1, 1], in a secret order of the pixels, half of them inverted."""
    from sklearn.datasets import load_digits

    images = torch.tensor(load_digits().data, dtype=torch.float64) / 8 - 1  # (1797, 64)
    order = torch.randperm(SIDE * SIDE, generator=draw.generator())
    signs = torch.tensor(draw.shuffle([1.0, -1.0] * (SIDE * SIDE // 2)), dtype=torch.float64)
    return images[torch.randperm(len(images), generator=draw.generator())][:, order] * signs


def root(matrix):
    """The root of a symmetric matrix without negative eigenvalues."""
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T


def frechet(samples, data):
    """Fréchet distance of Gaussians on the data's first principal coordinates, over the data's variance there."""
    centre = data.mean(0)
    axes = torch.linalg.svd(data - centre, full_matrices=False).Vh[:COORDINATES].T  # (64, 20)
    x, y = (samples - centre) @ axes, (data - centre) @ axes
    of_x, of_y = torch.cov(x.T), torch.cov(y.T)
    middle = root(of_y)
    cross = root(middle @ of_x @ middle)
    gap = (x.mean(0) - y.mean(0)).square().sum() + of_x.trace() + of_y.trace() - 2 * cross.trace()
    return min(FAR, float(gap / of_y.trace()))


def generated(values, expect, z):
    """What the judge's generator makes of z in evaluation mode, with the state that came back."""
    expect.true(isinstance(values, dict), _("train_gan: the generator has lost its weights."))

    def value(name, *shape):
        return expect.tensor(values.get(name), shape, _("weights after training")).double()

    for layer, norm, n in (("first", "norm1", LATENT), ("second", "norm2", HIDDEN)):
        z = z @ value(f"{layer}.weight", HIDDEN, n).T + value(f"{layer}.bias", HIDDEN)
        spread = (value(f"{norm}.running_var", HIDDEN) + 1e-5).sqrt()
        z = (z - value(f"{norm}.running_mean", HIDDEN)) / spread
        z = (z * value(f"{norm}.weight", HIDDEN) + value(f"{norm}.bias", HIDDEN)).relu()
    return (z @ value("last.weight", SIDE * SIDE, HIDDEN).T + value("last.bias", SIDE * SIDE)).tanh()


@check(points=0.75, kind="training", requires=PARTS, covers=("quality", "train_gan"), time_limit=120)
def test_quality_given(student, probe, expect, calibrated, draw):
    """Trained on digits, a small generator with batch normalisation comes near to them."""
    data = draw_digits(draw)
    like = torch.zeros(1)
    generator, discriminator = probe.small_networks(LATENT, HIDDEN, SIDE * SIDE, draw.seed(), like)
    student.train_gan(generator, discriminator, data.float(), **SETTINGS)
    values = probe.state(generator)
    samples = generated(values, expect, draw.normal(N_SAMPLES, LATENT))
    still = not bool(torch.as_tensor(values["norm1.running_mean"]).abs().max() > 0)
    calibrated(
        "given_distance",
        frechet(samples, data),
        what=_("Fréchet distance between samples and digits"),
        hint=_("Look at 64 samples after 100, 300 and 600 steps: do they become digits, and different ones?"),
        mistake="evaluation_in_training" if still else None,
    )


@check(
    points=0.5, kind="training", requires=(*PARTS, *NETWORKS),
    covers=("quality", "train_gan", "Generator", "Discriminator"), time_limit=120,
)  # fmt: skip
def test_quality_own(student, probe, expect, calibrated, draw):
    """Trained on digits, your own networks come near to them."""
    dim, shape = SIDE * SIDE, (N_SAMPLES, SIDE * SIDE)
    data = draw_digits(draw)
    z = draw.normal(N_SAMPLES, LATENT, dtype=torch.float32)
    what = _("samples after training")

    def newborn():
        generator = expect.handle(student.Generator(latent_dim=LATENT, dim=dim, hidden=HIDDEN))
        return probe.place_on(generator, z)

    def answers(generator, rows):
        return expect.tensor(probe.evaluated(generator, rows), shape, what).double()

    generator = newborn()
    discriminator = expect.handle(student.Discriminator(dim=dim, hidden=HIDDEN))
    probe.place_on(discriminator, z)
    before = frechet(answers(newborn(), z), data)
    student.train_gan(generator, discriminator, data.float(), **SETTINGS)
    hint = _("The training changes the generator's weights, and its samples come from z and these weights alone.")
    trained = probe.renewed(newborn(), generator)
    expect.true(
        trained is not None,
        _("train_gan: after training the generator has other parameters or buffers than a new one."),
        hint=hint,
        mistake="training_stores_data",
    )
    trained = expect.handle(trained)
    samples = answers(trained, z)
    expect.true(
        frechet(answers(newborn(), z), data) > 0.5 * before,
        _("A new generator draws digits after the training of another one."),
        hint=hint,
        mistake="training_stores_data",
    )
    nearby = answers(trained, z + 1e-4 * draw.normal(N_SAMPLES, LATENT, dtype=torch.float32))
    jumps = ((samples - nearby).norm(dim=1) > 0.1).double().mean()
    copies = (torch.cdist(samples, data).amin(1) < 1e-3).sum()
    expect.true(
        jumps < 0.03 and copies <= 5,
        _("The generator's samples are copies of training data, or jump where z hardly moves: they are looked up, not "
          "made of z."),
        hint=hint,
        mistake="training_stores_data",
    )  # fmt: skip
    spread = torch.linalg.svdvals(samples - samples.mean(0)).square()
    calibrated(
        "own_distance",
        frechet(samples, data),
        what=_("Fréchet distance between samples and digits"),
        hint=_(
            "Do the layers start with different weights, about as large as torch's? Does every unit get a gradient?"
        ),
        mistake="equal_weights" if spread[0] > 0.7 * spread.sum() else None,
    )
