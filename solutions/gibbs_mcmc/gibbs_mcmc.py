# %% [markdown]
# # Energies and Markov chains: Ising, φ⁴ and Monte Carlo
#
# A generative model can be given by an *energy* instead of a network that writes images: what costs little energy is
# likely. Then drawing is the hard part, and *Markov chain Monte Carlo* does it with the energy alone. In this exercise
# you write the two lattice models that physics began with (spins up or down, and a field of real numbers), the chains
# that sample them, and the maximum-likelihood fit of an energy to data, where both come together.
#
# **Sources.** Course notes on transport and denoising (S2): Gibbs energies, maximum likelihood, Monte Carlo, Ising
# and φ⁴. E. Ising, *Beitrag zur Theorie des Ferromagnetismus* (1925). N. Metropolis et al., *Equation of state
# calculations by fast computing machines* (1953). W. K. Hastings, *Monte Carlo sampling methods using Markov chains*
# (1970). S. and D. Geman, *Stochastic relaxation, Gibbs distributions, and the Bayesian restoration of images*
# (1984). G. O. Roberts and R. L. Tweedie, *Exponential convergence of Langevin distributions and their discrete
# approximations* (1996). G. E. Hinton, *Training products of experts by minimizing contrastive divergence* (2002). C.
# J. Geyer, *Practical Markov chain Monte Carlo* (1992).
#
# **What you do.** Replace each `raise NotImplementedError` by your code; keep the names and the arguments. Tensors
# in, tensors out, with the dtype of the input. Loops or vectorised code, as you like, but a sweep over a lattice is
# called some thousand times. The file must import without computing anything. `autocorrelation` and
# `effective_sample_size` are given and not judged.
#
# **How it is judged** ({points} points). Each function is checked by itself, in float64, on numbers drawn afresh for
# you: energies and their changes ({points:energies} points), sweeps ({points:sweeps}), exact sums and matrices
# ({points:exact}), the fit ({points:likelihood}), MALA and the chains of φ⁴ ({points:chains}), the conventions and
# the refusal of bad arguments ({points:conventions}; of a function only where its values are right), the quiz
# ({points:quiz}). A sweep and a MALA step get their random numbers as arguments and are compared exactly; where
# chains draw for themselves they are judged by their law, with tests that a correct chain fails less than once in
# 100,000 times. `fit_ising` is run with its defaults on twice {judged:likelihood.STATES} exact states of a 4 × 4
# lattice, {judged:likelihood.STEPS} steps, and compared with the exact maximum likelihood of its data. Free: loops,
# einsum or convolutions, the order of states and of random draws, which sweep the fit uses and where its chains
# start.

# %%
from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

# %% [markdown]
# ## 1. Gibbs energies: the Ising model
#
# An energy $U$ gives the law $p(x) = e^{-U(x)} / Z$, with $Z = \sum_x e^{-U(x)}$ (S2, equation 7; the temperature is
# part of $U$, which has no unit). In the *Ising model* each site of a lattice of $H \times W$ sites carries a spin
# $s_i = \pm 1$:
#
# $$U(s) = -J \sum_{\langle ij \rangle} s_i s_j - h \sum_i s_i .$$
#
# The first sum runs over pairs of nearest neighbours, each pair once. Borders are *periodic*: the last column is the
# left neighbour of the first one, so each site has four neighbours, and there are $2HW$ pairs ($H, W \geq 3$:
# otherwise some pairs would count twice). The *coupling* $J > 0$ makes neighbours agree, the *field* $h > 0$ pulls
# spins up.
#
# Turning one spin changes only the terms that hold it:
#
# $$\Delta_i = U(\dots, -s_i, \dots) - U(s) = 2 s_i \Big( J \sum_{j \sim i} s_j + h \Big).$$


# %%
def ising_energy(spins: Tensor, coupling: float, field: float) -> Tensor:
    r"""Energy of each lattice, $U = -J \sum_{<ij>} s_i s_j - h \sum_i s_i$.

    Arguments:
        spins: floats of +1 and -1, (B, H, W), H and W at least 3; borders are periodic.
        coupling: J.
        field: h.

    Returns:
        (B,).

    Raises:
        ValueError: if spins has not three axes, or H or W is below 3.

    Source: course notes (S2), Ising.
    """
    ### BEGIN SOLUTION
    check_lattice(spins, "spins")
    bonds = spins * (spins.roll(-1, 1) + spins.roll(-1, 2))  # (B, H, W): each pair once
    return -coupling * bonds.sum(dim=(1, 2)) - field * spins.sum(dim=(1, 2))
    ### END SOLUTION


