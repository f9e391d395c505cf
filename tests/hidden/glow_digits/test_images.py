"""Images of whole grey levels from any model that can be sampled."""

import math

import torch

from autograder.judge import check
from autograder.language import _


@check(points=0.75, kind="exact", covers=("images", "sample_images", "inverse_logit_transform"))
def test_sample_images(student, probe, expect, compare, draw):
    """Images are the model's sample, drawn once, back through logit and grey levels."""
    for levels, alpha in ((17, 0.05), (draw.integer(2, 60), float(draw.uniform(1, low=0.1, high=0.3)))):
        shape = (draw.integer(1, 3), *draw.shuffle([2, 3, 4])[:2])
        mean, log_scale = draw.normal(*shape), 0.4 + 0.2 * draw.normal(*shape)
        model = expect.handle(probe.known_flow(mean, log_scale), _("a model of ours"))
        n, temperature = draw.integer(3, 6), round(float(draw.uniform(1, low=0.4, high=1.6)), 3)
        what = f"sample_images(model, {n}, {levels}, temperature={temperature}, alpha={alpha:.3g})"
        settings = {"temperature": temperature, "alpha": alpha}
        answer = probe.images_asked(student.sample_images, model, n, levels, settings, draw.generator())
        images, asked, xs = expect.sequence(answer, 3, what)
        expect.true(
            isinstance(asked, list) and len(asked) == 1,
            _("{what}: model.sample was not called once.").format(what=what),
            hint=_("x = model.sample(n, temperature=temperature, generator=generator), once."),
        )
        expect.true(
            asked[0][0] == n and math.isclose(asked[0][1], temperature, rel_tol=1e-6),
            _("{what}: model.sample was asked for another n or another temperature.").format(what=what),
            hint=_("Hand n and temperature on as they are."),
            mistake="images_temperature",
        )
        x = expect.tensor(xs[0], (n, *shape), _("the model's sample")).double()
        y = (x.sigmoid() - alpha) / (1 - 2 * alpha)
        right = (levels * y).floor().clamp(0, levels - 1).long()
        images = expect.tensor(images, (n, *shape), what)
        if not torch.equal(images.double(), right.double()):
            own = student.inverse_logit_transform(x, alpha=alpha)
            own = own[0] if isinstance(own, tuple | list) and own else None
            if isinstance(own, torch.Tensor) and own.shape == x.shape and own.is_floating_point():
                pair = torch.stack([own.double().flatten(), y.flatten()])
                again = (levels * own.double()).floor().clamp(0, levels - 1).long()
                near = float((pair[0] - pair[1]).abs().max()) < 0.8 and float(torch.corrcoef(pair)[0, 1]) > 0.9
                if near and torch.equal(images.double(), again.double()):
                    right = again  # the way back has checks of its own
        edge = (levels * y - (levels * y).round()).abs() < 1e-6  # there rounding decides
        compare(
            torch.where(edge, 0.0, images.double()),
            torch.where(edge, 0.0, right.double()),
            what=what,
            hint=_("quantize(inverse_logit_transform(x, alpha)[0], levels)."),
        )
