"""One step back (DDPM, DDIM) with models whose answer is known, and whole samplings of Gaussian data.

For Gaussian data the best noise predictor is affine, so that every sampler made of such steps draws from a
Gaussian law that can be computed exactly: samples are compared with it, not with the data's law, which few
steps miss.
"""

from __future__ import annotations

import itertools

import torch

from autograder.judge import check
from autograder.language import _
from autograder.statistics.tests import covariance_test, mean_test, standard_normal_test

from .tables import attempt, make_diffusion

# Tables kept in float32 cost the points of the conventions alone.
CLOSE = {"rtol": 1e-5, "atol": 2e-6}
ALPHA = 1e-6  # a correct sampler fails a check less than once in 100,000 times
ROWS = 6000


class Scene:
    """Noisy images whose noise the model knows at the right time: model(x, t) = scale[t] x + offset.

    The clean images stay inside [-1, 1], so that a step that clips its guess of them changes nothing.
    """

    def __init__(self, student, reference, probe, expect, draw):
        self.T = draw.integer(7, 12)
        betas = draw.uniform(self.T, low=0.05, high=0.25)
        self.diffusion, self.right = make_diffusion(student, reference, probe, expect, betas)
        self.shape = (draw.integer(3, 5), draw.integer(1, 3), draw.integer(2, 4), draw.integer(5, 7))
        self.B = self.shape[0]
        self.probe, self.reference, self.draw = probe, reference, draw

    def at(self, t):
        """x_t, and the model here and in the worker."""
        draw = self.draw
        x0, noise = draw.uniform(*self.shape, low=-0.9, high=0.9), draw.normal(*self.shape)
        x_t = self.reference.q_sample(self.right, x0, torch.full((self.B,), t), noise)
        scale = draw.normal(self.T)
        offset = noise - scale[t] * x_t

        def model(x, times):
            return scale[times].reshape(-1, 1, 1, 1) * x + offset

        return x_t, model, self.probe.scaled_model(scale, offset)


@check(points=1, covers=("p_sample_mean", "p_sample_step"))
def test_p_sample_mean(student, reference, probe, expect, compare, draw):
    """Without noise `p_sample_step` gives the mean of x_{t-1}, at any time."""
    scene = Scene(student, reference, probe, expect, draw)
    for t in (scene.T - 1, draw.integer(2, scene.T - 2), 1, 0):
        x_t, model, handle = scene.at(t)
        none = torch.zeros_like(x_t)
        compare(
            student.p_sample_step(handle, scene.diffusion, x_t, t, none),
            reference.p_sample_step(model, scene.right, x_t, t, none),
            what=f"p_sample_step(model, diffusion, x_t, {t}, noise of zeros)",
            **CLOSE,
        )


@check(points=0.5, covers=("p_sample_noise", "p_sample_step"))
def test_p_sample_noise(student, reference, probe, expect, compare, draw):
    """Before the last step `p_sample_step` adds noise of variance posterior_variance[t]."""
    scene = Scene(student, reference, probe, expect, draw)
    for t in (scene.T - 1, draw.integer(2, scene.T - 2), 1):
        x_t, _model, handle = scene.at(t)
        noise = draw.normal(*scene.shape)
        what = f"p_sample_step(model, diffusion, x_t, {t}, noise)"
        with_noise, mean = (
            expect.tensor(student.p_sample_step(handle, scene.diffusion, x_t, t, z), scene.shape, what).double()
            for z in (noise, torch.zeros_like(noise))
        )
        compare(
            with_noise - mean,
            scene.right.posterior_variance[t].sqrt() * noise,
            what=_("{what}: what the noise adds").format(what=what),
            **CLOSE,
        )


