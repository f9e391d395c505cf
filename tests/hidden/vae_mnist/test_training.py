"""Training: the history at frozen weights, and one short training on digits judged from several sides."""

import math

import torch

from autograder.judge import check
from autograder.judge.verdicts import CheckFailed
from autograder.language import _
from autograder.statistics.distances import sliced_wasserstein

PIXELS = 784
FROZEN = 1e-12  # a learning rate that moves no weight visibly
# The statement says these settings: it reads them here. The smaller data set is seen more often.
EPOCHS = 20
EPOCHS_ON_FEW = 160
SECONDS = 180.0  # of wall clock: many times what a machine with nothing else to do needs
COIN_TOSSES = -PIXELS * math.log(2.0)  # ELBO of a model without any knowledge; what is worse counts as this


def forward_pass(student, probe, expect, vae, x, eps):
    """Logits, mu and logvar of a VAE; from its parts where forward does not answer these three."""
    shapes, what = ((len(x), PIXELS), tuple(eps.shape), tuple(eps.shape)), "VAE(...)(x, eps)"
    try:
        answers = expect.sequence(vae(x, eps), 3, what)
        return [expect.tensor(a, shape, what) for a, shape in zip(answers, shapes, strict=True)]
    except CheckFailed:
        heads = expect.sequence(probe.encode(vae, x), 2, "model.encoder(x)")
        mu, logvar = (expect.tensor(head, tuple(eps.shape), "model.encoder(x)") for head in heads)
        z = expect.tensor(student.reparameterize(mu, logvar, eps), tuple(eps.shape))
        return [expect.tensor(probe.decode(vae, z), shapes[0], "model.decoder(z)"), mu, logvar]


def farthest(expect, before, after):
    """The largest change of any weight."""
    moves = [0.0]
    for name, start in before.items():
        start, end = (expect.tensor(p, None, f"parameter {name}", finite=False) for p in (start, after.get(name)))
        moves += [float((end - start).abs().max())] if end.shape == start.shape and end.numel() else []
    return max(moves)


@check(points=0.5, kind="exact", covers=("history",))
def test_history(student, probe, reference, expect, draw):
    """history["elbo"] has one value per epoch: the mean ELBO per image in nats, with beta = 1.

    At frozen weights it is known up to the noise, whose effect is measured on the student's own model.
    """
    latent_dim, draws = draw.integer(2, 4), 16
    # Many batches, the last one nearly full: averages over batches, over images and without the last batch are then
    # near to each other, and the value of one batch is not.
    batch_size, epochs = draw.integer(7, 9), 4
    n = 20 * batch_size - 1
    vae = expect.handle(student.VAE(latent_dim=latent_dim, hidden=draw.integer(16, 32)), "VAE(...)")
    probe.exact_mode(vae)
    probe.perturb(vae, 0.05, draw.seed())
    # Images from those that the decoder likes to their negatives: one batch is not like another.
    origin = torch.zeros(1, latent_dim, dtype=torch.float64)
    liked = (expect.tensor(probe.decode(vae, origin), (1, PIXELS), "model.decoder(z)") > 0).double()
    share = draw.uniform(n, 1, low=0.2, high=0.8)
    x = torch.where(draw.uniform(n, PIXELS) < share, liked, 1 - liked)
    what = f"train_vae(model, x, epochs={epochs}, batch_size={batch_size}, lr={FROZEN:g})"
    before = probe.parameters(vae)
    answer = student.train_vae(
        vae, x, epochs=epochs, batch_size=batch_size, lr=FROZEN, generator=draw.generator(), progress=False
    )
    history = expect.history(answer, "elbo", epochs, what)

    many, eps = x.repeat(draws, 1), draw.normal(draws * n, latent_dim)
    logits, mu, logvar = forward_pass(student, probe, expect, vae, many, eps)
    bounds = reference.elbo(many, logits, mu, logvar)
    accepted = [bounds]
    # A fault of the student's own elbo costs its points elsewhere, as long as elbo depends on its terms.
    try:
        own = expect.tensor(student.elbo(many, logits, mu, logvar), (draws * n,), "elbo(...)")
        accepted += [own] if own.std() > 1e-9 else []
    except CheckFailed:
        pass
    ranges = []
    for values in accepted:
        values = values.reshape(draws, n)
        noise = math.sqrt(float(values.var(0).sum())) / n
        # Averaging the batches' means weighs the smaller last batch more: both ways of averaging are in use. The
        # last batch left out moves the mean by a sixtieth of the spread; it costs its points elsewhere.
        uneven = 0.1 * float(values.mean(0).std())
        mean = float(values.mean())
        ranges.append((mean, 8 * noise + uneven + 1e-6 * abs(mean)))
    right = any(all(abs(h - mean) <= width for h in history) for mean, width in ranges)
    expect.true(
        right or farthest(expect, before, probe.parameters(vae)) < 1e-6,
        _("{what}: at so small a learning rate the model must stay what it is, but its weights have moved.").format(
            what=what
        ),
        hint=_("Pass `lr` to the optimiser."),
        mistake="learning_rate_ignored",
    )
    expect.true(
        right,
        _('{what}: history["elbo"] is not the mean ELBO per image of the model.').format(what=what),
        hint=_("Sum over the pixels, mean over the images, no sum over batches; the ELBO, not the loss."),
        mistake="history_is_loss" if all(abs(h + ranges[0][0]) <= ranges[0][1] for h in history) else None,
    )  # fmt: skip