def flip_energy_change(spins: Tensor, coupling: float, field: float) -> Tensor:
    r"""Change of the energy where one spin alone is turned, $2 s_i (J \sum_{j \sim i} s_j + h)$, for each of them.

    Arguments:
        spins: floats of +1 and -1, (B, H, W), H and W at least 3; borders are periodic.
        coupling: J.
        field: h.

    Returns:
        (B, H, W): U with that one spin turned minus U.

    Raises:
        ValueError: if spins has not three axes, or H or W is below 3.

    Source: course notes (S2), Ising.
    """
    ### BEGIN SOLUTION
    check_lattice(spins, "spins")
    return 2 * spins * (coupling * neighbour_sum(spins) + field)
    ### END SOLUTION


# %%
### BEGIN SOLUTION
def check_lattice(x: Tensor, name: str, even: bool = False) -> None:
    """Raise ValueError unless x is (B, H, W) with sides of at least 3, even ones where asked for."""
    if x.dim() != 3 or min(x.shape[1:]) < 3:
        raise ValueError(f"{name} must be (B, H, W) with H and W at least 3, got {tuple(x.shape)}")
    if even and (x.shape[1] % 2 or x.shape[2] % 2):
        raise ValueError(f"{name} must have even sides, got {tuple(x.shape)}")


def neighbour_sum(x: Tensor) -> Tensor:
    """Sum of the four neighbours of each site, borders periodic: (B, H, W)."""
    return x.roll(1, 1) + x.roll(-1, 1) + x.roll(1, 2) + x.roll(-1, 2)


### END SOLUTION

# %% [markdown]
# ## 2. Sweeps
#
# *Metropolis* proposes to turn a spin and accepts with probability $\min(1, e^{-\Delta_i})$: always downhill, sometimes
# uphill. With a uniform number $u_i \in [0, 1)$: turn where $u_i < e^{-\Delta_i}$. *Heat bath* (Gibbs sampling) forgets
# the spin and draws it from its law given all others,
#
# $$P(s_i = +1 \mid (s_j)_{j \neq i}) = \frac{1}{1 + e^{-2 (J \sum_{j \sim i} s_j + h)}} .$$
#
# Both leave $p$ invariant if sites are visited one after the other. All at once they do not: two neighbours would
# decide without seeing each other. But sites of one colour of a *checkerboard* have no neighbours of their own colour:
# first all sites with $i + j$ even (counted from 0) decide at once, then all odd ones, which see the new even ones. For
# that $H$ and $W$ must be even: around an odd torus the colours do not alternate.


# %%
def metropolis_sweep(spins: Tensor, coupling: float, field: float, uniform: Tensor) -> Tensor:
    r"""One Metropolis sweep: even sites first, then odd ones; s_i is turned where $u_i < e^{-\Delta_i}$.

    Arguments:
        spins: floats of +1 and -1, (B, H, W), H and W even and at least 4; not changed.
        coupling: J.
        field: h.
        uniform: numbers in [0, 1), one for each site, (B, H, W).

    Returns:
        New spins, (B, H, W).

    Raises:
        ValueError: if spins has not three axes, a side is below 3 or odd, or the shape of uniform is another.

    Source: course notes (S2), Monte Carlo; Metropolis et al. (1953).
    """
    ### BEGIN SOLUTION
    check_lattice(spins, "spins", even=True)
    check_shape(uniform, spins, "uniform")
    for colour in checkerboard(spins):
        turned = colour & (uniform < torch.exp(-flip_energy_change(spins, coupling, field)))
        spins = torch.where(turned, -spins, spins)
    return spins
    ### END SOLUTION


def heat_bath_sweep(spins: Tensor, coupling: float, field: float, uniform: Tensor) -> Tensor:
    """One heat-bath sweep: even sites first, then odd ones; s_i becomes +1 where u_i < P(s_i = +1 | others), else -1.

    Arguments:
        spins: floats of +1 and -1, (B, H, W), H and W even and at least 4; not changed.
        coupling: J.
        field: h.
        uniform: numbers in [0, 1), one for each site, (B, H, W).

    Returns:
        New spins, (B, H, W).

    Raises:
        ValueError: if spins has not three axes, a side is below 3 or odd, or the shape of uniform is another.

    Source: course notes (S2), Monte Carlo; Geman and Geman (1984).
    """
    ### BEGIN SOLUTION
    check_lattice(spins, "spins", even=True)
    check_shape(uniform, spins, "uniform")
    for colour in checkerboard(spins):
        up = uniform < torch.sigmoid(2 * (coupling * neighbour_sum(spins) + field))
        spins = torch.where(colour, 2 * up.to(spins) - 1, spins)
    return spins
    ### END SOLUTION


