"""Conventions of the course: modules, dtypes, arguments left alone, explicit randomness, refusals."""

import torch

from autograder.judge import check
from autograder.language import _

# The checks of each name's values: its form earns nothing before one of them has passed.
VALUES = {
    "logit_transform": ("logit_value",),
    "inverse_logit_transform": ("inverse_logit_value",),
    "ActNorm": ("actnorm_map",),
    "InvertibleConv1x1": ("conv_map",),
    "AffineCoupling": ("coupling_halves",),
    "Glow": ("flow_log_det",),
    "Glow.sample": ("sampling",),
    "bits_per_dimension": ("bits_value",),
    "train_glow": ("train_updates",),
    "sample_images": ("sample_images",),
}
NAMES = tuple(name for name in VALUES if "." not in name)
LAYERS = ("ActNorm", "InvertibleConv1x1", "AffineCoupling")
RANDOM = ("Glow.sample", "sample_images", "train_glow", "InvertibleConv1x1")


def known(probe, expect, draw, shape, dtype=torch.float64):
    """A flow of ours for images of this shape."""
    zero = draw.normal(*shape, dtype=dtype)
    return expect.handle(probe.known_flow(zero, 0.1 * zero), _("a model of ours"))


def unchanged(probe, expect, name, function, *arguments, **options):
    """A call that leaves its tensors as they are."""
    expect.true(
        probe.changed(function, *arguments, **options) == [],
        _("{name} changes the tensors that it is given.").format(name=name),
        hint=_("Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not."),
        mistake="arguments_changed",
    )


@check(points=0.5, kind="exact", covers=("conventions", *NAMES), substance=VALUES)
def test_conventions(student, each, probe, expect, draw):
    """Models are modules; tensors keep their dtype, float32 or float64, images are int64; arguments are left alone."""
    for dtype in (torch.float32, torch.float64):
        kept = {"dtype": dtype, "container": "tensor"}
        u, x = draw.uniform(3, 1, 4, 4, dtype=dtype), draw.normal(3, 1, 4, 4, dtype=dtype)
        for name, given in (("logit_transform", u), ("inverse_logit_transform", x)):
            with each(name):
                y, log_det = expect.sequence(getattr(student, name)(given), 2, name)
                expect.tensor(y, given.shape, name, **kept)
                expect.tensor(log_det, (3,), name, **kept)
                unchanged(probe, expect, name, getattr(student, name), given)
        for name in LAYERS:
            with each(name):
                layer = expect.handle(getattr(student, name)(4), name)
                expect_pairs(probe, expect, name, layer, draw.normal(5, 4, 2, 3, dtype=dtype), kept)
        with each("Glow"):
            flow = expect.handle(student.Glow(size=4, n_steps=1), "Glow(...)")
            expect_module(probe, expect, "Glow", flow, dtype)
            zs, log_det = expect.sequence(flow(x), 2, "Glow.forward(x)")
            zs = expect.sequence(zs, 2, "Glow.forward(x)")
            back, back_log_det = expect.sequence(flow.inverse(list(zs)), 2, "Glow.inverse(zs)")
            for value in (*zs, log_det, back, back_log_det, flow.log_prob(x)):
                expect.tensor(value, None, "Glow", **kept)
        with each("Glow.sample"):
            flow = expect.handle(student.Glow(size=4, n_steps=1), "Glow(...)")
            expect_module(probe, expect, "Glow", flow, dtype)
            expect.tensor(flow.sample(2), (2, 1, 4, 4), "Glow.sample(2)", **kept)
            expect.true(
                not probe.sample_has_graph(flow),
                _("Glow.sample(n): samples carry gradients."),
                hint=_("Sample under torch.no_grad()."),
                mistake="sample_with_graph",
            )
        with each("bits_per_dimension"):
            model, pixels = known(probe, expect, draw, (1, 4, 4), dtype), draw.integers(0, 17, 3, 1, 4, 4)
            expect.tensor(student.bits_per_dimension(model, pixels, u, 17), (3,), "bits_per_dimension", **kept)
            unchanged(probe, expect, "bits_per_dimension", student.bits_per_dimension, model, pixels, u, 17)
        with each("sample_images"):
            model = known(probe, expect, draw, (1, 4, 4), dtype)
            kept = {"dtype": torch.int64, "container": "tensor"}
            expect.tensor(student.sample_images(model, 2, 17), (2, 1, 4, 4), "sample_images", **kept)
    with each("train_glow"):
        model, pixels = known(probe, expect, draw, (1, 4, 4), torch.float32), draw.integers(0, 17, 20, 1, 4, 4)
        unchanged(probe, expect, "train_glow", student.train_glow, model, pixels, 2, 17, batch_size=4)
        history = student.train_glow(model, pixels.to(torch.uint8), 2, 17, batch_size=4)
        expect.history(history, "bpd", 2, "train_glow(model, pixels, steps, levels)")


