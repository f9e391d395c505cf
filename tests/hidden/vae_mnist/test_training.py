"""Training: its loop on a model of the judge's, then one short training on digits judged from several sides.

The digits' pixels are in an order of the judge's own: layers that join all pixels do not notice, and no file can hold
weights or images in that order.
"""

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
WEIGHTS = ("encoder.mu.weight", "encoder.mu.bias", "encoder.logvar.weight", "encoder.logvar.bias", "decoder.weight",
           "decoder.bias")  # fmt: skip


class Known:
    """A VAE of the judge's with affine encoder heads and an affine decoder: its handle, and its weights here.

    Posteriors are wide and far from the prior in some coordinates, and decoder weights differ in size, so that every
    weight of the KL divergence moves some weights another way.

    Args:
        scale: of the decoder's weights, and with them of what the noise does to the bound.
        away: distance of the posteriors' means from 0, and with it size of the KL divergence; as it comes where None.
    """

    def __init__(self, probe, draw, latent_dim, scale=0.2, away=None):
        self.latent_dim = latent_dim
        sizes = torch.logspace(-1.5, 0, latent_dim, dtype=torch.float64)[draw.shuffle(range(latent_dim))]
        centre = draw.normal(latent_dim)
        self.weights = [
            0.02 * draw.normal(latent_dim, PIXELS), centre if away is None else away * centre / centre.norm(),
            0.02 * draw.normal(latent_dim, PIXELS), 0.7 * draw.normal(latent_dim),
            scale * draw.normal(PIXELS, latent_dim) * sizes, draw.normal(PIXELS),
        ]  # fmt: skip
        self.handle = probe.affine_model(*self.weights)

    def terms(self, x, eps=None, z=None, weights=None):
        """Logits, mu, logvar; the latent points are given by their noise, or themselves."""
        a, b, c, d, e, f = weights or self.weights
        mu, logvar = x @ a.T + b, x @ c.T + d
        if z is not None:
            eps = ((z - mu) / torch.exp(logvar / 2)).detach()
        return (mu + torch.exp(logvar / 2) * eps) @ e.T + f, mu, logvar


def explained(own, recon, kl):
    """Whether values are mostly the two terms of the bound, weighed in some way: a faulty ELBO of merit.

    A fault of the student's own elbo costs its points elsewhere, and the training is then judged with it; an elbo that
    has nothing to do with the two terms is no measure of a training.
    """
    if not own.isfinite().all() or own.std() <= 1e-6 * own.abs().mean():
        return False
    terms = torch.stack([recon, kl, torch.ones_like(kl)], 1)
    rest = own - terms @ torch.linalg.lstsq(terms, own[:, None]).solution[:, 0]
    return bool(rest.std() < 0.5 * own.std())


def own_values(student, expect, reference, x, logits, mu, logvar):
    """What the student's own elbo gives, where it is one of merit; None where it is right or worth nothing."""
    try:
        own = expect.tensor(student.elbo(x, logits, mu, logvar), (len(x),), "elbo(...)")
    except CheckFailed:
        return None
    recon, kl = reference.reconstruction_log_likelihood(logits, x), reference.kl_divergence(mu, logvar)
    return own if explained(own, recon, kl) and not torch.allclose(own, recon - kl, rtol=1e-6) else None


def data(draw, n):
    """Images that differ in brightness and in detail."""
    return (draw.uniform(n, 1, low=0.1, high=0.9) + 0.4 * draw.normal(n, PIXELS)).clamp(0, 1)