@check(points=0.5, covers=("last_step", "p_sample_step"))
def test_p_sample_last(student, reference, probe, expect, compare, draw):
    """At t = 0 `p_sample_step` gives the mean alone, whatever the noise."""
    scene = Scene(student, reference, probe, expect, draw)
    x_t, _model, handle = scene.at(0)
    noise = draw.normal(*scene.shape)
    what = "p_sample_step(model, diffusion, x_t, 0, noise)"
    with_noise, mean = (
        expect.tensor(student.p_sample_step(handle, scene.diffusion, x_t, 0, z), scene.shape, what).double()
        for z in (noise, torch.zeros_like(noise))
    )
    compare(with_noise, mean, what=_("{what}: noise must not matter").format(what=what), **CLOSE)
    # An answer that ignores image or model ignores noise too.
    other, _model, new = scene.at(0)
    for image, network, thing in ((other, handle, "x_t"), (x_t, new, _("the model's answer"))):
        answer = student.p_sample_step(network, scene.diffusion, image, 0, noise)
        moved = expect.tensor(answer, scene.shape, what).double()
        expect.true(
            (moved - mean).abs().max() > 1e-3, _("{what}: it must depend on {thing}.").format(what=what, thing=thing)
        )


def own_step(student, scene, x_t, model, t, t_prev):
    """The DDIM step from the student's own predict_x0, which has its own check; None where it is of no use.

    It is of none where it does not answer the image and the noise: a step made of it would be none.
    """
    times = torch.full((scene.B,), t)
    noise = model(x_t, times)
    answers = [
        attempt(lambda image=image, z=z: student.predict_x0(scene.diffusion, image, times, z))
        for image, z in ((x_t, noise), (x_t + 1, noise), (x_t, noise + 1))
    ]
    if not all(isinstance(x0, torch.Tensor) and x0.shape == x_t.shape and x0.isfinite().all() for x0 in answers):
        return None
    x0, *others = (answer.double() for answer in answers)
    if min(float((other - x0).abs().max()) for other in others) < 1e-3:
        return None
    bar = scene.right.alpha_bars[t_prev] if t_prev >= 0 else torch.ones((), dtype=torch.float64)
    return bar.sqrt() * x0 + (1 - bar).sqrt() * noise


def compare_step(student, scene, compare, answer, right, x_t, model, t, t_prev, what):
    """Compare a deterministic step with the right one, or with the one that the student's predict_x0 gives."""
    if isinstance(answer, torch.Tensor) and answer.shape == right.shape and not torch.allclose(answer.double(), right):
        own = own_step(student, scene, x_t, model, t, t_prev)
        if own is not None and torch.allclose(answer.double(), own, **CLOSE):
            return
    compare(answer, right, what=what, **CLOSE)


@check(points=0.5, covers=("ddim", "ddim_step"))
def test_ddim_deterministic(student, reference, probe, expect, compare, draw):
    """With eta = 0 `ddim_step` goes to any earlier time, without chance."""
    scene = Scene(student, reference, probe, expect, draw)
    for t, t_prev in ((scene.T - 1, draw.integer(1, scene.T - 4)), (draw.integer(2, scene.T - 2), 0)):
        x_t, model, handle = scene.at(t)
        right = reference.ddim_step(model, scene.right, x_t, t, t_prev)
        what = f"ddim_step(model, diffusion, x_t, {t}, {t_prev}"
        answer = student.ddim_step(handle, scene.diffusion, x_t, t, t_prev)
        compare_step(student, scene, compare, answer, right, x_t, model, t, t_prev, f"{what})")
        noise = draw.normal(*scene.shape)
        again = student.ddim_step(handle, scene.diffusion, x_t, t, t_prev, eta=0.0, noise=noise)
        compare(
            again, expect.tensor(answer, scene.shape, what).double(), what=f"{what}, eta=0.0, noise=noise)", **CLOSE
        )


@check(points=0.5, covers=("ddim_x0", "ddim_step"))
def test_ddim_to_image(student, reference, probe, expect, compare, draw):
    """`ddim_step` to t_prev = -1 gives the denoised image."""
    scene = Scene(student, reference, probe, expect, draw)
    for t in (0, draw.integer(1, scene.T - 2), scene.T - 1):
        x_t, model, handle = scene.at(t)
        right = reference.ddim_step(model, scene.right, x_t, t, -1)
        answer = student.ddim_step(handle, scene.diffusion, x_t, t, -1)
        what = f"ddim_step(model, diffusion, x_t, {t}, -1)"
        compare_step(student, scene, compare, answer, right, x_t, model, t, -1, what)


