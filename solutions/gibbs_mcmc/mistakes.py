"""Typical wrong versions of gibbs_mcmc's functions, each with the hint a student gets for it."""

import math

from autograder.authoring import mistake

# A catalogue: each entry is a paragraph.
# fmt: off

# --- energies -------------------------------------------------------------------------------------

mistake("energy_sign", "energy of spins with its sign reversed", check="ising_energy",
    hint="U = -J Σ s_i s_j - h Σ s_i: with J > 0 neighbours that agree cost less.",
    also={"exact_sums": "exact sums come from the energy"},
    function="ising_energy", old="-coupling * bonds.sum(dim=(1, 2)) - field",
    new="coupling * bonds.sum(dim=(1, 2)) + field")

mistake("bonds_counted_twice", "each pair of neighbours counted twice", check="ising_energy",
    hint="<ij> are the pairs, each once: look right and down only, or halve the sum over all four neighbours.",
    also={"exact_sums": "exact sums come from the energy"},
    function="ising_energy", old="bonds = spins * (spins.roll(-1, 1) + spins.roll(-1, 2))",
    new="bonds = spins * neighbour_sum(spins)")

@mistake("open_borders", "borders that are not periodic", check="ising_energy",
    hint="The last column is the left neighbour of the first one, and the last row lies above the first: torch.roll.",
    also={"exact_sums": "exact sums come from the energy"})
def ising_energy(spins, coupling, field):
    bonds = (spins[:, 1:] * spins[:, :-1]).sum(dim=(1, 2)) + (spins[:, :, 1:] * spins[:, :, :-1]).sum(dim=(1, 2))
    return -coupling * bonds - field * spins.sum(dim=(1, 2))

mistake("one_direction", "neighbours in one direction only", check="ising_energy",
    hint="A site has neighbours in its row and in its column: 2 H W pairs in all.",
    also={"exact_sums": "exact sums come from the energy"},
    function="ising_energy", old="(spins.roll(-1, 1) + spins.roll(-1, 2))", new="spins.roll(-1, 1)")

mistake("field_forgotten", "the field left out", check="ising_energy",
    hint="The energy has two terms: -J Σ s_i s_j and -h Σ s_i.",
    also={"exact_sums": "exact sums come from the energy"},
    function="ising_energy", old=" - field * spins.sum(dim=(1, 2))", new="")

mistake("energy_per_site", "mean over the sites instead of their sum", check="ising_energy",
    hint="U is the energy of the whole lattice: sum over pairs and sites, and divide by nothing.",
    also={"exact_sums": "exact sums come from the energy"},
    function="ising_energy", old="-coupling * bonds.sum(dim=(1, 2)) - field * spins.sum(dim=(1, 2))",
    new="-coupling * bonds.mean(dim=(1, 2)) - field * spins.mean(dim=(1, 2))")

mistake("flip_change_without_two", "change of the energy without its factor 2", check="flip_change",
    hint="A spin goes from s to -s: its terms change by twice their size.",
    also={"metropolis_sweep": "the sweep takes the change from here"},
    function="flip_energy_change", old="2 * spins * (", new="spins * (")

mistake("flip_change_sign", "change of the energy with its sign reversed", check="flip_change",
    hint="The change is U with the spin turned minus U as it is: 2 s_i (J Σ s_j + h).",
    also={"metropolis_sweep": "the sweep takes the change from here"},
    function="flip_energy_change", old="2 * spins * (", new="-2 * spins * (")

mistake("flip_change_field", "change of the energy without the field", check="flip_change",
    hint="Turning a spin changes -h s_i, too.",
    also={"metropolis_sweep": "the sweep takes the change from here"},
    function="flip_energy_change", old="coupling * neighbour_sum(spins) + field", new="coupling * neighbour_sum(spins)")

