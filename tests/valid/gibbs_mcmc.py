"""Random valid solutions of gibbs_mcmc: each function in one of several idioms.

What the contract leaves free is drawn: rolls, padding, matrices or NumPy for neighbours, masks or slices for the
colours, the order of the exact states, where the fit's chains start, the last parameters or a mean, the order of random
draws, and when chains are mirrored.
"""

from __future__ import annotations

import random

HEAD = """\
import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F


def refuse(wrong, what="arguments that do not fit"):
    if wrong:
        raise ValueError(what)


def sides(x, even=False):
    refuse(x.dim() != 3 or x.shape[1] < 3 or x.shape[2] < 3, f"lattice {tuple(x.shape)}")
    refuse(even and (x.shape[1] % 2 == 1 or x.shape[2] % 2 == 1), f"odd side in {tuple(x.shape)}")
"""

NEAR = (
    """
def near(x):
    return sum(torch.roll(x, shift, axis) for shift in (1, -1) for axis in (1, 2))
""",
    """
def near(x):
    p = F.pad(x.unsqueeze(1), (1, 1, 1, 1), mode="circular").squeeze(1)
    return p[:, :-2, 1:-1] + p[:, 2:, 1:-1] + p[:, 1:-1, :-2] + p[:, 1:-1, 2:]
""",
    """
def near(x):
    a = x.detach().numpy()
    total = np.roll(a, 1, axis=1) + np.roll(a, -1, axis=1) + np.roll(a, 1, axis=2) + np.roll(a, -1, axis=2)
    return torch.from_numpy(total)
""",
    """
def near(x):
    h, w = x.shape[1:]
    up = torch.eye(h, dtype=x.dtype).roll(1, 0)
    side = torch.eye(w, dtype=x.dtype).roll(1, 0)
    return torch.einsum("ij,bjk->bik", up + up.T, x) + torch.einsum("bij,jk->bik", x, side + side.T)
""",
)

ENERGY = (
    "    return -(spins * (coupling / 2 * near(spins) + field)).sum((1, 2))\n",
    "    s, bonds = spins, spins * (spins.roll(1, 1) + spins.roll(1, 2))\n"
    "    return -coupling * bonds.flatten(1).sum(1) - field * s.flatten(1).sum(1)\n",
    "    return torch.stack([-(coupling * (s * near(s[None])[0]).sum() / 2 + field * s.sum()) for s in spins])\n",
)

CHANGE = (
    "    return 2 * spins * (coupling * near(spins) + field)\n",
    "    return spins.mul(near(spins).mul(2 * coupling).add(2 * field))\n",
    "    return torch.einsum('bij,bij->bij', 2 * spins, coupling * near(spins) + field)\n",
)

COLOURS = (
    """
def colours(x):
    even = (torch.arange(x.shape[1])[:, None] + torch.arange(x.shape[2])) % 2 == 0
    return even, ~even
""",
    """
def colours(x):
    i, j = torch.meshgrid(torch.arange(x.shape[1]), torch.arange(x.shape[2]), indexing="ij")
    return [(i + j).remainder(2).eq(k) for k in (0, 1)]
""",
    """
def colours(x):
    even = torch.zeros(x.shape[1:], dtype=torch.bool)
    even[::2, ::2] = even[1::2, 1::2] = True
    return even, even.logical_not()
""",
)

METROPOLIS = (
    """
    for mask in colours(spins):
        turn = mask & (uniform < (-2 * spins * (coupling * near(spins) + field)).exp())
        spins = torch.where(turn, -spins, spins)
    return spins
""",
    """
    s = spins.clone()
    for mask in colours(s):
        turn = torch.log(uniform) < -flip_energy_change(s, coupling, field)
        s[mask & turn] *= -1
    return s
""",
    """
    s = spins.clone()
    even, odd = colours(s)
    for mask in (even, odd):
        ratio = torch.exp(-flip_energy_change(s, coupling, field)).clamp(max=1)
        s = s * (1 - 2 * ((uniform < ratio) & mask).to(s.dtype))
    return s
""",
)

