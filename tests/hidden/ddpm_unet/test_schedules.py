"""The two schedules, and the tables that a diffusion keeps."""

from __future__ import annotations

import torch

from autograder.judge import check


@check(points=0.5, covers=("linear", "linear_beta_schedule"))
def test_linear_schedule(student, expect, compare, draw):
    """The linear schedule spaces the variances evenly, ends included."""
    for _k in range(2):
        T = draw.integer(5, 40)
        low, high = float(draw.uniform(low=0.01, high=0.1)), float(draw.uniform(low=0.2, high=0.6))
        compare(
            student.linear_beta_schedule(T, beta_1=low, beta_T=high),
            torch.linspace(low, high, T, dtype=torch.float64),
            what=f"linear_beta_schedule({T}, beta_1, beta_T)",
        )
    T = draw.integer(200, 1200)  # the defaults are small: in units of 1e-4
    what = f"linear_beta_schedule({T})"
    answer = expect.tensor(student.linear_beta_schedule(T), (T,), what).double()
    right = torch.linspace(1e-4, 0.02, T, dtype=torch.float64)
    compare(answer * 1e4, right * 1e4, what=f"{what}, in units of 1e-4", rtol=1e-4, atol=1e-3)


@check(points=0.5, covers=("cosine", "cosine_beta_schedule"))
def test_cosine_schedule(student, compare, draw):
    """The cosine schedule follows its alpha-bar and is capped at 0.999."""
    for s in (0.008, float(draw.uniform(low=0.01, high=0.1))):
        T = draw.integer(8, 60)
        u = torch.arange(T + 1, dtype=torch.float64)
        f = torch.cos((u / T + s) / (1 + s) * torch.pi / 2) ** 2
        right = (1 - f[1:] / f[:-1]).clamp(max=0.999)
        answer = student.cosine_beta_schedule(T) if s == 0.008 else student.cosine_beta_schedule(T, s=s)
        compare(answer, right, what=f"cosine_beta_schedule({T}, s)", rtol=1e-5, atol=1e-6)


@check(points=0.5, covers=("alpha_bars", "Diffusion"))
def test_alpha_bars(student, probe, expect, compare, draw):
    """`alphas` is 1 - beta, `alpha_bars` its running product, both of shape (T,)."""
    for T in (draw.integer(4, 9), draw.integer(10, 25)):
        betas = draw.uniform(T, low=0.02, high=0.3)
        diffusion = expect.handle(student.Diffusion(betas))
        compare(probe.read(diffusion, "alphas"), 1 - betas, what="Diffusion(betas).alphas")
        compare(
            probe.read(diffusion, "alpha_bars"),
            torch.cumprod(1 - betas, 0),
            what="Diffusion(betas).alpha_bars",
        )


@check(points=1, covers=("posterior_variance", "Diffusion"))
def test_posterior_variance(student, probe, expect, compare, draw):
    """`posterior_variance` is beta_t (1 - abar_{t-1}) / (1 - abar_t), 0 at the first step."""
    for T in (draw.integer(4, 9), draw.integer(10, 25)):
        betas = draw.uniform(T, low=0.02, high=0.3)
        diffusion = expect.handle(student.Diffusion(betas))
        what = "Diffusion(betas).posterior_variance"
        given = probe.read(diffusion, "posterior_variance")
        answer = expect.tensor(given, (T,), what).double()
        right = variance_from(betas, torch.cumprod(1 - betas, 0))
        # A wrong alpha-bar has its own check: the formula applied to it is right here.
        own = expect.tensor(probe.read(diffusion, "alpha_bars"), (T,), "Diffusion(betas).alpha_bars").double()
        follows = variance_from(betas, own)
        if follows.isfinite().all() and torch.allclose(answer, follows, rtol=1e-5, atol=1e-7):
            right = follows
        compare(given, right, what=what)


def variance_from(betas, alpha_bars):
    """The posterior variance that goes with these alpha-bars."""
    before = torch.cat([torch.ones(1, dtype=torch.float64), alpha_bars[:-1]])
    return betas * (1 - before) / (1 - alpha_bars)