# %%
### BEGIN SOLUTION
def check_shape(given: Tensor, x: Tensor, name: str) -> None:
    """Raise ValueError unless `given` has the shape of x."""
    if given.shape != x.shape:
        raise ValueError(f"{name} must be {tuple(x.shape)}, got {tuple(given.shape)}")


def checkerboard(spins: Tensor) -> tuple[Tensor, Tensor]:
    """Where i + j is even, and where it is odd: two masks (H, W)."""
    rows, columns = torch.arange(spins.shape[1])[:, None], torch.arange(spins.shape[2])
    even = ((rows + columns) % 2 == 0).to(spins.device)
    return even, ~even


### END SOLUTION

# %% [markdown]
# ## 3. What can be summed exactly
#
# A lattice of $N \leq 16$ sites has at most 65,536 states: all probabilities and $\log Z$ can be computed, and every
# chain can be held against them. At $J = 40$ the energies reach some thousands: $e^{-U}$ overflows, and only logarithms
# work ($\log Z$ = `torch.logsumexp` of $-U$).
#
# In general a chain that proposes $j$ from $i$ with probability $q_{ij}$ and accepts with probability
# $\min(1, e^{U_i - U_j} q_{ji} / q_{ij})$ (Hastings 1970) has the transition matrix
#
# $$P_{ij} = q_{ij} \min\Big(1, \frac{e^{-U_j} q_{ji}}{e^{-U_i} q_{ij}}\Big) \quad (i \neq j), \qquad
# P_{ii} = 1 - \sum_{j \neq i} P_{ij} .$$
#
# The flow $p_i P_{ij}$ is then symmetric (*detailed balance*), so $p = pP$: $p$ is stationary. Without the quotient of
# the proposals this holds for symmetric $q$ only.


# %%
def exact_ising(height: int, width: int, coupling: float, field: float) -> tuple[Tensor, Tensor, Tensor]:
    """All states of a small lattice with their probabilities.

    Arguments:
        height, width: H and W, at least 3, H·W = N at most 16.
        coupling: J.
        field: h.

    Returns:
        states: (2^N, H, W), floats of +1 and -1, in any order, float64.
        log_prob: logarithms of their probabilities, (2^N,), float64.
        log_partition: log Z, a scalar.

    Raises:
        ValueError: if a side is below 3 or N above 16.

    Source: course notes (S2), equation 7.
    """
    ### BEGIN SOLUTION
    n = height * width
    if min(height, width) < 3 or n > 16:
        raise ValueError(f"height and width must be at least 3 and their product at most 16, got {height} and {width}")
    bits = (torch.arange(2**n)[:, None] >> torch.arange(n)) & 1  # (2^N, N)
    states = (2.0 * bits.double() - 1).reshape(-1, height, width)
    energy = ising_energy(states, coupling, field)
    log_partition = torch.logsumexp(-energy, dim=0)
    return states, -energy - log_partition, log_partition
    ### END SOLUTION


def metropolis_matrix(energies: Tensor, proposal: Tensor) -> Tensor:
    r"""Transition matrix of Metropolis and Hastings on n states.

    $P_{ij} = q_{ij} \min(1, e^{U_i - U_j} q_{ji} / q_{ij})$ for $i \neq j$; what is refused stays on the diagonal.

    Arguments:
        energies: U_i, (n,); they may be 10^4 apart.
        proposal: q_ij, (n, n), rows sum to 1; zeros are allowed (P_ij is 0 where q_ij or q_ji is), and it need not be
            symmetric.

    Returns:
        (n, n), rows sum to 1.

    Raises:
        ValueError: if proposal is not (n, n).

    Source: course notes (S2), Monte Carlo; Hastings (1970).
    """
    ### BEGIN SOLUTION
    if proposal.shape != (len(energies), len(energies)):
        raise ValueError(f"proposal must be (n, n) with n = {len(energies)}, got {tuple(proposal.shape)}")
    possible = (proposal > 0) & (proposal.T > 0)
    log_q = torch.where(possible, proposal, 1.0).log()
    log_ratio = energies[:, None] - energies + log_q.T - log_q
    P = torch.where(possible, proposal * log_ratio.clamp(max=0).exp(), 0.0)
    P = P - torch.diag(P.diagonal())
    return P + torch.diag(1 - P.sum(dim=1))
    ### END SOLUTION