@check(points=0.5, kind="exact", covers=("history", "train_vae"))
def test_history(student, probe, reference, expect, draw):
    """history["elbo"] has one value per epoch: the mean ELBO per image in nats, with beta = 1.

    On a model of the judge's at frozen weights, where it is known up to the noise.
    """
    draws, epochs = 16, 8
    # Many batches, the last one nearly full: averages over batches, over images and without the last batch are then
    # near to each other, and the value of one batch is not. Little noise, and a KL divergence to be seen.
    batch_size = draw.integer(7, 9)
    n = 20 * batch_size - 1
    model, x = Known(probe, draw, draw.integer(3, 5), scale=0.05, away=7.0), data(draw, n)
    what = f"train_vae(model, x, epochs={epochs}, batch_size={batch_size}, lr={FROZEN:g})"
    before = probe.parameters(model.handle)
    answer = student.train_vae(
        model.handle, x, epochs=epochs, batch_size=batch_size, lr=FROZEN, generator=draw.generator(), progress=False
    )
    history = expect.history(answer, "elbo", epochs, what)

    many, eps = x.repeat(draws, 1), draw.normal(draws * n, model.latent_dim)
    logits, mu, logvar = model.terms(many, eps)
    accepted = [reference.elbo(many, logits, mu, logvar)]
    own = own_values(student, expect, reference, many, logits, mu, logvar)
    accepted += [own] if own is not None else []
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
    kl, width = float(reference.kl_divergence(mu, logvar).mean()), ranges[0][1]
    other_weight = any(all(abs(h - ranges[0][0] - more * kl) <= width for h in history) for more in (1, 0.9, 0.5, -1))
    expect.true(
        right or farthest(expect, before, probe.parameters(model.handle)) < 1e-6,
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
        mistake="history_is_loss" if all(abs(h + ranges[0][0]) <= width for h in history)
        else "history_kl_weight" if other_weight else None,
    )  # fmt: skip


def farthest(expect, before, after):
    """The largest change of any weight."""
    moves = [0.0]
    for name, start in before.items():
        start, end = (expect.tensor(p, None, f"parameter {name}", finite=False) for p in (start, after.get(name)))
        moves += [float((end - start).abs().max())] if end.shape == start.shape and end.numel() else []
    return max(moves)


def recorded(student, probe, expect, model, x, **settings):
    """Train a model of the judge's: the history, the images of each call, the latent points, and gradients."""
    found = probe.recorded_training(student.train_vae, model.handle, x, settings)
    expect.true(isinstance(found, dict) and "calls" in found, _("train_vae has not trained."))
    calls = [expect.integers(rows, "train_vae", low=0, high=len(x) - 1) for rows in found["calls"]]
    points = found["points"]
    if points is not None:
        points = expect.tensor(points, (None, model.latent_dim), _("the latent points of train_vae"))
    return calls, points, found


def agreement(moves, gradients):
    """The share of the weights, of those that should move clearly, that move the right way."""
    agree = total = 0
    for move, gradient in zip(moves, gradients, strict=True):
        clear = gradient.abs() > 0.02 * gradient.abs().max()
        agree += int((move.sign() == gradient.sign())[clear].sum())
        total += int(clear.sum())
    return agree / max(total, 1)


def expect_fresh_noise(student, probe, expect, draw):
    """Two batches, at weights that stay: no row of the second one's noise is one of the first's."""
    n = draw.integer(5, 7)
    model, x = Known(probe, draw, 4), data(draw, 2 * n)
    settings = {"epochs": 1, "batch_size": n, "lr": FROZEN, "generator": draw.generator()}
    calls, points, _found = recorded(student, probe, expect, model, x, **settings)
    order = [i for rows in calls for i in rows]
    if [len(rows) for rows in calls] != [n, n] or points is None or len(points) != 2 * n:
        return  # what else is encoded or decoded has no order that is known
    _logits, mu, logvar = model.terms(x[order], z=points)
    eps = (points - mu) / torch.exp(logvar / 2)
    expect.true(
        torch.cdist(eps[:n], eps[n:]).min() > 1e-6,
        _("train_vae: a batch gets the noise of an earlier one."),
        hint=_("Draw the noise inside the loop over batches: it is fresh for each."),
        mistake="noise_drawn_once",
    )


