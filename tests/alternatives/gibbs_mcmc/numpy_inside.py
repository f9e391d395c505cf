# Differs: NumPy for everything that needs no graph, its generator seeded from torch's, states by np.indices.
import numpy as np
import torch


def lattice(x, even=False):
    if x.ndim != 3 or min(x.shape[1], x.shape[2]) < 3:
        raise ValueError(f"expected (B, H, W), sides of at least 3, got {tuple(x.shape)}")
    if even and (x.shape[1] % 2 or x.shape[2] % 2):
        raise ValueError(f"expected even sides, got {tuple(x.shape)}")
    return x.cpu().numpy()


def near(a):
    return np.roll(a, 1, 1) + np.roll(a, -1, 1) + np.roll(a, 1, 2) + np.roll(a, -1, 2)


def stats(a):
    return np.stack([(a * near(a)).sum((1, 2)) / 2, a.sum((1, 2))], axis=1)


def ising_energy(spins, coupling, field):
    a = lattice(spins)
    return torch.from_numpy(-(stats(a) @ np.array([coupling, field], dtype=a.dtype))).to(spins.device)


def flip_energy_change(spins, coupling, field):
    a = lattice(spins)
    return torch.from_numpy((2 * a * (coupling * near(a) + field)).astype(a.dtype)).to(spins.device)


def colours(a):
    i, j = np.indices(a.shape[1:])
    return [(i + j) % 2 == 0, (i + j) % 2 == 1]


def metropolis_sweep(spins, coupling, field, uniform):
    a, u = lattice(spins, True).copy(), uniform.cpu().numpy()
    if u.shape != a.shape:
        raise ValueError("uniform")
    for mask in colours(a):
        with np.errstate(over="ignore"):
            turn = u < np.exp(-2 * a * (coupling * near(a) + field))
        a[mask & turn] *= -1
    return torch.from_numpy(a).to(spins.device)


def heat_bath_sweep(spins, coupling, field, uniform):
    a, u = lattice(spins, True).copy(), uniform.cpu().numpy()
    if u.shape != a.shape:
        raise ValueError("uniform")
    for mask in colours(a):
        p = 1 / (1 + np.exp(-2 * (coupling * near(a) + field)))
        a = np.where(mask, np.where(u < p, 1, -1).astype(a.dtype), a)
    return torch.from_numpy(a).to(spins.device)


def exact_ising(height, width, coupling, field):
    n = height * width
    if height < 3 or width < 3 or n > 16:
        raise ValueError("size")
    states = np.indices((2,) * n).reshape(n, -1).T.reshape(-1, height, width) * 2.0 - 1
    w = stats(states) @ np.array([coupling, field])
    log_z = np.logaddexp.reduce(w)
    return torch.from_numpy(states), torch.from_numpy(w - log_z), torch.tensor(log_z, dtype=torch.float64)


def metropolis_matrix(energies, proposal):
    U, q = energies.double().cpu().numpy(), proposal.double().cpu().numpy()
    if q.shape != (len(U), len(U)):
        raise ValueError("proposal")
    with np.errstate(divide="ignore", invalid="ignore"):
        log_q = np.log(q)
        ratio = U[:, None] - U[None] + log_q.T - log_q
        P = np.where((q > 0) & (q.T > 0), q * np.exp(np.minimum(0, ratio)), 0)
    np.fill_diagonal(P, 0)
    np.fill_diagonal(P, 1 - P.sum(axis=1))
    return torch.from_numpy(P).to(proposal)


def log_likelihood_gradient(data, samples):
    a, b = lattice(data), lattice(samples)
    if a.shape[1:] != b.shape[1:]:
        raise ValueError("sizes")
    return torch.from_numpy(stats(a).mean(0) - stats(b).mean(0)).to(data.device)


def _rng(generator):
    return np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator)))


def fit_ising(data, steps, lr=0.05, n_chains=200, n_sweeps=1, generator=None, progress=False):
    a = lattice(data, True)
    if steps < 1 or n_chains < 1 or n_sweeps < 1:
        raise ValueError("counts below 1")
    rng, theta, way = _rng(generator), np.zeros(2), []
    s = rng.choice([-1.0, 1.0], size=(n_chains, *a.shape[1:]))
    target = stats(a).mean(0)
    for _ in range(steps):
        for _ in range(n_sweeps):
            for mask in colours(s):
                u = rng.random(s.shape)
                s = np.where(mask, np.where(u < 1 / (1 + np.exp(-2 * (theta[0] * near(s) + theta[1]))), 1.0, -1.0), s)
        theta = theta + lr * (target - stats(s).mean(0)) / a[0].size
        way.append(theta)
    coupling, field = np.mean(way[-max(1, steps // 3) :], axis=0)
    return coupling, field, {"coupling": [w[0] for w in way], "field": [w[1] for w in way]}


def phi4_energy(phi, kappa, r, g):
    a = lattice(phi)
    bonds = (a - np.roll(a, 1, 1)) ** 2 + (a - np.roll(a, 1, 2)) ** 2
    return torch.from_numpy((kappa / 2 * bonds + r / 2 * a**2 + g / 4 * a**4).sum((1, 2))).to(phi.device)


def phi4_gradient(phi, kappa, r, g):
    a = lattice(phi)
    return torch.from_numpy(kappa * (4 * a - near(a)) + r * a + g * a**3).to(phi.device)


def mala_step(x, energy, gradient, step, noise, uniform):
    if step <= 0 or noise.shape != x.shape or uniform.shape != x.shape[:1]:
        raise ValueError("step, noise or uniform")
    gx = gradient(x)
    y = x - step * gx + np.sqrt(2 * step) * noise
    gy = gradient(y)

    def log_q(to, start, g):
        return -((to - start + step * g) ** 2).reshape(len(x), -1).sum(1) / (4 * step)

    log_ratio = energy(x) - energy(y) + log_q(x, y, gy) - log_q(y, x, gx)
    accepted = torch.log(uniform) < log_ratio
    new = x.clone()
    new[accepted] = y[accepted]
    return new, accepted


def sample_phi4(phi, kappa, r, g, step, n_steps, flip_probability=0.0, generator=None):
    lattice(phi)
    if n_steps < 1 or step <= 0 or not 0 <= flip_probability <= 1:
        raise ValueError("n_steps, step or flip_probability")
    rng, frames, share = _rng(generator), [phi], []
    for _ in range(n_steps):
        x = frames[-1]
        noise = torch.from_numpy(rng.standard_normal(x.shape)).to(x)
        u = torch.from_numpy(rng.random(len(x))).to(x)
        x, yes = mala_step(
            x, lambda v: phi4_energy(v, kappa, r, g), lambda v: phi4_gradient(v, kappa, r, g), step, noise, u
        )
        sign = torch.from_numpy(np.where(rng.random(len(x)) < flip_probability, -1.0, 1.0)).to(x)
        frames.append(x * sign[:, None, None])
        share.append(yes.cpu().numpy().mean())
    return torch.stack(frames), np.mean(share)