# %% [markdown]
# ## 4. Maximum likelihood of an energy
#
# With $T(s) = (\sum_{\langle ij \rangle} s_i s_j, \sum_i s_i)$ and $\theta = (J, h)$ the energy is
# $U_\theta = -\theta \cdot T$, and the mean log-likelihood of data has the gradient
#
# $$\nabla_\theta\, \mathbb E_{\text{data}} \log p_\theta(s)
# = \mathbb E_{\text{data}}\, T(s) - \mathbb E_{p_\theta} T(s),$$
#
# minus that of $\mathrm{KL}(p_{\text{data}} \| p_\theta)$: at the optimum, the model has the data's mean statistics.
# The first mean is computed once, the second one needs samples of the *current* model: a chain at each step. Chains
# that go on from step to step (*persistent*) follow the slowly changing model; chains that start again *at data
# points* do well after a sweep or two (contrastive divergence, Hinton 2002), since the data is nearly in equilibrium;
# chains that start again at random do not.
#
# `fit_ising` climbs: $\theta \leftarrow \theta + \text{lr} \cdot \text{gradient} / N$ from $\theta = (0, 0)$, with $N$
# the number of sites.


# %%
def log_likelihood_gradient(data: Tensor, samples: Tensor) -> Tensor:
    r"""Gradient of the mean log-likelihood in (J, h), $E_{data}[T] - E_{samples}[T]$, not divided by the sites.

    Arguments:
        data: lattices, (n, H, W).
        samples: lattices drawn from the model, (m, H, W).

    Returns:
        (2,): for the coupling and for the field.

    Raises:
        ValueError: if one has not three axes, a side is below 3, or the lattices differ in size.

    Source: course notes (S2), maximum likelihood.
    """
    ### BEGIN SOLUTION
    check_lattice(data, "data")
    check_lattice(samples, "samples")
    if data.shape[1:] != samples.shape[1:]:
        raise ValueError(f"data and samples must be of one size, got {tuple(data.shape)} and {tuple(samples.shape)}")
    return sufficient_statistics(data).mean(dim=0) - sufficient_statistics(samples).mean(dim=0)
    ### END SOLUTION


# %%
### BEGIN SOLUTION
def sufficient_statistics(spins: Tensor) -> Tensor:
    """Sum over the pairs of neighbours and sum of the spins of each lattice: (B, 2)."""
    bonds = spins * (spins.roll(-1, 1) + spins.roll(-1, 2))
    return torch.stack([bonds.sum(dim=(1, 2)), spins.sum(dim=(1, 2))], dim=1)


### END SOLUTION