@check(points=0.5, kind="exact", covers=("training", "train_vae"))
def test_update(student, probe, reference, expect, draw):
    """An update moves every weight up the mean ELBO of its batch, with fresh noise for every image.

    One update of a model of the judge's: the noise that was used is read off its latent points, and with it the
    gradient is known.
    """
    n, what = draw.integer(12, 16), "train_vae(model, x, epochs=1)"
    model, x = Known(probe, draw, draw.integer(6, 8)), data(draw, n)
    before = probe.parameters(model.handle)
    settings = {"epochs": 1, "batch_size": n, "lr": 1e-4, "generator": draw.generator()}
    calls, points, _found = recorded(student, probe, expect, model, x, **settings)
    after = probe.parameters(model.handle)
    moves = [
        expect.tensor(after.get(name), tuple(w.shape), f"parameter {name}") - w
        for name, w in zip(WEIGHTS, model.weights, strict=True)
    ]
    expect.true(
        farthest(expect, before, after) > 0,
        _("{what}: no weight changes.").format(what=what),
        hint=_("Each batch: zero_grad, backward, step."),
        mistake="weights_never_updated",
    )
    order = [i for rows in calls for i in rows][:n]
    expect.true(
        sorted(order) == list(range(n)) and points is not None and len(points) >= n,
        _("{what}: each image is encoded, and one latent point of it decoded.").format(what=what),
    )
    seen, z = x[order], points[:n]
    _logits, mu, logvar = model.terms(seen, z=z)
    eps = (z - mu) / torch.exp(logvar / 2)
    same = torch.cdist(eps, eps) + torch.eye(n, dtype=torch.float64)
    expect.true(
        same.min() > 1e-6,
        _("{what}: images of a batch share their noise.").format(what=what),
        hint=_("Draw noise of shape (batch, latent_dim): every image has its own."),
        mistake="one_noise_for_batch",
    )
    expect_fresh_noise(student, probe, expect, draw)
    weights = [w.clone().requires_grad_() for w in model.weights]
    logits, mu, logvar = model.terms(seen, z=z, weights=weights)
    own = own_values(student, expect, reference, seen, logits.detach(), mu.detach(), logvar.detach())

    def uphill(beta):
        bound = reference.elbo(seen, logits, mu, logvar, beta=beta).mean()
        return torch.autograd.grad(bound, weights, retain_graph=True)

    shares = {beta: agreement(moves, uphill(beta)) for beta in (1.0, 0.0, 0.1, 0.5, 2.0, 10.0)}
    nearest = max(shares, key=shares.__getitem__)
    # Another weight of the KL divergence moves some of the weights alone: none may fit better than the right one.
    right = shares[1.0] > 0.98 and shares[1.0] == shares[nearest]
    if not right and own is not None:
        inputs = [seen, logits.detach(), mu.detach(), logvar.detach()]
        parts = expect.sequence(probe.gradient(student.elbo, inputs, [1, 2, 3]), 3, "elbo(...)")
        outer = [
            expect.tensor(part, tuple(t.shape), "d elbo") if part is not None else torch.zeros_like(t)
            for part, t in zip(parts, inputs[1:], strict=True)
        ]
        own_way = torch.autograd.grad([logits, mu, logvar], weights, outer, retain_graph=True)
        right = agreement(moves, own_way) > max(0.98, shares[1.0])
    expect.true(
        right,
        _("{what}: the weights do not move up the mean ELBO of the batch.").format(what=what),
        hint=_("The KL divergence does not have its full weight in the loss: beta = 1.")
        if nearest < 1
        else _("Minimise -elbo(...).mean() with Adam: look at the sign, at what the loss is made of, at what it is "
               "differentiated by."),
        mistake="training_kl_weight" if nearest < 1 and shares[nearest] > 0.98 else None,
    )  # fmt: skip


