"""Typical wrong versions of bridge_style's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake

# A catalogue: each entry is a paragraph.
# fmt: off

# --- the coupling ---------------------------------------------------------------------------------

mistake("epsilon_is_sigma_squared", "epsilon taken as σ² instead of 2σ²", check="coupling_plan",
    hint="The Gaussian density has ‖x - y‖² over 2σ²: Schrödinger's epsilon is 2σ² for the squared distance.",
    also={("coupling_weights", "coupling_small_sigma", "coupling_potentials"): "the plan of another sigma",
          "penalised_pull": "a plan that hardly follows the right one"},
    function="schrodinger_coupling", old="epsilon = 2 * sigma**2", new="epsilon = sigma**2")

mistake("cost_is_the_distance", "distances that are not squared", check="coupling_plan",
    hint="Brownian motion has a Gaussian law, with the squared distance in its exponent.",
    also={("coupling_weights", "coupling_small_sigma", "coupling_potentials", "coupling_limits"): "another cost",
          ("divergence_value", "penalised_pull"): "a plan that hardly follows the right one"},
    function="schrodinger_coupling", old="(x[:, None] - y).square().sum(dim=-1) / epsilon",
    new="(x[:, None] - y).norm(dim=-1) / epsilon")

@mistake("linear_domain", "exponentials that underflow at small sigma", check="coupling_small_sigma",
    hint="exp(-C / 2σ²) is 0 as soon as C > 1490 σ²: keep the logarithms and use torch.logsumexp.")
def schrodinger_coupling(x, y, sigma, a=None, b=None, n_iterations=1000, tolerance=1e-9):
    n, m = len(x), len(y)
    a = x.new_full((n,), 1 / n) if a is None else a
    b = x.new_full((m,), 1 / m) if b is None else b
    epsilon = 2 * sigma**2
    kernel = torch.exp(-(x[:, None] - y).square().sum(dim=-1) / epsilon)
    v = torch.ones_like(b)
    for _ in range(n_iterations):
        u = 1 / (kernel @ (b * v))
        v = 1 / (kernel.T @ (a * u))
        if (a * (u * (kernel @ (b * v)) - 1)).abs().sum() <= tolerance:
            break
    return (a * u)[:, None] * kernel * (b * v), epsilon * u.log(), epsilon * v.log()

@mistake("weights_ignored", "masses a and b ignored", check="coupling_weights",
    hint="a and b are the sums of the plan's rows and columns; 1/n and 1/m only where they are None.",
    also={"coupling_potentials": "the potentials of other masses", "coupling_small_sigma": "the plan of other masses"})
def schrodinger_coupling(solution, x, y, sigma, a=None, b=None, n_iterations=1000, tolerance=1e-9):
    if (a is not None and len(a) != len(x)) or (b is not None and len(b) != len(y)):
        raise ValueError("a or b has another length")
    return solution(x, y, sigma, None, None, n_iterations, tolerance)

@mistake("source_masses_ignored", "the masses a of the source ignored", check="coupling_weights",
    hint="a are the sums of the plan's rows, as b are those of its columns; 1/n only where a is None.",
    also={"coupling_potentials": "the potentials of other masses", "coupling_small_sigma": "the plan of other masses"})
def schrodinger_coupling(solution, x, y, sigma, a=None, b=None, n_iterations=1000, tolerance=1e-9):
    if a is not None and len(a) != len(x):
        raise ValueError("a has another length")
    return solution(x, y, sigma, None, b, n_iterations, tolerance)

mistake("potentials_of_the_counting_measure", "potentials that hold the masses, not relative to a ⊗ b",
    check="coupling_potentials",
    hint="The plan is a_i b_j exp((f_i + g_j - C_ij) / ε): the masses stand before the exponential, not in f.",
    function="schrodinger_coupling", old="return plan, epsilon * f, epsilon * g",
    new="return plan, epsilon * (log_a + f), epsilon * (log_b + g)")

mistake("potentials_over_epsilon", "potentials divided by epsilon", check="coupling_potentials",
    hint="f and g are in the units of the cost: what stands in the exponent is (f + g - C) / ε.",
    function="schrodinger_coupling", old="return plan, epsilon * f, epsilon * g", new="return plan, f, g")

mistake("one_iteration", "a single pair of updates", check="coupling_plan",
    hint="One pair of updates makes the columns right and the rows wrong: repeat until both are.",
    also={("coupling_weights", "coupling_small_sigma", "coupling_potentials", "coupling_limits"): "rows wrong, too"},
    function="schrodinger_coupling", old="range(n_iterations)", new="range(1)")

mistake("thousand_iterations", "1,000 iterations whatever n_iterations", check="coupling_small_sigma",
    hint="At small sigma a thousand iterations are not enough: n_iterations is an argument, use it.",
    function="schrodinger_coupling", old="range(n_iterations)", new="range(1000)")

mistake("tolerance_ignored", "a tolerance of its own, whatever `tolerance` is", check="coupling_plan",
    hint="`tolerance` is an argument, 1e-9 where none is given: a plan that is left at 1e-3 is not the plan yet.",
    also={("coupling_weights", "coupling_small_sigma", "coupling_potentials", "coupling_limits"): "left too early"},
    function="schrodinger_coupling", old="error <= tolerance", new="error <= 1e-3")

# --- divergence and penalty -----------------------------------------------------------------------

mistake("divergence_not_debiased", "entropic cost without those of each cloud to itself",
    check="divergence_value",
    hint="OT_ε(x, x) is not 0: take half of it and half of OT_ε(y, y) off.",
    old=" - 0.5 * cost(x, x) - 0.5 * cost(y, y)", new="")

mistake("divergence_without_halves", "the whole of each cloud's cost to itself taken off", check="divergence_value",
    hint="Half of OT_ε(x, x) and half of OT_ε(y, y): at y = x nothing is left.",
    old=" - 0.5 * cost(x, x) - 0.5 * cost(y, y)", new=" - cost(x, x) - cost(y, y)")

mistake("divergence_debiased_on_one_side", "the whole cost of x to itself taken off, and nothing of y's",
    check="divergence_value",
    hint="Half of OT_ε(x, x) and half of OT_ε(y, y): the divergence of y from x is that of x from y.",
    function="sinkhorn_divergence", old="0.5 * cost(x, x) - 0.5 * cost(y, y)", new="cost(x, x)")

mistake("divergence_of_sharp_costs", "transport costs without their entropy", check="divergence_value",
    hint="OT_ε is the value of what the plan minimises, ⟨P, C⟩ + ε KL(P | a ⊗ b) = ⟨a, f⟩ + ⟨b, g⟩.",
    old="""_, f, g = schrodinger_coupling(u, v, math.sqrt(epsilon / 2), None, None, n_iterations, tolerance)
        return f.mean() + g.mean()""",
    new="""plan, _, _ = schrodinger_coupling(u, v, math.sqrt(epsilon / 2), None, None, n_iterations, tolerance)
        return (plan * (u[:, None] - v).square().sum(-1)).sum()""")

mistake("divergence_with_root", "square root of the divergence", check="divergence_value",
    hint="The divergence is compared as it is, in the units of the squared distance: no root.",
    old="return cost(x, y) - 0.5 * cost(x, x) - 0.5 * cost(y, y)",
    new="return (cost(x, y) - 0.5 * cost(x, x) - 0.5 * cost(y, y)).clamp_min(0).sqrt()")

mistake("penalty_not_debiased", "pull to the target without the push from its own cloud", check="penalised_pull",
    hint="The pull is T_xy(x) - T_xx(x), not T_xy(x) - x: the gradient of the debiased divergence.",
    old="to_target @ y - to_itself @ x)", new="to_target @ y) - len(x) * x / len(x)")

mistake("penalty_not_times_n", "projections not divided by the mass of each point", check="penalised_pull",
    hint="A row of the plan has the mass 1/n: the mean end is n times the row's sum P y.",
    old="pull = len(x) * (to_target", new="pull = (to_target")

mistake("penalty_pushes_away", "penalty with its sign reversed", check="penalised_pull",
    hint="The step descends the divergence: towards T_xy(x), away from T_xx(x).",
    old="to_target @ y - to_itself @ x", new="to_itself @ x - to_target @ y")

mistake("penalty_without_step", "pull not multiplied by the step", check="penalised_pull",
    hint="The pull is a part of the drift, and the step multiplies the whole drift.",
    old="step * (score + weight * pull)", new="step * score + weight * pull")

mistake("penalised_noise_without_root", "noise scaled by 2 step instead of its root", check="penalised_langevin",
    hint="The variance of the noise grows with the step, so the noise itself with its square root: sqrt(2 step).",
    old="math.sqrt(2 * step) * noise", new="2 * step * noise")

mistake("penalised_noise_sqrt_step", "noise sqrt(step) beside the drift step * score", check="penalised_langevin",
    hint="sqrt(step) belongs to dX = u dt + dW; Langevin's step * score goes with sqrt(2 step).",
    old="math.sqrt(2 * step) * noise", new="math.sqrt(step) * noise")

# --- the Gaussian bridge --------------------------------------------------------------------------

mistake("gaussian_factor_four", "cross-covariance without its factor 4", check="gaussian_bridge",
    hint="K = ½ ((4 Σ0 Σ1 + σ⁴ I)^½ - σ² I): the 4 keeps K near (Σ0 Σ1)^½ where sigma is small.",
    old="4 * root @ cov1", new="root @ cov1")

mistake("gaussian_cross_not_symmetrised", "2K instead of K + Kᵀ", check="gaussian_bridge",
    hint="Where Σ0 and Σ1 do not commute K is not symmetric, but a covariance has to be: K and Kᵀ both enter.",
    old="cross + cross.mT", new="2 * cross")

mistake("gaussian_root_of_each", "cross-covariance of commuting matrices: Σ0^½ Σ1^½ in place of (Σ0 Σ1)^½",
    check="gaussian_bridge",
    hint="The root of a product is not the product of roots unless the matrices commute.",
    old="cross = 0.5 * (root @ (vectors * values.sqrt() @ vectors.mT) @ inverse - sigma**2 * eye)",
    new="""values1, vectors1 = torch.linalg.eigh(cov1)
    both = root @ (vectors1 * values1.sqrt() @ vectors1.mT)
    symmetric = 0.5 * (both + both.mT)
    values, vectors = torch.linalg.eigh(4 * symmetric @ symmetric + sigma**4 * eye)
    cross = 0.5 * (vectors * values.sqrt() @ vectors.mT - sigma**2 * eye)""")

mistake("gaussian_cross_not_conjugated", "cross-covariance from the symmetric root without Σ0^½ and Σ0^-½ around it",
    check="gaussian_bridge",
    hint="The root of 4 Σ0 Σ1 + σ⁴ I is Σ0^½ times that of the symmetric 4 Σ0^½ Σ1 Σ0^½ + σ⁴ I times Σ0^-½.",
    function="gaussian_bridge", old="root @ (vectors * values.sqrt() @ vectors.mT) @ inverse",
    new="vectors * values.sqrt() @ vectors.mT")

mistake("gaussian_without_noise", "covariance without the noise of the bridges", check="gaussian_bridge",
    hint="Given its ends the bridge still has the variance σ² t (1 - t).",
    old="cross + cross.mT + sigma**2 * eye", new="cross + cross.mT")

# --- bridges between points -----------------------------------------------------------------------

mistake("bridge_without_root", "noise σ t (1 - t), without its root", check="bridge_interpolate",
    hint="The variance of a Brownian bridge is σ² t (1 - t): its noise has the root, σ sqrt(t (1 - t)).",
    function="bridge_interpolate", old="(t * (1 - t)).sqrt()", new="(t * (1 - t))")

mistake("bridge_reversed", "bridge from x1 to x0", check="bridge_interpolate",
    hint="t = 0 is x0 and t = 1 is x1.",
    function="bridge_interpolate", old="(1 - t) * x0 + t * x1", new="t * x0 + (1 - t) * x1")

mistake("bridge_without_noise", "straight line without noise", check="bridge_interpolate",
    hint="Between its ends the particle diffuses: + σ sqrt(t (1 - t)) noise.",
    function="bridge_interpolate", old=" + sigma * (t * (1 - t)).sqrt() * noise", new=" + 0 * noise")

@mistake("path_of_independent_points", "independent draws at each time instead of a path", check="path_value",
    hint="The next place starts where the path is: step by step, from the place and the time before.")
def bridge_path(x0, x1, times, sigma, noise):
    return torch.stack([bridge_interpolate(x0, x1, t, sigma, xi) for t, xi in zip(times.tolist(), noise, strict=True)])

mistake("path_not_pinned", "a Brownian motion with a drift to x1 that does not arrive there", check="path_value",
    hint="What is left of the way is divided by what is left of the time, 1 - s; and the noise ends at t = 1.",
    old="spread = math.sqrt((t - s) * (1 - t) / (1 - s))", new="spread = math.sqrt(t - s)")
mistake("path_not_pinned",
    old="x = (1 - t) / (1 - s) * x + (t - s) / (1 - s) * x1 + sigma * spread * xi",
    new="x = x + (t - s) * (x1 - x0) + sigma * spread * xi")

mistake("path_from_the_start", "each step taken from x0", check="path_value",
    hint="The step to times[k] starts at the place of times[k - 1], at the time s of that place.",
    old="x = (1 - t) / (1 - s) * x + ", new="x = (1 - t) / (1 - s) * x0 + ")

mistake("path_time_not_kept", "the time before taken as 0 in every step", check="path_value",
    hint="s is the time of the place before: set it to t at the end of each step.",
    old="frames.append(x)\n        s = t", new="frames.append(x)")

mistake("pairs_are_the_argmax", "the likeliest target instead of a draw", check="pairs_law",
    hint="A pair is drawn with its probability: torch.multinomial, or the inverse of the cumulative sum.",
    function="sample_coupling", old="return flat // plan.shape[1], flat % plan.shape[1]",
    new="return flat // plan.shape[1], plan.argmax(dim=1)[flat // plan.shape[1]]")

@mistake("pairs_rows_uniform", "sources drawn uniformly, then their targets", check="pairs_law",
    hint="The plan's rows have the masses a: draw from the whole plan, or the row from its sums.")
def sample_coupling(plan, n, generator=None):
    i = torch.randint(len(plan), (n,), generator=generator)
    return i, torch.multinomial(plan[i], 1, generator=generator)[:, 0]

@mistake("pairs_independent_ends", "sources and targets drawn independently of each other", check="pairs_law",
    hint="The pair (i, j) has the probability plan[i, j], not the product of two sums.")
def sample_coupling(plan, n, generator=None):
    i = torch.multinomial(plan.sum(1), n, replacement=True, generator=generator)
    return i, torch.multinomial(plan.sum(0), n, replacement=True, generator=generator)

@mistake("pairs_without_repeats", "pairs drawn without replacement", check="pairs_law",
    hint="The same pair may come twice: torch.multinomial needs replacement=True.")
def sample_coupling(plan, n, generator=None):
    flat = torch.multinomial(plan.flatten(), n, replacement=n > plan.numel(), generator=generator)
    return flat // plan.shape[1], flat % plan.shape[1]

@mistake("pairs_sorted", "pairs in the order of their indices", check="pairs_law",
    hint="The pairs are independent draws, in no order: do not sort them.")
def sample_coupling(solution, plan, n, generator=None):
    i, j = solution(plan, n, generator)
    order = i.argsort()
    return i[order], j[order]

# --- the drift and its simulation -----------------------------------------------------------------

mistake("drift_potential_ignored", "weights of the ends without the potential", check="drift_value",
    hint="h_1(y_j) holds exp(g_j / 2σ²): without it the masses of the ends come out wrong.",
    also={"drift_edges": "the coupling's mean ends need the potential"},
    function="bridge_drift", old="b.log() + g / (2 * sigma**2) - squared", new="b.log() - squared")

mistake("drift_potential_also_over_time", "potential divided by the time that is left", check="drift_value",
    hint="g weighs the end itself: only the squared distance is divided by 1 - t.",
    also={"drift_edges": "near t = 1 the potential must not grow"},
    function="bridge_drift", old="g / (2 * sigma**2)", new="g / (2 * sigma**2 * left)")

mistake("drift_variance_constant", "distances not divided by the time that is left", check="drift_value",
    hint="From t on the particle spreads by σ² (1 - t) only: the exponent is ‖x - y‖² / (2σ² (1 - t)).",
    also={"drift_edges": "near t = 1 it matters most"},
    function="bridge_drift", old="squared / (2 * sigma**2 * left)", new="squared / (2 * sigma**2)")

mistake("drift_masses_ignored", "weights of the ends without their masses", check="drift_value",
    hint="b_j is a factor of h_t: add log b_j to the exponent.",
    also={"drift_edges": "other mean ends"},
    function="bridge_drift", old="b.log() + g / ", new="g / ")

mistake("drift_not_over_time_left", "way not divided by the time that is left", check="drift_value",
    hint="The drift is a velocity: what is left of the way over what is left of the time, 1 - t.",
    also={"drift_edges": "near t = 1 it is far too small"},
    function="bridge_drift", old="(weights @ y - x) / left", new="weights @ y - x")

@mistake("drift_underflows", "weights as a quotient of densities that underflow", check="drift_edges",
    hint="Far away, and near t = 1, all of them are 0 and the quotient is 0/0: use softmax.")
def bridge_drift(x, t, y, b, g, sigma):
    left = 1 - torch.as_tensor(t, dtype=x.dtype).reshape(-1, 1)
    squared = (x[:, None] - y).square().sum(dim=-1)
    weights = b * torch.exp(g / (2 * sigma**2)) * torch.exp(-squared / (2 * sigma**2 * left))
    return (weights @ y / weights.sum(1, keepdim=True) - x) / left

mistake("euler_langevin_noise", "noise σ sqrt(2h), as in Langevin dynamics", check="euler_value",
    hint="dX = u dt + σ dW: in the time h the noise has the variance σ² h. The 2 belongs to Langevin dynamics.",
    function="simulate_bridge", old="math.sqrt(h) * xi", new="math.sqrt(2 * h) * xi")

mistake("euler_next_time", "drift at the end of each step", check="euler_value",
    hint="The step from x_k uses the drift at k h; at (k + 1) h the last one would divide by 0.",
    function="simulate_bridge", old="drift_fn(x, k * h)", new="drift_fn(x, (k + 1) * h)")

mistake("euler_sigma_ignored", "noise of the steps without sigma", check="euler_value",
    hint="The reference is dX = σ dW: each step adds σ sqrt(h) times its noise.",
    function="simulate_bridge", old="sigma * math.sqrt(h)", new="math.sqrt(h)")

mistake("euler_noise_without_root", "noise of the steps times h instead of its root", check="euler_value",
    hint="Variances add up over the steps: each adds σ² h, so its noise is σ sqrt(h).",
    function="simulate_bridge", old="sigma * math.sqrt(h)", new="sigma * h")

mistake("euler_last_noise_dropped", "last step without its noise", check="euler_value",
    hint="All N noises are used: the caller sets noise[-1] to 0 for a sharp end.",
    function="simulate_bridge", old="math.sqrt(h) * xi", new="math.sqrt(h) * xi * (k < len(noise) - 1)")

mistake("trajectory_without_start", "trajectory without x0", check="euler_value",
    hint="The trajectory has N + 1 frames: x0 comes first.", also={"conventions": "a frame is missing there, too"},
    function="simulate_bridge", old="frames = x0, [x0]", new="frames = x0, []")

mistake("simulation_with_gradients", "a trajectory that keeps the drift's graph", check="euler_value",
    hint="With a network as drift every step is kept for a backward pass that nobody asks for: torch.no_grad().",
    function="simulate_bridge", old="with torch.no_grad():", new="if True:")

# --- the network, its loss and its drift ----------------------------------------------------------

mistake("time_ignored", "a network that does not look at the time", check="network",
    hint="The end is easier to guess the later it is: concatenate features of t with x.",
    old="torch.cat([x, features], dim=1)", new="torch.cat([x, 0 * features], dim=1)")

mistake("network_mixes_rows", "batch normalisation in the network", check="network",
    hint="Each row is a particle of its own; its drift must not depend on who else is in the batch.",
    function="EndpointNet.forward", old="return x + self.net(torch.cat([x, features], dim=1))",
    new="return x + self.net(torch.cat([x - x.mean(dim=0), features], dim=1))")

@mistake("hidden_ignored", "a width of its own instead of `hidden`", check="network",
    hint="`hidden` is the width of the hidden layers: use the argument.")
class EndpointNet(EndpointNet):
    def __init__(self, dim, hidden=128):
        super().__init__(dim, 128)

mistake("target_is_the_velocity", "guess compared with x1 - x0", check="loss_value",
    hint="The network guesses the end x1; the drift is made of the guess in endpoint_drift.",
    old="(model(x_t, t) - x1)", new="(model(x_t, t) - (x1 - x0))")

mistake("target_is_the_drift", "guess compared with the drift (x1 - x_t) / (1 - t)", check="loss_value",
    hint="The network guesses the end x1; the drift is made of the guess in endpoint_drift.",
    old="(model(x_t, t) - x1)", new="(model(x_t, t) - (x1 - x_t) / (1 - t)[:, None])")

mistake("loss_on_straight_lines", "places on straight lines, without the bridge's noise", check="loss_value",
    hint="x_t is on a Brownian bridge: (1 - t) x0 + t x1 + σ sqrt(t (1 - t)) noise.",
    old="bridge_interpolate(x0, x1, t, sigma, noise)", new="bridge_interpolate(x0, x1, t, sigma, 0 * noise)")

mistake("loss_summed", "squares summed over the coordinates", check="loss_value",
    hint="The loss is the mean over all B d entries.",
    old="- x1).square().mean()", new="- x1).square().sum(dim=1).mean()")

mistake("loss_detached", "a loss that cannot be differentiated", check="loss_gradient",
    hint="Nothing on the way from the model to the loss may detach.",
    also={("generators", "train_history"): "a training fails with it"},
    old="return (model(x_t, t) - x1)", new="return (model(x_t, t).detach() - x1)")

mistake("endpoint_drift_not_over_time_left", "way not divided by the time that is left", check="endpoint_drift",
    hint="The drift is a velocity: (model(x, t) - x) / (1 - t).",
    old="return (model(x, t) - x) / (1 - t)[:, None]", new="return model(x, t) - x")

mistake("endpoint_drift_is_the_guess", "guess of the end taken for the drift", check="endpoint_drift",
    hint="The network says where the particle ends; the drift is what is left of the way over the time left.",
    old="return (model(x, t) - x) / (1 - t)[:, None]", new="return model(x, t) / (1 - t)[:, None]")

@mistake("model_gets_a_float", "a float handed on to the model", check="endpoint_drift",
    hint="A model gets one time per row, (B,): make it of the float.")
def endpoint_drift(model, x, t):
    left = 1 - torch.as_tensor(t, dtype=x.dtype).reshape(-1, 1)
    return (model(x, torch.as_tensor(t, dtype=x.dtype)) - x) / left

# --- the training ---------------------------------------------------------------------------------

mistake("plan_ignored", "pairs drawn without the plan", check="train_draws",
    hint="Pairs come from the plan, with sample_coupling: independent ends teach nothing of who goes where.",
    function="train_bridge", old="sample_coupling(plan, batch_size, generator)",
    new="sample_coupling(torch.ones_like(plan), batch_size, generator)")

mistake("sigma_ignored_in_training", "bridges of another noise than sigma", check="train_draws",
    hint="Hand sigma on to endpoint_loss: the drift learned is that of the noise that it was trained with.",
    function="train_bridge", old="y[j], t, sigma, noise", new="y[j], t, 1.0, noise")

mistake("half_of_the_times", "times from the first half only", check="train_draws",
    hint="t is uniform on (0, 1): a simulation goes through all of it.",
    function="train_bridge", old="t = torch.rand(batch_size,", new="t = 0.5 * torch.rand(batch_size,")

mistake("one_time_per_batch", "one time for the whole batch", check="train_draws",
    hint="Draw batch_size times, one per row: the gradient is far less noisy.",
    function="train_bridge",
    old="t = torch.rand(batch_size, generator=generator, dtype=x.dtype, device=device).to(x.device)",
    new="t = torch.rand(1, generator=generator, dtype=x.dtype, device=x.device).expand(batch_size)")

mistake("times_shared", "one time for several rows of a batch", check="train_draws",
    hint="Draw batch_size times, one per row.",
    function="train_bridge",
    old="t = torch.rand(batch_size, generator=generator, dtype=x.dtype, device=device).to(x.device)",
    new="t = torch.rand(batch_size, generator=generator, dtype=x.dtype, device=device).to(x.device)\n"
        "        t = t[torch.arange(batch_size) // 4]")

mistake("one_batch_for_ever", "pairs, times and noise drawn once, before the loop", check="train_draws",
    hint="Each step draws afresh; a network that sees one batch learns it by heart.",
    function="train_bridge", old="for step in range(steps):",
    new="""first = (torch.default_generator if generator is None else generator).get_state()
    torch.rand(1, generator=generator)
    for step in range(steps):
        generator = torch.Generator()
        generator.set_state(first)""")

mistake("uniform_noise", "uniform instead of normal noise", check="train_draws",
    hint="torch.rand is uniform on [0, 1); the noise of a bridge is standard normal: torch.randn.",
    function="train_bridge", old="torch.randn((batch_size", new="torch.rand((batch_size")

mistake("weights_never_updated", "optimiser never takes a step", check="train_history",
    hint="After loss.backward() comes optimiser.step(); without it the weights stay as they were.",
    function="train_bridge", old="optimiser.step()", new="pass")

mistake("gradients_accumulate", "gradients never set back to zero", check="train_learns",
    hint="`backward` adds to the gradients: without `zero_grad()` every step repeats all earlier ones.",
    function="train_bridge", old="optimiser.zero_grad()", new="pass")

mistake("learning_rate_ignored", "learning rate of the training ignored", check="train_history",
    hint="Pass `lr` on to the optimiser; its own default is another one.",
    function="train_bridge", old="model.parameters(), lr=lr", new="model.parameters()")

mistake("history_sums_up", "history that sums the losses up", check="train_history",
    hint='history["loss"] holds the loss of each step by itself.',
    function="train_bridge", old="append(loss.item())", new='append(loss.item() + sum(history["loss"][-1:]))')

# --- neighbours, form -----------------------------------------------------------------------------

mistake("neighbours_with_itself", "each point counted among its own neighbours", check="neighbours",
    hint="The nearest point of all is the point itself, in both clouds: leave it out.",
    function="neighbours_kept", old="distances.fill_diagonal_(torch.inf)", new="distances.fill_diagonal_(0.0)")

mistake("neighbours_over_all", "shared neighbours divided by n - 1 instead of k", check="neighbours",
    hint="Each point has k neighbours: the share is that of those that are kept.",
    function="neighbours_kept", old="/ (n * k)", new="/ (n * (n - 1))")

mistake("neighbours_over_union", "shared neighbours divided by the union of both lists instead of k",
    check="neighbours",
    hint="The share is that of a point's k neighbours: what both lists have in common is divided by k.",
    function="neighbours_kept", old="float((nearest(x) & nearest(mapped)).sum() / (n * k))",
    new="float(((nearest(x) & nearest(mapped)).sum(1).double() / (nearest(x) | nearest(mapped)).sum(1)).mean())")

mistake("neighbours_in_one_space", "neighbours of the sources looked for among the images", check="neighbours",
    hint="The neighbours of an image are looked for among the images, those of a source among the sources.",
    function="neighbours_kept", old="nearest(mapped)).sum()", new="nearest(x)).sum()")

mistake("pairs_ignore_generator", "pairs not drawn from the generator", check="generators",
    hint="Pass generator=generator to what draws.",
    function="sample_coupling", old="torch.rand(n, generator=generator,", new="torch.rand(n,")

mistake("train_ignores_generator", "noise of the training not drawn from the generator", check="generators",
    hint="Pairs, times and noise all take generator=generator; torch.randn_like uses the global one.",
    function="train_bridge", old="x.shape[1]), generator=generator,", new="x.shape[1]),")

@mistake("seed_inside", "the global generator seeded inside a function", check="generators",
    hint="A seed inside a function makes every later draw of the program the same: leave the global generator alone.")
def train_bridge(solution, *args, **named):
    torch.manual_seed(0)
    return solution(*args, **named)

@mistake("arguments_changed", "arguments changed in place", check="conventions",
    hint="Whoever calls a function still needs what was passed: no `-=`, no method with a trailing underscore on it.")
def bridge_interpolate(solution, x0, x1, t, sigma, noise):
    return x0.copy_(solution(x0, x1, t, sigma, noise))

mistake("dtype_not_kept", "answers in float64 whatever the input", check="conventions",
    hint="A float32 cloud gets float32 plans: no .double(), and no new tensor without dtype=x.dtype.",
    function="bridge_drift", old="return (weights @ y - x) / left", new="return ((weights @ y - x) / left).double()")

mistake("times_not_checked", "times outside [0, 1] accepted", check="bad_arguments",
    hint="Outside [0, 1] there is no bridge: raise ValueError.",
    function="bridge_interpolate", old="bool((t < 0).any()) or bool((t > 1).any())", new="False")

mistake("order_not_checked", "times that do not increase accepted", check="bad_arguments",
    hint="A path goes forward: raise ValueError unless each time is later than the one before.",
    function="bridge_path", old="any(t <= s for s, t in pairwise(at)) or", new="")