def fit_ising(
    data: Tensor,
    steps: int,
    lr: float = 0.05,
    n_chains: int = 200,
    n_sweeps: int = 1,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> tuple[float, float, dict[str, list[float]]]:
    """Fit coupling and field to lattices by maximum likelihood, with chains for the model's mean.

    Arguments:
        data: lattices, (n, H, W), H and W even and at least 4.
        steps: number of updates of (J, h), at least 1.
        lr: each update adds lr · gradient / (H·W).
        n_chains: how many chains estimate the model's mean, at least 1.
        n_sweeps: sweeps of every chain before each update, at least 1; Metropolis or heat bath.
        generator: source of randomness; torch's global one where it is None.
        progress: show a bar.

    Returns:
        coupling and field (the last ones, or a mean of late ones), and the history: "coupling" and "field", one float
        per step.

    Raises:
        ValueError: if data has not three axes, a side is below 3 or odd, or steps, n_chains or n_sweeps is below 1.

    Source: course notes (S2), maximum likelihood; Hinton (2002).
    """
    ### BEGIN SOLUTION
    check_lattice(data, "data", even=True)
    for name, value in (("steps", steps), ("n_chains", n_chains), ("n_sweeps", n_sweeps)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    theta = torch.zeros(2, dtype=data.dtype, device=data.device)
    device = data.device if generator is None else generator.device  # draw where the generator lives
    shape = (n_chains, *data.shape[1:])
    chains = 2.0 * torch.randint(2, shape, generator=generator, device=device).to(data) - 1
    history: dict[str, list[float]] = {"coupling": [], "field": []}
    for step in range(steps):
        for _ in range(n_sweeps):
            uniform = torch.rand(shape, generator=generator, dtype=data.dtype, device=device).to(data.device)
            chains = heat_bath_sweep(chains, float(theta[0]), float(theta[1]), uniform)
        theta = theta + lr * log_likelihood_gradient(data, chains) / data[0].numel()
        history["coupling"].append(float(theta[0]))
        history["field"].append(float(theta[1]))
        if progress and (step + 1) % max(1, steps // 20) == 0:
            print(f"\rstep {step + 1} of {steps}: J {theta[0]:.3f}, h {theta[1]:.3f}", end="")
    late = steps - steps // 2  # the chains' noise averages out over the last half
    return sum(history["coupling"][-late:]) / late, sum(history["field"][-late:]) / late, history
    ### END SOLUTION


# %% [markdown]
# ## 5. A field of real numbers: φ⁴ and MALA
#
# Instead of spins, each site carries a real number $\varphi_i$:
#
# $$U(\varphi) = \frac{\kappa}{2} \sum_{\langle ij \rangle} (\varphi_i - \varphi_j)^2
# + \sum_i \Big( \frac{r}{2} \varphi_i^2 + \frac{g}{4} \varphi_i^4 \Big),$$
#
# $$\frac{\partial U}{\partial \varphi_i}
# = \kappa \sum_{j \sim i} (\varphi_i - \varphi_j) + r \varphi_i + g \varphi_i^3 .$$
#
# For $r < 0$ each site has two minima, at $\pm \sqrt{-r/g}$, and neighbours want the same one: the whole field sits in
# one of two wells, as a magnet does. For $g = 0$ the law is Gaussian (the *free field*).
#
# **MALA.** A Langevin step $y = x - \eta \nabla U(x) + \sqrt{2 \eta}\, \xi$ (the convention of the exercise
# `langevin_ot`) samples $p$ only as $\eta \to 0$. Take it as a *proposal* and accept it with probability
#
# $$\min\Big(1, e^{U(x) - U(y)} \frac{q(x \mid y)}{q(y \mid x)}\Big), \qquad
# q(y \mid x) \propto \exp\Big(-\frac{\| y - x + \eta \nabla U(x) \|^2}{4 \eta}\Big),$$
#
# and the chain is exact at any step: only the share of accepted proposals falls. A proposal that is refused repeats the
# state, and the repetition counts.
#
# **Two minima.** A chain hardly ever crosses from one well to the other: its statistics look settled, and it has seen
# half of the law. Here the symmetry helps: $U(-\varphi) = U(\varphi)$, so mirroring a *whole* chain is a step that is
# always accepted.


# %%
def phi4_energy(phi: Tensor, kappa: float, r: float, g: float) -> Tensor:
    r"""Energy of each field, $\kappa/2 \sum_{<ij>} (\phi_i - \phi_j)^2 + \sum_i (r/2\, \phi_i^2 + g/4\, \phi_i^4)$.

    Arguments:
        phi: (B, H, W), H and W at least 3; borders are periodic.
        kappa, r, g: the three constants.

    Returns:
        (B,).

    Raises:
        ValueError: if phi has not three axes, or H or W is below 3.

    Source: course notes (S2), φ⁴.
    """
    ### BEGIN SOLUTION
    check_lattice(phi, "phi")
    bonds = (phi - phi.roll(-1, 1)).square() + (phi - phi.roll(-1, 2)).square()
    return (kappa / 2 * bonds + r / 2 * phi.square() + g / 4 * phi**4).sum(dim=(1, 2))
    ### END SOLUTION


def phi4_gradient(phi: Tensor, kappa: float, r: float, g: float) -> Tensor:
    r"""Gradient of the energy, $\nabla U$ (not the score, which is $-\nabla U$).

    Arguments:
        phi: (B, H, W), H and W at least 3; borders are periodic.
        kappa, r, g: the three constants.

    Returns:
        (B, H, W).

    Raises:
        ValueError: if phi has not three axes, or H or W is below 3.

    Source: course notes (S2), φ⁴.
    """
    ### BEGIN SOLUTION
    check_lattice(phi, "phi")
    return kappa * (4 * phi - neighbour_sum(phi)) + r * phi + g * phi**3
    ### END SOLUTION


def mala_step(
    x: Tensor,
    energy: Callable[[Tensor], Tensor],
    gradient: Callable[[Tensor], Tensor],
    step: float,
    noise: Tensor,
    uniform: Tensor,
) -> tuple[Tensor, Tensor]:
    r"""One step of the Metropolis-adjusted Langevin algorithm, each row by itself.

    Proposed is $y = x - \eta \nabla U(x) + \sqrt{2\eta}\,\xi$; accepted where
    $u < e^{U(x) - U(y)} q(x|y) / q(y|x)$.

    Arguments:
        x: current states, (B, ...), at least two axes.
        energy: from states to their energies (B,).
        gradient: from states to the gradients of the energy, the shape of x. Both may run without gradients of their
            own; use both, differentiate through neither.
        step: $\eta > 0$.
        noise: standard normal numbers, the shape of x.
        uniform: numbers in [0, 1), (B,).

    Returns:
        x_new: the shape of x; a row that is refused stays.
        accepted: bool, (B,).

    Raises:
        ValueError: if step is not positive, or the shape of noise or uniform does not fit.

    Source: course notes (S2), Monte Carlo; Roberts and Tweedie (1996).
    """
    ### BEGIN SOLUTION
    if step <= 0:
        raise ValueError(f"step must be positive, got {step}")
    check_shape(noise, x, "noise")
    if uniform.shape != x.shape[:1]:
        raise ValueError(f"uniform must be ({len(x)},), got {tuple(uniform.shape)}")
    drift = step * gradient(x)
    y = x - drift + math.sqrt(2 * step) * noise
    there = (y - x + drift).flatten(1).square().sum(dim=1)  # (B,)
    back = (x - y + step * gradient(y)).flatten(1).square().sum(dim=1)
    log_ratio = energy(x) - energy(y) + (there - back) / (4 * step)
    accepted = uniform.log() < log_ratio
    return torch.where(accepted.reshape(-1, *[1] * (x.dim() - 1)), y, x), accepted
    ### END SOLUTION


def sample_phi4(
    phi: Tensor,
    kappa: float,
    r: float,
    g: float,
    step: float,
    n_steps: int,
    flip_probability: float = 0.0,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, float]:
    """Chains of φ⁴ by MALA, mirrored as a whole now and then.

    Arguments:
        phi: starting fields, (B, H, W); not changed.
        kappa, r, g: the three constants of the energy.
        step: of MALA, > 0.
        n_steps: number of steps, at least 1.
        flip_probability: before or after each step each chain is mirrored, φ → -φ, with this probability, on its own.
        generator: source of randomness; torch's global one where it is None.

    Returns:
        trajectory: (n_steps + 1, B, H, W), phi first; a refused step repeats the state.
        acceptance: share of accepted steps, over steps and chains.

    Raises:
        ValueError: if phi has not three axes, a side is below 3, n_steps is below 1, step is not positive or
            flip_probability is outside [0, 1].

    Source: course notes (S2), two minima.
    """
    ### BEGIN SOLUTION
    check_lattice(phi, "phi")
    if n_steps < 1:
        raise ValueError(f"n_steps must be at least 1, got {n_steps}")
    if step <= 0:
        raise ValueError(f"step must be positive, got {step}")
    if not 0 <= flip_probability <= 1:
        raise ValueError(f"flip_probability must lie in [0, 1], got {flip_probability}")
    device = phi.device if generator is None else generator.device  # draw where the generator lives
    frames, taken = [phi], 0.0
    for _ in range(n_steps):
        noise = torch.randn(phi.shape, generator=generator, dtype=phi.dtype, device=device).to(phi.device)
        uniform = torch.rand(len(phi), generator=generator, dtype=phi.dtype, device=device).to(phi.device)
        phi, accepted = mala_step(
            phi, lambda x: phi4_energy(x, kappa, r, g), lambda x: phi4_gradient(x, kappa, r, g), step, noise, uniform
        )
        mirrored = torch.rand(len(phi), generator=generator, dtype=phi.dtype, device=device) < flip_probability
        mirrored = mirrored.to(phi.device)
        phi = torch.where(mirrored[:, None, None], -phi, phi)
        frames.append(phi)
        taken += float(accepted.double().mean())
    return torch.stack(frames), taken / n_steps
    ### END SOLUTION


# %% [markdown]
# ## 6. What a chain is worth
#
# Given. Successive states of a chain resemble each other. With the autocorrelation $\rho(k)$ of a series, $T$
# dependent numbers are worth $T / \tau$ independent ones, $\tau = 1 + 2 \sum_{k \geq 1} \rho(k)$. The sum of *all*
# $\rho(k)$, $k \geq 1$, of a finite series is $-1/2$, whatever the series: it has to be cut. Geyer (1992) adds pairs
# $\Gamma_k = \rho(2k) + \rho(2k+1)$ while they are positive. No such number sees what the chain never did: at
# $J = 0.6$ the total spin of one well has $\tau \approx 2$.


# %%
def autocorrelation(series: Tensor, max_lag: int) -> Tensor:
    """Autocorrelation of a series (T,) at the lags 0..max_lag, (max_lag + 1,). Given."""
    if series.dim() != 1 or len(series) < 2 or not 0 <= max_lag < len(series):
        raise ValueError(f"series must be (T,), T above max_lag = {max_lag}, got {tuple(series.shape)}")
    x = series - series.mean()
    return torch.stack([(x[: len(x) - k] * x[k:]).sum() for k in range(max_lag + 1)]) / x.square().sum()


def effective_sample_size(series: Tensor) -> float:
    """How many independent numbers a series (T,) is worth, by Geyer's initial positive sequence. Given."""
    rho = autocorrelation(series, len(series) - 1)
    pairs = rho[: len(rho) // 2 * 2].reshape(-1, 2).sum(dim=1)  # Γ_0, Γ_1, ...
    stop = (pairs <= 0).nonzero()
    pairs = pairs[: int(stop[0])] if len(stop) else pairs
    return len(series) / float(2 * pairs.sum() - 1)


# %% [markdown]
# ## 7. Figures
#
# Given. Fields at four couplings; the bond sum of a chain against the exact one, and what a sweep is worth; the way
# of the maximum-likelihood fit; chains of φ⁴ in one well, with and without mirroring.


# %%
def _draw_fields(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 4, figsize=(12, 3.4), layout="constrained")
    for panel, coupling in zip(panels, (0.1, 0.3, 0.44, 0.6), strict=True):
        spins = 2.0 * torch.randint(2, (1, 48, 48), generator=generator).double() - 1
        for _ in range(300):
            spins = heat_bath_sweep(spins, coupling, 0.0, torch.rand(spins.shape, generator=generator).double())
        panel.imshow(spins[0].numpy(), cmap="Greys", vmin=-1, vmax=1)
        panel.set(title=f"J = {coupling}", xticks=[], yticks=[])
    path = folder / "ising_fields.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _draw_sums(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    couplings = [0.1, 0.2, 0.3, 0.4, 0.5]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    exact, sampled, worth = [], [], {}
    for coupling in couplings:
        states, log_prob, _log_partition = exact_ising(4, 4, coupling, 0.0)
        exact.append(float((log_prob.exp() * -ising_energy(states, 1.0, 0.0)).sum()) / 32)
        labels = ("heat bath", "Metropolis")
        for name, sweep in zip(labels, (heat_bath_sweep, metropolis_sweep), strict=True):
            spins, series = torch.ones(10, 4, 4, dtype=torch.float64), []
            for _ in range(300):
                spins = sweep(spins, coupling, 0.0, torch.rand(spins.shape, generator=generator).double())
                series.append(-ising_energy(spins, 1.0, 0.0) / 32)
            bonds = torch.stack(series)[50:]  # (250, 10)
            if sweep is heat_bath_sweep:
                sampled.append(float(bonds.mean()))
            sizes = [effective_sample_size(chain) / len(chain) for chain in bonds.T]
            worth.setdefault(name, []).append(sum(sizes) / len(sizes))
    left.plot(couplings, exact, label="exact")
    left.plot(couplings, sampled, "o", label="heat bath")
    left.set(xlabel="J", ylabel="mean of s_i s_j over neighbours", title="4 x 4 lattice")
    left.legend()
    for name, values in worth.items():
        right.plot(couplings, values, "o-", label=name)
    right.set(xlabel="J", ylabel="independent samples per sweep", title="What a sweep is worth", ylim=(0, None))
    right.legend()
    path = folder / "exact_and_sampled.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _draw_fit(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    states, log_prob, _log_partition = exact_ising(4, 4, 0.25, 0.1)
    data = states[torch.multinomial(log_prob.exp(), 2000, replacement=True, generator=generator)]
    coupling, field, history = fit_ising(data, 300, generator=generator)
    figure, axis = plt.subplots(figsize=(6.5, 4), layout="constrained")
    axis.plot(history["coupling"], label=f"coupling, ends at {coupling:.3f}")
    axis.plot(history["field"], label=f"field, ends at {field:.3f}")
    axis.axhline(0.25, color="tab:blue", linestyle="--", linewidth=1)
    axis.axhline(0.1, color="tab:orange", linestyle="--", linewidth=1)
    axis.set(xlabel="step", title="Maximum likelihood (solid) and the data's law (dashed)")
    axis.legend()
    path = folder / "maximum_likelihood.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _draw_wells(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 3, figsize=(12.5, 3.8), layout="constrained")
    for panel, flip in zip(panels, (0.0, 0.1), strict=False):
        start = torch.ones(40, 8, 8, dtype=torch.float64)
        trajectory, acceptance = sample_phi4(start, 2.0, -2.0, 2.0, 0.02, 300, flip, generator)
        means = trajectory.mean(dim=(2, 3))  # (301, 40)
        panel.plot(means[:, :4].numpy(), linewidth=0.7)
        panel.set(title=f"flip_probability {flip:g}, accepted {acceptance:.2f}", xlabel="step", ylim=(-1.3, 1.3))
        panels[2].hist(means[50:].flatten().numpy(), bins=50, density=True, alpha=0.6, label=f"{flip:g}")
    panels[0].set(ylabel="mean of the field")
    panels[2].set(title="Means of all chains, by flip_probability", xlabel="mean of the field")
    panels[2].legend()
    path = folder / "two_minima.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def make_figures(folder: str | Path) -> list[Path]:
    """Draw fields, exact and sampled sums, a fit, and two wells. Returns the files written."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    return [draw(folder, generator) for draw in (_draw_fields, _draw_sums, _draw_fit, _draw_wells)]


# %%
if __name__ == "__main__":
    make_figures("figures")

# %% [markdown]
# ## 8. Quiz
#
# The questions below carry your own numbers. Work them out on paper or with your functions; then put the answers into
# `ANSWERS`.

# %%
### BEGIN PERSONAL
PERSONAL = {
    "coupling": 0.3,
    "field": 0.1,
    "a": [[1, -1, -1], [-1, 1, -1], [-1, 1, -1]],
    "b": [[1, 1, 1], [1, -1, -1], [1, -1, -1]],
    "spin": -1,
    "neighbours_up": 1,
    "product": 0.2,
}
QUIZ = {
    "ratio": (
        "Two 3 x 3 lattices with periodic borders: a = [[1, -1, -1], [-1, 1, -1], [-1, 1, -1]] and b = "
        "[[1, 1, 1], [1, -1, -1], [1, -1, -1]]. With the coupling J = 0.3 and the field h = 0.1, what is "
        "p(a) / p(b)? Answer: a number, within 1 %."
    ),
    "acceptance": (
        "A spin is -1, 1 of its four neighbours are +1 and the others -1. With J = 0.3 and h = 0.1, with "
        "which probability does Metropolis turn it? Answer: a number, to 0.001."
    ),
    "bond": (
        "A single bond: two spins with U = -J s1 s2. In the data the mean of s1·s2 is 0.2. Which J has "
        "the largest likelihood? Answer: a number, to 0.001."
    ),
    "minima": (
        "A heat-bath chain of an 8 x 8 lattice at J = 0.6, h = 0: the total spin has an autocorrelation "
        "time of 2 sweeps, and in 1,000 sweeps it never changes its sign. How many of the two minima of "
        "the energy does the chain show? Answer: an integer."
    ),
}
### END PERSONAL
ANSWERS = {"ratio": None, "acceptance": None, "bond": None, "minima": None}
### BEGIN SOLUTION
_up = PERSONAL["neighbours_up"]
_change = 2 * PERSONAL["spin"] * (PERSONAL["coupling"] * (2 * _up - 4) + PERSONAL["field"])
_a, _b = (torch.tensor(PERSONAL[which], dtype=torch.float64)[None] for which in ("a", "b"))
ANSWERS = {
    "ratio": float(
        torch.exp(
            ising_energy(_b, PERSONAL["coupling"], PERSONAL["field"])
            - ising_energy(_a, PERSONAL["coupling"], PERSONAL["field"])
        )
    ),
    "acceptance": min(1.0, math.exp(-_change)),
    "bond": math.atanh(PERSONAL["product"]),
    "minima": 1,
}
### END SOLUTION
