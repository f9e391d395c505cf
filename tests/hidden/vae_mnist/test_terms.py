"""The formulas: reparameterisation, KL divergence, reconstruction, ELBO, and their gradients, in float64."""

import torch

from autograder.judge import check
from autograder.language import _

PIXELS = 784


def posterior(draw, batch, latent_dim):
    """Means and log-variances of a posterior, some narrow and some wide."""
    return 1.5 * draw.normal(batch, latent_dim), draw.normal(batch, latent_dim) - 0.5


def directional(function, inputs, directions):
    """The derivative of the summed answer of `function` along directions, by central differences."""
    step = 1e-5

    def moved(sign):
        return function(*(a + sign * step * d for a, d in zip(inputs, directions, strict=True))).sum()

    return (moved(1) - moved(-1)) / (2 * step)


@check(points=1.5, kind="exact", covers=("reparameterize",))
def test_reparameterize_value(student, reference, compare, draw):
    """reparameterize returns mu + exp(logvar / 2) eps, with eps as given."""
    for latent_dim, batch in ((2, draw.integer(4, 12)), (draw.integer(3, 9), draw.integer(4, 12)), (3, 1), (1, 4)):
        mu, logvar = posterior(draw, batch, latent_dim)
        eps = draw.normal(batch, latent_dim)
        got, right = student.reparameterize(mu, logvar, eps), reference.reparameterize(mu, logvar, eps)
        settled = not isinstance(got, torch.Tensor) or got.shape != right.shape or torch.allclose(got.double(), right)
        again = got if settled else student.reparameterize(mu, logvar, eps)
        other = isinstance(again, torch.Tensor) and again.shape == right.shape and not torch.equal(again, got)
        compare(got, right, rtol=1e-8, mistakes={"own_noise": got} if other else {})


@check(points=0.5, kind="exact", covers=("gradients", "reparameterize"))
def test_reparameterize_gradient(student, probe, expect, draw):
    """Gradients flow through z to mu and to logvar."""
    shape = (draw.integer(4, 9), draw.integer(2, 5))
    mu, logvar = posterior(draw, *shape)
    eps = draw.normal(*shape)
    what = "reparameterize(mu, logvar, eps)"
    gradients = probe.gradient(student.reparameterize, [mu, logvar, eps], [0, 1])
    (doubled,) = expect.sequence(probe.gradient(student.reparameterize, [mu, logvar, 2 * eps], [1]), 1, what)
    for name, gradient, i in zip(("mu", "logvar"), expect.sequence(gradients, 2, what), (0, 1), strict=True):
        expect.true(
            gradient is not None,
            _("{what}: no gradient reaches {name}.").format(what=what, name=name),
            hint=_("Keep to torch operations: `detach`, `item`, NumPy and `no_grad` cut the graph."),
        )
        gradient = expect.tensor(gradient, shape, f"d {what} / d {name}")
        expect.true(
            gradient.abs().max() > 0,
            _("{what}: the gradient of {name} is zero.").format(what=what, name=name),
        )
        # Whatever stands for the standard deviation: the mean is added as it is, and the noise is multiplied.
        expect.true(
            torch.allclose(gradient, torch.ones(shape, dtype=torch.float64), rtol=1e-6)
            if name == "mu"
            else gradient.abs().min() > 1e-6
            and torch.allclose(expect.tensor(doubled, shape, what), 2 * gradient, rtol=1e-5),
            _("{what}: the gradient of {name} is not that of mu plus a standard deviation times eps.").format(
                what=what, name=name
            ),
        )
        # Against the function's own values, so that a fault in the formula is not paid here again.
        directions = [torch.zeros(shape, dtype=torch.float64) for _unused in range(3)]
        directions[i] = draw.normal(*shape)
        own = directional(
            lambda *a: expect.tensor(student.reparameterize(*a), shape, what), (mu, logvar, eps), directions
        )
        along = (gradient * directions[i]).sum()
        expect.true(
            abs(along - own) <= 1e-5 * (1 + abs(own)),
            _("{what}: the gradient of {name} is not that of the values.").format(what=what, name=name),
        )


@check(points=1.5, kind="exact", covers=("kl", "kl_divergence"))
def test_kl_value(student, compare, draw):
    """kl_divergence is KL(N(mu, exp(logvar)) || N(0, I)) in nats, summed over the latent coordinates."""
    for latent_dim, batch in ((2, draw.integer(4, 12)), (draw.integer(3, 9), draw.integer(4, 12)), (1, 5), (3, 1)):
        mu, logvar = posterior(draw, batch, latent_dim)
        q = torch.distributions.Normal(mu, torch.exp(0.5 * logvar))
        p = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))
        right = torch.distributions.kl_divergence(q, p).sum(-1)
        compare(student.kl_divergence(mu, logvar), right, rtol=1e-8)
    zeros = torch.zeros(3, 2, dtype=torch.float64)
    compare(student.kl_divergence(zeros, zeros), torch.zeros(3), what="kl_divergence where mu = 0 and logvar = 0")


@check(points=1.5, kind="exact", covers=("reconstruction", "reconstruction_log_likelihood"))
def test_reconstruction_value(student, reference, compare, draw):
    """reconstruction_log_likelihood is the Bernoulli log-likelihood in nats, summed over the pixels."""
    for batch in (draw.integer(3, 6), draw.integer(7, 10), 1):
        logits, x = 2 * draw.normal(batch, PIXELS), draw.uniform(batch, PIXELS)
        x[0] = (x[0] > 0.5).double()
        compare(
            student.reconstruction_log_likelihood(logits, x),
            reference.reconstruction_log_likelihood(logits, x),
        )


