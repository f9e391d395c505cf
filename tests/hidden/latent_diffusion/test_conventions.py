"""Conventions of the course: dtypes, arguments left alone, plain functions, explicit randomness, refusals."""

from __future__ import annotations

import torch

from autograder.judge import check
from autograder.language import _

# The checks of each function's values: its form earns nothing before they have passed.
VALUES = {
    "fit_latent_space": ("latent_space",),
    "encode": ("encode",),
    "decode": ("decode",),
    "TextEncoder": ("embedding",),
    "Denoiser": ("denoiser_inputs",),
    "diffusion_loss": ("loss_value",),
    "guided_noise": ("guided_noise",),
    "classifier_guided_noise": ("classifier_guided",),
    "ddim_sample": ("ddim",),
    "inpaint": ("inpaint",),
    "text_to_image": ("text_to_image",),
    "train_text_to_image": ("train_updates",),
}
T = 12
PHRASES = ["a thin seven", "a bold two", "a four"]


class Inputs:
    """Arguments of every function in one dtype; `alpha_bars` in another one."""

    def __init__(self, probe, draw, dtype, bars=torch.float64):
        self.B, self.d, self.k, self.D, self.K, h = 3, 2, 4, 7, 3, 5

        def normal(*shape):
            return draw.normal(*shape, dtype=dtype)

        self.bars = draw.uniform(T, low=0.1, high=0.95).sort(descending=True).values.to(bars)
        self.x, self.z, self.noise, self.c = normal(9, self.D), normal(3, self.d), normal(3, self.d), normal(3, self.k)
        self.t, self.labels = draw.integers(0, T, 3), draw.integers(0, self.K, 3)
        self.drop = torch.tensor([True, False, False])
        components = torch.linalg.qr(draw.normal(self.D, self.d))[0].T.contiguous().to(dtype)
        self.space = normal(self.D), components, torch.tensor(0.5, dtype=dtype)
        self.network = [normal(self.d, h), normal(self.k, h), normal(T, h), normal(h, self.d)]
        self.classifier = [normal(self.d, h), normal(T, h), normal(h, self.K), normal(self.d, self.K)]
        self.table = normal(3, self.k)
        self.model, self.noise_fn = self.make_model(probe), self.make_noise(probe)
        mask = (torch.arange(self.D) % 2).to(dtype)
        times, W, U, V = [9, 5, 2], *self.network[:1], *self.network[2:]
        self.plain = W, U, V
        encoder = probe.phrases(PHRASES, self.table)
        self.calls = {
            "encode": (self.x[:3], self.space),
            "decode": (self.z, self.space),
            "diffusion_loss": (self.model, self.bars, self.z, self.c, self.t, self.noise, self.drop),
            "guided_noise": (self.model, self.z, self.t, self.c, 2.0),
            "classifier_guided_noise": (
                self.noise, self.z, self.t, self.labels, probe.classifier(*self.classifier), self.bars,
            ),
            "ddim_sample": (self.noise_fn, self.bars, self.z, times),
            "inpaint": (self.noise_fn, self.bars, normal(3, 3, self.d), times, self.x[:3], mask, self.space),
            "text_to_image": (self.model, encoder, self.space, self.bars, PHRASES, times),
        }  # fmt: skip
        rows = (3, self.d)
        self.shapes = {
            "encode": rows, "decode": (3, self.D), "diffusion_loss": (), "guided_noise": rows,
            "classifier_guided_noise": rows, "ddim_sample": rows, "inpaint": (3, self.D), "text_to_image": (3, self.D),
        }  # fmt: skip

    def make_model(self, probe):
        return probe.network(*self.network)

    def make_noise(self, probe):
        return probe.noise_function(self.network[0], *self.network[2:])


FORMS = tuple(name for name in VALUES if name != "train_text_to_image")