def expect_module(probe, expect, name, module, dtype):
    """A torch module, put into this dtype."""
    expect.true(probe.is_instance(module, "torch.nn.Module"), _("{name} is not a torch.nn.Module.").format(name=name))
    if dtype is torch.float64:
        module.double()


def expect_pairs(probe, expect, name, module, x, kept):
    """A module whose two directions return two tensors each, in the dtype of its weights, and leave x alone."""
    expect_module(probe, expect, name, module, kept["dtype"])
    for method in ("forward", "inverse"):
        what = f"{name}.{method}(x)"
        y, log_det = expect.sequence(getattr(module, method)(x), 2, what)
        expect.tensor(y, x.shape, what, **kept)
        expect.tensor(log_det, (len(x),), what, **kept)
        unchanged(probe, expect, what, getattr(module, method), x)


@check(points=0.25, kind="exact", covers=("randomness", "Glow", "sample_images", "train_glow", "InvertibleConv1x1"),
       substance={name: VALUES[name] for name in RANDOM})  # fmt: skip
def test_generators(student, each, probe, expect, draw):
    """Random draws come from `generator` where one is given, and nothing seeds the global generator."""
    first, second = draw.seed(), draw.seed()
    before = probe.global_seed()
    with each("Glow.sample"):
        flow = expect.handle(student.Glow(size=4, n_steps=1), "Glow(...)")
        expect_draws(expect, "Glow.sample(4)", (4, 1, 4, 4), lambda options: flow.sample(4, **options), first, second)
    with each("sample_images"):
        model = known(probe, expect, draw, (2, 5, 5))
        name = "sample_images(model, 4, 17)"
        expect_draws(
            expect, name, (4, 2, 5, 5), lambda options: student.sample_images(model, 4, 17, **options), first, second
        )
    with each("train_glow"):
        what = "train_glow(model, pixels, steps, levels, generator=generator)"
        sizes = [draw.normal(1, 4, 4, dtype=torch.float32), torch.zeros(1, 4, 4), "normal"]
        pixels, settings = draw.integers(0, 17, 40, 1, 4, 4), {"steps": 4, "levels": 17, "batch_size": 8, "lr": 1e-3}
        answers = probe.histories(student.train_glow, sizes, pixels, settings, [first, first, second])
        one, again, other = (expect.tensor(v, (4,), what) for v in expect.sequence(answers, 3, what))
        alike = torch.allclose(one, again, rtol=1e-5, atol=1e-6)
        same_rows = not alike and rows_repeat(student, probe, sizes, pixels, settings, first)
        expect.true(
            alike,
            _("{what}: two trainings with generators of one seed differ: rows or noise come from elsewhere.").format(
                what=what
            ),
            hint=_("Rows and noise are both drawn with generator=generator."),
            mistake="train_noise_from_elsewhere" if same_rows else "train_ignores_generator",
        )
        expect.true(
            not torch.allclose(one, other, rtol=1e-5, atol=1e-6),
            _("{what}: generators of two seeds give the same batches.").format(what=what),
            mistake="global_seed",
        )
    with each("InvertibleConv1x1"):
        units = torch.eye(4, dtype=torch.float64)[:, :, None, None]
        answers = probe.built(student.InvertibleConv1x1, [4], [first, first, second], units)
        what = "InvertibleConv1x1(4)"
        one, again, other = (expect.tensor(v, (4, 4, 1, 1), what) for v in expect.sequence(answers, 3, what))
        expect.true(
            torch.allclose(one, again) and not torch.allclose(one, other, atol=1e-4),
            _("InvertibleConv1x1: its first matrix is not drawn from torch's global generator."),
        )
    for name in RANDOM:
        with each(name):
            expect.true(
                probe.global_seed() == before,
                _("{name} seeds torch's global generator.").format(name=name),
                hint=_("No torch.manual_seed inside a function."),
                mistake="global_seed",
            )


def rows_repeat(student, probe, sizes, pixels, settings, seed):
    """Whether two trainings with generators of one seed are given the same rows of pixels, whatever the noise."""
    found = []
    for _turn in range(2):
        generator = torch.Generator().manual_seed(seed)
        x = probe.trained(student.train_glow, *sizes, pixels, settings, generator)["calls"]
        found.append(((x.sigmoid() - 0.05) / 0.9 * settings["levels"]).floor())
    return found[0].shape == found[1].shape and float((found[0] == found[1]).double().mean()) > 0.95


