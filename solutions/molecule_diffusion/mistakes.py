"""Typical wrong versions of molecule_diffusion's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake

# A catalogue: each entry is a paragraph.
# fmt: off

# --- positions ------------------------------------------------------------------------------------

mistake("centred_over_batch", "the mean of the whole batch taken away", check="centre_value",
    hint="Each molecule has its own centre: the mean runs over its atoms, dimension -2, alone.",
    also={("align_broadcast", "pull_plan", "pull_moved", "pull_far"): "alignments start from centred molecules",
          ("q_sample_value", "loss_value", "reverse_noise", "langevin_value"): "noise and molecules are centred so",
          ("egnn_shifts", "egnn_alone"): "the network's answer is centred so"},
    function="centre", old="x.mean(dim=-2, keepdim=True)", new="x.mean(dim=tuple(range(x.dim() - 1)), keepdim=True)")

mistake("density_without_half", "the half missing in the exponent of the density", check="log_prob_value",
    hint="The exponent of a Gaussian is -‖x‖² / (2 σ²).",
    function="zero_mean_log_prob", old="-0.5 * x.square()", new="-x.square()")

mistake("dimension_3n", "the density of noise in 3N dimensions", check="log_prob_value",
    hint="Noise of zero mean lives in 3(N-1) dimensions: three coordinates are determined by the others.",
    function="zero_mean_log_prob", old="3 * (x.shape[1] - 1)", new="3 * x.shape[1]")

mistake("dimension_of_atoms", "the density of noise in N - 1 dimensions", check="log_prob_value",
    hint="Each atom has three coordinates: there are 3(N-1) dimensions.",
    function="zero_mean_log_prob", old="3 * (x.shape[1] - 1)", new="(x.shape[1] - 1)")

mistake("std_not_in_normaliser", "the standard deviation missing in the normalising constant", check="log_prob_value",
    hint="A wider law is flatter: the constant is (2π σ²) to the power of half the dimension.",
    function="zero_mean_log_prob", old="math.log(2 * math.pi * std**2)", new="math.log(2 * math.pi)")

mistake("std_as_variance", "the standard deviation used as a variance", check="log_prob_value",
    hint="The exponent is divided by 2σ², and the constant has σ².",
    function="zero_mean_log_prob", old="dim=(1, 2)) / std**2", new="dim=(1, 2)) / std")
mistake("std_as_variance", function="zero_mean_log_prob", old="math.pi * std**2)", new="math.pi * std)")

# --- alignment ------------------------------------------------------------------------------------

mistake("reflections_allowed", "reflections allowed beside rotations", check="align_handed",
    hint="The best orthogonal matrix may have determinant -1: then turn the sign of the last singular direction.",
    also={("align_turn", "align_orders"): "a few pairs of clouds lie nearest in a mirror"},
    function="align", old="torch.linalg.det(U @ Vh).sign()", new="1.0")

mistake("rotation_transposed", "the rotation used the wrong way round", check="align_turn",
    hint="Rows of positions are multiplied from the right by the transposed rotation: y Rᵀ = y U diag(1, 1, d) Vᵀ.",
    also={("align_handed", "align_orders", "align_broadcast"): "every alignment turns the wrong way",
          ("pull_plan", "pull_moved", "pull_far"): "the costs are those of such alignments"},
    function="align", old="moved @ (U * signs[..., None, :] @ Vh)",
    new="moved @ (U * signs[..., None, :] @ Vh).mT")

mistake("not_shifted", "the aligned molecule left at the origin", check="align_turn",
    hint="x may lie anywhere: the aligned molecule has the mean of x.",
    also={("align_handed", "align_orders", "align_broadcast"): "every aligned molecule lies at the origin"},
    function="align", old="aligned + x.mean(dim=-2, keepdim=True)", new="aligned")

mistake("rmsd_over_coordinates", "the mean over all 3N coordinates in the rmsd", check="align_turn",
    hint="The rmsd is the root of the mean over the N atoms of the squared distances, not over the 3N coordinates.",
    also={("align_handed", "align_orders", "align_broadcast"): "every rmsd is too small by the root of 3"},
    function="align", old="dim=(-2, -1)) / x.shape[-2]", new="dim=(-2, -1)) / (3 * x.shape[-2])")

mistake("rmsd_squared", "the root missing in the rmsd", check="align_turn",
    hint="The rmsd is a distance in Å: take the root at the end.",
    also={("align_handed", "align_orders", "align_broadcast"): "every rmsd is squared"},
    function="align", old="least.sqrt()", new="least")

mistake("orders_ignored", "the allowed orders of the atoms ignored", check="align_orders",
    hint="Try every row of `permutations` and keep the one with the smallest rmsd.",
    also={("align_broadcast", "pull_plan", "pull_moved"): "the pairs have orders too"},
    function="align", old="if permutations is None else permutations", new="if True else permutations")

mistake("permutation_inverted", "permutations used in the other direction", check="align_orders",
    hint="Row p is the order y[..., perm[p], :]. A swap is its own inverse; a cycle of three atoms is not.",
    also={("align_broadcast", "pull_plan", "pull_moved"): "the pairs have orders too"},
    function="align", old="if permutations is None else permutations",
    new="if permutations is None else permutations.argsort(dim=1)")

mistake("worst_order", "the order of the atoms that fits worst", check="align_orders",
    hint="Of all orders the one with the smallest rmsd counts.",
    also={("align_broadcast", "pull_plan", "pull_moved"): "the pairs have orders too"},
    function="align", old="deviations.min(dim=-1)", new="deviations.max(dim=-1)")

mistake("order_before_rotation", "the order chosen before the molecule is turned", check="align_orders",
    hint="Which order fits best shows only after the best rotation of each: find the rotation and the rmsd for every "
    "order, then choose.",
    also={("align_broadcast", "pull_plan", "pull_moved"): "the pairs have orders too"},
    function="align", old="    moved = moved @ (U",
    new="    first = (still - moved).square().sum(dim=(-2, -1)).argmin(dim=-1)\n    moved = moved @ (U")
mistake("order_before_rotation", function="align", old="least, best = deviations.min(dim=-1)",
    new="best, least = first, deviations.gather(-1, first[..., None]).squeeze(-1)")

mistake("order_of_the_first", "one order for all molecules", check="align_broadcast",
    hint="Each pair of molecules has its own best order.",
    also={("pull_plan", "pull_moved"): "each pair has an order of its own"},
    function="align", old="least, best = deviations.min(dim=-1)",
    new="""best = deviations.reshape(-1, deviations.shape[-1])[0].argmin().expand(deviations.shape[:-1])
    least = deviations.gather(-1, best[..., None]).squeeze(-1)""")

# --- the network ----------------------------------------------------------------------------------

mistake("update_over_n", "the sum over the others divided by N", check="coordinate_update",
    hint="Each atom has N - 1 others: the sum is divided by N - 1.",
    function="coordinate_update", old="(x.shape[1] - 1)", new="x.shape[1]")

mistake("update_wrong_index", "weights w_ji where w_ij is due", check="coordinate_update",
    hint="Atom i is moved by the weights w_ij, row i: the weights are not symmetric.",
    function="coordinate_update", old="weights[..., None]", new="weights.mT[..., None]")

mistake("update_towards", "atoms moved along x_j - x_i", check="coordinate_update",
    hint="The differences are x_i - x_j: a positive weight pushes the atoms apart.",
    function="coordinate_update", old="x + (differences", new="x - (differences")

mistake("update_alone", "the moves without the positions", check="coordinate_update",
    hint="The answer is the new positions: x plus the moves.",
    function="coordinate_update", old="return x + (differences", new="return (differences")

mistake("absolute_positions", "positions among the features", check="egnn_shifts",
    hint="Only differences of positions may enter: a shift must change nothing.",
    also={("egnn_turns", "egnn_mirror"): "positions as features do not turn, either"},
    function="EGNN.forward", old="self.times(t)[:, None]  # (B, N, hidden)",
    new="self.times(t)[:, None]\n        h = torch.cat([h[..., 3:], x], dim=-1)")

mistake("distance_to_origin", "distances from the origin among the features", check="egnn_shifts",
    hint="The distance from the origin changes with a shift: use distances between atoms.",
    function="EGNN.forward", old="self.times(t)[:, None]  # (B, N, hidden)",
    new="self.times(t)[:, None]\n        h = torch.cat([h[..., 1:], x.norm(dim=-1, keepdim=True)], dim=-1)")

mistake("places_embedded", "the places of the atoms in the list among the features", check="egnn_atoms",
    hint="Every atom is treated alike: nothing may depend on its place in the list.",
    function="EGNN.forward", old="self.times(t)[:, None]  # (B, N, hidden)",
    new="self.times(t)[:, None]\n        h = h + torch.linspace(-1, 1, N).to(x)[:, None]")

mistake("handed_features", "a cross product that knows left from right", check="egnn_mirror",
    hint="The cross product of two arrows is not mirrored as arrows are: use distances and differences alone.",
    function="EGNN.forward", old="return centre(y - x)",
    new="return centre(y - x + torch.linalg.cross(centre(x), y - x))")

mistake("types_ignored", "the types of the atoms not used", check="egnn_told",
    hint="Each atom's features start from its type.",
    function="EGNN.forward", old="self.types(types)", new="self.types(0 * types)")

mistake("time_ignored", "the time not used", check="egnn_told",
    hint="How noisy the molecule is decides what the noise looks like: the features start from the time, too.",
    function="EGNN.forward", old="self.times(t)", new="self.times(0 * t)")

mistake("first_time_for_all", "the time of the first molecule used for all", check="egnn_told",
    hint="t holds one time per molecule: `times(t)[:, None]` has the shape (B, 1, hidden).",
    function="EGNN.forward", old="self.times(t)", new="self.times(t[:1].expand_as(t))")

mistake("output_not_centred", "answers that have a mean over the atoms", check="egnn_shifts",
    hint="The noise has zero mean: subtract the mean of the answer at the end.",
    function="EGNN.forward", old="return centre(y - x)", new="return y - x")

mistake("dropout_inside", "dropout in the network", check="egnn_alone",
    hint="Without dropout: the same molecule gets the same answer at every call.",
    function="EGNN.forward", old="        y = x\n",
    new="        y, h = x, nn.functional.dropout(h, 0.1, self.training)\n")

mistake("batch_normalised", "features compared with the other molecules of the batch", check="egnn_alone",
    hint="Each molecule is answered by itself: no mean over the batch, no batch normalisation.",
    function="EGNN.forward", old="weight(m).squeeze(-1)", new="weight(m - m.mean(dim=0)).squeeze(-1)")

# --- noise and loss -------------------------------------------------------------------------------

mistake("noise_not_centred", "noise with its mean in the noisy molecules", check="q_sample_value",
    hint="The noise lives in the subspace of zero mean: centre it before it is added.",
    also={("loss_value", "loss_gradient"): "noisy molecules that lie elsewhere"},
    function="q_sample", old="* centre(noise)", new="* noise")

mistake("molecules_not_centred", "molecules that keep their place in space", check="q_sample_value",
    hint="x0 may lie anywhere: centre it.",
    also={"loss_value": "noisy molecules that lie elsewhere"},
    function="q_sample", old="* centre(x0)", new="* x0")

mistake("missing_square_root", "ᾱ and 1 - ᾱ without their roots", check="q_sample_value",
    hint="ᾱ and 1 - ᾱ are variances: positions and noise are multiplied by their roots.",
    function="q_sample", old="bars.sqrt() * centre(x0) + (1 - bars).sqrt()", new="bars * centre(x0) + (1 - bars)")

mistake("loss_against_raw_noise", "the loss taken against noise with its mean", check="loss_value",
    hint="x_t contains the centred noise alone: compare the answer with that.",
    function="denoising_loss", old="- centre(noise)", new="- noise")

mistake("loss_summed", "the sum over the atoms and coordinates instead of the mean", check="loss_value",
    hint="The mean runs over all B·N·3 entries.",
    function="denoising_loss", old=".square().mean()", new=".square().sum(dim=(1, 2)).mean()")

mistake("loss_on_molecules", "the answer compared with the clean molecules", check="loss_value",
    hint="The network predicts the noise, not the molecule.",
    function="denoising_loss", old="- centre(noise)", new="- centre(x0)")

mistake("loss_detached", "a loss without a gradient", check="loss_gradient",
    hint="Nothing on the way from the model to the loss may detach: no `.item()`, `.detach()`, `no_grad`.",
    also={("train_history", "conventions", "generators"): "training stops with an error"},
    function="denoising_loss", old="model(x_t, types, t)", new="model(x_t, types, t).detach()")

# --- steps back -----------------------------------------------------------------------------------

mistake("alpha_bar_for_alpha", "ᾱ_t where the α_t of one step is due", check="reverse_mean",
    hint="One step shrinks by α_t = ᾱ_t / ᾱ_{t-1} only.",
    also={"reverse_noise": "the variance has the same α"},
    function="reverse_step", old="alpha = bar / before", new="alpha = bar")

mistake("divided_by_root_of_alpha_bar", "the mean divided by the root of ᾱ_t instead of α_t", check="reverse_mean",
    hint="One step stretches by 1 / √α_t with α_t = ᾱ_t / ᾱ_{t-1}; the root of ᾱ_t belongs to the jump to x_0.",
    function="reverse_step", old="times)) / alpha.sqrt()", new="times)) / bar.sqrt()")

mistake("predicted_noise_scaled", "1 - α_t without the root of 1 - ᾱ_t below it", check="reverse_mean",
    hint="The predicted noise is multiplied by (1 - α_t) / √(1 - ᾱ_t).",
    also={"reverse_last": "the same mean at the last step"},
    function="reverse_step", old="(1 - alpha) / (1 - bar).sqrt() * model", new="(1 - alpha) * model")

mistake("mean_not_rescaled", "the division by the root of α_t missing", check="reverse_mean",
    hint="The step forward shrank the molecule by √α_t: the step back stretches it again.",
    also={"reverse_last": "the same mean at the last step"},
    function="reverse_step", old="times)) / alpha.sqrt()", new="times))")

mistake("beta_for_variance", "the variance β_t of a step forward", check="reverse_noise",
    hint="The checks expect (1 - α_t)(1 - ᾱ_{t-1}) / (1 - ᾱ_t), not 1 - α_t.",
    function="reverse_step", old="variance = (1 - alpha) * (1 - before) / (1 - bar)",
    new="variance = (1 - alpha) * (t > 0)")

mistake("step_noise_not_centred", "noise with its mean in a step back", check="reverse_noise",
    hint="The noise lives in the subspace of zero mean: centre it before it is added.",
    function="reverse_step", old="* centre(noise)", new="* noise")

mistake("step_noise_variance", "the variance where its root is due", check="reverse_noise",
    hint="Noise is multiplied by the standard deviation, the root of the variance.",
    function="reverse_step", old="variance.sqrt() *", new="variance *")

mistake("noise_at_the_end", "noise in the last step", check="reverse_last",
    hint="At t = 0 the variance is 0: the mean alone.",
    function="reverse_step", old="variance = (1 - alpha) * (1 - before) / (1 - bar)",
    new="variance = (1 - alpha) * ((1 - before) / (1 - bar) if t > 0 else 1.0)")

mistake("alpha_bar_from_the_end", "alpha_bars[-1] taken for ᾱ before the first step", check="reverse_last",
    hint="In Python alpha_bars[-1] is the last one. Before the first step ᾱ is 1.",
    function="reverse_step", old="bars[t - 1] if t > 0 else torch.ones_like(bars[0])",
    new="bars[t - 1]")
mistake("alpha_bar_from_the_end", function="reverse_step", old="variance.sqrt()", new="variance.clamp(min=0).sqrt()")

mistake("score_sign", "the sign of the score turned", check="langevin_value",
    hint="The score leads away from the noise: s = -ε / √(1 - ᾱ_t).",
    function="langevin_step", old="score = -model", new="score = model")

mistake("score_not_scaled", "the predicted noise taken for the score", check="langevin_value",
    hint="The score is the predicted noise over -√(1 - ᾱ_t): at little noise it is much larger.",
    function="langevin_step", old=" / (1 - alpha_bars.to(x)[t]).sqrt()", new="")

mistake("langevin_half_drift", "half a step along the score", check="langevin_value",
    hint="With the drift step · s the noise has the variance 2 · step; half of both is the other convention.",
    function="langevin_step", old="x + step * score", new="x + 0.5 * step * score")

mistake("langevin_noise_root", "noise of variance step", check="langevin_value",
    hint="With the drift step · s the noise has the variance 2 · step.",
    function="langevin_step", old="math.sqrt(2 * step)", new="math.sqrt(step)")

mistake("langevin_noise_not_centred", "noise with its mean in a Langevin step", check="langevin_value",
    hint="The noise lives in the subspace of zero mean: centre it before it is added.",
    function="langevin_step", old="* centre(noise)", new="* noise")

# --- sampling and training ------------------------------------------------------------------------

mistake("start_off_centre", "a start that has a mean over the atoms", check="sample_law",
    hint="The first noise is centred, too: the steps back never take its mean away.",
    function="sample", old="centre(draw_noise(shape, alpha_bars, generator))",
    new="draw_noise(shape, alpha_bars, generator)")

mistake("starts_repeated", "starts that several molecules share", check="sample_law",
    hint="Each molecule starts from noise of its own: draw (n, N, 3) numbers, and take each of them once.",
    function="sample", old="    x = centre(draw_noise(shape, alpha_bars, generator))",
    new="    x = centre(draw_noise(shape, alpha_bars, generator))[draw_integers(n, n, alpha_bars, generator)]")

mistake("loop_stops_at_one", "the step at t = 0 left out", check="sample_law",
    hint="range(T - 1, 0, -1) ends at 1: the last step is that of t = 0.",
    function="sample", old="range(len(alpha_bars) - 1, -1, -1)", new="range(len(alpha_bars) - 1, 0, -1)")

mistake("times_ascending", "times going up", check="sample_law",
    hint="Sampling goes back: from T-1 down to 0.",
    function="sample", old="range(len(alpha_bars) - 1, -1, -1)", new="range(len(alpha_bars))")

mistake("one_time_per_batch", "one time for all molecules of a batch", check="train_draws",
    hint="Each molecule of the batch draws its own time.",
    function="train_diffusion", old="draw_integers(len(alpha_bars), batch_size, x, generator)",
    new="draw_integers(len(alpha_bars), 1, x, generator).expand(batch_size)")

mistake("last_time_never_trained", "the time T-1 never drawn", check="train_draws",
    hint="torch.randint leaves its upper end out: times from 0 to T-1 are randint(T, ...).",
    function="train_diffusion", old="draw_integers(len(alpha_bars), batch_size, x, generator)",
    new="draw_integers(len(alpha_bars) - 1, batch_size, x, generator)")

mistake("first_time_never_trained", "the time 0 never drawn", check="train_draws",
    hint="Times are counted from 0: 0, 1, ..., T-1, each as often.",
    function="train_diffusion", old="draw_integers(len(alpha_bars), batch_size, x, generator)",
    new="draw_integers(len(alpha_bars) - 1, batch_size, x, generator) + 1")

mistake("last_molecule_never_drawn", "the last molecule never drawn", check="train_draws",
    hint="torch.randint leaves its upper end out: molecules from 0 to n-1 are randint(n, ...).",
    function="train_diffusion", old="x[draw_integers(len(x), ", new="x[draw_integers(len(x) - 1, ")

mistake("weights_never_updated", "no step of the optimiser", check="train_history",
    hint="loss.backward() fills the gradients; optimiser.step() moves the weights.",
    also={"generators": "without steps every training gives the same"},
    function="train_diffusion", old="        optimiser.step()\n", new="")

mistake("learning_rate_ignored", "a learning rate of one's own", check="train_history",
    hint="Hand `lr` to the optimiser.",
    function="train_diffusion", old="lr=lr", new="lr=5e-3")
mistake("learning_rate_ignored", function="train_diffusion", old="eta_min=0.02 * lr", new="eta_min=1e-4")

mistake("gradients_accumulate", "gradients of all steps added up", check="train_fit",
    hint="Set the gradients to zero before each backward pass.",
    function="train_diffusion", old="        optimiser.zero_grad()\n", new="")

# --- transport ------------------------------------------------------------------------------------

mistake("targets_not_aligned", "destinations averaged as they lie", check="pull_moved",
    hint="The mean of molecules that are turned differently is no molecule: average them as they lie aligned on x_i.",
    also={"pull_far": "the destinations lie elsewhere"},
    function="transport_pull", old="(shares[..., None, None] * aligned)", new="(shares[..., None, None] * y)")

mistake("softmax_plan", "a softmax of each row for the plan", check="pull_plan",
    hint="Rows and columns have to be right: Sinkhorn's iteration corrects one, then the other, until both are.",
    also={"pull_far": "another plan"},
    function="transport_pull", old="range(n_iterations)", new="range(0)")
mistake("softmax_plan", function="transport_pull", old="plan = (f + g - scaled).exp()",
    new="plan = torch.softmax(-scaled, dim=1) / len(x)")

@mistake("underflow", "Sinkhorn's iteration on exponentials that underflow", check="pull_far",
    hint="exp(-C/ε) is 0 where C is 745 ε and more: work with logarithms, torch.logsumexp.")
def transport_pull(x, y, epsilon, strength=1.0, permutations=None, n_iterations=500):
    aligned, rmsd = align(x[:, None], y[None], permutations)
    kernel = torch.exp(-rmsd.square() / epsilon)
    v = torch.ones_like(kernel[0])
    for _ in range(n_iterations):
        u = 1 / (len(x) * (kernel @ v))
        v = 1 / (len(y) * (kernel.T @ u))
    plan = u[:, None] * kernel * v
    shares = plan / plan.sum(dim=1, keepdim=True)
    return x + strength * ((shares[..., None, None] * aligned).sum(dim=1) - x), plan

mistake("cost_not_squared", "the rmsd itself for a cost", check="pull_plan",
    hint="The cost is the squared rmsd.",
    also={"pull_far": "another plan"},
    function="transport_pull", old="rmsd.square() / epsilon", new="rmsd / epsilon")

mistake("orders_not_handed_on", "the allowed orders not handed on to align", check="pull_plan",
    hint="Hand `permutations` on: equal atoms may change places.",
    also={"pull_moved": "the destinations have their atoms in another order"},
    function="transport_pull", old="y[None], permutations)", new="y[None])")

mistake("strength_ignored", "molecules moved all the way", check="pull_moved",
    hint="moved = x + strength · (T(x) - x).",
    function="transport_pull", old="x + strength * (target - x)", new="target")

mistake("destinations_not_normalised", "destinations weighted with the plan's own rows", check="pull_moved",
    hint="A row of the plan sums to 1/n: divide by its sum.",
    also={"pull_far": "the destinations are drawn to the origin"},
    function="transport_pull", old="plan / plan.sum(dim=1, keepdim=True)", new="plan")

# --- conventions ----------------------------------------------------------------------------------

mistake("arguments_changed", "positions changed in place", check="conventions",
    hint="Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not.",
    function="langevin_step", old="return x + step * score + math.sqrt(2 * step) * centre(noise)",
    new="return x.add_(step * score).add_(math.sqrt(2 * step) * centre(noise))")

mistake("generator_ignored", "draws that do not come from the generator", check="generators",
    hint="Hand the generator on to every function that draws: torch.randn(..., generator=generator).",
    also={"any_callable": "two samplings with one generator differ"},
    function="draw_noise", old="torch.randn(tuple(shape), generator=generator,", new="torch.randn(tuple(shape),")

mistake("global_seed", "torch's global generator seeded inside a function", check="generators",
    hint="No torch.manual_seed inside a function: the user decides about seeds.",
    function="sample", old="    shape = (n,", new="    torch.manual_seed(0)\n    shape = (n,")

mistake("modules_only", "a model asked for its parameters", check="any_callable",
    hint="The model may be any callable: only call it.",
    function="reverse_step", old="    bars = alpha_bars.to(x_t)\n",
    new="    bars = alpha_bars.to(next(model.parameters()))\n")

mistake("mean_over_all_coordinates", "only the mean of all coordinates looked at", check="bad_arguments",
    hint="The mean over the atoms has three coordinates, and each of them has to be 0: x.mean(dim=1).",
    function="zero_mean_log_prob", old="if len(x) and float(x.mean(dim=1).abs().max()) > 1e-3:",
    new="if len(x) and float(x.mean(dim=(1, 2)).abs().max()) > 1e-3:")

mistake("refusals_missing", "times outside 0..T-1 accepted", check="bad_arguments",
    hint="Raise ValueError for times outside 0..T-1: a negative index would count from the end.",
    function="check_times", old="if len(t) and (int(t.min()) < 0 or int(t.max()) >= T):", new="if False:")