HEAT_BATH = (
    """
    for mask in colours(spins):
        p = torch.sigmoid(2 * coupling * near(spins) + 2 * field)
        spins = torch.where(mask, torch.where(uniform < p, 1.0, -1.0).to(spins.dtype), spins)
    return spins
""",
    """
    s = spins.clone()
    for mask in colours(s):
        p = 1 / (1 + torch.exp(-2 * (coupling * near(s) + field)))
        s[mask.expand_as(s)] = (2.0 * (uniform < p).to(s.dtype) - 1)[mask.expand_as(s)]
    return s
""",
    """
    s = spins.numpy().copy()
    for mask in colours(spins):
        local = coupling * near(torch.from_numpy(s)).numpy() + field
        new = np.where(uniform.numpy() < (1 + np.tanh(local)) / 2, 1, -1).astype(s.dtype)
        s = np.where(mask.numpy(), new, s)
    return torch.from_numpy(s)
""",
)

STATES = (
    "    rows = list(itertools.product((-1.0, 1.0), repeat=n))\n    states = torch.tensor(rows, dtype=torch.float64)\n",
    "    bits = (torch.arange(2**n).flip(0)[:, None] >> torch.arange(n)) & 1\n    states = 1 - 2 * bits.double()\n",
    "    states = torch.from_numpy(np.indices((2,) * n).reshape(n, -1).T * 2.0 - 1)\n",
)

LAW = (
    "    log_z = torch.logsumexp(w, 0)\n    return states, w - log_z, log_z\n",
    "    top = w.max()\n    log_z = top + (w - top).exp().sum().log()\n    return states, w - log_z, float(log_z)\n",
    "    log_p = F.log_softmax(w, dim=0)\n    return states, log_p, (w - log_p).mean()\n",
)

MATRIX = (
    """
    possible = (proposal > 0) & (proposal.T > 0)
    q = torch.where(possible, proposal, torch.ones_like(proposal))
    ratio = (energies[:, None] - energies[None] + q.T.log() - q.log()).clamp(max=0).exp()
    P = (proposal * ratio).masked_fill(~possible, 0).fill_diagonal_(0)
    return P + torch.diag(1 - P.sum(1))
""",
    """
    n = len(energies)
    P = torch.zeros(n, n, dtype=proposal.dtype)
    for i, j in itertools.permutations(range(n), 2):
        a, b = float(proposal[i, j]), float(proposal[j, i])
        if a > 0 and b > 0:
            P[i, j] = a * math.exp(min(0.0, float(energies[i] - energies[j]) + math.log(b / a)))
    for i in range(n):
        P[i, i] = 1 - P[i].sum()
    return P
""",
    """
    U, q = energies.numpy(), proposal.numpy()
    with np.errstate(all="ignore"):
        other = np.exp(np.minimum(np.log(q.T) + U[:, None] - U, 100.0))
    P = np.minimum(q, other)
    np.fill_diagonal(P, 0)
    return torch.from_numpy(P + np.diag(1 - P.sum(1)))
""",
)

STATISTICS = (
    "    return torch.stack([(x * near(x)).sum((1, 2)).mean() / 2, x.sum((1, 2)).mean()])\n",
    "    return torch.stack([-ising_energy(x, 1.0, 0.0), -ising_energy(x, 0.0, 1.0)], 1).mean(0)\n",
    "    bonds = x * (x.roll(-1, 1) + x.roll(-1, 2))\n    return torch.stack([bonds.sum(), x.sum()]) / len(x)\n",
)

START = (
    "2.0 * torch.randint(2, shape, generator=generator).to(data) - 1",
    "torch.ones(shape, dtype=data.dtype)",
    "data[torch.randint(len(data), (n_chains,), generator=generator)]",
    "torch.where(torch.rand(shape, generator=generator, dtype=data.dtype) < 0.5, 1.0, -1.0).to(data)",
)

RETURNED = (
    "    return way[-1][0], way[-1][1], history\n",
    "    late = torch.tensor(way[len(way) // 2 :]).mean(0)\n    return late[0], late[1], history\n",
    "    return (*np.mean(way[-max(1, steps // 3) :], axis=0), history)\n",
)

