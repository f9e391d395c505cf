"""Encoder, decoder and the VAE's forward pass, on networks of the student's own layout.

Modules are judged in float64 and evaluation mode, after noise on every parameter: an initialisation is free
to be zero, and dropout is free to be used.
"""

import torch

from autograder.judge import check
from autograder.language import _

PIXELS = 784


def sizes(draw):
    return draw.integer(3, 6), draw.integer(20, 50)


@check(points=0.5, kind="exact", covers=("encoder", "Encoder"))
def test_encoder(student, probe, expect, draw):
    """The encoder answers two separate heads of shape (B, latent_dim), image by image."""
    for latent_dim, hidden in ((2, 64), sizes(draw)):
        what = f"Encoder(latent_dim={latent_dim}, hidden={hidden})"
        encoder = expect.handle(student.Encoder(latent_dim=latent_dim, hidden=hidden), what)
        expect.true(probe.is_instance(encoder, "torch.nn.Module"), _("{what} is no nn.Module.").format(what=what))
        probe.exact_mode(encoder)
        probe.perturb(encoder, 0.05, draw.seed())
        x = draw.uniform(64, PIXELS)
        heads = expect.sequence(encoder(x), 2, f"{what}(x)")
        heads = [expect.tensor(head, (64, latent_dim), f"{what}(x)") for head in heads]
        few = expect.sequence(encoder(x[:1]), 2, f"{what}(x)")
        few = torch.cat([expect.tensor(h, (1, latent_dim), f"{what}(x) for one image") for h in few], 1)

        lowest = [float(head.min()) for head in heads]
        for _round in range(6):  # other weights each time: one head may be positive by chance
            probe.perturb(encoder, 0.05, draw.seed())
            again = expect.sequence(encoder(x), 2, f"{what}(x)")
            again = [expect.tensor(head, (64, latent_dim), f"{what}(x)") for head in again]
            lowest = [min(low, float(head.min())) for low, head in zip(lowest, again, strict=True)]
        expect.true(
            0.0 not in lowest,
            _("{what} answers no negative numbers, like a rectified layer.").format(what=what),
            hint=_("mu and logvar are any real numbers: no activation after the two last layers."),
        )

        both = torch.cat(heads, 1)  # (64, 2 d)
        expect.true(
            torch.allclose(few, both[:1], rtol=1e-6, atol=1e-8),
            _("{what}: an image is encoded differently alone and in a batch.").format(what=what),
        )
        centred = both - both.mean(0)
        spread = centred.std(0)
        expect.true(
            spread.isfinite().all() and (spread > 1e-4 * both.abs().amax(0)).all(),
            _("{what}: an answer does not depend on the image.").format(what=what),
        )
        now = torch.cat(again, 1)
        for part in torch.arange(PIXELS).reshape(28, 28).unfold(0, 14, 14).unfold(1, 14, 14).reshape(4, -1):
            other = x.clone()
            other[:, part] = 1 - other[:, part]  # a quarter of the image
            seen = expect.sequence(encoder(other), 2, f"{what}(x)")
            seen = torch.cat([expect.tensor(head, (64, latent_dim), f"{what}(x)") for head in seen], 1)
            expect.true(
                ((seen - now).abs().amax(0) > 1e-3 * now.std(0)).all(),
                _("{what}: an answer does not depend on every part of the image.").format(what=what),
            )
        singular = torch.linalg.svdvals(centred / spread)
        expect.true(
            singular[-1] > 1e-5 * singular[0],
            _("{what}: mu and logvar are not separate: one is computed from the other.").format(what=what),
            hint=_("Two layers on the same hidden units, one for mu and one for logvar."),
            mistake="logvar_is_mu" if torch.allclose(*heads) else None,
        )