@check(points=0.5, kind="exact", covers=("history", "training"))
def test_partial_batch(student, probe, expect, draw):
    """Batches have at most batch_size images, and an incomplete one is used: fewer images are trained on, too."""
    vae = expect.handle(student.VAE(latent_dim=2, hidden=16))
    probe.exact_mode(vae)
    n = draw.integer(3, 6)
    before = probe.parameters(vae)
    student.train_vae(
        vae, draw.uniform(n, PIXELS), epochs=2, batch_size=n + draw.integer(2, 50), generator=draw.generator()
    )
    after = probe.parameters(vae)

    def moved(name):
        tensors = [expect.tensor(p.get(name), None, f"parameter {name}", finite=False) for p in (before, after)]
        return tensors[0].shape != tensors[1].shape or not torch.equal(*tensors)

    expect.true(
        any(moved(name) for name in before),
        _("train_vae on fewer images than batch_size changes no weight."),
        hint=_("The last batch of an epoch may be smaller: keep it."),
    )
    n, batch_size = draw.integer(90, 110), draw.integer(3, 5)
    settings = {"epochs": 1, "batch_size": batch_size, "lr": FROZEN, "generator": draw.generator()}
    rows = expect.integers(probe.rows_per_call(student.train_vae, vae, draw.uniform(n, PIXELS), settings), "train_vae")
    expect.true(
        not rows or sum(k for k in rows if k <= batch_size) > n / 2,  # a look at all images besides does no harm
        _("train_vae with batch_size={size} trains on batches of up to {got} images.").format(
            size=batch_size, got=max(rows, default=0)
        ),
        mistake="batch_size_ignored",
    )


def trained(student, probe, expect, digits, draw):
    """A VAE 784-64-2-64-784 trained with default arguments: the handle, and its training images."""
    x = digits("train", 8000)
    vae = expect.handle(student.VAE(latent_dim=2, hidden=64))
    epochs = EPOCHS if len(x) > 4000 else EPOCHS_ON_FEW  # some 1,200 and 2,000 updates: fewer digits, harder to part
    student.train_vae(vae, x, epochs=epochs, generator=draw.generator())
    probe.evaluation_mode(vae)
    return vae, x


def decoded_points(student, probe, expect, vae, images, mu, logvar, eps):
    """The latent points that the student's own forward pass decodes.

    A fault in z = mu + exp(logvar / 2) eps, or a forward pass that leaves the noise out, has cost its points
    elsewhere; the training made the best of it, and is judged on what it was given.
    """
    shape, what = tuple(mu.shape), "reparameterize(mu, logvar, eps)"
    z = expect.tensor(student.reparameterize(mu, logvar, eps), shape, what).float()
    try:
        logits = expect.sequence(vae(images[:20], eps[:20]), 3, "model(x, eps)")[0]
        logits = expect.tensor(logits, (20, PIXELS), "model(x, eps)")
        of_means = expect.tensor(probe.decode(vae, mu[:20]), (20, PIXELS), "model.decoder(mu)")
    except CheckFailed:
        return z
    return mu if torch.allclose(logits, of_means, rtol=1e-3, atol=1e-3) else z