mistake("flip_change_field_sign", "change of the energy with the field's sign reversed", check="flip_change",
    hint="The field pulls spins up: turning an up spin costs 2 h, so that J Σ s_j and h are added.",
    also={"metropolis_sweep": "the sweep takes the change from here"},
    function="flip_energy_change", old="+ field)", new="- field)")

mistake("phi4_bonds_twice", "each pair of the field's neighbours counted twice", check="phi4_energy",
    hint="κ/2 stands before the sum over pairs, each once: for the sum over all four neighbours it is κ/4.",
    function="phi4_energy", old="kappa / 2 * bonds", new="kappa * bonds")

mistake("phi4_bonds_halved", "κ/4 instead of κ/2 before the sum over pairs", check="phi4_energy",
    hint="κ/4 belongs to the sum over all four neighbours of each site; over pairs, each once, it is κ/2.",
    function="phi4_energy", old="kappa / 2 * bonds", new="kappa / 4 * bonds")

@mistake("phi4_open_borders", "a field whose borders are not periodic", check="phi4_energy",
    hint="The last column is the left neighbour of the first one, and the last row lies above the first: torch.roll.")
def phi4_energy(phi, kappa, r, g):
    bonds = phi.diff(dim=1).square().sum(dim=(1, 2)) + phi.diff(dim=2).square().sum(dim=(1, 2))
    return kappa / 2 * bonds + (r / 2 * phi.square() + g / 4 * phi**4).sum(dim=(1, 2))

mistake("phi4_gradient_sign", "the score instead of the gradient of the energy", check="phi4_gradient",
    hint="Asked for is ∇U; the score is -∇U.",
    also={"phi4_trajectory": "the proposals climb the energy"},
    function="phi4_gradient", old="return kappa * (4 * phi - neighbour_sum(phi)) + r * phi + g * phi**3",
    new="return -(kappa * (4 * phi - neighbour_sum(phi)) + r * phi + g * phi**3)")

mistake("phi4_gradient_four", "4 g φ³ instead of g φ³", check="phi4_gradient",
    hint="The derivative of g/4 φ⁴ is g φ³.",
    function="phi4_gradient", old="g * phi**3", new="4 * g * phi**3")

mistake("phi4_gradient_without_own", "the site's own value forgotten among the neighbours", check="phi4_gradient",
    hint="Each of the four pairs of a site gives κ (φ_i - φ_j): four times φ_i minus the neighbours' sum.",
    function="phi4_gradient", old="(4 * phi - neighbour_sum(phi))", new="(phi - neighbour_sum(phi))")

mistake("phi4_gradient_one_way", "each pair's derivative at one of its two sites only", check="phi4_gradient",
    hint="A pair of sites counts in the gradient at both: each site has four neighbours, in front and behind.",
    function="phi4_gradient", old="(4 * phi - neighbour_sum(phi))",
    new="(2 * phi - phi.roll(-1, 1) - phi.roll(-1, 2))")

# --- sweeps ---------------------------------------------------------------------------------------

@mistake("metropolis_all_at_once", "all spins decided at once, the odd ones by the old even ones",
    check="metropolis_sweep",
    hint="Neighbours must not decide without seeing each other: first the even sites, then the change again, then the "
    "odd ones.")
def metropolis_sweep(spins, coupling, field, uniform):
    return torch.where(uniform < torch.exp(-flip_energy_change(spins, coupling, field)), -spins, spins)

mistake("metropolis_accepts_downhill_only", "only moves downhill accepted", check="metropolis_sweep",
    hint="Uphill is accepted, too, with probability exp(-change): compare u with it.",
    function="metropolis_sweep", old="uniform < torch.exp(-flip_energy_change(spins, coupling, field))",
    new="flip_energy_change(spins, coupling, field) <= 0")

mistake("metropolis_odd_first", "odd sites first", check="metropolis_sweep",
    hint="The site (0, 0) is even: sites with i + j even decide first.",
    function="metropolis_sweep", old="in checkerboard(spins)", new="in checkerboard(spins)[::-1]")