FIT = """
def fit_ising(data, steps, lr=0.05, n_chains=200, n_sweeps=1, generator=None, progress=False):
    sides(data, even=True)
    refuse(min(steps, n_chains, n_sweeps) < 1, "counts")
    shape, theta, way = (n_chains, *data.shape[1:]), [0.0, 0.0], []
    chains, target = {start}, statistics(data)
    for _ in range(steps):
        {restart}
        for _ in range(n_sweeps):
            u = torch.rand(shape, generator=generator, dtype=data.dtype)
            chains = heat_bath_sweep(chains, theta[0], theta[1], u)
        slope = (target - statistics(chains)) / (data.shape[1] * data.shape[2])
        theta = [a + lr * float(b) for a, b in zip(theta, slope)]
        way.append(theta)
    history = {"coupling": [w[0] for w in way], "field": [w[1] for w in way], "steps": list(range(steps))}
"""

PHI4_ENERGY = (
    "    bonds = (phi - phi.roll(1, 1)) ** 2 + (phi - phi.roll(1, 2)) ** 2\n"
    "    return (kappa / 2 * bonds + r / 2 * phi**2 + g / 4 * phi**4).sum((1, 2))\n",
    "    return (phi * (kappa * (2 * phi - near(phi) / 2) + r / 2 * phi + g / 4 * phi**3)).sum((1, 2))\n",
    "    a = phi.numpy()\n    bonds = (a - np.roll(a, 1, 1)) ** 2 + (a - np.roll(a, 1, 2)) ** 2\n"
    "    return torch.from_numpy((kappa * bonds / 2 + r * a**2 / 2 + g * a**4 / 4).sum((1, 2)))\n",
)

PHI4_GRADIENT = (
    "    return kappa * (4 * phi - near(phi)) + r * phi + g * phi**3\n",
    "    return (4 * kappa + r + g * phi.square()) * phi - kappa * near(phi)\n",
    "    away = sum(phi - phi.roll(s, axis) for s in (1, -1) for axis in (1, 2))\n"
    "    return kappa * away + phi * (r + g * phi * phi)\n",
)

MALA = (
    """
    y = x - step * gradient(x) + math.sqrt(2 * step) * noise
    there = (y - x + step * gradient(x)).reshape(len(x), -1).square().sum(1)
    back = (x - y + step * gradient(y)).reshape(len(x), -1).square().sum(1)
    yes = uniform < torch.exp((energy(x) - energy(y) + (there - back) / (4 * step)).clamp(max=0))
    return torch.where(yes.reshape(-1, *[1] * (x.ndim - 1)), y, x), yes
""",
    """
    mean = x - step * gradient(x)
    y = mean + (2 * step) ** 0.5 * noise
    home = y - step * gradient(y)
    log_q = [-torch.linalg.vector_norm((a - b).flatten(1), dim=1) ** 2 / (4 * step) for a, b in ((x, home), (y, mean))]
    yes = uniform.log() < energy(x) - energy(y) + log_q[0] - log_q[1]
    new = x.clone()
    new[yes] = y[yes]
    return new, yes
""",
    """
    y = x - step * gradient(x) + np.sqrt(2 * step) * noise
    back = (x - y + step * gradient(y)) / math.sqrt(2 * step)
    half = (noise.flatten(1).pow(2).sum(1) - back.flatten(1).pow(2).sum(1)) / 2
    yes = torch.log(uniform) < energy(x) - energy(y) + half
    return torch.stack([b if ok else a for a, b, ok in zip(x, y, yes.tolist())]), yes
""",
)