@check(points=0.5, covers=("ddim_eta", "ddim_step"))
def test_ddim_eta(student, reference, probe, expect, compare, draw):
    """With eta > 0 `ddim_step` adds noise of standard deviation sigma and takes as much from the rest."""
    scene = Scene(student, reference, probe, expect, draw)
    for t, t_prev, eta in (
        (scene.T - 1, draw.integer(1, scene.T - 4), float(draw.uniform(low=0.3, high=0.8))),
        (draw.integer(2, scene.T - 2), 1 - draw.integer(0, 1), 1.0),
    ):
        x_t, model, handle = scene.at(t)
        noise = draw.normal(*scene.shape)
        what = f"ddim_step(model, diffusion, x_t, {t}, {t_prev}, eta, noise)"

        def steps(step, model, diffusion, x_t=x_t, t=t, t_prev=t_prev, eta=eta, noise=noise):
            plain = step(model, diffusion, x_t, t, t_prev)
            quiet = step(model, diffusion, x_t, t, t_prev, eta=eta, noise=torch.zeros_like(noise))
            return plain, quiet, step(model, diffusion, x_t, t, t_prev, eta=eta, noise=noise)

        plain, quiet, loud = (
            expect.tensor(answer, scene.shape, what).double()
            for answer in steps(student.ddim_step, handle, scene.diffusion)
        )
        right_plain, right_quiet, right_loud = steps(reference.ddim_step, model, scene.right)
        compare(
            loud - quiet,
            right_loud - right_quiet,
            what=_("{what}: what the noise adds").format(what=what),
            **CLOSE,
        )
        # By difference: the step without noise has its own check.
        compare(
            quiet - plain,
            right_quiet - right_plain,
            what=_("{what}: how eta changes the rest").format(what=what),
            **CLOSE,
        )