mistake("metropolis_sign", "exp(+change) instead of exp(-change)", check="metropolis_sweep",
    hint="What costs energy is accepted rarely: u < exp(-change).",
    function="metropolis_sweep", old="torch.exp(-flip", new="torch.exp(flip")

@mistake("metropolis_in_place", "spins changed in place", check="spins_untouched",
    hint="A sweep returns a new tensor: start with spins.clone().")
def metropolis_sweep(spins, coupling, field, uniform):
    for colour in checkerboard(spins):
        turned = colour & (uniform < torch.exp(-flip_energy_change(spins, coupling, field)))
        spins[turned] = -spins[turned]
    return spins

mistake("heat_bath_without_two", "P(+1) of half the coupling and field", check="heat_bath_sweep",
    hint="+1 and -1 differ by 2 (J Σ s_j + h) in energy: sigmoid of twice the local field.",
    function="heat_bath_sweep", old="torch.sigmoid(2 * (", new="torch.sigmoid(1 * (")

@mistake("heat_bath_turns", "spins turned with P(+1) instead of set by it", check="heat_bath_sweep",
    hint="Heat bath forgets the spin: it becomes +1 where u < P(+1), else -1.")
def heat_bath_sweep(spins, coupling, field, uniform):
    for colour in checkerboard(spins):
        turned = uniform < torch.sigmoid(2 * (coupling * neighbour_sum(spins) + field))
        spins = torch.where(colour & turned, -spins, spins)
    return spins

mistake("heat_bath_sign", "P(-1) used for P(+1)", check="heat_bath_sweep",
    hint="With all neighbours up and J > 0 the spin is likely up: sigmoid(+2 (J Σ s_j + h)).",
    function="heat_bath_sweep", old="torch.sigmoid(2 * (", new="torch.sigmoid(-2 * (")

mistake("heat_bath_odd_first", "odd sites first in the heat bath", check="heat_bath_sweep",
    hint="The site (0, 0) is even: sites with i + j even decide first.",
    function="heat_bath_sweep", old="in checkerboard(spins)", new="in checkerboard(spins)[::-1]")

mistake("heat_bath_one_colour", "only the even sites visited", check="heat_bath_sweep",
    hint="A sweep visits every site: after the even ones the odd ones.",
    function="heat_bath_sweep", old="in checkerboard(spins)", new="in checkerboard(spins)[:1]")

# --- exact sums and matrices ----------------------------------------------------------------------

mistake("partition_without_log_sum_exp", "logarithm of a sum of exponentials that overflow", check="exact_large",
    hint="At J = 40 exp(-U) is infinite: torch.logsumexp(-U, 0).",
    function="exact_ising", old="torch.logsumexp(-energy, dim=0)", new="torch.exp(-energy).sum().log()")

mistake("partition_averaged", "mean over the states instead of their sum", check="exact_sums",
    hint="Z is the sum over all 2^N states: a mean is off by N log 2.",
    function="exact_ising", old="torch.logsumexp(-energy, dim=0)",
    new="torch.logsumexp(-energy, dim=0) - n * math.log(2)")

mistake("partition_sign", "exp(+U) instead of exp(-U)", check="exact_sums",
    hint="What costs little energy is likely: p = exp(-U) / Z.",
    function="exact_ising", old="torch.logsumexp(-energy, dim=0)", new="torch.logsumexp(energy, dim=0)")
mistake("partition_sign",
    function="exact_ising", old="-energy - log_partition", new="energy - log_partition")

mistake("probabilities_not_normalised", "log-probabilities without log Z", check="exact_sums",
    hint="log p = -U - log Z.",
    function="exact_ising", old="-energy - log_partition", new="-energy")

mistake("matrix_reversed", "accepted uphill and refused downhill", check="metropolis_matrix",
    hint="From i to j the ratio is exp(U_i - U_j): going down is always accepted.",
    function="metropolis_matrix", old="energies[:, None] - energies", new="energies - energies[:, None]")