def expect_draws(expect, what, shape, drawn, first, second):
    """The generator decides the draws; without one, two calls differ."""
    one, again, other = (
        expect.tensor(drawn({"generator": torch.Generator().manual_seed(s)}), shape, what)
        for s in (first, first, second)
    )
    expect.true(
        torch.equal(one, again) and not torch.allclose(one.double(), other.double()),
        _("{what}: the generator decides the draws: same seed, same images, another seed, others.").format(what=what),
        hint=_("Pass generator=generator to every function that draws."),
        mistake="sample_ignores_generator",
    )
    free, again = (expect.tensor(drawn({}), shape, what) for _i in range(2))
    expect.true(
        not torch.allclose(free.double(), again.double()),
        _("{what}: two calls without a generator give the same.").format(what=what),
        mistake="global_seed",
    )


@check(points=0.5, kind="exact", covers=("errors", *NAMES), substance=VALUES)
def test_bad_arguments(student, each, probe, expect, draw):
    """Values outside their range, wrong channels and sides, and counts below 1 raise ValueError."""
    u, x = draw.uniform(2, 1, 4, 4, low=0.1, high=0.9), draw.normal(2, 1, 4, 4)
    bad = draw.choice([0, -1])
    high, low = u.clone(), u.clone()
    high[1, 0, 2, 1], low[0, 0, 1, 3] = 1.25, -0.25
    with each("logit_transform"):
        for given, what in ((high, _("a y above 1")), (low, _("a negative y"))):
            expect.raises(ValueError, student.logit_transform, given, what=f"logit_transform: {what}")
    for name, given in (("logit_transform", u), ("inverse_logit_transform", x)):
        for alpha in (-0.1, 0.5, 0.7):
            with each(name):
                what = f"{name}(..., alpha={alpha})"
                expect.raises(ValueError, getattr(student, name), given, alpha=alpha, what=what)
    for name in LAYERS:
        with each(name):
            expect.raises(ValueError, getattr(student, name), bad, what=f"{name}({bad})")
            layer = expect.handle(getattr(student, name)(4), name)
            for method in ("forward", "inverse"):
                what = _("{name}(4).{method} of images of 6 channels").format(name=name, method=method)
                expect.raises(
                    ValueError, getattr(layer, method), draw.normal(5, 6, 2, 3, dtype=torch.float32), what=what
                )
    with each("AffineCoupling"):
        expect.raises(ValueError, student.AffineCoupling, 3, what="AffineCoupling(3)")
    with each("Glow"):
        for arguments in ({"size": 6}, {"n_scales": 0}, {"n_steps": bad}, {"channels": bad}):
            ((name, value),) = arguments.items()
            expect.raises(ValueError, student.Glow, what=f"Glow({name}={value})", **arguments)
        flow = expect.handle(student.Glow(size=8, n_steps=1), "Glow(...)")
        for method in ("forward", "log_prob"):
            for shape in ((3, 2, 8, 8), (3, 1, 4, 4), (3, 1, 8, 16)):
                what = _("Glow(channels=1, size=8).{method} of images of shape {shape}").format(
                    method=method, shape=shape
                )
                expect.raises(ValueError, getattr(flow, method), draw.normal(*shape, dtype=torch.float32), what=what)
    with each("Glow.sample"):
        flow = expect.handle(student.Glow(size=4, n_steps=1), "Glow(...)")
        expect.raises(ValueError, flow.sample, bad, what=f"Glow.sample({bad})")
        expect.raises(ValueError, flow.sample, 2, temperature=-0.5, what="Glow.sample(2, temperature=-0.5)")
    pixels = draw.integers(0, 17, 2, 1, 4, 4)
    with each("bits_per_dimension"):
        model = known(probe, expect, draw, (1, 4, 4))
        what = "bits_per_dimension(..., levels=1)"
        expect.raises(ValueError, student.bits_per_dimension, model, 0 * pixels, u, 1, what=what)
        what = _("bits_per_dimension: pixels and noise of different shapes")
        expect.raises(ValueError, student.bits_per_dimension, model, pixels, u[:1], 17, what=what)
    with each("train_glow"):
        model = known(probe, expect, draw, (1, 4, 4), torch.float32)
        for name in ("steps", "batch_size"):
            settings = {"steps": 2, "levels": 17, "batch_size": 2} | {name: bad}
            expect.raises(
                ValueError, student.train_glow, model, pixels, what=f"train_glow(..., {name}={bad})", **settings
            )
    with each("sample_images"):
        model = known(probe, expect, draw, (1, 4, 4))
        expect.raises(ValueError, student.sample_images, model, bad, 17, what=f"sample_images(model, {bad}, 17)")
        what = "sample_images(..., temperature=-0.5)"
        expect.raises(ValueError, student.sample_images, model, 2, 17, temperature=-0.5, what=what)