@check(points=0.5, covers=("conventions", *FORMS), substance={name: VALUES[name] for name in FORMS})
def test_conventions(student, each, probe, expect, draw):
    """Answers are tensors and keep the dtype of the input; times are (B,) integers; arguments stay as they are."""
    for dtype, bars in ((torch.float64, torch.float32), (torch.float32, torch.float64)):
        inputs = Inputs(probe, draw, dtype, bars)
        for name, given in inputs.calls.items():
            with each(name):
                function = getattr(student, name)
                what = _("{name} on {dtype}").format(name=name, dtype=dtype)
                expect.tensor(function(*given), inputs.shapes[name], what, dtype=dtype, container="tensor")
                form = None
                if name in ("diffusion_loss", "guided_noise", "text_to_image"):
                    form = probe.call_form(inputs.model)
                if name in ("ddim_sample", "inpaint"):
                    form = probe.function_form(inputs.noise_fn)
                if form is not None:
                    well, dtypes = expect.sequence(form, 2, what)
                    expect.true(
                        well is True,
                        _("{name}: models are to be given times as a (B,) tensor of int64, one per row.").format(
                            name=name
                        ),
                    )
                    expect.true(
                        dtypes == [str(dtype).removeprefix("torch.")],
                        _("{name}: the model is given latents of another dtype than yours; convert alpha_bars.").format(
                            name=name
                        ),
                    )
                expect.true(
                    probe.changed(function, *given) == [],
                    _("{name} changes the tensors that it is given.").format(name=name),
                    hint=_("Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not."),
                    mistake="arguments_changed",
                )
        with each("fit_latent_space"):
            parts = expect.sequence(student.fit_latent_space(inputs.x, 2), 3, "fit_latent_space(x, 2)")
            for part, shape in zip(parts[:2], ((inputs.D,), (2, inputs.D)), strict=True):
                expect.tensor(part, shape, "fit_latent_space(x, 2)", dtype=dtype, container="tensor")
            expect.true(
                probe.changed(student.fit_latent_space, inputs.x, 2) == [],
                _("{name} changes the tensors that it is given.").format(name="fit_latent_space"),
                mistake="arguments_changed",
            )
        move = "double" if dtype == torch.float64 else "float"
        with each("TextEncoder"):
            encoder = expect.handle(student.TextEncoder(["thin", "seven"], dim=8), "TextEncoder(vocabulary, dim=8)")
            encoder = expect.handle(getattr(encoder, move)(), f"TextEncoder(...).{move}()")
            answer = encoder(["a thin seven", "seven", "thin"])
            expect.tensor(answer, (3, 8), "TextEncoder(...)(prompts)", dtype=dtype, container="tensor")
        with each("Denoiser"):
            network = expect.handle(student.Denoiser(inputs.d, inputs.k, T, hidden=32), "Denoiser(...)")
            network = expect.handle(getattr(network, move)(), f"Denoiser(...).{move}()")
            answer = network(inputs.z, inputs.t, inputs.c)
            expect.tensor(answer, (3, inputs.d), "Denoiser(...)(z_t, t, c)", dtype=dtype, container="tensor")


CALLABLE = (
    "diffusion_loss", "guided_noise", "classifier_guided_noise", "ddim_sample", "inpaint", "text_to_image",
)  # fmt: skip


@check(points=0.25, covers=("callable", *CALLABLE), substance={name: VALUES[name] for name in CALLABLE})
def test_any_callable(student, each, probe, expect, draw):
    """Models, classifiers and text encoders may be plain functions, and noise functions may be modules."""
    inputs = Inputs(probe, draw, torch.float64)
    function = probe.network_function(*inputs.network)
    slopes = draw.uniform(T), draw.normal(T, inputs.d)
    module = probe.shifted_network(*slopes, draw.normal(T, inputs.k, inputs.d))
    # A noise function is given z and t alone: this module has its condition inside.
    noise = probe.bound_module(module, inputs.c)
    others = {
        "diffusion_loss": (0, function),
        "guided_noise": (0, function),
        "classifier_guided_noise": (4, probe.classifier_function(*inputs.classifier)),
        "ddim_sample": (0, noise),
        "inpaint": (0, noise),
        "text_to_image": (0, function),
    }
    for name, (place, other) in others.items():
        with each(name):
            given = list(inputs.calls[name])
            given[place] = other
            if name == "text_to_image":
                given[1] = probe.phrases_function(PHRASES, inputs.table)
            answer = getattr(student, name)(*given)
            expect.tensor(answer, inputs.shapes[name], f"{name}(...)")


DRAWING = ("text_to_image", "train_text_to_image")


@check(points=0.25, kind="statistical", covers=("randomness", *DRAWING), substance={n: VALUES[n] for n in DRAWING})
def test_generators(student, each, probe, expect, draw):
    """Random draws come from `generator` where one is given, and nothing seeds the global generator."""
    inputs = Inputs(probe, draw, torch.float32, torch.float32)
    z = draw.normal(30, inputs.d, dtype=torch.float32)
    start = [draw.normal(*s, dtype=torch.float32) for s in ((inputs.d, inputs.d), (inputs.k, inputs.d), (inputs.d,))]

    def paint(**options):
        given = list(inputs.calls["text_to_image"])
        # Images are held within 0 and 1: small latents about the middle, so that what is drawn is seen.
        given[2] = torch.full((inputs.D,), 0.5), inputs.space[1], torch.tensor(50.0)
        return expect.tensor(student.text_to_image(*given, **options), (3, inputs.D), "text_to_image(...)")

    def train(**options):
        model, encoder = probe.recorder(*start), probe.phrases(PHRASES, inputs.table)
        student.train_text_to_image(model, encoder, inputs.bars, z, PHRASES * 10, 4, batch_size=8, **options)
        values = probe.parameters(model)
        expect.true(isinstance(values, dict), _("the model has no parameters any more"))
        return expect.tensor(values.get("A"), (inputs.d, inputs.d), _("a weight of the model after training"))

    first, second = draw.seed(), draw.seed()
    for name, run in (("text_to_image", paint), ("train_text_to_image", train)):
        with each(name):
            before = probe.global_seed()
            one, again, other = (run(generator=torch.Generator().manual_seed(s)) for s in (first, first, second))
            expect.true(
                torch.allclose(one, again, rtol=1e-5),
                _("{name}: two calls with generators of one seed give different answers.").format(name=name),
                hint=_("Pass generator=generator to every function of torch that draws."),
            )
            expect.true(
                not torch.allclose(one, other, rtol=1e-5),
                _("{name}: generators of two seeds give the same answer.").format(name=name),
            )
            expect.true(
                not torch.allclose(run(), run(), rtol=1e-5),
                _("{name}: without a generator two calls give the same answer.").format(name=name),
                mistake="seed_inside",
            )
            expect.true(
                probe.global_seed() == before,
                _("{name} seeds torch's global generator.").format(name=name),
                hint=_("No torch.manual_seed inside a function."),
                mistake="seed_inside",
            )