mistake("matrix_without_proposal_ratio", "acceptance without the quotient of the proposals", check="metropolis_matrix",
    hint="Where q is not symmetric, the acceptance holds q_ji / q_ij: otherwise p_i P_ij is not symmetric.",
    function="metropolis_matrix", old=" + log_q.T - log_q", new="")

mistake("matrix_proposal_ratio_reversed", "quotient of the proposals upside down", check="metropolis_matrix",
    hint="What is easily proposed is accepted rarely: q_ji / q_ij, with the way back above.",
    function="metropolis_matrix", old=" + log_q.T - log_q", new=" - log_q.T + log_q")

mistake("matrix_barker", "Barker's acceptance r / (1 + r) instead of min(1, r)", check="metropolis_matrix",
    hint="r / (1 + r) makes p_i P_ij symmetric, too, but refuses more: Metropolis and Hastings accept with min(1, r).",
    function="metropolis_matrix", old="log_ratio.clamp(max=0).exp()", new="log_ratio.sigmoid()")

mistake("matrix_rows_renormalised", "rows divided by their sum instead of staying", check="metropolis_matrix",
    hint="What is refused stays where it is: the rest of the row belongs on the diagonal.",
    function="metropolis_matrix", old="return P + torch.diag(1 - P.sum(dim=1))",
    new="return P / P.sum(dim=1, keepdim=True)")

mistake("matrix_diagonal_empty", "an empty diagonal", check="metropolis_matrix",
    hint="What is refused stays where it is: P_ii = 1 - Σ P_ij.",
    function="metropolis_matrix", old="return P + torch.diag(1 - P.sum(dim=1))", new="return P")

mistake("matrix_without_proposal", "the acceptance without the proposal", check="metropolis_matrix",
    hint="To go from i to j, j must be proposed and accepted: q_ij times the acceptance.",
    function="metropolis_matrix", old="proposal * log_ratio", new="log_ratio")

@mistake("matrix_nan", "0/0 where nothing is proposed, infinity times 0 where energies are far apart",
    check="matrix_edges",
    hint="q_ji / q_ij is 0/0 where both are 0, and exp(10,000) is infinite: compare logarithms, and set zeros apart.")
def metropolis_matrix(energies, proposal):
    ratio = torch.exp(energies[:, None] - energies) * proposal.T / proposal
    P = proposal * ratio.clamp(max=1)
    P = P - torch.diag(P.diagonal())
    return P + torch.diag(1 - P.sum(dim=1))

# --- maximum likelihood ---------------------------------------------------------------------------

mistake("gradient_model_minus_data", "model minus data", check="likelihood_gradient",
    hint="The likelihood grows towards the data's statistics: E_data[T] - E_samples[T].",
    function="log_likelihood_gradient",
    old="sufficient_statistics(data).mean(dim=0) - sufficient_statistics(samples).mean(dim=0)",
    new="sufficient_statistics(samples).mean(dim=0) - sufficient_statistics(data).mean(dim=0)")

mistake("gradient_per_site", "gradient divided by the number of sites", check="likelihood_gradient",
    hint="T are sums over the lattice: the gradient of log p is not divided by N (fit_ising divides its steps).",
    function="log_likelihood_gradient",
    old="sufficient_statistics(data).mean(dim=0) - sufficient_statistics(samples).mean(dim=0)",
    new="(sufficient_statistics(data).mean(dim=0) - sufficient_statistics(samples).mean(dim=0)) / data[0].numel()")

@mistake("gradient_bonds_twice", "each pair counted twice in the statistics", check="likelihood_gradient",
    hint="Σ_<ij> s_i s_j holds each pair once. A fit hides it: at its optimum both sides are twice as large.")
def log_likelihood_gradient(solution, data, samples):
    return solution(data, samples) * torch.tensor([2.0, 1.0]).to(data)