CHAINS = (
    """
    x, way, share = phi, [phi], 0.0
    for _ in range(n_steps):
        z = torch.randn(x.shape, generator=generator, dtype=x.dtype)
        u = torch.rand(len(x), generator=generator, dtype=x.dtype)
        x, yes = mala_step(x, energy, gradient, step, z, u)
        coin = torch.rand(len(x), generator=generator) < flip_probability
        x = torch.where(coin[:, None, None], -x, x)
        way.append(x)
        share += yes.double().mean()
    return torch.stack(way), share / n_steps
""",
    """
    way, taken = torch.empty(n_steps + 1, *phi.shape, dtype=phi.dtype), []
    way[0] = phi
    coins = torch.rand(n_steps, len(phi), generator=generator) < flip_probability
    signs = torch.where(coins, -1.0, 1.0).to(phi.dtype)
    for k in range(n_steps):
        u = torch.rand(len(phi), generator=generator, dtype=phi.dtype)
        z = torch.randn(phi.shape, generator=generator, dtype=phi.dtype)
        way[k + 1], yes = mala_step(signs[k][:, None, None] * way[k], energy, gradient, step, z, u)
        taken.append(yes)
    return way, torch.stack(taken).float().mean().item()
""",
    """
    rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))
    frames, count = [phi], 0
    for _ in range(n_steps):
        z, u = (torch.from_numpy(v).to(phi.dtype) for v in (rng.standard_normal(phi.shape), rng.random(len(phi))))
        x, yes = mala_step(frames[-1], energy, gradient, step, z, u)
        sign = torch.from_numpy(1.0 - 2 * (rng.random(len(phi)) < flip_probability)).to(phi.dtype)
        frames.append(sign[:, None, None] * x)
        count += int(yes.sum())
    return torch.stack(frames), count / (n_steps * len(phi))
""",
)


def source(rng: random.Random) -> str:
    """The text of a valid solution."""

    def function(head: str, checks: str, bodies: tuple[str, ...]) -> str:
        return f"\ndef {head}:\n    {checks}\n" + rng.choice(bodies).lstrip("\n")

    both = "sides(spins, even=True); refuse(uniform.shape != spins.shape)"
    fit = FIT.replace("{start}", rng.choice(START)).replace(
        "{restart}",
        rng.choice(("pass", "pass", "chains = data[torch.randint(len(data), (n_chains,), generator=generator)]")),
    )
    fields = "".join(f"\n    {name} = lambda x: phi4_{name}(x, kappa, r, g)" for name in ("energy", "gradient"))
    parts = [
        HEAD,
        rng.choice(NEAR),
        rng.choice(COLOURS),
        function("ising_energy(spins, coupling, field)", "sides(spins)", ENERGY),
        function("flip_energy_change(spins, coupling, field)", "sides(spins)", CHANGE),
        function("metropolis_sweep(spins, coupling, field, uniform)", both, METROPOLIS),
        function("heat_bath_sweep(spins, coupling, field, uniform)", both, HEAT_BATH),
        "\ndef exact_ising(height, width, coupling, field):\n    n = height * width\n"
        "    refuse(min(height, width) < 3 or n > 16, 'size')\n"
        + rng.choice(STATES)
        + "    states = states.reshape(-1, height, width)\n    w = -ising_energy(states, coupling, field)\n"
        + rng.choice(LAW),
        function("metropolis_matrix(energies, proposal)", "refuse(proposal.shape != (len(energies),) * 2)", MATRIX),
        "\ndef statistics(x):\n    sides(x)\n" + rng.choice(STATISTICS),
        "\ndef log_likelihood_gradient(data, samples):\n    refuse(data.shape[1:] != samples.shape[1:])\n"
        "    return statistics(data) - statistics(samples)\n",
        fit.rstrip("\n") + "\n" + rng.choice(RETURNED),
        function("phi4_energy(phi, kappa, r, g)", "sides(phi)", PHI4_ENERGY),
        function("phi4_gradient(phi, kappa, r, g)", "sides(phi)", PHI4_GRADIENT),
        function(
            "mala_step(x, energy, gradient, step, noise, uniform)",
            "refuse(step <= 0 or noise.shape != x.shape or uniform.shape != x.shape[:1])",
            MALA,
        ),
        function(
            "sample_phi4(phi, kappa, r, g, step, n_steps, flip_probability=0.0, generator=None)",
            "sides(phi); refuse(n_steps < 1 or step <= 0 or not 0 <= flip_probability <= 1)" + fields,
            CHAINS,
        ),
    ]
    return "\n".join(parts)
