"""From noise to latents, with known pixels, and from words to images."""

from __future__ import annotations

import itertools

import torch

from autograder.judge import check
from autograder.judge.verdicts import StudentError
from autograder.language import _
from autograder.statistics import covariance_test, standard_normal_test

ALPHA = 1e-6
CLOSE = {"rtol": 1e-6, "atol": 1e-8}


def draw_bars(draw, T):
    """ᾱ that decrease within (0, 1), neither near 1 nor near 0."""
    return draw.uniform(T, low=0.1, high=0.97).sort(descending=True).values


def draw_times(draw, T, K):
    """K decreasing times that are neither the first nor the last ones."""
    return sorted(draw.shuffle(range(1, T - 1))[:K], reverse=True)


def draw_noise_weights(draw, d, T):
    """Numbers of a noise function tanh(z W + U[t]) V."""
    h = draw.integer(4, 7)
    return draw.normal(d, h), draw.normal(T, h), 0.7 * draw.normal(h, d)


def noise_of(weights):
    """The same noise function here."""
    W, U, V = weights
    return lambda z, t: torch.tanh(z @ W + U[t]) @ V


def ddim(noise_fn, bars, z, times):
    """The deterministic way back."""
    for t, after in itertools.pairwise([*times, None]):
        noise = noise_fn(z, torch.full((len(z),), t))
        z = (z - (1 - bars[t]).sqrt() * noise) / bars[t].sqrt()
        if after is not None:
            z = bars[after].sqrt() * z + (1 - bars[after]).sqrt() * noise
    return z


@check(points=1.25, covers=("ddim", "ddim_sample"))
def test_ddim(student, probe, compare, draw):
    """DDIM goes back along the times given, with the same noise, to clean latents that nothing clips."""
    T = draw.integer(12, 16)
    middle = draw_times(draw, T, 4)
    for times in ([middle[0]], tuple(middle), range(T - 1, -1, -draw.integer(2, 4)), range(T - 1, -1, -1)):
        d, B = draw.integer(2, 4), draw.integer(3, 5)
        bars, weights, z_T = draw_bars(draw, T), draw_noise_weights(draw, d, T), 2 * draw.normal(B, d)
        given = probe.falling(times[0], times.stop, times.step) if isinstance(times, range) else times
        answer = student.ddim_sample(probe.noise_function(*weights), bars, z_T, given)
        what = f"ddim_sample(noise_fn, alpha_bars, z_T, {times})"
        compare(answer, ddim(noise_of(weights), bars, z_T, list(times)), what, **CLOSE)


@check(points=0.25, covers=("gaussian", "ddim_sample"))
def test_ddim_gaussian(student, probe, expect, draw):
    """Guided between two Gaussians, many small steps end at s z_T + m + w (m_c - m)."""
    T, d, B, s = 400, draw.integer(2, 4), draw.integer(3, 5), float(draw.uniform(1, low=0.4, high=0.8))
    w, m, m_c = float(draw.uniform(1, low=1.5, high=3.0)), draw.normal(d), draw.normal(d)
    rates = torch.linspace(0.01, 1, T, dtype=torch.float64).cumsum(0)
    bars = torch.exp(-8 * rates / rates[-1])
    variance = bars * s**2 + 1 - bars
    slopes = (1 - bars).sqrt() / variance
    goal = m + w * (m_c - m)
    noise_fn = probe.affine_noise(slopes, -(slopes * bars.sqrt())[:, None] * goal)
    z_T = draw.normal(B, d)
    what = "ddim_sample(noise_fn, alpha_bars, z_T, range(T - 1, -1, -1))"
    answer = expect.tensor(student.ddim_sample(noise_fn, bars, z_T, list(range(T - 1, -1, -1))), (B, d), what)
    right = goal + s * (z_T - bars[-1].sqrt() * goal) / variance[-1].sqrt()
    expect.true(
        float((answer - right).abs().max()) < 0.05 * (1 + float(right.abs().max())),
        _("{what}: with the exact noise of a Gaussian it does not end in that Gaussian.").format(what=what),
    )