mistake("gradient_summed", "sums over the lattices instead of means", check="likelihood_gradient",
    hint="Expectations are means over the data and over the samples.",
    function="log_likelihood_gradient",
    old="sufficient_statistics(data).mean(dim=0) - sufficient_statistics(samples).mean(dim=0)",
    new="sufficient_statistics(data).sum(dim=0) - sufficient_statistics(samples).sum(dim=0)")

mistake("fit_chains_never_move", "chains that never move", check="fit",
    hint="The model's mean needs samples of the current model: sweep the chains before each update.",
    function="fit_ising", old="chains = heat_bath_sweep(", new="heat_bath_sweep(")

mistake("fit_chains_restart_at_random", "chains that start again at random in each step", check="fit",
    hint="One sweep from random spins is far from equilibrium: let the chains go on, or start them at data points.",
    function="fit_ising", old="    for step in range(steps):",
    new="    for step in range(steps):\n        chains = torch.randint(2, shape, generator=generator).to(data) * 2 - 1")

mistake("fit_descends", "parameters that go down the likelihood", check="fit",
    hint="The gradient is that of the log-likelihood: theta climbs, theta + lr * gradient / N.",
    function="fit_ising", old="theta = theta + lr", new="theta = theta - lr")

mistake("fit_field_not_updated", "only the coupling updated", check="fit",
    hint="Both parameters climb: theta has two entries, and so has the gradient.",
    function="fit_ising", old="data[0].numel()", new="data[0].numel() * torch.tensor([1.0, 0.0]).to(data)")

mistake("fit_lr_ignored", "a learning rate of its own, whatever `lr`", check="fit_history",
    hint="Each step adds lr times the gradient over the number of sites.",
    function="fit_ising", old="theta + lr * log", new="theta + 0.05 * log")

mistake("fit_not_per_site", "steps not divided by the number of sites", check="fit_history",
    hint="θ ← θ + lr · gradient / N: without N the steps are N times too long.",
    function="fit_ising", old=" / data[0].numel()", new="")

mistake("fit_over_side_squared", "steps divided by the square of one side", check="fit_history",
    hint="N is the number of sites, H · W: the lattice need not be a square.",
    function="fit_ising", old="/ data[0].numel()", new="/ data.shape[1] ** 2")

mistake("fit_sweeps_ignored", "one sweep per step, whatever `n_sweeps`", check="fit_history",
    hint="Every chain is swept n_sweeps times before each update.",
    function="fit_ising", old="for _ in range(n_sweeps):", new="for _ in range(1):")

mistake("fit_chains_ignored", "200 chains, whatever `n_chains`", check="fit_history",
    hint="The model's means are over n_chains chains.",
    function="fit_ising", old="shape = (n_chains, *data.shape[1:])", new="shape = (200, *data.shape[1:])")

mistake("fit_generator_ignored", "draws from the global generator", check="fit_history",
    hint="Hand the generator on to everything in fit_ising that draws.",
    function="fit_ising", old="torch.rand(shape, generator=generator, dtype=data.dtype, device=device)",
    new="torch.rand(shape, dtype=data.dtype)")

# --- MALA and its chains --------------------------------------------------------------------------

mistake("mala_without_proposal_ratio", "acceptance by the energies alone", check="mala_step",
    hint="The proposal is not symmetric: its drift leads downhill. The quotient q(x|y) / q(y|x) belongs to the ratio.",
    function="mala_step", old=" + (there - back) / (4 * step)", new="")

mistake("mala_proposal_ratio_reversed", "quotient of the proposals upside down", check="mala_step",
    hint="q(x|y) / q(y|x): the way back stands above. Its exponent is -‖...‖² / (4 step).",
    function="mala_step", old="(there - back)", new="(back - there)")