class GaussianData:
    """Images (1, 2, 2) of a Gaussian law, their best noise predictor at every time, laws of samplers."""

    def __init__(self, student, reference, probe, expect, draw, T):
        self.T, self.d = T, 4
        betas = draw.uniform(T, low=0.08, high=0.3)
        self.diffusion, self.right = make_diffusion(student, reference, probe, expect, betas)
        self.reference, self.student, self.probe, self.expect = reference, student, probe, expect
        axes = torch.linalg.qr(draw.normal(self.d, self.d)).Q
        self.mean = draw.uniform(self.d, low=0.25, high=0.45) * (draw.integers(0, 2, self.d) * 2 - 1)
        # Narrow around the mean: a sampler that clips to [-1, 1] changes nothing.
        self.cov = axes @ torch.diag(draw.uniform(self.d, low=0.08, high=0.16) ** 2) @ axes.T
        weights, biases = [], []
        for bar in self.right.alpha_bars:
            noisy = bar * self.cov + (1 - bar) * torch.eye(self.d, dtype=torch.float64)
            weight = (1 - bar).sqrt() * torch.linalg.inv(noisy)  # E[noise | x_t] = weight (x_t - sqrt(bar) mean)
            weights.append(weight)
            biases.append(-bar.sqrt() * self.mean @ weight)
        self.weight, self.bias = torch.stack(weights), torch.stack(biases)
        self.model = probe.affine_model(self.weight, self.bias)
        self.shape = (ROWS + draw.integer(0, 200), 1, 2, 2)

    def predictor(self, x, times):
        """The model, here."""
        flat = torch.einsum("bi,bij->bj", x.reshape(len(x), -1), self.weight[times]) + self.bias[times]
        return flat.reshape(x.shape)

    def basis(self):
        """Inputs that reveal an affine step: image 0, images e_i; and noise 1 on image 0."""
        x = torch.zeros(self.d + 2, self.d, dtype=torch.float64)
        x[1 : self.d + 1] = torch.eye(self.d, dtype=torch.float64)
        noise = torch.zeros_like(x)
        noise[self.d + 1] = 1.0
        return x.reshape(-1, 1, 2, 2), noise.reshape(-1, 1, 2, 2)

    def law(self, outputs):
        """Mean and covariance after these steps on their basis, (steps, d + 2, d), from N(0, I)."""
        mean = torch.zeros(self.d, dtype=torch.float64)
        cov = torch.eye(self.d, dtype=torch.float64)
        for rows in outputs:
            shift, matrix = rows[0], rows[1 : self.d + 1] - rows[0]  # x -> x @ matrix + shift
            spread = rows[self.d + 1] - rows[0]
            mean, cov = mean @ matrix + shift, matrix.T @ cov @ matrix + torch.diag(spread**2)
        return mean, cov

    def ancestral(self, times, last_noise=False):
        """Right outputs of p_sample_step on the basis, at each of these times."""
        x, noise = self.basis()
        outputs = []
        for t in times:
            rows = self.reference.p_sample_step(self.predictor, self.right, x, t, noise).reshape(-1, self.d)
            if t == 0 and last_noise:
                rows[self.d + 1] += self.right.posterior_variance[1].sqrt()
            outputs.append(rows)
        return outputs

    def own_outputs(self, step, times, *, noisy):
        """The student's own steps on the basis, or None where they are no steps towards the data."""
        x, noise = self.basis()
        answer = self.probe.call_each(step, [self.model, self.diffusion, x], times, [noise] if noisy else [])
        shape = (len(times), self.d + 2, 1, 2, 2)
        if not (isinstance(answer, torch.Tensor) and answer.shape == shape and answer.isfinite().all()):
            return None
        outputs = answer.double().reshape(len(times), self.d + 2, self.d)
        mean, _cov = self.law(outputs)
        # Only steps that lead towards the data: a step that does nothing would make noise a right sample.
        towards = float(mean @ self.mean / (self.mean @ self.mean))
        return outputs if 0.3 < towards < 3 else None

    def p_values(self, samples, law):
        """p-values of the samples' mean, covariance and shape under a Gaussian law."""
        mean, cov = law
        if samples.abs().max() > 1e6:
            return {"mean": 0.0}
        if not (torch.linalg.eigvalsh(cov).min() > 1e-10):
            return {"mean": 0.0}
        white = torch.linalg.solve_triangular(torch.linalg.cholesky(cov), (samples - mean).T, upper=False)
        return {
            "mean": mean_test(samples, mean, cov),
            "covariance": covariance_test(samples, cov),
            "shape": standard_normal_test(white[0]),
        }

    def judge(self, samples, law, own, wrong, what):
        """Pass samples of the right law, or of the law of the student's own steps; else look for a mistake."""
        names = {
            "mean": _("mean of {what}"),
            "covariance": _("covariance of {what}"),
            "shape": _("law of {what}"),
        }
        p = self.p_values(samples, law)
        mistake = None
        self.judge_start(what)
        if min(p.values()) < ALPHA:
            outputs = own()
            if outputs is not None:
                p_own = self.p_values(samples, self.law(outputs))
                p = p_own if min(p_own.values()) >= ALPHA else p
        if min(p.values()) < ALPHA:
            fits = {name: min(self.p_values(samples, other).values()) for name, other in wrong.items()}
            best = max(fits, key=fits.get)
            mistake = best if fits[best] > 1e-4 else None
        for name, value in p.items():
            self.expect.p_value(value, names[name].format(what=what), alpha=ALPHA, mistake=mistake)

    def judge_start(self, what):
        """The first images that the model sees are standard normal: good steps would hide another start."""
        first = self.expect.tensor(self.probe.first_input(self.model), self.shape, what).double().reshape(-1, self.d)
        first = first.clamp(-1e6, 1e6)
        zero, one = torch.zeros(self.d), torch.eye(self.d)
        mistake = "sample_from_zeros" if first.abs().max() == 0 else None
        for p in (mean_test(first, zero, one), covariance_test(first, one)):
            self.expect.p_value(p, _("start of {what}").format(what=what), alpha=ALPHA, mistake=mistake)