@check(points=0.5, kind="exact", covers=("decoder", "Decoder"))
def test_decoder(student, probe, expect, draw):
    """The decoder answers logits of shape (B, 784): any real numbers, from every latent coordinate."""
    for latent_dim, hidden in ((2, 64), sizes(draw)):
        what = f"Decoder(latent_dim={latent_dim}, hidden={hidden})"
        decoder = expect.handle(student.Decoder(latent_dim=latent_dim, hidden=hidden), what)
        expect.true(probe.is_instance(decoder, "torch.nn.Module"), _("{what} is no nn.Module.").format(what=what))
        probe.exact_mode(decoder)
        probe.perturb(decoder, 0.5, draw.seed())
        z = 2 * draw.normal(16, latent_dim)
        logits = expect.tensor(decoder(z), (16, PIXELS), f"{what}(z)")
        one = expect.tensor(decoder(z[:1]), (1, PIXELS), f"{what}(z) for one point")
        expect.true(
            torch.allclose(one, logits[:1], rtol=1e-6, atol=1e-8),
            _("{what}: a point is decoded differently alone and in a batch.").format(what=what),
        )
        expect.true(
            logits.min() < 0 and logits.max() > 1,
            _("{what} answers only numbers that look like probabilities or like a rectified layer.").format(what=what),
            hint=_("Logits are any real numbers: the last layer of the decoder has no activation."),
            mistake="decoder_sigmoid" if logits.min() > 0 and logits.max() < 1 else None,
        )
        for j in range(latent_dim):
            moved = z.clone()
            moved[:, j] += 1.0
            there = expect.tensor(decoder(moved), (16, PIXELS), f"{what}(z)")
            expect.true(
                (there - logits).abs().max() > 1e-3 * (logits - logits.mean(0)).abs().max() > 0,
                _("{what}: latent coordinate {j} changes nothing.").format(what=what, j=j),
            )


@check(points=1, kind="exact", covers=("forward", "VAE"))
def test_vae_forward(student, probe, compare, expect, draw):
    """VAE.forward encodes, draws z with the given noise, decodes, and answers logits, mu and logvar."""
    for latent_dim, hidden in ((2, 64), sizes(draw)):
        what = f"VAE(latent_dim={latent_dim}, hidden={hidden})"
        vae = expect.handle(student.VAE(latent_dim=latent_dim, hidden=hidden), what)
        expect.number(vae.latent_dim, f"{what}.latent_dim", low=latent_dim, high=latent_dim)
        probe.exact_mode(vae)
        probe.perturb(vae, 0.05, draw.seed())
        x, eps = draw.uniform(9, PIXELS), draw.normal(9, latent_dim)
        logits, *code = expect.sequence(vae(x, eps), 3, f"{what}(x, eps)")
        expect.tensor(logits, (9, PIXELS), f"{what}(x, eps): logits")

        heads = expect.sequence(probe.encode(vae, x), 2, f"{what}.encoder(x)")
        for name, head, own in zip(("mu", "logvar"), code, heads, strict=True):
            right = expect.tensor(own, (9, latent_dim), f"{what}.encoder(x): {name}")
            compare(head, right, what=f"{what}(x, eps): {name}")
        mu, logvar = (expect.tensor(h, (9, latent_dim)) for h in heads)
        z = mu + torch.exp(0.5 * logvar) * eps
        expect.true(z.isfinite().all(), _("{what}: exp(logvar / 2) is infinite.").format(what=what))
        right = expect.tensor(probe.decode(vae, z), (9, PIXELS), f"{what}.decoder(z)")
        got = expect.tensor(logits, (9, PIXELS), f"{what}(x, eps): logits")
        noise = expect.tensor(expect.sequence(vae(x, -eps), 3, f"{what}(x, eps)")[0], (9, PIXELS))
        expect.true(
            (got - got.mean(0)).abs().max() > 1e-4 * got.abs().max() < 1e4 * (got - noise).abs().max(),
            _("{what}: the logits do not depend on the image and on eps.").format(what=what),
            hint=_("Draw z with the given eps before decoding."),
            mistake="forward_decodes_mean" if torch.equal(got, noise) else None,
        )
        if not torch.allclose(got, right, rtol=1e-6, atol=1e-8):
            # A fault in `reparameterize` costs its own points: what is asked here is that forward uses it, where it
            # adds noise to the mean by whatever it takes for a standard deviation.
            def own(noise, mu=mu, logvar=logvar):
                z = student.reparameterize(mu, logvar, noise)
                return expect.tensor(z, tuple(mu.shape), "reparameterize(...)")

            z, at_once = own(eps), own(0 * eps)
            wider = own(eps, logvar=logvar + 1.0)
            if (
                torch.allclose(at_once, mu, rtol=1e-6)
                and torch.allclose(own(2 * eps) - mu, 2 * (z - mu), rtol=1e-5)
                and (wider - z).abs().max() > 1e-3 * (z - mu).abs().max()
            ):
                right = expect.tensor(probe.decode(vae, z), (9, PIXELS), f"{what}.decoder(z)")
        wrong = {"forward_probabilities": torch.sigmoid(right)}
        if not torch.allclose(got, right, rtol=1e-6, atol=1e-8):
            again = expect.tensor(expect.sequence(vae(x, eps), 3, f"{what}(x, eps)")[0], (9, PIXELS))
            wrong |= {} if torch.allclose(got, again) else {"forward_own_noise": got}
        compare(got, right, what=f"{what}(x, eps): logits", mistakes=wrong)