class Holes:
    """Images of which some pixels are known, a space, a noise function."""

    def __init__(self, draw, K, kind):
        self.d, self.D, self.B, self.T = draw.integer(2, 4), draw.integer(6, 9), draw.integer(2, 4), 14
        self.times = draw_times(draw, self.T, K)
        self.bars, self.weights = draw_bars(draw, self.T), draw_noise_weights(draw, self.d, self.T)
        components = torch.linalg.qr(draw.normal(self.D, self.d))[0].T.contiguous()
        self.space = draw.normal(self.D), components, float(draw.uniform(1, low=0.4, high=0.7))
        self.noise, self.known = draw.normal(K, self.B, self.d), 2 * draw.normal(self.B, self.D)
        self.mask = torch.tensor(draw.shuffle([1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0][: self.D])).to(kind)

    def arguments(self, probe):
        noise_fn = probe.noise_function(*self.weights)
        return noise_fn, self.bars, self.noise, self.times, self.known, self.mask, self.space

    def encode(self, x):
        mean, components, scale = self.space
        return scale * (x - mean) @ components.T

    def decode(self, z):
        mean, components, scale = self.space
        return mean + z / scale @ components

    def filled(self, encode, decode):
        """What comes out with these ways to the latents and back."""
        noise_fn, z = noise_of(self.weights), self.noise[0]
        for k, t in enumerate(self.times):
            guess = noise_fn(z, torch.full((self.B,), t))
            x = decode((z - (1 - self.bars[t]).sqrt() * guess) / self.bars[t].sqrt())
            x = torch.where(self.mask.bool(), self.known, x)
            if k + 1 < len(self.times):
                bar = self.bars[self.times[k + 1]]
                z = bar.sqrt() * encode(x) + (1 - bar).sqrt() * self.noise[k + 1]
        return x

    def own(self, student, expect):
        """The same with the student's encode and decode, where those answer what they are given."""

        def sound(function, right):
            def use(value):
                answer = expect.tensor(function(value, self.space), tuple(right(value).shape))
                moved = expect.tensor(function(value + 1, self.space), tuple(answer.shape))
                if not related(answer, right(value)) or float((moved - answer).abs().max()) < 1e-6:
                    raise StudentError("of no use")
                return answer

            return use

        ways = (
            (self.encode, sound(student.decode, self.decode)),
            (sound(student.encode, self.encode), self.decode),
            (sound(student.encode, self.encode), sound(student.decode, self.decode)),
        )
        for encode, decode in ways:
            try:
                yield self.filled(encode, decode)
            except AssertionError:
                continue


def related(answer, right):
    """Whether an answer follows the right one: neither a constant nor noise."""
    if answer.shape != right.shape or not bool(answer.isfinite().all()):
        return False
    pair = torch.stack([answer.double().flatten(), right.double().flatten()])
    return float(torch.corrcoef(pair)[0, 1].nan_to_num(0.0)) > 0.3


INPAINT = "inpaint(noise_fn, alpha_bars, noise, times, known, mask, space)"


def compare_filled(student, expect, compare, answer, holes):
    """The right images, or those that follow from the student's own encode and decode."""
    right = holes.filled(holes.encode, holes.decode)
    fits = isinstance(answer, torch.Tensor) and answer.shape == right.shape
    if fits and not torch.allclose(answer.double(), right):
        right = next((x for x in holes.own(student, expect) if torch.allclose(answer.double(), x, **CLOSE)), right)
    compare(answer, right, INPAINT, **CLOSE)


@check(points=0.5, covers=("inpaint",))
def test_inpaint_once(student, probe, expect, compare, draw):
    """With a single time the decoded guess comes back, the known pixels in their places."""
    for kind in (torch.float64, torch.bool):
        holes = Holes(draw, 1, kind)
        compare_filled(student, expect, compare, student.inpaint(*holes.arguments(probe)), holes)


@check(points=0.75, covers=("inpaint",))
def test_inpaint(student, probe, expect, compare, draw):
    """Known pixels replace those of each guess, which goes on with fresh noise to the next time."""
    for kind in (torch.float64, torch.bool):
        holes = Holes(draw, draw.integer(3, 4), kind)
        compare_filled(student, expect, compare, student.inpaint(*holes.arguments(probe)), holes)