mistake("mala_back_with_old_gradient", "the way back with the gradient at x instead of y", check="mala_step",
    hint="q(x|y) is the density of a proposal made at y: its drift is step · ∇U(y).",
    also={"phi4_trajectory": "hardly a proposal is accepted"},
    function="mala_step", old="step * gradient(y)", new="drift")

mistake("mala_two_step", "‖...‖² / (2 step) in the proposals' densities", check="mala_step",
    hint="The noise has variance 2 step in each coordinate: the exponent is -‖...‖² / (2 · 2 step).",
    also={"phi4_trajectory": "hardly a proposal is refused, or hardly one accepted"},
    function="mala_step", old="/ (4 * step)", new="/ (2 * step)")

mistake("mala_always_accepts", "every proposal accepted", check="mala_step",
    hint="Without a refusal this is the unadjusted chain: compare u with the ratio.",
    also={"phi4_trajectory": "nothing is ever refused"},
    function="mala_step", old="accepted = uniform.log() < log_ratio",
    new="accepted = torch.ones_like(uniform, dtype=torch.bool)")

mistake("mala_one_decision", "one random number for all rows", check="mala_step",
    hint="Each row is a chain of its own and decides for itself, by its own u.",
    function="mala_step", old="uniform.log() < log_ratio", new="uniform[0].log() < log_ratio")

mistake("mala_noise_without_two", "noise sqrt(step) beside the drift step · ∇U", check="mala_step",
    hint="The convention is x - step · ∇U + sqrt(2 step) · noise.",
    function="mala_step", old="math.sqrt(2 * step)", new="math.sqrt(step)")

mistake("mala_drift_sign", "drift that climbs the energy", check="mala_step",
    hint="The proposal goes downhill: x - step · ∇U.",
    also={"phi4_trajectory": "the proposals climb the energy"},
    function="mala_step", old="drift = step * gradient(x)", new="drift = -step * gradient(x)")
mistake("mala_drift_sign",
    function="mala_step", old="x - y + step * gradient(y)", new="x - y - step * gradient(y)")

mistake("mala_energy_reversed", "ratio of the energies upside down", check="mala_step",
    hint="What costs less is accepted: e^{U(x) - U(y)}.",
    also={"phi4_trajectory": "uphill is accepted"},
    function="mala_step", old="energy(x) - energy(y)", new="energy(y) - energy(x)")

@mistake("repeats_until_accepted", "a new proposal drawn until one is accepted", check="phi4_trajectory",
    hint="A proposal that is refused repeats the state, and the repetition counts: drawing on changes the law.")
def sample_phi4(phi, kappa, r, g, step, n_steps, flip_probability=0.0, generator=None):
    frames = [phi]
    for _ in range(n_steps):
        waiting = torch.ones(len(phi), dtype=torch.bool)
        for _attempt in range(200):
            noise = torch.randn(phi.shape, generator=generator, dtype=phi.dtype)
            uniform = torch.rand(len(phi), generator=generator, dtype=phi.dtype)
            energy, gradient = lambda x: phi4_energy(x, kappa, r, g), lambda x: phi4_gradient(x, kappa, r, g)
            new, accepted = mala_step(phi, energy, gradient, step, noise, uniform)
            phi = torch.where((waiting & accepted)[:, None, None], new, phi)
            waiting &= ~accepted
            if not waiting.any():
                break
        mirrored = torch.rand(len(phi), generator=generator, dtype=phi.dtype) < flip_probability
        phi = torch.where(mirrored[:, None, None], -phi, phi)
        frames.append(phi)
    return torch.stack(frames), 1.0

mistake("same_noise_every_step", "the same noise in every step", check="free_field",
    hint="Draw fresh noise inside the loop.",
    function="sample_phi4", old="frames, taken = [phi], 0.0",
    new="frames, taken, drawn = [phi], 0.0, torch.randn(phi.shape, generator=generator, dtype=phi.dtype)")
mistake("same_noise_every_step",
    function="sample_phi4", old="noise = torch.randn(phi.shape, generator=generator, dtype=phi.dtype, device=device)",
    new="noise = drawn")