@check(points=0.5, kind="exact", requires=("update",), covers=("history", "training", "train_vae"))
def test_partial_batch(student, probe, expect, draw):
    """An epoch visits every image once, in batches of at most batch_size, the incomplete one included."""
    batch_size, epochs = draw.integer(5, 8), 3
    n = 3 * batch_size + draw.integer(2, batch_size - 1)
    model, x = Known(probe, draw, 3), data(draw, n)
    settings = {"epochs": epochs, "batch_size": batch_size, "lr": FROZEN, "generator": draw.generator()}
    calls, _points, found = recorded(student, probe, expect, model, x, **settings)
    trained_on = [rows for rows in calls if len(rows) <= batch_size]  # a look at all images besides does no harm
    times = torch.bincount(torch.tensor([i for rows in trained_on for i in rows] or [0]), minlength=n)
    largest = max((len(rows) for rows in calls), default=0)
    expect.true(
        bool(trained_on),
        _("train_vae with batch_size={size} trains on batches of up to {got} images.").format(
            size=batch_size, got=largest
        ),
        mistake="batch_size_ignored",
    )
    expect.true(
        int(times.min()) >= epochs,
        _("train_vae leaves out images: in {epochs} epochs not every one is seen {epochs} times.").format(
            epochs=epochs
        ),
        hint=_("The last batch of an epoch may be smaller: keep it."),
        mistake="partial_batch_dropped" if int(times.sum()) == epochs * (n - n % batch_size) else None,
    )
    expect.true(
        found.get("kept") is True,
        _("{name} changes the tensors that it is given.").format(name="train_vae"),
        hint=_("Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not."),
        mistake="images_changed",
    )
    # Were the gradients ever cleared? If not, the last one is the sum of all.
    names = [name for name in WEIGHTS if name in found["last"] and name in found["added"]]
    total = [expect.tensor(found["added"][name], None, f"gradient of {name}") for name in names]
    last = [expect.tensor(found["last"][name], None, f"gradient of {name}") for name in names]
    kept = bool(names) and all(
        a.shape == b.shape and torch.allclose(a, b, rtol=1e-9, atol=1e-12) for a, b in zip(total, last, strict=True)
    )
    expect.true(
        not kept,
        _("train_vae: the gradients of all batches add up."),
        hint=_("backward() adds to what is there: clear the gradients before each batch, with optimizer.zero_grad()."),
        mistake="gradients_accumulate",
    )


def trained(student, probe, expect, digits, draw):
    """A VAE 784-64-2-64-784 trained with default arguments: the handle, its training images, the order of pixels."""
    order = torch.randperm(PIXELS, generator=draw.generator())
    x = digits("train", 8000)[:, order]
    vae = expect.handle(student.VAE(latent_dim=2, hidden=64))
    epochs = EPOCHS if len(x) > 4000 else EPOCHS_ON_FEW  # some 1,200 and 2,000 updates: fewer digits, harder to part
    student.train_vae(vae, x, epochs=epochs, generator=draw.generator())
    probe.evaluation_mode(vae)
    return vae, x, order


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


@check(points=1, kind="training", covers=("training", "posterior", "train_vae", "VAE"), time_limit=SECONDS)
def test_held_out_elbo(student, probe, reference, expect, draw, digits, once, calibrated):
    """After a short training the ELBO of digits that the model has not seen is as high as it should be.

    The floor lies above what any decoder that ignores its code can reach, so a collapsed posterior fails.
    """
    vae, _x, order = once("trained", lambda d: trained(student, probe, expect, digits, d))
    images = digits("held_out", 2000)[:, order]
    n, eps = len(images), draw.normal(len(images), 2, dtype=torch.float32)
    heads = expect.sequence(probe.encode(vae, images), 2, "model.encoder(x)")
    mu, logvar = (expect.tensor(head, (n, 2), "model.encoder(x)").float() for head in heads)
    z = decoded_points(student, probe, expect, vae, images, mu, logvar, eps)
    # Decoded in another order than encoded, so that nothing but the code can carry an image across.
    mixed = torch.randperm(n, generator=draw.generator())
    logits = expect.tensor(probe.decode(vae, z[mixed]), (n, PIXELS), "model.decoder(z)")
    bounds = reference.elbo(images[mixed].double(), logits, mu[mixed].double(), logvar[mixed].double())
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


@check(
    points=0.5,
    kind="training",
    requires=("held_out_elbo",),
    covers=("samples", "train_vae", "VAE", "sample"),
    time_limit=SECONDS,
)
def test_samples_like_digits(student, probe, expect, draw, digits, once, calibrated):
    """Samples of the trained model have the statistics of digits, and are not training images."""
    vae, x, order = once("trained", lambda d: trained(student, probe, expect, digits, d))
    n, what = 1000, "sample(trained model, 1000)"
    images = expect.tensor(student.sample(vae, n, generator=draw.generator()), (n, PIXELS), what)
    expect.true(images.abs().max() < 1e4, _("{what}: pixel means lie in [0, 1].").format(what=what))
    held_out = digits("held_out", 2000)[:, order]
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
