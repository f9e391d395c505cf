"""What the networks learn of real digits: the noise in others, and images that do what the prompt says."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import N_, _

from .trainings import WHAT, attempt, draw_words

# The statement says these settings: it reads them here.
IMAGES = 4000
LATENTS = 16
FIT = {"steps": 600, "batch_size": 128, "lr": 2e-3, "drop_probability": 0.1}
T = 100
DIM = 16
HIDDEN = 128
TIMES = range(T - 1, -1, -5)


class Digits:
    """Digits in a latent space whose axes are turned for the student, with made-up words for them."""

    def __init__(self, reference, draw, labelled_digits):
        images, self.labels = labelled_digits("train", IMAGES, size=16)
        mean, components, scale = reference.fit_latent_space(images, LATENTS)
        turn = torch.linalg.qr(draw.normal(LATENTS, LATENTS))[0].float()
        self.space = mean, turn @ components, scale
        self.words = draw_words(draw, 10)
        self.vocabulary = draw.shuffle([*self.words, "the", "number"])
        self.z = reference.encode(images, self.space)
        self.laws = []
        for label in range(10):
            z = self.z[self.labels == label].double()
            cov = torch.cov(z.T) + 0.05 * torch.eye(LATENTS)
            self.laws.append(torch.distributions.MultivariateNormal(z.mean(0), cov))

    def prompts(self, labels):
        """What the images show, in words."""
        return [f"the number {self.words[label]}" for label in labels.tolist()]

    def classify(self, images):
        """Log-densities of the classes (B, 10), a Gaussian each in the latent space."""
        mean, components, scale = self.space
        z = (scale * (images - mean) @ components.T).double()
        return torch.stack([law.log_prob(z) for law in self.laws], 1)


def train_on_digits(student, reference, probe, expect, labelled_digits):
    """The function for `once`: the student's networks, trained by the student's loop, as new networks with the weights.

    A network that is missing has checks of its own: one of ours takes its place.
    """

    def newborn(words):
        model = attempt(lambda: expect.handle(student.Denoiser(LATENTS, DIM, T, hidden=HIDDEN)))
        encoder = attempt(lambda: expect.handle(student.TextEncoder(words, dim=DIM)))
        return model, encoder

    def train(draw):
        digits = Digits(reference, draw, labelled_digits)
        prompts = digits.prompts(digits.labels)
        phrases = digits.prompts(torch.arange(10))

        def networks():
            model, encoder = newborn(digits.vocabulary)
            table = draw.normal(10, DIM, dtype=torch.float32)
            return model or probe.perceptron(LATENTS, DIM, T, HIDDEN), encoder or probe.phrases(phrases, table)

        trained = networks()
        student.train_text_to_image(
            *trained, reference.noise_schedule(T), digits.z, prompts, **FIT, generator=draw.generator()
        )
        renewed = [probe.renewed(fresh, old) for fresh, old in zip(networks(), trained, strict=True)]
        expect.true(
            all(network is not None for network in renewed),
            _("{what}: after training a network has other parameters or buffers than a new one.").format(what=WHAT),
            mistake="training_stores_data",
        )
        return renewed, networks(), digits

    return train


STORED = N_("What is learnt is in the networks' weights: new networks with these weights are judged.")


class Trained:
    """Networks, and what they answer."""

    def __init__(self, networks, reference, probe, expect, digits):
        (self.model, self.encoder), self.digits = networks, digits
        self.reference, self.probe, self.expect = reference, probe, expect
        self.bars = reference.noise_schedule(T)

    def conditions(self, labels):
        """The vectors of the prompts."""
        answer = self.probe.predict(self.encoder, self.digits.prompts(labels))
        return self.expect.tensor(answer, (len(labels), DIM), "TextEncoder(...)(prompts)").float()

    def noise(self, z, t, c):
        """What the model answers."""
        return self.expect.tensor(self.probe.predict(self.model, z, t, c), tuple(z.shape), "Denoiser(...)").float()

    def loss(self, z, t, noise, c):
        """The mean squared error of the guessed noise."""
        bars = self.bars[t][:, None]
        return float((self.noise(bars.sqrt() * z + (1 - bars).sqrt() * noise, t, c) - noise).square().mean())

    def draw(self, z_T, labels, w):
        """Latents drawn with guidance w."""
        c = self.conditions(labels)

        def noise(z, t):
            return self.reference.guided_noise(self.noise, z, t, c, w)

        return self.reference.ddim_sample(noise, self.bars, z_T, TIMES)


@check(
    points=0.25, kind="training", time_limit=180,
    covers=("learned", "train_text_to_image", "diffusion_loss", "Denoiser", "TextEncoder"),
)  # fmt: skip
def test_training_loss(student, reference, probe, expect, once, draw, labelled_digits, calibrated):
    """After the training the noise of unseen digits is found, and better with the right prompt than without."""
    train = train_on_digits(student, reference, probe, expect, labelled_digits)
    networks, fresh, digits = once("digits", train)
    judged = Trained(networks, reference, probe, expect, digits)
    images, labels = labelled_digits("held_out", 390, size=16)
    z, t = reference.encode(images, digits.space), torch.arange(len(images)) % T
    noise = draw.normal(*z.shape, dtype=torch.float32)
    c = judged.conditions(labels)
    value = judged.loss(z, t, noise, c)
    untrained = Trained(fresh, reference, probe, expect, digits)
    # A network that has learnt nothing is judged by its loss.
    expect.true(
        value > 0.6 or untrained.loss(z, t, noise, untrained.conditions(labels)) > 1.5 * value,
        _("{what}: untrained networks find the noise as well.").format(what=WHAT),
        hint=_(STORED),
        mistake="training_stores_data",
    )
    calibrated("held_out_loss", value, better="lower", what=_("the loss on unseen digits with their prompts"))
    others = judged.conditions((labels + 1) % 10)
    expect.true(
        value < 0.95 * judged.loss(z, t, noise, 0 * c) and value < 0.9 * judged.loss(z, t, noise, others),
        _("{what}: the right prompt does not help the network.").format(what=WHAT),
        hint=_("Does the network use c, and do latents and prompts belong together?"),
    )


@check(
    points=0.5, kind="training", time_limit=180, requires=("training_loss",),
    covers=("adherence", "train_text_to_image", "diffusion_loss", "Denoiser", "TextEncoder"),
)  # fmt: skip
def test_guided_digits(student, reference, probe, expect, once, draw, labelled_digits, calibrated):
    """Guided by their prompts the trained networks draw the digits asked for, new ones, and vary without guidance."""
    train = train_on_digits(student, reference, probe, expect, labelled_digits)
    networks, _fresh, digits = once("digits", train)
    judged = Trained(networks, reference, probe, expect, digits)
    labels = torch.arange(200) % 10
    z_T = draw.normal(len(labels), LATENTS, dtype=torch.float32)
    found = {w: judged.draw(z_T, labels, w) for w in (0.0, 2.0)}
    adherence, spread = {}, {}
    for w, z in found.items():
        expect.true(bool((z.abs() < 1e3).all()), _("the latents drawn with w = {w:g} run away").format(w=w))
        images = reference.decode(z, digits.space).clamp(0, 1)
        adherence[w], spread[w] = reference.evaluate_samples(images, labels, digits.classify)
    calibrated(
        "adherence", adherence[2.0], better="higher",
        what=_("the share of digits that are what the prompt says, with w = 2"),
    )  # fmt: skip
    real = reference.decode(digits.z[:600], digits.space).clamp(0, 1)
    _share, within = reference.evaluate_samples(real, digits.labels[:600], digits.classify)
    # A small network draws digits hardly wider than real ones of a class; one never told of no prompt, narrower ones.
    expect.true(
        adherence[0.0] < 0.4 and spread[0.0] > 0.9 * within,
        _("{what}: without a prompt (w = 0) the network does not draw digits of all kinds.").format(what=WHAT),
        hint=_("Prompts must be dropped in training: how else would the network learn what to do without one?"),
        mistake="never_dropped",
    )
    nearest = torch.cdist(found[2.0], digits.z).min(1).values
    apart = torch.pdist(found[2.0]).min()
    expect.true(
        float(nearest.median()) > 0.05 and float(apart) > 1e-3,
        _("{what}: these are training images, or the same image again and again.").format(what=WHAT),
        hint=_(STORED),
        mistake="training_stores_data",
    )