REFUSING = tuple(name for name in VALUES if name not in ("TextEncoder", "Denoiser"))


@check(points=0.5, covers=("errors", *REFUSING), substance={name: VALUES[name] for name in REFUSING})
def test_bad_arguments(student, each, probe, expect, draw):
    """Shapes that do not fit, times out of order and numbers out of range raise ValueError."""
    inputs = Inputs(probe, draw, torch.float64)

    def changed(name, *replaced):
        given = list(inputs.calls[name])
        for place, value in replaced:
            given[place] = value
        return given

    z, t, c, noise = inputs.z, inputs.t, inputs.c, inputs.noise
    late, early = t.clone(), t.clone()
    late[draw.integer(0, 2)], early[draw.integer(0, 2)] = T, -draw.integer(1, T)
    wide = torch.cat([z, z[:, :1]], 1)
    times = ([], [3, 3], [2, 5], [T, 2], [4, -1])
    known, mask = inputs.calls["inpaint"][4:6]
    cases = [
        ("fit_latent_space", (inputs.x, 0), "d = 0"),
        ("fit_latent_space", (inputs.x, inputs.D + 1), "d > D"),
        ("fit_latent_space", (inputs.x[:4], 5), "d > n"),
        ("encode", (wide, inputs.space), _("x of another number of pixels")),
        ("decode", (wide, inputs.space), _("z of another dimension")),
        ("diffusion_loss", changed("diffusion_loss", (5, wide)), _("noise of another shape")),
        ("diffusion_loss", changed("diffusion_loss", (3, c[:1])), _("c of fewer rows")),
        ("diffusion_loss", changed("diffusion_loss", (4, t[:1])), _("t of fewer rows")),
        ("diffusion_loss", changed("diffusion_loss", (6, inputs.drop[:1])), _("drop of fewer rows")),
        ("diffusion_loss", changed("diffusion_loss", (4, late)), "t = T"),
        ("diffusion_loss", changed("diffusion_loss", (4, early)), "t < 0"),
        ("guided_noise", changed("guided_noise", (3, c[:1])), _("c of fewer rows")),
        ("classifier_guided_noise", changed("classifier_guided_noise", (0, noise[:1])), _("noise of fewer rows")),
        ("classifier_guided_noise", changed("classifier_guided_noise", (2, t[:1])), _("t of fewer rows")),
        ("classifier_guided_noise", changed("classifier_guided_noise", (3, t[:1])), _("labels of fewer rows")),
        *(("ddim_sample", changed("ddim_sample", (3, some)), f"times = {some}") for some in times),
        ("inpaint", changed("inpaint", (3, [5, 9, 2])), "times = [5, 9, 2]"),
        ("inpaint", changed("inpaint", (3, [9, 5])), _("noise for more times")),
        ("inpaint", changed("inpaint", (4, known[:1])), _("known of fewer images")),
        ("inpaint", changed("inpaint", (5, mask[1:])), _("mask of fewer pixels")),
    ]
    for name, given, what in cases:
        with each(name):
            expect.raises(ValueError, getattr(student, name), *given, what=f"{name}: {what}")
    with each("guided_noise"):
        expect.raises(
            ValueError, student.guided_noise, *inputs.calls["guided_noise"], negative=c[:1],
            what=_("guided_noise: negative of fewer rows"),
        )  # fmt: skip
    with each("text_to_image"):
        expect.raises(
            ValueError, student.text_to_image, *inputs.calls["text_to_image"], z_T=wide,
            what=_("text_to_image: z_T of another dimension"),
        )  # fmt: skip
    model = probe.recorder(*(draw.normal(*s) for s in ((2, 2), (inputs.k, 2), (2,))))
    training = model, probe.phrases(PHRASES, inputs.table), inputs.bars, draw.normal(9, 2)
    with each("train_text_to_image"):
        function = student.train_text_to_image
        expect.raises(
            ValueError, function, *training, PHRASES * 2, 2, batch_size=4,
            what=_("train_text_to_image: fewer prompts than latents"),
        )  # fmt: skip
        for p in (-0.1, 1.1):
            expect.raises(
                ValueError, function, *training, PHRASES * 3, 2, batch_size=4, drop_probability=p,
                what=f"train_text_to_image: drop_probability = {p}",
            )  # fmt: skip