@check(points=0.5, kind="exact", covers=("reconstruction", "reconstruction_log_likelihood"))
def test_reconstruction_large_logits(student, reference, compare, expect, draw):
    """reconstruction_log_likelihood is finite and right for logits in the hundreds."""
    batch = draw.integer(3, 6)
    x = (draw.uniform(batch, PIXELS) > 0.5).double()
    what = "reconstruction_log_likelihood(logits, x) for logits in the hundreds"
    large = 200 * draw.normal(batch, PIXELS)
    right = reference.reconstruction_log_likelihood(large, x)
    got = expect.tensor(
        student.reconstruction_log_likelihood(large, x),
        (batch,),
        what,
        hint=_("log(sigmoid(l)) underflows; -softplus(-l) is the same number and does not."),
    )
    if not torch.allclose(got, right, rtol=1e-6):
        # Another sign or another mean costs the points of the value check; here only the range is judged.
        small = 2 * draw.normal(batch, PIXELS)
        own = expect.tensor(student.reconstruction_log_likelihood(small, x), (batch,), what)
        ratio = own / reference.reconstruction_log_likelihood(small, x)
        if ratio.std() < 1e-6 * ratio.abs().mean():
            got = got / ratio.mean()  # and not `right` times it: a tiny one would make everything zero
    compare(got, right, what=what)


def own_terms(student, expect, x, logits, mu, logvar):
    """What the student's two terms give, one value per image."""
    calls = student.reconstruction_log_likelihood(logits, x), student.kl_divergence(mu, logvar)
    return [expect.tensor(a, () if is_scalar(a) else (len(x),), "elbo(...)").expand(len(x)) for a in calls]


def is_scalar(answer):
    """Whether a term was averaged over the batch."""
    return isinstance(answer, float | int) or (isinstance(answer, torch.Tensor) and answer.ndim == 0)


@check(points=1.5, kind="exact", covers=("elbo",))
def test_elbo_value(student, reference, compare, expect, draw):
    """elbo is the reconstruction term minus beta times the KL divergence, one value per image."""
    elbo_of(student, reference, compare, expect, draw, draw.integer(4, 9))
    elbo_of(student, reference, compare, expect, draw, 1)


def elbo_of(student, reference, compare, expect, draw, batch):
    """Judge the bound on a batch."""
    latent_dim = draw.integer(2, 5)
    x, logits = draw.uniform(batch, PIXELS), 2 * draw.normal(batch, PIXELS)
    mu, logvar = posterior(draw, batch, latent_dim)
    mu = 4 * mu  # so that the KL term is as visible as the other
    right_terms = reference.reconstruction_log_likelihood(logits, x), reference.kl_divergence(mu, logvar)
    for options in ({}, {"beta": float(draw.integer(2, 9)) / 2 + 1}, {"beta": 0.0}):
        beta = options.get("beta", 1.0)
        what = "elbo(x, logits, mu, logvar{})".format(f", beta={beta}" if options else "")
        answer = student.elbo(x, logits, mu, logvar, **options)
        got = expect.tensor(answer, (batch,), what)
        right = right_terms[0] - beta * right_terms[1]
        if not torch.allclose(got, right, rtol=1e-6):
            # A fault in one term costs its own points; it is forgiven here where the other term is right, and where
            # the faulty one says something of its arguments.
            own = own_terms(student, expect, x, logits, mu, logvar)
            elsewhere = own_terms(student, expect, x.flip(0), logits / 2, mu / 2, logvar / 2)
            says = all((a - b).abs().max() > 1e-3 * a.abs().max() for a, b in zip(own, elsewhere, strict=True))
            if says and sum(torch.allclose(o, r, rtol=1e-6) for o, r in zip(own, right_terms, strict=True)) == 1:
                right = own[0] - beta * own[1]
        compare(answer, right, what=what)


@check(points=0.5, kind="exact", requires=("elbo_value",), covers=("gradients", "elbo"))
def test_elbo_gradient(student, probe, expect, draw):
    """Gradients of the ELBO reach logits, mu and logvar."""
    batch, latent_dim = draw.integer(3, 6), draw.integer(2, 5)
    inputs = [draw.uniform(batch, PIXELS), draw.normal(batch, PIXELS), *posterior(draw, batch, latent_dim)]
    names = ("x", "logits", "mu", "logvar")
    gradients = expect.sequence(probe.gradient(student.elbo, inputs, [1, 2, 3]), 3, "elbo(...)")
    for i, gradient in enumerate(gradients, start=1):
        expect.true(
            gradient is not None,
            _("elbo: no gradient reaches {name}.").format(name=names[i]),
            hint=_("Keep to torch operations: `detach`, `item`, NumPy and `no_grad` cut the graph."),
        )
        gradient = expect.tensor(gradient, inputs[i].shape, f"d elbo / d {names[i]}")
        directions = [torch.zeros_like(a) for a in inputs]
        directions[i] = draw.normal(*inputs[i].shape)
        own = directional(lambda *a: expect.tensor(student.elbo(*a), None, "elbo(...)"), inputs, directions)
        along = (gradient * directions[i]).sum()
        expect.true(
            along.abs() > 0 and abs(along - own) <= 1e-4 * (1 + abs(own)),
            _("elbo: the gradient of {name} is not that of the values.").format(name=names[i]),
        )