mistake("start_left_out", "a trajectory without its start", check="phi4_trajectory",
    hint="The trajectory has n_steps + 1 frames: phi comes first.",
    also={"conventions": "a frame is missing there, too"},
    function="sample_phi4", old="torch.stack(frames), taken", new="torch.stack(frames[1:]), taken")

mistake("acceptance_of_last_step", "the acceptance of the last step alone", check="phi4_trajectory",
    hint="The acceptance is the share of accepted steps over all steps and chains.",
    function="sample_phi4", old="taken / n_steps", new="float(accepted.double().mean())")

mistake("mirror_ignored", "chains that are never mirrored", check="mirror",
    hint="With probability flip_probability a whole chain becomes -φ at each step.",
    function="sample_phi4", old="phi = torch.where(mirrored[:, None, None], -phi, phi)", new="pass")

mistake("mirror_all_chains", "all chains mirrored together", check="mirror",
    hint="Each chain decides for itself: draw one number for each of them.",
    function="sample_phi4", old="mirrored = torch.rand(len(phi), generator=generator, dtype=phi.dtype, device=device)",
    new="mirrored = torch.rand(1, generator=generator, dtype=phi.dtype).expand(len(phi))")

mistake("mirror_sites", "single sites mirrored", check="mirror",
    hint="A chain is mirrored as a whole: U(-φ) = U(φ) holds for the whole field, not for a site of it.",
    function="sample_phi4", old="mirrored = torch.rand(len(phi), generator=generator, dtype=phi.dtype, device=device)",
    new="mirrored = torch.rand(phi.shape, generator=generator, dtype=phi.dtype)")
mistake("mirror_sites",
    function="sample_phi4", old="mirrored[:, None, None]", new="mirrored")

mistake("mirror_without_generator", "mirrors drawn from the global generator", check="mirror",
    hint="Whether a chain is mirrored is drawn too: with generator=generator.",
    function="sample_phi4", old="mirrored = torch.rand(len(phi), generator=generator, dtype=phi.dtype, device=device)",
    new="mirrored = torch.rand(len(phi), dtype=phi.dtype)")

mistake("mirror_in_place", "the given fields mirrored in place", check="spins_untouched",
    hint="The fields that were given belong to the caller: mirror with torch.where, or a copy of them.",
    function="sample_phi4", old="    frames, taken = [phi], 0.0\n    for _ in range(n_steps):\n",
    new="    frames, taken = [phi.clone()], 0.0\n    for _ in range(n_steps):\n"
    "        phi[torch.rand(len(phi), generator=generator, dtype=phi.dtype) < flip_probability] *= -1\n")
mistake("mirror_in_place",
    function="sample_phi4", old="        phi = torch.where(mirrored[:, None, None], -phi, phi)\n", new="")

mistake("mirror_every_time", "chains mirrored at every step", check="mirror",
    hint="flip_probability is the probability of a mirror at a step, not whether there is one.",
    function="sample_phi4", old="< flip_probability", new="< float(flip_probability > 0)")

# --- wrong arguments and dtypes -------------------------------------------------------------------

mistake("odd_sides_accepted", "lattices with an odd side swept", check="refusals",
    hint="Around an odd torus the colours do not alternate: raise ValueError.",
    function="metropolis_sweep", old="even=True", new="even=False")

mistake("small_lattices_accepted", "lattices with a side of 2 accepted", check="refusals",
    hint="With a side of 2 a pair of neighbours would count twice: raise ValueError.",
    function="check_lattice", old="min(x.shape[1:]) < 3", new="False")

mistake("dtype_not_kept", "answers in float64 whatever the input", check="conventions",
    hint="A float32 lattice gets float32 energies: no .double().",
    function="phi4_gradient", old="+ r * phi + g * phi**3", new="+ r * phi + g * phi.double() ** 3")
