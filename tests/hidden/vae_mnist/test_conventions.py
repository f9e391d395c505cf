"""What holds for all functions: dtypes, explicit randomness, errors."""

import torch

from autograder.judge import CheckFailed, check
from autograder.language import _

PIXELS = 784


def affine(probe, draw, dtype):
    """A small affine model of this dtype, latent_dim 2."""
    shapes = ((2, PIXELS), (2,), (2, PIXELS), (2,), (PIXELS, 2), (PIXELS,))
    return probe.affine_model(*(0.1 * draw.normal(*shape, dtype=dtype) for shape in shapes))


@check(points=0.5, kind="exact", covers=("dtypes", "sample"))
def test_conventions(student, probe, expect, draw):
    """Tensors come back in the dtype of the input or the model; arguments stay as they are, samples are detached."""
    for dtype in (torch.float32, torch.float64):
        mu, logvar, eps = (draw.normal(3, 2, dtype=dtype) for _unused in range(3))
        x, logits = draw.uniform(3, PIXELS, dtype=dtype), draw.normal(3, PIXELS, dtype=dtype)
        model = affine(probe, draw, dtype)
        answers = {
            "reparameterize(mu, logvar, eps)": student.reparameterize(mu, logvar, eps),
            "kl_divergence(mu, logvar)": student.kl_divergence(mu, logvar),
            "reconstruction_log_likelihood(logits, x)": student.reconstruction_log_likelihood(logits, x),
            "elbo(x, logits, mu, logvar)": student.elbo(x, logits, mu, logvar),
            "sample(model, 2)": student.sample(model, 2, generator=draw.generator()),
            "interpolate(model, z1, z2, steps=3)": probe.line(student.interpolate, model, mu[0], mu[1], 3),
            "importance_weighted_bound(model, x, k=2)": student.importance_weighted_bound(
                model, x, k=2, generator=draw.generator()
            ),
        }
        for what, answer in answers.items():
            expect.tensor(answer, None, what, dtype=dtype, container="tensor")
        expect.true(
            not expect.flag(probe.requires_grad(student.sample, model, 2), "sample(model, 2).requires_grad"),
            _("sample(model, n): the samples still carry the graph of the decoder."),
            hint=_("Decode under torch.no_grad(), or detach."),
            mistake="sample_not_detached",
        )
    given = {
        "reparameterize": (student.reparameterize, mu, logvar, eps),
        "kl_divergence": (student.kl_divergence, mu, logvar),
        "reconstruction_log_likelihood": (student.reconstruction_log_likelihood, logits, x),
        "elbo": (student.elbo, x, logits, mu, logvar),
    }
    for name, (function, *arguments) in given.items():
        expect.true(
            probe.changed(function, *arguments) == [],
            _("{name} changes the tensors that it is given.").format(name=name),
            hint=_("Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not."),
            mistake="arguments_changed",
        )


@check(points=0.5, kind="exact", covers=("randomness",))
def test_generators(student, probe, expect, draw):
    """Random draws come from `generator` where one is given, and nothing seeds the global generator."""
    model = affine(probe, draw, torch.float64)
    x = draw.uniform(6, PIXELS)
    first, second, before = draw.seed(), draw.seed(), probe.global_seed()
    vae = expect.handle(student.VAE(latent_dim=2, hidden=8))
    probe.exact_mode(vae)
    start = probe.parameters(vae)

    def run(seed):
        """Each function that draws with this seed, training from the same weights: name -> answer."""
        generators = [torch.Generator().manual_seed(seed) for _unused in range(3)]
        probe.set_parameters(vae, start)
        history = student.train_vae(vae, x, epochs=2, batch_size=4, generator=generators[2])
        try:
            trained = torch.tensor(expect.history(history, "elbo", 2, "train_vae(...)"))
        except CheckFailed:  # its form is the business of another check
            moved = probe.parameters(vae)
            trained = torch.cat([expect.tensor(moved[name], None, "a weight").reshape(-1) for name in sorted(moved)])
        bound = student.importance_weighted_bound(model, x, k=2, generator=generators[1])
        return {
            "sample": expect.tensor(student.sample(model, 4, generator=generators[0]), None, "sample"),
            "importance_weighted_bound": expect.tensor(bound, None, "the bound"),
            "train_vae": trained,
        }

    one, again, other = run(first), run(first), run(second)
    if any("Dropout" in name for name in probe.submodule_types(vae)):
        one.pop("train_vae")  # dropout takes no generator
    for name in one:
        expect.true(
            torch.allclose(one[name], again[name], rtol=1e-6),
            _("{name}: two calls with generators of one seed give different answers.").format(name=name),
            hint=_("Pass generator=generator to every torch.randn and torch.randperm."),
        )
        expect.true(
            not torch.allclose(one[name], other[name], rtol=1e-9),
            _("{name}: generators of two seeds give the same answer.").format(name=name),
        )
    calls = [expect.tensor(student.sample(model, 4), None) for _unused in range(2)]
    student.importance_weighted_bound(model, x, k=2)
    for right, mistake in (
        (not torch.allclose(*calls), "global_seed"),
        (probe.global_seed() == before, "seed_inside"),
    ):
        expect.true(
            right,
            _("Without a generator, draws come from torch's global generator, which is never seeded."),
            hint=_("Nothing seeds the global generator: no torch.manual_seed inside a function."),
            mistake=mistake,
        )


@check(points=0.5, kind="exact", covers=("errors",))
def test_shape_errors(student, expect, draw):
    """Shapes that do not match raise ValueError."""
    n, d = draw.integer(3, 6), draw.integer(2, 4)
    mu, eps, x = draw.normal(n, d), draw.normal(n, d), draw.uniform(n, PIXELS)
    wide, long = draw.normal(n, d + 1), draw.normal(n + 1, d)
    f = student.reparameterize
    expect.raises(ValueError, f, mu, wide, eps, what="reparameterize with mu and logvar of different shapes")
    expect.raises(ValueError, f, mu, mu, long, what="reparameterize with eps of another shape")
    f = student.kl_divergence
    expect.raises(ValueError, f, mu, wide, what="kl_divergence with mu and logvar of different shapes")
    f = student.reconstruction_log_likelihood
    other = draw.normal(n + 1, PIXELS)
    expect.raises(ValueError, f, other, x, what="reconstruction_log_likelihood with other numbers of rows")
    expect.raises(ValueError, student.elbo, x, other, mu, mu, what="elbo with logits of another shape than x")


@check(points=0.5, kind="exact", covers=("errors",))
def test_count_errors(student, probe, expect, draw):
    """Counts below 1 (n, steps, k, epochs, batch_size) raise ValueError."""
    model = affine(probe, draw, torch.float32)
    vae = student.VAE(latent_dim=2, hidden=8)
    x, z = draw.uniform(3, PIXELS, dtype=torch.float32), draw.normal(2, 2, dtype=torch.float32)
    for bad in (0, -draw.integer(1, 5)):
        expect.raises(ValueError, student.sample, model, bad, what=f"sample(model, n={bad})")
        expect.raises(ValueError, student.interpolate, model, *z, steps=bad, what=f"interpolate(..., steps={bad})")
        f = student.importance_weighted_bound
        expect.raises(ValueError, f, model, x, k=bad, what=f"importance_weighted_bound(model, x, k={bad})")
        f = student.train_vae
        expect.raises(ValueError, f, vae, x, epochs=bad, what=f"train_vae(..., epochs={bad})")
        expect.raises(ValueError, f, vae, x, epochs=1, batch_size=bad, what=f"train_vae(..., batch_size={bad})")
