"""Typical wrong versions of kde_mixture's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake

# A catalogue: each entry is a paragraph.
# fmt: off

# --- kernels --------------------------------------------------------------------------------------

mistake("bandwidth_as_variance", "the bandwidth used as a variance", check="kernel_value",
    hint="h is a standard deviation: the exponent is divided by 2 h^2, and the constant holds h^2.",
    also={"bandwidth": "the same bumps, of another width, are largest for another candidate",
          "kernel_far": "far away the exponent alone counts"},
    function="log_kernels", old="squared / (2 * bandwidth**2)", new="squared / (2 * bandwidth)")
mistake("bandwidth_as_variance", function="log_kernels", old="math.pi * bandwidth**2)", new="math.pi * bandwidth)")

mistake("bandwidth_not_squared", "the exponent divided by h where h² belongs", check="kernel_value",
    hint="h is a standard deviation: the exponent is -‖x - x_i‖² / (2 h²).",
    also={"bandwidth": "bumps of another width are largest for another candidate",
          "kernel_far": "far away the exponent alone counts"},
    function="log_kernels", old="squared / (2 * bandwidth**2)", new="squared / (2 * bandwidth)")

mistake("constant_of_dimension_one", "the constant of one dimension in every dimension", check="kernel_value",
    hint="In d dimensions the constant is (2 pi h^2)^(-d/2): each coordinate brings its own factor.",
    function="log_kernels", old="0.5 * x.shape[1] * math.log", new="0.5 * math.log")

mistake("kernels_not_averaged", "the sum of the kernels, not their mean", check="kernel_value",
    hint="A density integrates to 1: the sum of n bumps is divided by n.",
    function="kde_log_prob", old=" - math.log(len(data))", new="")

mistake("one_point_squeezed", "a batch of one point loses its axis", check="kernel_value",
    hint="`squeeze()` takes away every axis of length 1, that of the batch too.",
    function="kde_log_prob", old="dim=1) - math.log(len(data))", new="dim=1).squeeze() - math.log(len(data))")

mistake("log_of_underflow", "the logarithm of a sum that has underflowed", check="kernel_far",
    hint="Far from the data every exponential is 0 in floating point, and log(0) is -inf: use torch.logsumexp.",
    function="kde_log_prob", old="torch.logsumexp(log_kernels(x, data, bandwidth), dim=1)",
    new="log_kernels(x, data, bandwidth).exp().sum(dim=1).log()")

mistake("mean_of_log_kernels", "the mean of the logarithms instead of the logarithm of the mean", check="kernel_value",
    hint="log of a mean is not the mean of logs: first add the densities (logsumexp), then take the logarithm.",
    also={"kernel_far": "a distance to the mean of the data instead of the nearest one"},
    function="kde_log_prob", old="torch.logsumexp(log_kernels(x, data, bandwidth), dim=1) - math.log(len(data))",
    new="log_kernels(x, data, bandwidth).mean(dim=1)")

mistake("own_point_kept", "each point judged by itself as well", check="leave_one_out",
    hint="The sum leaves out i = j: a point is always likely under its own bump, the more the narrower it is.",
    also={"bandwidth": "with its own bump the narrowest one always wins"},
    function="leave_one_out_log_likelihood", old="log_kernels(data, data, bandwidth).masked_fill(own, -math.inf)",
    new="log_kernels(data, data, bandwidth)")

mistake("own_point_counts_one", "the own point left in with the kernel 1", check="leave_one_out",
    hint="A logarithm of 0 is the density 1: what is left out gets -inf, so that its exponential is 0.",
    also={"bandwidth": "the own point counts more than all others where h is large"},
    function="leave_one_out_log_likelihood", old="masked_fill(own, -math.inf)", new="masked_fill(own, 0.0)")

mistake("own_point_subtracted", "the own bump taken away from a sum that has underflowed", check="leave_one_out",
    hint="Beside the own bump those of points far away are 0 in floating point: nothing is left of the difference, and "
    "log(0) is -inf. Leave the own point out before the sum, and use torch.logsumexp.",
    function="leave_one_out_log_likelihood", old="masked_fill(own, -math.inf)", new="exp()")
mistake("own_point_subtracted",
    function="leave_one_out_log_likelihood", old="torch.logsumexp(others, dim=1)",
    new="(others.sum(dim=1) - others[own]).log()")

mistake("left_out_over_n", "the sum over the others divided by n", check="leave_one_out",
    hint="n - 1 bumps are left when a point is taken out: divide by n - 1.",
    function="leave_one_out_log_likelihood", old="math.log(len(data) - 1)", new="math.log(len(data))")

mistake("leave_one_out_summed", "the sum over the points instead of their mean", check="leave_one_out",
    hint="The leave-one-out likelihood is a mean per point.",
    function="leave_one_out_log_likelihood", old=").mean()", new=").sum()")

mistake("bandwidth_by_training_likelihood", "the bandwidth that makes the data themselves likeliest", check="bandwidth",
    hint="The likelihood of the data themselves grows for ever as h falls: the smallest candidate always wins. Leave "
    "each point out.",
    also={"bad_arguments": "a single point is refused where it is left out"},
    function="select_bandwidth", old="leave_one_out_log_likelihood(data, h)", new="kde_log_prob(data, data, h).mean()")

mistake("bandwidth_index", "the candidates sorted before the best is looked up", check="bandwidth",
    hint="The answer is the candidate itself: keep scores and candidates in the same order.",
    function="select_bandwidth", old="return candidates[", new="return sorted(candidates)[")

mistake("sample_is_resampling", "data points handed back without noise", check="kernel_draws",
    hint="Add normal noise of standard deviation h: a draw from one bump, not its centre.",
    function="kde_sample", old="data[rows] + bandwidth * noise", new="data[rows]")

mistake("sample_noise_variance", "noise of standard deviation h squared", check="kernel_draws",
    hint="h is a standard deviation: multiply the normal noise by h itself.",
    function="kde_sample", old="+ bandwidth * noise", new="+ bandwidth**2 * noise")

mistake("sample_one_noise", "one noise vector for all draws", check="kernel_draws",
    hint="Every draw and every coordinate needs noise of its own: draw (n, d) numbers.",
    function="kde_sample", old="torch.randn(n, data.shape[1], generator", new="torch.randn(1, data.shape[1], generator")

mistake("sample_noise_per_draw", "one number of noise for all coordinates of a draw", check="kernel_draws",
    hint="Every draw and every coordinate needs noise of its own: draw (n, d) numbers.",
    function="kde_sample", old="torch.randn(n, data.shape[1], generator", new="torch.randn(n, 1, generator")

mistake("sample_without_replacement", "data points chosen without replacement", check="kernel_draws",
    hint="Independent draws choose with replacement: a point may come twice, another never.",
    function="kde_sample", old="torch.randint(len(data), (n,), generator=generator, device=device)",
    new="torch.cat([torch.randperm(len(data), generator=generator) for _ in range(-(-n // len(data)))])[:n]")

# --- mixtures -------------------------------------------------------------------------------------

mistake("covariance_not_inverted", "a product with the covariance where its inverse is due", check="component_value",
    hint="The exponent has the inverse: (x - mu)^T Sigma^-1 (x - mu), large where the Gaussian is narrow.",
    also={("mixture_value", "mixture_far", "responsibilities_value", "responsibilities_far", "classify", "em_value",
           "fit_from_start"): "they build on densities that fall where they should rise"},
    function="component_log_prob", old="torch.linalg.solve_triangular(roots, offsets, upper=False)",
    new="roots.mT @ offsets")

mistake("log_det_without_half", "the whole log-determinant instead of half of it", check="component_value",
    hint="The constant is (det Sigma)^(-1/2): half of the log-determinant.",
    function="component_log_prob", old="- 0.5 * log_det", new="- log_det")

mistake("log_det_left_out", "no determinant of the covariance", check="component_value",
    hint="A wide Gaussian is lower: the constant carries (det Sigma)^(-1/2).",
    function="component_log_prob", old=" - 0.5 * log_det", new="")

mistake("root_transposed_in_density", "the Cholesky factor transposed", check="component_value",
    hint="With Sigma = L L^T the squared distance is ||L^-1 (x - mu)||^2: L, not L^T.",
    function="component_log_prob", old="torch.linalg.solve_triangular(roots, offsets, upper=False)",
    new="torch.linalg.solve_triangular(roots.mT, offsets, upper=True)")

mistake("diagonal_only", "the diagonal of the covariance alone", check="component_value",
    hint="The covariances are full: coordinates of one component may vary together.",
    also={"responsibilities_value": "long slanting Gaussians without their slant follow the right ones too loosely"},
    function="component_log_prob", old="torch.linalg.cholesky(covariances)",
    new="torch.diag_embed(covariances.diagonal(dim1=1, dim2=2).sqrt())")

mistake("component_constant_of_dimension_one", "the constant of one dimension in every dimension",
    check="component_value",
    hint="In d dimensions the constant is (2 pi)^(-d/2): each coordinate brings its own factor.",
    function="component_log_prob", old="0.5 * x.shape[1] * math.log(2 * math.pi)", new="0.5 * math.log(2 * math.pi)")

mistake("weights_ignored_in_density", "a mixture without its weights", check="mixture_value",
    hint="Each component counts with its weight: log alpha_i is added before the logsumexp.",
    function="mixture_log_prob", old="weights.log() + component_log_prob", new="component_log_prob")

mistake("sum_of_weighted_logs", "the weighted mean of the logarithms", check="mixture_value",
    hint="log of a sum is not the sum of logs: add the densities (logsumexp), then take the logarithm.",
    also={"mixture_far": "far away the mean of the logarithms is another number",
          "fit_from_start": "its history holds these values"},
    function="mixture_log_prob",
    old="torch.logsumexp(weights.log() + component_log_prob(x, means, covariances), dim=1)",
    new="component_log_prob(x, means, covariances) @ weights")

mistake("mixture_underflows", "the logarithm of a sum that has underflowed", check="mixture_far",
    hint="Far from all components every density is 0 in floating point, and log(0) is -inf: use torch.logsumexp.",
    function="mixture_log_prob",
    old="torch.logsumexp(weights.log() + component_log_prob(x, means, covariances), dim=1)",
    new="(component_log_prob(x, means, covariances).exp() @ weights).log()")

mistake("zero_weight_nan", "zero weights kept above zero", check="mixture_value",
    hint="A weight of 0 takes the component away altogether: log 0 = -inf is right here, logsumexp works with it.",
    function="mixture_log_prob", old="weights.log()", new="weights.clamp_min(1e-3).log()")

mistake("zero_weight_epsilon", "a small number added to the weights before the logarithm",
    check="responsibilities_value",
    hint="A weight of 0 takes the component away altogether: log 0 = -inf is right here. With log(weight + 1e-10) it "
    "wins wherever all others are farther off.",
    also={"mixture_value": "it takes the same logarithm", "classify": "it takes the same logarithm"},
    function="responsibilities", old="weights.log()", new="(weights + 1e-10).log()")
mistake("zero_weight_epsilon", function="mixture_log_prob", old="weights.log()", new="(weights + 1e-10).log()")
mistake("zero_weight_epsilon", function="classify", old="weights.log()", new="(weights + 1e-10).log()")

mistake("softmax_over_batch", "responsibilities normalised over the points instead of the components",
    check="responsibilities_value",
    hint="The responsibilities of one point sum to 1 over the components: the softmax runs over m, not over B.",
    also={"responsibilities_far": "its rows do not sum to 1 either", "em_value": "it takes the responsibilities",
          "fit_from_start": "it repeats EM steps"},
    function="responsibilities", old="covariances), dim=1)", new="covariances), dim=0)")

mistake("responsibilities_without_weights", "responsibilities without the weights", check="responsibilities_value",
    hint="Bayes' rule: the prior alpha_i times the density, over the sum of these.",
    function="responsibilities", old="weights.log() + component_log_prob", new="component_log_prob")

mistake("responsibilities_underflow", "a quotient of densities that have underflowed", check="responsibilities_far",
    hint="Far from all components the quotient is 0/0: a softmax of log-weights plus log-densities is the same number.",
    function="responsibilities", old="torch.softmax(weights.log() + component_log_prob(x, means, covariances), dim=1)",
    new="torch.nn.functional.normalize(weights * component_log_prob(x, means, covariances).exp(), p=1, dim=1, eps=0)")

mistake("last_on_a_tie", "the last of several equal classes", check="classify",
    hint="On a tie the first index wins: a later class has to be better, not as good.",
    function="classify", old="component_log_prob(x, means, covariances)).argmax(dim=1)",
    new="component_log_prob(x, means, covariances)).flip(1).argmax(dim=1).neg() + len(means) - 1")

mistake("classified_by_likelihood", "the class of the largest likelihood", check="classify",
    hint="The most probable class has the largest log Phi_i(x) + log alpha_i: the weights count.",
    function="classify", old="weights.log() + component_log_prob", new="component_log_prob")

mistake("classified_by_mean", "the class of the nearest mean", check="classify",
    hint="Nearness in the plain distance ignores widths and weights: compare log Phi_i(x) + log alpha_i.",
    function="classify", old="(weights.log() + component_log_prob(x, means, covariances)).argmax(dim=1)",
    new="torch.cdist(x, means).argmin(dim=1)")

mistake("classified_by_weighted_log", "log-densities multiplied by the weights", check="classify",
    hint="The weight multiplies the density; in logarithms it is added: log Phi_i(x) + log alpha_i.",
    function="classify", old="weights.log() + component_log_prob", new="weights * component_log_prob")

# --- draws ----------------------------------------------------------------------------------------

mistake("sample_times_covariance", "noise multiplied by the covariance", check="mixture_draws",
    hint="Sigma xi has the covariance Sigma^2: multiply by a root L with L L^T = Sigma.",
    function="mixture_sample", old="(roots[labels] @ noise", new="(covariances[labels] @ noise")

mistake("sample_root_transposed", "noise multiplied by the transposed Cholesky factor", check="mixture_draws",
    hint="L^T xi has the covariance L^T L, which is another one: multiply by L.",
    function="mixture_sample", old="(roots[labels] @ noise", new="(roots[labels].mT @ noise")

mistake("sample_diagonal", "the standard deviations of the coordinates alone", check="mixture_draws",
    hint="The covariances are full: multiply the noise by a root L with L L^T = Sigma.",
    function="mixture_sample", old="torch.linalg.cholesky(covariances)",
    new="torch.diag_embed(covariances.diagonal(dim1=1, dim2=2).sqrt())")

mistake("sample_fixed_counts", "n times the weight draws of each component", check="mixture_draws",
    hint="The counts are random themselves: draw each label, do not round n times the weights.",
    function="mixture_sample", old="torch.multinomial(weights.to(device), n, replacement=True, generator=generator)",
    new="torch.searchsorted(weights.cumsum(0), (torch.randperm(n, generator=generator).to(weights) + 0.5) / n)"
    ".clamp(max=len(weights) - 1)")

mistake("sample_sorted", "draws sorted by component", check="mixture_draws",
    hint="Draw the component of each row by itself; the rows come in no order.",
    function="mixture_sample", old="replacement=True, generator=generator)",
    new="replacement=True, generator=generator).sort().values")

mistake("sample_weights_ignored", "every component drawn equally often", check="mixture_draws",
    hint="P(Y = i) = alpha_i: draw the labels with these probabilities.",
    function="mixture_sample", old="torch.multinomial(weights.to(device),",
    new="torch.multinomial(torch.ones(len(weights)),")

mistake("component_ignored", "draws from all components where one was asked for", check="component_draws",
    hint="With `component = i` every draw is N(mu_i, Sigma_i) and every label is i.",
    function="mixture_sample", old="    if component is None:", new="    if True:")

# --- fits -----------------------------------------------------------------------------------------

mistake("classes_unbiased", "covariances over n_i - 1", check="classes_value",
    hint="Maximum likelihood divides by n_i; n_i - 1 gives the unbiased estimate.",
    function="fit_classes", old="return fit_weighted(x, members, ridge)",
    new="weights, means, _ = fit_weighted(x, members, ridge)\n"
    "    rest = [torch.cov(x[labels == i].T).reshape(x.shape[1], -1)"
    " for i in range(len(means))]\n    return weights, means, torch.stack(rest) + ridge * torch.eye(x.shape[1]).to(x)")

mistake("classes_share_mean", "every class spread around the mean of all points", check="classes_value",
    hint="Class i is spread around its own mean mu_i.",
    function="fit_classes", old="return fit_weighted(x, members, ridge)",
    new="weights, means, covariances = fit_weighted(x, members, ridge)\n    off = means - x.mean(0)\n"
    "    return weights, means, covariances + off[:, :, None] * off[:, None, :]")

mistake("classes_equal_weights", "the same weight for every class", check="classes_value",
    hint="alpha_i is the share of class i, n_i / n.",
    function="fit_classes", old="return fit_weighted(x, members, ridge)",
    new="weights, means, covariances = fit_weighted(x, members, ridge)\n"
    "    return torch.full_like(weights, 1 / len(weights)), means, covariances")

mistake("step_of_equal_weights", "responsibilities of equal weights, whatever the given ones are", check="em_value",
    hint="The E step is Bayes' rule with the given weights: α_i Φ_i(x) over the sum of all.",
    function="em_step", old="responsibilities(x, weights, means",
    new="responsibilities(x, torch.full_like(weights, 1 / len(weights)), means")

mistake("em_keeps_weights", "the weights given back as they came", check="em_value",
    hint="The M step changes all three: the new weights are N_i / n.",
    function="em_step", old="return fit_weighted(x, responsibilities(x, weights, means, covariances), ridge)",
    new="return weights, *fit_weighted(x, responsibilities(x, weights, means, covariances), ridge)[1:]")

mistake("weights_not_renormalised", "weights N_i instead of N_i / n", check="em_value",
    hint="alpha_i = N_i / n: the weights sum to 1.",
    function="em_step", old="return fit_weighted(x, responsibilities(x, weights, means, covariances), ridge)",
    new="sizes, means, covariances = fit_weighted(x, responsibilities(x, weights, means, covariances), ridge)\n"
    "    return sizes * len(x), means, covariances")

mistake("covariance_around_old_means", "covariances around the means before the step", check="em_value",
    hint="The covariances are taken around the new means.",
    function="em_step", old="return fit_weighted(x, responsibilities(x, weights, means, covariances), ridge)",
    new="new_weights, new, covariances = fit_weighted(x, responsibilities(x, weights, means, covariances), ridge)\n"
    "    off = new - means\n    return new_weights, new, covariances + off[:, :, None] * off[:, None, :]")

mistake("covariance_by_new_responsibilities", "responsibilities taken anew for the covariances", check="em_value",
    hint="One step has one E step: weights, means and covariances are all fitted to the same responsibilities, those "
    "of the given parameters.",
    function="em_step", old="return fit_weighted(x, responsibilities(x, weights, means, covariances), ridge)",
    new="weights, means, _ = fit_weighted(x, responsibilities(x, weights, means, covariances), ridge)\n"
    "    _, own, fitted = fit_weighted(x, responsibilities(x, weights, means, covariances), ridge)\n"
    "    return weights, means, fitted + (own - means)[:, :, None] * (own - means)[:, None, :]")

mistake("covariance_over_n", "covariances divided by n instead of N_i", check="em_value",
    hint="Component i has N_i points: divide by N_i.",
    function="em_step", old="return fit_weighted(x, responsibilities(x, weights, means, covariances), ridge)",
    new="weights, means, covariances = fit_weighted(x, responsibilities(x, weights, means, covariances), 0.0)\n"
    "    return weights, means, weights[:, None, None] * covariances + ridge * torch.eye(x.shape[1]).to(x)")

mistake("hard_assignment", "each point given wholly to its likeliest component", check="em_value",
    hint="That is k-means: in EM a point belongs to every component by its responsibility.",
    also={"fit_from_start": "several steps lead to other clusters"},
    function="em_step", old="responsibilities(x, weights, means, covariances), ridge)",
    new="torch.nn.functional.one_hot(classify(x, weights, means, covariances), len(means)).to(x) + 1e-9, ridge)")

mistake("ridge_on_all_entries", "the ridge added to every entry of the covariances", check="classes_value",
    hint="The ridge goes on the diagonal: + rho I.",
    also={"em_value": "the same fit"},
    function="fit_weighted", old="ridge * torch.eye(x.shape[1]).to(x)", new="ridge")

mistake("ridge_ignored", "no ridge", check="classes_value",
    hint="rho is added to the diagonal of every covariance.",
    also={"em_value": "the same fit"},
    function="fit_weighted", old="covariances + ridge * torch.eye(x.shape[1]).to(x)", new="covariances")

mistake("start_ignored", "the given start left aside", check="fit_from_start",
    hint="Where `start` is given, EM begins there.",
    function="fit_mixture", old="start if start is not None else spread_start", new="spread_start")

mistake("equal_means", "a start in which all components are equal", check="fit_free",
    hint="With equal components every responsibility is 1/m for ever: start with means at different points.",
    function="spread_start", old="x[rows], covariances", new="x.mean(0).repeat(m, 1), covariances")

mistake("one_step_only", "one step, whatever `steps` says", check="fit_from_start",
    hint="Repeat the step: each one starts from the parameters of the one before.",
    function="fit_mixture", old="        weights, means, covariances = em_step(x, weights, means, covariances, ridge)",
    new="        if len(history['log_likelihood']) == 1:\n"
    "            weights, means, covariances = em_step(x, weights, means, covariances, ridge)")

mistake("history_summed", "the sum of the log-likelihoods in the history", check="fit_from_start",
    hint="The history has the mean per point.",
    function="fit_mixture", old="covariances).mean()))", new="covariances).sum()))")

mistake("fit_ridge_ignored", "the ridge not handed on to the steps", check="fit_from_start",
    hint="Hand `ridge` on to em_step.",
    function="fit_mixture", old="em_step(x, weights, means, covariances, ridge)",
    new="em_step(x, weights, means, covariances)")

mistake("classes_of_neighbours", "each class fitted to the points of the next one", check="classes_value",
    hint="Component i is class i: keep the order of the labels.",
    function="fit_classes", old="return fit_weighted(x, members, ridge)",
    new="return fit_weighted(x, members.roll(1, dims=1), ridge)")

# --- dimension ------------------------------------------------------------------------------------

mistake("norm_density_without_jacobian", "the density of chi-square without the change of variables", check="shell",
    hint="t = s d / sigma^2 stretches the axis: the density in s is that in t times d / sigma^2.",
    function="squared_norm_log_density", old="math.log(rate) + (d / 2 - 1)", new="(d / 2 - 1)")

mistake("norm_density_exponent", "the power d/2 of the squared norm instead of d/2 - 1", check="shell",
    hint="The density of chi-square has t^(d/2 - 1): at d = 2 it is exponential, and the power is 0.",
    function="squared_norm_log_density", old="(d / 2 - 1) * t.log()", new="d / 2 * t.log()")

mistake("norm_density_variance_not_shared", "variance sigma^2 in each coordinate", check="shell",
    hint="Each coordinate has the variance sigma^2 / d: ||x||^2 d / sigma^2 is chi-square.",
    function="squared_norm_log_density", old="rate = d / sigma**2", new="rate = 1 / sigma**2")

mistake("norm_density_sigma_not_squared", "sigma where sigma² belongs", check="shell",
    hint="The coordinates have the variance σ²/d: t = s d / σ².",
    function="squared_norm_log_density", old="rate = d / sigma**2", new="rate = d / sigma")

mistake("norm_density_overflow", "the Gamma function itself, which overflows", check="shell",
    hint="Gamma(2500) is no floating-point number: use lgamma, its logarithm.",
    function="squared_norm_log_density", old="math.lgamma(d / 2)",
    new="(math.log(math.gamma(d / 2)) if d < 340 else math.inf)")

mistake("norm_density_of_the_norm", "the density of the norm instead of its square", check="shell",
    hint="s is already a square: t = s d / sigma^2.",
    function="squared_norm_log_density", old="t = s * rate", new="t = s.square() * rate")

mistake("boxes_edge_own_box", "a coordinate 1 in a box of its own", check="boxes",
    hint="[0, 1] is cut into `bins` boxes: a coordinate 1 belongs to the last one.",
    function="covered_fraction", old=".long().clamp(max=bins - 1)", new=".long()")

mistake("boxes_rounded", "coordinates rounded to the nearest edge", check="boxes",
    hint="A box is the whole part of x · bins: floor it, do not round it.",
    function="covered_fraction", old="(x * bins).long()", new="(x * bins).round().long()")

mistake("boxes_counted_with_repeats", "points counted instead of boxes", check="boxes",
    hint="A box with several points counts once.",
    function="covered_fraction", old="len(boxes.unique(dim=0))", new="len(boxes)")

mistake("boxes_by_axis", "the product of the fractions that are covered along the axes", check="boxes",
    hint="Two points in opposite corners cover both halves of each axis, and yet only 2 of the 4 boxes: count whole "
    "boxes, not axis by axis.",
    function="covered_fraction", old="len(boxes.unique(dim=0)) / bins ** x.shape[1]",
    new="math.prod(len(column.unique()) / bins for column in boxes.T)")

@mistake("boxes_array", "an array with one entry per box", check="boxes",
    hint="10^25 boxes fit into no computer: keep a set of those that have been seen.")
def covered_fraction(x, bins):
    seen = torch.zeros([bins] * x.shape[1], dtype=torch.bool)
    seen[tuple((x * bins).long().clamp(max=bins - 1).T)] = True
    return float(seen.double().mean())

@mistake("boxes_one_number", "one number for each box, which overflows", check="boxes",
    hint="Of 25 coordinates bins^25 numbers can be made, more than 64 bits hold: different boxes get the same one. "
    "Compare the rows themselves, with torch.unique(..., dim=0) or a set of tuples.")
def covered_fraction(x, bins):
    code = torch.zeros(len(x), dtype=torch.int64)
    for column in (x * bins).long().clamp(max=bins - 1).T:
        code = code * bins + column
    return len(code.unique()) / bins ** x.shape[1]

# --- conventions ----------------------------------------------------------------------------------

mistake("float64_answers", "answers in float64, whatever comes in", check="conventions",
    hint="Keep the dtype of the input: build new tensors with `x.new_zeros`, `zeros_like`, `.to(x)`.",
    function="mixture_log_prob", old="covariances), dim=1)", new="covariances), dim=1).double()")

mistake("arguments_changed", "the data changed in place", check="conventions",
    hint="Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not.",
    function="squared_norm_log_density", old="t = s * rate", new="t = s.mul_(rate)")

mistake("generator_ignored", "draws that do not come from the generator", check="generators",
    hint="Hand the generator on to every function that draws: torch.randn(..., generator=generator).",
    function="mixture_sample",
    old="noise = torch.randn(n, means.shape[1], generator=generator, dtype=means.dtype, device=device)",
    new="noise = torch.randn(n, means.shape[1], dtype=means.dtype)")

mistake("start_without_generator", "a start that does not come from the generator", check="generators",
    hint="Where the start is random, it is drawn with the generator that was given: torch.randperm(..., "
    "generator=generator).",
    function="fit_mixture", old="spread_start(x, m, ridge, generator)", new="spread_start(x, m, ridge, None)")

mistake("start_changed_in_place", "the given start overwritten", check="conventions",
    hint="`start` belongs to the caller, who may fit from it again: go on with new tensors, and change none of the "
    "given ones in place (`copy_`, `[:] =`).",
    function="fit_mixture", old="    return weights, means, covariances, history",
    new="    for given, found in zip(start or (), (weights, means, covariances), strict=False):\n"
    "        given.copy_(found)\n    return weights, means, covariances, history")

mistake("global_seed", "torch's global generator seeded inside a function", check="generators",
    hint="No torch.manual_seed inside a function: the user decides about seeds.",
    function="kde_sample", old="    rows = torch", new="    torch.manual_seed(0)\n    rows = torch")

mistake("refusals_missing", "bad arguments accepted", check="bad_arguments",
    hint="Raise ValueError where shapes do not fit or a number is out of range.",
    function="check_weights", old="if weights.shape != means.shape[:1]:", new="if False:")