def unit_range(law):
    """The law of samples brought from [-1, 1] to [0, 1]."""
    mean, cov = law
    return (mean + 1) / 2, cov / 4


@check(points=1, kind="statistical", covers=("sample_ancestral", "sample"))
def test_sample_ancestral(student, reference, probe, expect, draw):
    """All T steps from noise: with the right noise predictor of Gaussian data, samples follow their law."""
    data = GaussianData(student, reference, probe, expect, draw, draw.integer(10, 14))
    what = "sample(model, diffusion, shape)"
    answer = student.sample(data.model, data.diffusion, data.shape, generator=draw.generator())
    samples = expect.tensor(answer, data.shape, what).double().reshape(-1, data.d)
    down = list(range(data.T - 1, -1, -1))
    right = data.law(data.ancestral(down))
    wrong = {
        "sample_ascending": data.law(data.ancestral(down[::-1])),
        "sample_unit_range": unit_range(right),
        "noise_at_last_step": data.law(data.ancestral(down, last_noise=True)),
        "sample_skips_last_step": data.law(data.ancestral(down[:-1])),
    }
    data.judge(samples, right, lambda: data.own_outputs(student.p_sample_step, down, noisy=True), wrong, what)


@check(points=0.5, kind="statistical", covers=("sample_ddim", "sample"))
def test_sample_ddim(student, reference, probe, expect, draw):
    """With `steps` < T, that many deterministic steps on spread times lead down to the image."""
    steps = draw.integer(4, 6)
    data = GaussianData(student, reference, probe, expect, draw, steps * draw.integer(3, 4))
    what = f"sample(model, diffusion, shape, steps={steps})"
    answer = student.sample(data.model, data.diffusion, data.shape, steps=steps, generator=draw.generator())
    samples = expect.tensor(answer, data.shape, what).double().reshape(-1, data.d)
    seen = probe.times_seen(data.model)
    times = [t for i, t in enumerate(seen) if i == 0 or t != seen[i - 1]] if isinstance(seen, list) else []
    expect.true(
        all(isinstance(t, int) and 0 <= t < data.T for t in times),
        _("{what}: the model was called with times of several steps at once.").format(what=what),
    )
    expect.true(
        len(times) == steps,
        _("{what}: expected {n} calls of the model at different times, got {got}.").format(
            what=what, n=steps, got=len(times)
        ),
        mistake="sample_ignores_steps" if len(times) == data.T else None,
    )
    path = [data.T, *times, -1]
    gaps = [a - b for a, b in itertools.pairwise(path)]
    expect.true(
        min(gaps) > 0,
        _("{what}: the times must fall from step to step.").format(what=what),
        mistake="sample_ascending",
    )
    expect.true(
        max(gaps) <= 0.6 * data.T,
        _("{what}: the times must be spread over the whole schedule.").format(what=what),
        mistake="ddim_first_times_only",
    )

    def law(times, last=-1):
        x, _noise = data.basis()
        outputs = [
            reference.ddim_step(data.predictor, data.right, x, t, after).reshape(-1, data.d)
            for t, after in zip(times, [*times[1:], last], strict=True)
        ]
        return data.law(outputs)

    right = law(times)
    wrong = {"sample_unit_range": unit_range(right)}
    if times[-1] > 0:
        wrong["ddim_stops_early"] = law(times, 0)

    def own():
        pairs = list(zip(times, [*times[1:], -1], strict=True))
        return data.own_outputs(student.ddim_step, pairs, noisy=False)

    data.judge(samples, right, own, wrong, what)