@check(points=1.5, kind="training", covers=("training", "posterior"), time_limit=SECONDS)
def test_held_out_elbo(student, probe, reference, expect, draw, digits, once, calibrated):
    """After a short training the ELBO of digits that the model has not seen is as high as it should be.

    The floor lies above what any decoder that ignores its code can reach, so a collapsed posterior fails.
    """
    vae, _x = once("trained", lambda d: trained(student, probe, expect, digits, d))
    images = digits("held_out", 2000)
    n, eps = len(images), draw.normal(len(images), 2, dtype=torch.float32)
    heads = expect.sequence(probe.encode(vae, images), 2, "model.encoder(x)")
    mu, logvar = (expect.tensor(head, (n, 2), "model.encoder(x)").float() for head in heads)
    z = decoded_points(student, probe, expect, vae, images, mu, logvar, eps)
    # Decoded in another order than encoded, so that nothing but the code can carry an image across.
    order = torch.randperm(n, generator=draw.generator())
    logits = expect.tensor(probe.decode(vae, z[order]), (n, PIXELS), "model.decoder(z)")
    bounds = reference.elbo(images[order].double(), logits, mu[order].double(), logvar[order].double())
    collapsed = bool(mu.var(0).mean() < 1e-4)
    calibrated(
        "held_out_elbo",
        max(float(bounds.mean()), COIN_TOSSES),
        better="higher",
        what=_("The ELBO of unseen digits after training"),
        hint=_("The posterior has collapsed: every image has the same code. Is the reconstruction summed over all "
               "pixels, and does its gradient reach the encoder?")
        if collapsed
        else _("Maximise the mean ELBO: look at the sign of the loss, at sums and means, at the steps."),
    )  # fmt: skip


@check(points=0.5, kind="training", covers=("samples",), time_limit=SECONDS)
def test_samples_like_digits(student, probe, expect, draw, digits, once, calibrated):
    """Samples of the trained model have the statistics of digits, and are not training images."""
    vae, x = once("trained", lambda d: trained(student, probe, expect, digits, d))
    n, what = 1000, "sample(trained model, 1000)"
    images = expect.tensor(student.sample(vae, n, generator=draw.generator()), (n, PIXELS), what)
    expect.true(images.abs().max() < 1e4, _("{what}: pixel means lie in [0, 1].").format(what=what))
    held_out = digits("held_out", 2000)
    to_held_out = torch.cdist(images.float(), held_out).min(1).values
    # Latent points between the digits' regions decode to no digit, more or less often by the optimiser's way: the
    # statistics are those of the three fifths of the samples that are nearest to digits.
    kept = images[to_held_out.argsort()[: 3 * n // 5]]
    shift = float((kept.mean(0) - held_out.double().mean(0)).square().mean().sqrt())
    sliced = sliced_wasserstein(kept, held_out, n_projections=100, seed=draw.seed())
    # A copy of a training image has the best of statistics: each figure is divided by how new the samples are,
    # which is about 1 for images as far from the training set as from others, and 0 for copies.
    to_training = torch.cdist(images[:500].float(), x).min(1).values
    novelty = float((to_training / to_held_out[:500].clamp_min(1e-9)).median().clamp(0.01, 1.0)) ** 2
    copied = "sample_returns_training" if novelty < 0.1 else None
    hint = _("Are the samples copies of training images?") if copied else None
    what = _("The distance of the samples' mean image to the digits'")
    calibrated("pixel_mean_shift", shift / novelty, what=what, hint=hint, mistake=copied)
    what = _("The sliced Wasserstein distance of samples to digits")
    calibrated("sliced_wasserstein", sliced / novelty, what=what, hint=hint, mistake=copied)
