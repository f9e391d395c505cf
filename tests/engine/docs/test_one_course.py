"""The formulas that link exercises in docs/explanation/one-course.md, on the reference solutions."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import pytest
import torch

from autograder.judge.reference import load_module

ROOT = Path(__file__).parents[3]


@cache
def solution(exercise):
    file = ROOT / "solutions" / exercise / f"{exercise}.py"
    return load_module(f"one_course_{exercise}", file.read_text(encoding="utf-8"), str(file))


@pytest.fixture
def normal():
    generator = torch.Generator().manual_seed(0)
    return lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)


def test_a_step_of_a_schedule_is_a_time_of_the_ornstein_uhlenbeck_process(normal):
    ddpm = solution("ddpm_unet")
    diffusion = ddpm.Diffusion(ddpm.linear_beta_schedule(50).double())
    x, noise, t = normal(6, 1, 4, 4), normal(6, 1, 4, 4), torch.arange(6) * 9
    times = -0.5 * diffusion.alpha_bars[t].log()
    expected = solution("score_sde").ou_sample(x.flatten(1), times, noise.flatten(1))
    torch.testing.assert_close(ddpm.q_sample(diffusion, x, t, noise).flatten(1), expected)


def test_noise_is_the_score_in_other_units(normal):
    ddpm = solution("ddpm_unet")
    diffusion = ddpm.Diffusion(ddpm.linear_beta_schedule(50).double())
    noise, t = normal(5, 1, 4, 4), torch.arange(5) * 9
    roots = (1 - diffusion.alpha_bars[t]).sqrt()[:, None, None, None]
    torch.testing.assert_close(ddpm.score_from_noise(diffusion, noise, t), -noise / roots)


def test_the_steps_are_langevin_steps(normal):
    x, noise, h = normal(7, 3), normal(7, 3), 0.1
    langevin = solution("langevin_ot").langevin_step
    torch.testing.assert_close(langevin(x, -x, h, noise), x - h * x + math.sqrt(2 * h) * noise)
    torch.testing.assert_close(solution("score_sde").ou_step(x, h, noise), langevin(x, -x, h, noise))
    path = solution("bridge_style").simulate_bridge(lambda x, t: -x, x, math.sqrt(2), noise[None])
    torch.testing.assert_close(path[-1], langevin(x, -x, 1.0, noise))


def test_an_energy_is_large_where_a_state_is_unlikely(normal):
    phi, gibbs = normal(2, 4, 4).requires_grad_(), solution("gibbs_mcmc")
    energy = gibbs.phi4_energy(phi, 1.0, 1.0, 1.0)
    (slope,) = torch.autograd.grad(energy.sum(), phi)
    torch.testing.assert_close(gibbs.phi4_gradient(phi.detach(), 1.0, 1.0, 1.0), slope)


def test_a_flow_answers_the_log_determinant_of_the_way_to_the_latents(normal):
    flow = solution("realnvp_toy").RealNVP(dim=2, n_layers=4, hidden=8).double()
    x = normal(5, 2)
    z, log_det = flow(x)
    prior = -0.5 * z.square().sum(1) - math.log(2 * math.pi)
    torch.testing.assert_close(flow.log_prob(x), prior + log_det)
    jacobian = torch.autograd.functional.jacobian(lambda one: flow(one[None])[0][0], x[0])
    torch.testing.assert_close(log_det[0].detach(), torch.linalg.slogdet(jacobian)[1])


def test_the_coupling_of_bridges_is_sinkhorns(normal):
    x, y, sigma = normal(5, 2), normal(6, 2), 0.8
    plan, *_potentials = solution("bridge_style").schrodinger_coupling(x, y, sigma)
    ot = solution("langevin_ot")
    a, b = (torch.full((n,), 1 / n, dtype=torch.float64) for n in (5, 6))
    torch.testing.assert_close(plan, ot.sinkhorn(a, b, ot.cost_matrix(x, y), 2 * sigma**2), rtol=1e-5, atol=1e-9)
