"""What holds for all functions: dtypes, explicit randomness, errors."""

import torch

from autograder.judge import check
from autograder.language import _

PIXELS = 784
# Form counts only where the values are right.
SUBSTANCE = {
    "reparameterize": ("reparameterize_value",),
    "kl_divergence": ("kl_value",),
    "reconstruction_log_likelihood": ("reconstruction_value",),
    "elbo": ("elbo_value",),
    "sample": ("sample_prior",),
    "interpolate": ("interpolate_line",),
    "importance_weighted_bound": ("bound_exact",),
    "train_vae": ("update",),
}


def affine_weights(draw, dtype, latent_dim=2):
    """Small weights of an affine model."""
    d = latent_dim
    shapes = ((d, PIXELS), (d,), (d, PIXELS), (d,), (PIXELS, d), (PIXELS,))
    return [0.1 * draw.normal(*shape, dtype=dtype) for shape in shapes]


def affine(probe, draw, dtype, latent_dim=2):
    """A small affine model of this dtype."""
    return probe.affine_model(*affine_weights(draw, dtype, latent_dim))


@check(
    points=0.5,
    kind="exact",
    covers=("dtypes", *(name for name in SUBSTANCE if name != "train_vae")),
    substance=SUBSTANCE,
)
def test_conventions(student, probe, expect, draw, each):
    """Tensors come back in the dtype of the input or the model; arguments stay as they are, samples are detached."""
    for dtype in (torch.float32, torch.float64):
        mu, logvar, eps = (draw.normal(3, 2, dtype=dtype) for _unused in range(3))
        x, logits = draw.uniform(3, PIXELS, dtype=dtype), draw.normal(3, PIXELS, dtype=dtype)
        model, generators = affine(probe, draw, dtype), [draw.generator() for _unused in range(2)]
        calls = {
            "reparameterize": (lambda *a: student.reparameterize(*a), mu, logvar, eps),
            "kl_divergence": (lambda *a: student.kl_divergence(*a), mu, logvar),
            "reconstruction_log_likelihood": (lambda *a: student.reconstruction_log_likelihood(*a), logits, x),
            "elbo": (lambda *a: student.elbo(*a), x, logits, mu, logvar),
            "sample": (lambda model, g=generators[0]: student.sample(model, 2, generator=g), model),
            "interpolate": (lambda *a: probe.line(student.interpolate, *a, 3), model, mu[0], mu[1]),
            "importance_weighted_bound": (
                lambda *a, g=generators[1]: student.importance_weighted_bound(*a, k=2, generator=g), model, x
            ),
        }  # fmt: skip
        for name, (call, *arguments) in calls.items():
            with each(name):
                expect.tensor(call(*arguments), None, dtype=dtype, container="tensor")
                # The number of steps or of draws goes last.
                numbers = {"interpolate": (3,), "importance_weighted_bound": (2,)}.get(name, ())
                function = probe.line_from(student.interpolate) if name == "interpolate" else getattr(student, name)
                expect.true(
                    name == "sample" or probe.changed(function, *arguments, *numbers) == [],
                    _("{name} changes the tensors that it is given.").format(name=name),
                    hint=_("Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not."),
                    mistake="arguments_changed",
                )
        with each("sample"):
            expect.true(
                not expect.flag(probe.requires_grad(student.sample, model, 2), "sample(model, 2).requires_grad"),
                _("sample(model, n): the samples still carry the graph of the decoder."),
                hint=_("Decode under torch.no_grad(), or detach."),
                mistake="sample_not_detached",
            )


