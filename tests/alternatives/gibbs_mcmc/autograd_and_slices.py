# Differs: slices for the colours and for the bonds, autograd of its own energies, in-place work on copies, einsum.
import torch


def _ok(x, even=False):
    good = x.dim() == 3 and x.shape[1] > 2 and x.shape[2] > 2
    if not good or (even and any(n % 2 for n in x.shape[1:])):
        raise ValueError(f"lattice {tuple(x.shape)}")


def _bonds(x):
    right = torch.cat([x[:, :, 1:], x[:, :, :1]], dim=2)
    down = torch.cat([x[:, 1:], x[:, :1]], dim=1)
    return right, down


def ising_energy(spins, coupling, field):
    _ok(spins)
    right, down = _bonds(spins)
    pairs = torch.einsum("bij,bij->b", spins, right) + torch.einsum("bij,bij->b", spins, down)
    return -(coupling * pairs + field * torch.einsum("bij->b", spins))


def flip_energy_change(spins, coupling, field):
    _ok(spins)
    with torch.enable_grad():
        s = spins.detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(ising_energy(s, coupling, field).sum(), s)
    return -2 * spins * slope  # U is linear in each single spin


def _sites(x, parity):
    return ((slice(None), slice(0, None, 2), slice(parity, None, 2)), (slice(None), slice(1, None, 2), slice(1 - parity, None, 2)))


def metropolis_sweep(spins, coupling, field, uniform):
    _ok(spins, True)
    if uniform.shape != spins.shape:
        raise ValueError("uniform")
    s = spins.clone()
    for parity in (0, 1):
        turn = uniform < flip_energy_change(s, coupling, field).neg().exp()
        for site in _sites(s, parity):
            s[site] = torch.where(turn[site], -s[site], s[site])
    return s


def heat_bath_sweep(spins, coupling, field, uniform):
    _ok(spins, True)
    if uniform.shape != spins.shape:
        raise ValueError("uniform")
    s = spins.clone()
    for parity in (0, 1):
        up = uniform < torch.sigmoid(s * flip_energy_change(s, coupling, field))
        for site in _sites(s, parity):
            s[site] = up[site].to(s) * 2 - 1
    return s


def exact_ising(height, width, coupling, field):
    if min(height, width) < 3 or height * width > 16:
        raise ValueError("height and width")
    n = height * width
    codes = torch.arange(2**n).flip(0)
    states = torch.stack([(codes // 2**k) % 2 for k in range(n)], 1).double().mul(2).sub(1).view(-1, height, width)
    law = torch.distributions.Categorical(logits=-ising_energy(states, coupling, field))
    return states, law.logits, torch.logsumexp(-ising_energy(states, coupling, field), 0)


def metropolis_matrix(energies, proposal):
    if proposal.ndim != 2 or proposal.shape[0] != len(energies) or proposal.shape[1] != len(energies):
        raise ValueError("proposal")
    tiny = torch.finfo(proposal.dtype).tiny
    log_flow = proposal.clamp(min=tiny).log() - energies[:, None]
    accept = (log_flow.T - log_flow).clamp(max=0).exp()
    P = proposal * accept * ((proposal > 0) & (proposal.T > 0))
    P.fill_diagonal_(0)
    return P + (1 - P.sum(1)).diag_embed()


def log_likelihood_gradient(data, samples):
    if data.shape[1:] != samples.shape[1:]:
        raise ValueError("sizes")
    _ok(data)
    with torch.enable_grad():
        theta = torch.zeros(2, dtype=data.dtype, device=data.device, requires_grad=True)
        value = ising_energy(samples, theta[0], theta[1]).mean() - ising_energy(data, theta[0], theta[1]).mean()
    return torch.autograd.grad(value, theta)[0]


def fit_ising(data, steps, lr=0.05, n_chains=200, n_sweeps=1, generator=None, progress=False):
    _ok(data, True)
    for count in (steps, n_chains, n_sweeps):
        if count < 1:
            raise ValueError("count below 1")
    J, h, Js, hs = 0.0, 0.0, [], []
    pool = data.repeat(-(-n_chains // len(data)), 1, 1)
    for _ in range(steps):
        # contrastive divergence: the chains start again at data points
        chains = pool[torch.randperm(len(pool), generator=generator)[:n_chains]]
        for _ in range(n_sweeps):
            chains = heat_bath_sweep(chains, J, h, torch.rand(chains.shape, generator=generator, dtype=data.dtype).to(data))
        dJ, dh = log_likelihood_gradient(data, chains).tolist()
        J, h = J + lr * dJ / data[0].numel(), h + lr * dh / data[0].numel()
        Js.append(J)
        hs.append(h)
    late = Js[steps // 2 :], hs[steps // 2 :]
    return sum(late[0]) / len(late[0]), sum(late[1]) / len(late[1]), {"coupling": Js, "field": hs}


def phi4_energy(phi, kappa, r, g):
    _ok(phi)
    right, down = _bonds(phi)
    square = phi.pow(2)
    bonds = (phi - right).pow(2) + (phi - down).pow(2)
    return 0.5 * (kappa * bonds + r * square + 0.5 * g * square.pow(2)).flatten(1).sum(-1)


def phi4_gradient(phi, kappa, r, g):
    _ok(phi)
    with torch.enable_grad():
        x = phi.detach().clone().requires_grad_()
        return torch.autograd.grad(phi4_energy(x, kappa, r, g).sum(), x)[0]


@torch.no_grad()
def mala_step(x, energy, gradient, step, noise, uniform):
    if step <= 0 or x.shape != noise.shape or uniform.shape != x.shape[:1]:
        raise ValueError("step, noise, uniform")
    law = torch.distributions.Normal
    scale = (2 * step) ** 0.5
    mean = x - step * gradient(x)
    y = mean + scale * noise
    back = y - step * gradient(y)
    log_ratio = energy(x) - energy(y)
    log_ratio = log_ratio + (law(back, scale).log_prob(x) - law(mean, scale).log_prob(y)).flatten(1).sum(1)
    accepted = torch.log(uniform) < log_ratio
    keep = accepted.to(x).reshape([-1] + [1] * (x.dim() - 1))
    return torch.where(keep > 0, y, x), accepted


def sample_phi4(phi, kappa, r, g, step, n_steps, flip_probability=0.0, generator=None):
    _ok(phi)
    if n_steps < 1 or not step > 0 or not 0 <= flip_probability <= 1:
        raise ValueError("n_steps, step, flip_probability")
    states, accepted = [phi.clone()], []
    for _ in range(n_steps):
        x = states[-1].clone()
        z = torch.empty_like(x).normal_(generator=generator)
        u = torch.empty(len(x), dtype=x.dtype, device=x.device).uniform_(generator=generator)
        x, yes = mala_step(x, lambda v: phi4_energy(v, kappa, r, g), lambda v: phi4_gradient(v, kappa, r, g), step, z, u)
        coin = torch.bernoulli(torch.full((len(x),), float(flip_probability)), generator=generator).to(x.device).bool()
        x = x.clone()
        x[coin] = -x[coin]
        states.append(x)
        accepted.append(yes)
    return torch.stack(states), torch.stack(accepted).double().mean().item()
