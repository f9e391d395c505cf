"""The denoiser: row by row, and everything that it is given counts."""

from __future__ import annotations

import torch

from autograder.judge import CheckFailed, check
from autograder.judge.layers import normalises_batches
from autograder.judge.verdicts import StudentError
from autograder.language import _


class Network:
    """A denoiser of the student's, in training mode, with weights away from their start (which may be zero)."""

    def __init__(self, student, probe, expect, draw, hidden):
        self.d, self.k, self.T = draw.integer(2, 6), draw.integer(3, 9), draw.integer(20, 60)
        what = f"Denoiser({self.d}, {self.k}, {self.T}, hidden={hidden})"
        network = expect.handle(student.Denoiser(self.d, self.k, self.T, hidden=hidden), what)
        probe.perturb(network, 0.05, draw.seed())
        self.network = expect.handle(probe.training_mode(network), what)
        self.probe, self.expect, self.draw, self.what = probe, expect, draw, f"{what}(z_t, t, c)"

    def inputs(self, B):
        """Latents, times that all differ, and conditions."""
        t = torch.tensor(self.draw.shuffle(range(self.T))[:B])
        return self.draw.normal(B, self.d, dtype=torch.float32), t, self.draw.normal(B, self.k, dtype=torch.float32)

    def __call__(self, z, t, c):
        return self.expect.tensor(self.network(z, t, c), (len(z), self.d), self.what)

    def calls(self, z, t, c, name):
        """Whether it calls a function of torch's of this name, such as "dropout"."""
        names = self.probe.torch_calls(self.network, z, t, c)
        return isinstance(names, list) and any(name in str(one) for one in names)

    def steady(self, z, t, c):
        """Its answer, which is the same the second time, and the size of it."""
        answer, again = self(z, t, c), self(z, t, c)
        size = float(answer.std()) + 1e-12
        same = float((again - answer).abs().max()) <= 1e-4 * size
        self.expect.true(
            same,
            _("{what}: the same input gets another answer the second time.").format(what=self.what),
            hint=_("No dropout here."),
            mistake="drops_out" if not same and self.calls(z, t, c, "dropout") else None,
        )
        return answer, size

    def alone(self, z, t, c):
        """Its answers for one row after the other."""
        try:
            return torch.cat([self(z[i : i + 1], t[i : i + 1], c[i : i + 1]) for i in range(len(z))])
        except CheckFailed as failed:
            no_number = not isinstance(failed, StudentError) and self.normalises(z, t, c)
            failed.mistake = "batch_normalised" if no_number or self.calls(z, t, c, "batch_norm") else None
            raise

    def normalises(self, z, t, c):
        """Whether latents alone, all at the same time and told the same, get one answer."""
        return normalises_batches(lambda row: self.network(row, t[:1], c[:1]), z)

    def mixes_by(self, z, t, c, answer):
        """Which mistake lets rows count for each other; None where it is none that is known."""
        if torch.allclose(self(z, t[:1].expand(len(t)), c), answer, rtol=1e-4, atol=1e-6):
            return "first_time_for_all"
        return "batch_normalised" if self.normalises(z, t, c) else None


@check(points=0.5, covers=("rows", "Denoiser"))
def test_denoiser_rows(student, probe, expect, draw):
    """The denoiser answers rows of the latents' size, each by itself, in training mode too."""
    for hidden in (128, draw.choice((32, 64))):
        network = Network(student, probe, expect, draw, hidden)
        B = draw.integer(5, 8)
        z, t, c = network.inputs(B)
        answer, size = network.steady(z, t, c)
        expect.true(size > 1e-6, _("{what}: all answers are the same number.").format(what=network.what))
        doubled = network(torch.cat([z, -z]), torch.cat([t, t]), torch.cat([c, 0 * c]))[:B]
        rows = (network.alone(z, t, c), doubled)
        apart = max(float((other - answer).abs().max()) for other in rows) > 1e-3 * size
        expect.true(
            not apart,
            _("{what}: a row's answer depends on the other rows of the batch.").format(what=network.what),
            hint=_("No batch normalisation, and every row its own time and condition."),
            mistake=network.mixes_by(z, t, c, answer) if apart else None,
        )


@check(points=0.5, covers=("inputs", "Denoiser"))
def test_denoiser_inputs(student, probe, expect, draw):
    """The denoiser's answer depends on the latents, on each row's time, and on its condition."""
    network = Network(student, probe, expect, draw, 64)
    B = draw.integer(5, 8)
    z, t, c = network.inputs(B)
    answer, size = network.steady(z, t, c)
    other_z, other_t, other_c = network.inputs(B)
    others = {
        _("the latents"): ((other_z, t, c), None),
        _("the time"): ((z, torch.where(other_t == t, (t + 1) % network.T, other_t), c), "time_ignored"),
        _("the condition"): ((z, t, other_c), "condition_ignored"),
    }
    for name, (given, mistake) in others.items():
        moved = (network(*given) - answer).abs().amax(1)
        expect.true(
            bool((moved > 1e-4 * size).all()),
            _("{what}: the answer does not depend on {name}.").format(what=network.what, name=name),
            mistake=mistake,
        )
    # Noise is no multiple of what is noisy, and what a prompt changes depends on where one is: no sum of three parts.
    mixed = network(other_z, t, other_c) - network(other_z, t, c) - network(z, t, other_c) + answer
    expect.true(
        float(mixed.abs().max()) > 1e-4 * size,
        _("{what}: what the condition changes is the same for all latents.").format(what=network.what),
        hint=_("Let latents and condition meet before an activation."),
    )