@check(
    points=0.5,
    kind="exact",
    covers=("randomness", "sample", "importance_weighted_bound", "train_vae"),
    substance=SUBSTANCE,
)
def test_generators(student, probe, expect, draw, each):
    """Random draws come from `generator` where one is given, and nothing seeds the global generator."""
    model = affine(probe, draw, torch.float64, 3)
    x, before = draw.uniform(6, PIXELS), probe.global_seed()
    weights = affine_weights(draw, torch.float64, 3)
    first, second = draw.seed(), draw.seed()

    def train(generator):
        """The weights after a training from the same ones, of a model without gradients of an earlier one."""
        fresh = probe.affine_model(*weights)
        named = {} if generator is None else {"generator": generator}
        student.train_vae(fresh, x, epochs=2, batch_size=4, lr=1e-2, **named)
        moved = probe.parameters(fresh)
        return torch.cat([expect.tensor(moved[name], None, "a weight").reshape(-1) for name in sorted(moved)])

    def of(function):
        return lambda generator: expect.tensor(function(*(() if generator is None else (generator,))), None)

    calls = {
        "sample": of(lambda *g: student.sample(model, 4, *g)),
        "importance_weighted_bound": of(lambda *g: student.importance_weighted_bound(model, x, 2, *g)),
        "train_vae": train,
    }
    for name, call in calls.items():
        with each(name):
            one, again, other = (call(torch.Generator().manual_seed(seed)) for seed in (first, first, second))
            expect.true(
                torch.allclose(one, again, rtol=1e-6),
                _("{name}: two calls with generators of one seed give different answers.").format(name=name),
                hint=_("Pass generator=generator to every torch.randn and torch.randperm."),
                mistake={"sample": "sample_ignores_generator", "train_vae": "training_ignores_generator"}.get(name),
            )
            expect.true(
                not torch.allclose(one, other, rtol=1e-9),
                _("{name}: generators of two seeds give the same answer.").format(name=name),
            )
            two = [call(None) for _unused in range(2)]
            differ = not torch.allclose(*two, rtol=1e-9)
            expect.true(
                differ and probe.global_seed() == before,
                _("Without a generator, draws come from torch's global generator, which is never seeded."),
                hint=_("Nothing seeds the global generator: no torch.manual_seed inside a function."),
                mistake="seed_inside" if name == "train_vae" else "global_seed",
            )


SHAPES = ("reparameterize", "kl_divergence", "reconstruction_log_likelihood", "elbo")
COUNTS = ("sample", "interpolate", "importance_weighted_bound", "train_vae")


@check(points=0.5, kind="exact", covers=("errors", *SHAPES), substance=SUBSTANCE)
def test_shape_errors(student, expect, draw, each):
    """Shapes that do not match raise ValueError."""
    n, d = draw.integer(3, 6), draw.integer(2, 4)
    mu, eps, x = draw.normal(n, d), draw.normal(n, d), draw.uniform(n, PIXELS)
    wide, long, other = draw.normal(n, d + 1), draw.normal(n + 1, d), draw.normal(n + 1, PIXELS)
    with each("reparameterize"):
        f = student.reparameterize
        expect.raises(ValueError, f, mu, wide, eps, what="reparameterize with mu and logvar of different shapes")
        expect.raises(ValueError, f, mu, mu, long, what="reparameterize with eps of another shape")
    with each("kl_divergence"):
        f = student.kl_divergence
        expect.raises(ValueError, f, mu, wide, what="kl_divergence with mu and logvar of different shapes")
    with each("reconstruction_log_likelihood"):
        f = student.reconstruction_log_likelihood
        expect.raises(ValueError, f, other, x, what="reconstruction_log_likelihood with other numbers of rows")
    with each("elbo"):
        expect.raises(ValueError, student.elbo, x, other, mu, mu, what="elbo with logits of another shape than x")


@check(points=0.5, kind="exact", covers=("errors", *COUNTS), substance=SUBSTANCE)
def test_count_errors(student, probe, expect, draw, each):
    """Counts below 1 (n, steps, k, epochs, batch_size) raise ValueError."""
    model, trained = affine(probe, draw, torch.float32), affine(probe, draw, torch.float32)
    x, z = draw.uniform(3, PIXELS, dtype=torch.float32), draw.normal(2, 2, dtype=torch.float32)
    for bad in (0, -draw.integer(1, 5)):
        with each("sample"):
            expect.raises(ValueError, student.sample, model, bad, what=f"sample(model, n={bad})")
        with each("interpolate"):
            expect.raises(ValueError, student.interpolate, model, *z, steps=bad, what=f"interpolate(..., steps={bad})")
        with each("importance_weighted_bound"):
            f = student.importance_weighted_bound
            expect.raises(ValueError, f, model, x, k=bad, what=f"importance_weighted_bound(model, x, k={bad})")
        with each("train_vae"):
            f = student.train_vae
            expect.raises(ValueError, f, trained, x, epochs=bad, what=f"train_vae(..., epochs={bad})")
            expect.raises(ValueError, f, trained, x, epochs=1, batch_size=bad, what=f"train_vae(..., batch_size={bad})")