@check(
    points=0.5, covers=("generator", "sample", "train_ddpm"),
    substance={"sample": ("sample_ancestral",), "train_ddpm": ("train_draws",)},
)  # fmt: skip
def test_sample_generator(student, reference, probe, each, expect, draw):
    """All draws of a sampling and of a training come from the generator given; nothing seeds the global one."""
    before = probe.global_seed()
    T = draw.integer(6, 9)
    diffusion, _right = make_diffusion(student, reference, probe, expect, draw.uniform(T, low=0.08, high=0.3))
    model = probe.scaled_model(draw.uniform(T, low=0.3, high=0.6), torch.zeros(1, dtype=torch.float64))
    shape = (draw.integer(3, 5), 1, 4, 4)
    seed, other = draw.seed(), draw.seed()

    def judge_global_seed():
        expect.true(
            probe.global_seed() == before,
            _("Something in sample or train_ddpm seeds torch's global generator."),
            hint=_("Nothing seeds the global generator: no torch.manual_seed inside a function."),
            mistake="seed_inside",
        )

    with each("sample"):
        what = "sample(model, diffusion, shape, generator=generator)"
        first, second, third = (
            expect.tensor(
                student.sample(model, diffusion, shape, generator=torch.Generator().manual_seed(s)), shape, what
            ).double()
            for s in (seed, seed, other)
        )
        expect.true(
            torch.allclose(first, second, atol=1e-6),
            _("{what}: two generators of one seed give two samples.").format(what=what),
            hint=_("Does every draw take `generator=generator`? `randn_like` does not."),
            mistake="sample_ignores_generator",
        )
        expect.true(
            not torch.allclose(first, third, atol=1e-3),
            _("{what}: generators of two seeds give one sample.").format(what=what),
        )
        what = "sample(model, diffusion, shape)"
        one, two = (expect.tensor(student.sample(model, diffusion, shape), shape, what).double() for _k in range(2))
        expect.true(not torch.allclose(one, two, atol=1e-3), _("{what}: two calls give one sample.").format(what=what))
        judge_global_seed()

    start = [0.3 * draw.normal(1, 4, 4, dtype=torch.float32) for _k in range(2)]
    images = draw.uniform(20, 1, 4, 4, low=-1.0, high=1.0, dtype=torch.float32)

    def trained(seed):
        """A weight after a training with this seed."""
        model = probe.pixel_model(*start)
        settings = {"batch_size": 4, "lr": 1e-2, "generator": torch.Generator().manual_seed(seed)}
        student.train_ddpm(model, diffusion, images, 3, **settings)
        values = probe.parameters(model)
        expect.true(isinstance(values, dict), _("the model has no parameters any more"))
        return expect.tensor(values.get("bias"), (1, 4, 4), _("a weight of the model after training"))

    with each("train_ddpm"):
        expect.true(
            torch.allclose(trained(seed), trained(seed), atol=1e-6),
            _("train_ddpm(..., generator=generator): two generators of one seed give two trainings."),
            hint=_("Does every draw take `generator=generator`? `randn_like` does not."),
            mistake="train_ignores_generator",
        )
        judge_global_seed()


@check(
    points=0.25, covers=("model_times", "ddpm_loss", "p_sample_step", "ddim_step"),
    substance={
        "ddpm_loss": ("loss_value",), "p_sample_step": ("p_sample_mean",), "ddim_step": ("ddim_deterministic",),
    },
)  # fmt: skip
def test_any_callable(student, reference, probe, each, expect, compare, draw):
    """The model may be any callable: with a plain function, loss and steps are what they are with a network."""
    scene = Scene(student, reference, probe, expect, draw)
    T, B = scene.T, scene.B
    x, noise, t = draw.uniform(*scene.shape, low=-0.9, high=0.9), draw.normal(*scene.shape), draw.integers(0, T, B)
    numbers = draw.normal(T), draw.normal(*scene.shape)
    models = probe.scaled_model(*numbers), probe.scaled_function(*numbers)
    last = draw.integer(2, T - 1)
    calls = {
        "ddpm_loss": ((), lambda model: student.ddpm_loss(model, scene.diffusion, x, t, noise)),
        "p_sample_step": (scene.shape, lambda model: student.p_sample_step(model, scene.diffusion, x, last, noise)),
        "ddim_step": (scene.shape, lambda model: student.ddim_step(model, scene.diffusion, x, last, 0)),
    }
    for name, (shape, call) in calls.items():
        with each(name):
            network, function = (expect.tensor(call(model), shape, name).double() for model in models)
            compare(function, network, what=_("{name} with a plain function").format(name=name), **CLOSE)