class Painting:
    """A network and a text encoder that are known here, prompts, and what comes out."""

    def __init__(self, probe, draw):
        self.d, self.k, self.D, self.T = draw.integer(2, 4), 8, draw.integer(6, 9), 14
        h = draw.integer(5, 8)
        shapes = (self.d, h), (self.k, h), (self.T, h), (h, self.d)
        self.weights = [draw.normal(*s) for s in shapes]
        # So little noise that what comes out follows the start: by that a sampler that is partly wrong is known.
        self.weights[3] = 0.2 * self.weights[3]
        self.phrases = ["a thin seven", "a bold two", "nothing much", "a four"]
        self.table = draw.normal(len(self.phrases), self.k)
        self.prompts = draw.shuffle([*self.phrases, "", self.phrases[0]])
        self.B = len(self.prompts)
        self.bars, self.times = 0.4 + 0.6 * draw_bars(draw, self.T), draw_times(draw, self.T, 4)
        self.z_T = draw.normal(self.B, self.d)
        components = torch.linalg.qr(draw.normal(self.D, self.d))[0].T.contiguous()
        self.space = draw.uniform(self.D, low=0.3, high=0.7), components, float(draw.uniform(1, low=2.0, high=4.0))
        self.model, self.encoder = probe.network(*self.weights), probe.phrases(self.phrases, self.table)

    def conditions(self):
        rows = [self.table[self.phrases.index(p)] if p in self.phrases else 0 * self.table[0] for p in self.prompts]
        return torch.stack(rows)

    def noise(self, w):
        """The guided noise."""
        W, M, U, V = self.weights
        c = self.conditions()

        def noise_fn(z, t):
            told, without = (torch.tanh(z @ W + k @ M + U[t]) @ V for k in (c, 0 * c))
            return without + w * (told - without)

        return noise_fn

    def decode(self, z):
        mean, components, scale = self.space
        return mean + z / scale @ components

    def own(self, student, probe, expect, w):
        """What comes out with the student's own guidance, sampler and decoder, where those are of some use."""
        c = self.conditions()
        right_z = ddim(self.noise(w), self.bars, self.z_T, self.times)
        guides = {
            "right": probe.combined(self.model, [0 * c, c], [1 - w, w]),
            "own": probe.with_arguments(student.guided_noise, self.model, c, w),
        }
        for guide, sampler, decoder in itertools.product(guides, ("right", "own"), ("right", "own")):
            try:
                noise_fn = guides[guide]
                if sampler == "own":
                    z = student.ddim_sample(noise_fn, self.bars, self.z_T, self.times)
                else:
                    z = ddim(validated(expect, noise_fn), self.bars, self.z_T, self.times)
                z = expect.tensor(z, tuple(right_z.shape))
                if not related(z, right_z):
                    continue
                x = student.decode(z, self.space) if decoder == "own" else self.decode(z)
                x = expect.tensor(x, (self.B, self.D))
            except AssertionError:
                continue
            if related(x, self.decode(right_z)):
                yield x.clamp(0, 1)


@check(points=1, covers=("text_to_image",))
def test_text_to_image(student, probe, expect, compare, draw):
    """Prompts are embedded, the start is led back under guidance, decoded and clipped to [0, 1]."""
    for w in (3.0, float(draw.uniform(1, low=0.3, high=2.0))):
        scene = Painting(probe, draw)
        arguments = scene.model, scene.encoder, scene.space, scene.bars, scene.prompts, scene.times
        options = {"z_T": scene.z_T} | ({} if w == 3.0 else {"guidance_scale": w})
        answer = student.text_to_image(*arguments, **options)
        right = scene.decode(ddim(scene.noise(w), scene.bars, scene.z_T, scene.times)).clamp(0, 1)
        passed = "z_T=z_T" if w == 3.0 else f"z_T=z_T, guidance_scale={w:.2g}"
        what = f"text_to_image(model, text_encoder, space, alpha_bars, prompts, times, {passed})"
        images = expect.tensor(answer, tuple(right.shape), what)
        if not torch.allclose(images, right) and any(
            torch.allclose(images, own, **CLOSE) for own in scene.own(student, probe, expect, w)
        ):
            continue
        compare(answer, right, what, **CLOSE)
        expect.true(
            probe.requires_grad(student.text_to_image, *arguments, **options) is False,
            _("{what}: the images carry a graph.").format(what=what),
            hint=_("Nothing is trained here: torch.no_grad()."),
        )


def validated(expect, noise_fn):
    """A noise function beside the student's code, whose answers are looked at before they are used."""
    return lambda z, t: expect.tensor(noise_fn(z, t), tuple(z.shape))


@check(points=0.25, kind="statistical", covers=("start", "text_to_image"))
def test_text_to_image_start(student, probe, expect, draw):
    """Without z_T the start is standard normal noise."""
    scene = Painting(probe, draw)
    B = 2000
    zero = torch.zeros(scene.T, dtype=torch.float64)
    model = probe.shifted_network(zero, draw.normal(scene.T, scene.d), draw.normal(scene.T, scene.k, scene.d))
    prompts = [scene.prompts[i % scene.B] for i in range(B)]
    given = scene.encoder, scene.space, scene.bars, prompts, scene.times
    images = student.text_to_image(model, *given, generator=draw.generator())
    what = "text_to_image(model, text_encoder, space, alpha_bars, prompts, times)"
    images = expect.tensor(images, (B, scene.D), what)
    first = expect.tensor(probe.first_latents(model), (None, scene.d), _("what the model was given first"))
    expect.true(
        len(first) >= B and bool((images.std(0) > 1e-6).any()),
        _("{what}: the model must be given a start for every prompt.").format(what=what),
    )
    z = first[:B]
    hint = _("z_T = torch.randn(B, d, generator=generator), as it is.")
    p = standard_normal_test(z.flatten())
    expect.p_value(p, _("law of z_T in {what}").format(what=what), ALPHA, hint)
    p = covariance_test(z, torch.eye(scene.d, dtype=torch.float64))
    expect.p_value(p, _("covariance of z_T in {what}").format(what=what), ALPHA, hint)
