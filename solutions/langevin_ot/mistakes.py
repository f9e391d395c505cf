"""Typical wrong versions of langevin_ot's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake

# A catalogue: each entry is a paragraph.
# fmt: off

# --- mixtures of Gaussians ------------------------------------------------------------------------

mistake("log_prob_without_normaliser", "log-density of the mixture without its normalising constant",
    check="mixture_log_prob",
    hint="A density integrates to 1: each component carries the factor (2 pi std^2)^(-d/2), with d the dimension.",
    old=" - log_normaliser", new="")

mistake("normaliser_of_one_dimension", "normalising constant of one dimension used in every dimension",
    check="mixture_log_prob",
    hint="In d dimensions the constant is (2 pi std^2)^(-d/2): each coordinate brings its own factor.",
    old="0.5 * x.shape[1] * math.log", new="0.5 * math.log")

mistake("normaliser_of_two_dimensions", "normalising constant of the plane used in every dimension",
    check="mixture_log_prob",
    hint="In d dimensions the constant is (2 pi std^2)^(-d/2): d is the number of coordinates of x, not always 2.",
    old="0.5 * x.shape[1] * math.log", new="math.log")

mistake("std_as_variance", "the standard deviation used as the variance", check="mixture_log_prob",
    hint="`std` is a standard deviation: the exponent is divided by 2 std^2, and the constant holds std^2, too.",
    also={"mixture_far_away": "far away the exponent alone counts; a std near 1 hides it"},
    function="gaussian_mixture_log_prob", old="squared / (2 * std**2)", new="squared / (2 * std)")
mistake("std_as_variance",
    old="math.log(2 * math.pi * std**2)", new="math.log(2 * math.pi * std)")

mistake("one_point_squeezed", "a batch of one point loses its axis", check="mixture_log_prob",
    hint="`squeeze()` takes away every axis of length 1, that of the batch too: sum over dim=-1 and leave the rest.",
    old="log_normaliser, dim=1)", new="log_normaliser, dim=1).squeeze()")

mistake("log_prob_underflows", "logarithm of a sum of exponentials that underflow", check="mixture_far_away",
    hint="Far from all modes every exponential is 0 in floating point, and log(0) is -inf: use torch.logsumexp.",
    old="torch.logsumexp(weights.log() - squared / (2 * std**2) - log_normaliser, dim=1)",
    new="(torch.exp(-squared / (2 * std**2) - log_normaliser) @ weights).log()")

mistake("score_ignores_weights", "responsibilities without the weights of the components", check="mixture_score",
    hint="The responsibility of a component is its weight times its density, over the sum of these.",
    old="softmax(weights.log() - squared", new="softmax(-squared")

mistake("score_prior_weights", "scores of the components averaged by their weights alone", check="mixture_score",
    hint="How much a component counts depends on x: its responsibility is its weight times its density at x, over the "
    "sum of these.",
    also={"mixture_far_away": "far away all components pull, instead of the nearest"},
    old="responsibilities @ means", new="weights @ means")

mistake("score_softmax_over_points", "responsibilities normalised over the points instead of the components",
    check="mixture_score",
    hint="The responsibilities of one point sum to 1 over the components: the softmax runs over K, not over B.",
    also={"mixture_far_away": "responsibilities that do not sum to 1 change the size of the pull"},
    old="(2 * std**2), dim=1)", new="(2 * std**2), dim=0)")
mistake("score_softmax_over_points",
    old="(responsibilities @ means - x)", new="(responsibilities[..., None] * (means - x[:, None])).sum(1)")

mistake("score_of_nearest_mode", "score of the nearest component alone", check="mixture_score",
    hint="Between the modes every component pulls: the score is a mean of theirs, weighted by the responsibilities.",
    old="responsibilities @ means", new="means[squared.argmin(dim=1)]")

mistake("score_sign", "score with its sign reversed", check="mixture_score",
    hint="The score points to where the density grows: from x towards the means, m - x.",
    also={"mixture_far_away": "the sign is wrong everywhere"},
    old="(responsibilities @ means - x)", new="(x - responsibilities @ means)")

mistake("score_over_std", "score divided by the standard deviation instead of the variance", check="mixture_score",
    hint="Differentiate -|x - m|^2 / (2 std^2) in x: the square of std stays in the denominator.",
    also={"mixture_far_away": "too small or too large everywhere"},
    old="means - x) / std**2", new="means - x) / std")

@mistake("score_underflows", "responsibilities as a quotient of densities that underflow", check="mixture_far_away",
    hint="Far from all modes the quotient is 0/0. The responsibilities are a softmax of log-weights and exponents.")
def gaussian_mixture_score(x, means, std, weights):
    density = weights * torch.exp(-(x[:, None] - means).square().sum(-1) / (2 * std**2))
    return (density @ means / density.sum(1, keepdim=True) - x) / std**2

mistake("score_cut_off", "score cut off at a largest norm", check="mixture_far_away",
    hint="The score grows with the distance from the modes, without end: no clamp, no normalised direction.",
    old="    return (responsibilities @ means - x) / std**2",
    new="    s = (responsibilities @ means - x) / std**2\n    return s * (99 / s.norm(dim=1)).clamp(max=1)[:, None]")

# --- Langevin dynamics ----------------------------------------------------------------------------

mistake("noise_without_root", "noise scaled by 2 step instead of its square root", check="langevin_step",
    hint="The variance of the noise grows with the step, so the noise itself with its square root: sqrt(2 step).",
    old="math.sqrt(2 * step) * noise", new="2 * step * noise")

mistake("noise_sqrt_step", "noise sqrt(step) beside the drift step * score", check="langevin_step",
    hint="Two conventions are mixed: sqrt(2 step) goes with step * score, sqrt(step) with step / 2 * score. This chain "
    "samples the square of the density, normalised.",
    old="math.sqrt(2 * step) * noise", new="math.sqrt(step) * noise")

mistake("half_step", "the course's other convention: step / 2 * score and sqrt(step)", check="langevin_step",
    hint="This is the chain of half the step. The contract is step * score and sqrt(2 step).",
    old="step * score + math.sqrt(2 * step)", new="0.5 * step * score + math.sqrt(step)")

mistake("descent_on_score", "steps against the score", check="langevin_step",
    hint="The score points to where the density grows; Langevin dynamics climbs it, + step * score.",
    old="x + step * score", new="x - step * score")

mistake("step_in_place", "x changed in place", check="langevin_step",
    hint="`x += ...` changes the tensor of the caller, which may be a frame of a trajectory: write x = x + ...",
    also={"conventions": "arguments that change are looked at there, of every function"},
    old="return x + step * score + math.sqrt(2 * step) * noise",
    new="x += step * score + math.sqrt(2 * step) * noise\n    return x")

mistake("trajectory_with_gradients", "a trajectory that carries gradients", check="langevin_trajectory",
    hint="A network's score carries a graph, and it grows with every step: detach it, or use torch.no_grad().",
    old="score_fn(x).detach()", new="score_fn(x)")

mistake("generator_begun_again", "a new generator of the same seed in each call", check="langevin_trajectory",
    hint="Draw from the generator that is given: it goes on, so that the next call gives other chains.",
    old="device = x0.device",
    new="generator = generator and torch.Generator().manual_seed(generator.initial_seed())\n    device = x0.device")

@mistake("other_random_numbers", "noise that torch.manual_seed does not decide", check="langevin_trajectory",
    hint="Without a generator, draw with torch and generator=None: that is torch's global generator.")
def langevin_sample(solution, score_fn, x0, step, n_steps, generator=None):
    import random
    own = torch.Generator().manual_seed(random.getrandbits(60))
    return solution(score_fn, x0, step, n_steps, generator or own)

mistake("trajectory_without_start", "trajectory without x0", check="langevin_trajectory",
    hint="The trajectory has n_steps + 1 frames: x0 comes first.",
    also={("conventions", "plain_callables"): "a frame is missing there, too"},
    old="trajectory = [x]", new="trajectory = []")

mistake("frames_share_memory", "one tensor changed in place, so that all frames are the last one",
    check="langevin_trajectory",
    hint="`x += ...` changes the tensor that is already in the list: append x.clone(), or write x = x + ...",
    old="torch.stack(trajectory)", new="torch.stack(trajectory[-1:] * len(trajectory))")

mistake("generator_ignored", "noise that does not come from the generator", check="langevin_trajectory",
    hint="Hand the generator on to torch.randn(..., generator=generator): two generators of one seed then give one "
    "chain.",
    old="torch.randn(x.shape, generator=generator, dtype=x.dtype, device=device).to(x.device)",
    new="torch.randn_like(x)")

mistake("noise_shared_by_chains", "one noise vector for all chains", check="langevin_noise",
    hint="Each chain needs noise of its own: draw (B, d) numbers in every step, not (d,) or (1, d).",
    old="(x.shape, generator=generator, dtype=x.dtype, device=device).to(x.device)",
    new="(x.shape[1:], generator=generator, dtype=x.dtype).expand_as(x)")

mistake("noise_shared_by_coordinates", "one number of noise for all coordinates of a point", check="langevin_noise",
    hint="Each coordinate needs noise of its own: draw (B, d) numbers in every step, not (B, 1).",
    old="(x.shape, generator=generator, dtype=x.dtype, device=device).to(x.device)",
    new="(len(x), 1, generator=generator, dtype=x.dtype).expand_as(x)")

mistake("noise_drawn_once", "the same noise in every step", check="langevin_noise",
    hint="Draw fresh noise inside the loop.",
    old="trajectory = [x]", new="trajectory, drawn = [x], torch.randn(x.shape, generator=generator, dtype=x.dtype)")
mistake("noise_drawn_once",
    old="torch.randn(x.shape, generator=generator, dtype=x.dtype, device=device).to(x.device)", new="drawn")

mistake("noise_uniform", "uniform noise instead of normal noise", check="langevin_noise",
    hint="torch.rand draws uniform numbers in [0, 1), of mean 1/2; Langevin dynamics needs torch.randn.",
    old="torch.randn(x.shape", new="torch.rand(x.shape")

mistake("score_frozen", "score of the starting points used in every step", check="langevin_noise",
    hint="The drift changes along the way: call score_fn on the current points, inside the loop.",
    old="score_fn(x).detach()", new="score_fn(x0).detach()")

# --- denoising score matching ---------------------------------------------------------------------

mistake("matching_sign", "denoising target with its sign reversed", check="matching_loss",
    hint="The score points back from the noise to the data: the target is -noise / sigma.",
    old="target = -noise", new="target = noise")

mistake("matching_without_sigma", "denoising target not divided by sigma", check="matching_loss",
    hint="-noise is what a denoising network of diffusion predicts; the score of the blur is -noise / sigma.",
    old="-noise / sigma", new="-noise")

mistake("matching_over_variance", "denoising target divided by sigma squared", check="matching_loss",
    hint="-(noisy - x) / sigma^2 is the target, and noisy - x is sigma * noise already: -noise / sigma is left.",
    old="-noise / sigma", new="-noise / sigma**2")

mistake("matching_on_clean_data", "model called on the clean data", check="matching_loss",
    hint="The network sees the blurred points: model(x + sigma * noise).",
    old="model(x + sigma * noise)", new="model(x)")

mistake("matching_summed", "loss summed over the dimensions", check="matching_loss",
    hint="The mean runs over all B * d entries, dimensions included.",
    old="target).square().mean()", new="target).square().sum(dim=1).mean()")

mistake("matching_weighted", "loss multiplied by sigma squared", check="matching_loss",
    hint="The weight sigma^2 balances several noise levels (Song and Ermon); here the loss has no weight.",
    old="return (model(x + sigma", new="return sigma**2 * (model(x + sigma")

mistake("matching_detached", "loss without a gradient", check="matching_gradient",
    hint="Nothing on the way from the model to the loss may cut the graph: no torch.no_grad, .detach() or .item().",
    old="target).square().mean()", new="target).square().mean().detach()")

mistake("data_blurred_in_place", "the data changed in place", check="conventions",
    hint="`x += sigma * noise` changes the data of the caller, who needs them for the next step: x + sigma * noise.",
    old="model(x + sigma * noise)", new="model(x.add_(sigma * noise))")

# --- optimal transport ----------------------------------------------------------------------------

mistake("cost_not_raised", "distance not raised to the power p", check="cost_matrix",
    hint="C is the Euclidean distance to the power p; p does not choose the norm, which stays Euclidean.",
    old="squared ** (p / 2)", new="squared.sqrt()")

mistake("cost_of_the_p_norm", "p-norm raised to p instead of the Euclidean distance raised to p", check="cost_matrix",
    hint="Sum the squares of the coordinates' differences first, and raise the distance to p then.",
    old="squared ** (p / 2)", new="(x[:, None] - y).abs().pow(p).sum(dim=-1)")

mistake("cost_always_squared", "squared distance whatever p", check="cost_matrix",
    hint="p = 2 is the default, not the only power: raise the distance to p.",
    old="squared ** (p / 2)", new="squared")

@mistake("sinkhorn_linear_domain", "Sinkhorn on exp(-C / epsilon), which underflows", check="sinkhorn_small_epsilon",
    hint="At epsilon = 1e-3 whole rows of exp(-C / epsilon) are 0. Keep log u and log v, and use torch.logsumexp.")
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    kernel, v = torch.exp(-C / epsilon), torch.ones_like(b)
    for _ in range(n_iterations):
        u = a / (kernel @ v)
        v = b / (kernel.T @ u)
        plan = u[:, None] * kernel * v
        if (plan.sum(1) - a).abs().sum() <= tolerance:
            break
    return plan

mistake("marginals_swapped", "a and b swapped in Sinkhorn's updates", check="sinkhorn_marginals",
    hint="The rows of the plan belong to a, its columns to b: log u has one entry per row and uses a.",
    also={("sinkhorn_plan", "sinkhorn_small_epsilon"): "a plan with these marginals is wrong at every epsilon",
          ("conventions", "plain_callables"): "an error where there are more rows than columns, or fewer"},
    old="log_a, log_b = a.log(), b.log()", new="log_a, log_b = b.log(), a.log()")
mistake("marginals_swapped",
    old="(plan.sum(dim=1) - a).abs().sum() + (plan.sum(dim=0) - b)",
    new="(plan.sum(dim=1) - b).abs().sum() + (plan.sum(dim=0) - a)")

@mistake("wrong_axis", "log-sum-exp over the wrong axis", check="sinkhorn_marginals",
    hint="log u has one entry per row: its logsumexp runs over the columns, dim=1; that of log v over dim=0.",
    also={("sinkhorn_plan", "sinkhorn_small_epsilon", "sinkhorn_limit"): "no plan at any epsilon",
          ("conventions", "plain_callables"): "an error where there are more rows than columns, or fewer"})
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    log_kernel, log_v = -C / epsilon, torch.zeros_like(b)
    for _ in range(min(n_iterations, 200)):
        log_u = a.log() - torch.logsumexp(log_kernel + log_v, dim=0)
        log_v = b.log() - torch.logsumexp(log_kernel + log_u[:, None], dim=1)
    return (log_u[:, None] + log_kernel + log_v).exp()

mistake("kernel_sign", "exp(+C / epsilon) instead of exp(-C / epsilon)", check="sinkhorn_plan",
    hint="Mass goes where the cost is small: the kernel is exp(-C / epsilon). With a plus the plan is the dearest one.",
    also={("sinkhorn_small_epsilon", "sinkhorn_limit"): "the dearest plan at every epsilon"},
    old="log_kernel = -C", new="log_kernel = C")

@mistake("weights_taken_uniform", "all points weighted alike, whatever a and b are", check="sinkhorn_marginals",
    hint="The rows of the plan sum to a and its columns to b: log a and log b stand in the two updates.",
    also={("sinkhorn_plan", "sinkhorn_small_epsilon"): "a plan with these marginals is wrong at every epsilon"})
def sinkhorn(solution, a, b, *args, **named):
    return solution(torch.full_like(a, 1 / len(a)), torch.full_like(b, 1 / len(b)), *args, **named)

@mistake("both_updates_from_old_values", "both vectors updated from the old ones", check="sinkhorn_marginals",
    hint="The second update needs the result of the first: log u, then log v from the new log u.",
    also={("sinkhorn_plan", "sinkhorn_small_epsilon", "sinkhorn_limit"): "it does not converge at any epsilon"})
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    log_kernel, log_u, log_v = -C / epsilon, torch.zeros_like(a), torch.zeros_like(b)
    for _ in range(n_iterations):
        log_u, log_v = (
            a.log() - torch.logsumexp(log_kernel + log_v, dim=1),
            b.log() - torch.logsumexp(log_kernel + log_u[:, None], dim=0),
        )
    return (log_kernel + log_u[:, None] + log_v).exp()

@mistake("plan_not_scaled", "the kernel returned without its scalings u and v", check="sinkhorn_marginals",
    hint="The plan is u_i exp(-C_ij / epsilon) v_j: exp(-C / epsilon) alone has neither a nor b as marginals.",
    also={("sinkhorn_plan", "sinkhorn_small_epsilon", "sinkhorn_limit"): "no plan at any epsilon"})
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    kernel = torch.exp(-C / epsilon)
    return kernel / kernel.sum()

mistake("one_iteration", "Sinkhorn stopped after one pair of updates", check="sinkhorn_marginals",
    hint="One pair of updates makes the columns right and the rows wrong: repeat until both are.",
    also={("sinkhorn_plan", "sinkhorn_small_epsilon", "sinkhorn_limit"): "the rows are wrong at every epsilon"},
    old="range(n_iterations)", new="range(1)")

mistake("iterations_ignored", "a fixed number of iterations instead of n_iterations", check="sinkhorn_plan",
    hint="Small epsilon need many iterations: run up to n_iterations, and stop earlier only where the marginals are "
    "right.",
    also={"sinkhorn_small_epsilon": "a small epsilon needs the most iterations", "conventions": "one was asked for"},
    old="range(n_iterations)", new="range(100)")

mistake("thousand_iterations", "1,000 iterations whatever n_iterations", check="sinkhorn_small_epsilon",
    hint="At epsilon = 1e-3 a thousand iterations are not enough: n_iterations is an argument, use it.",
    also={"conventions": "one was asked for"},
    old="range(n_iterations)", new="range(1000)")

mistake("tolerance_ignored", "a tolerance of its own, whatever `tolerance` is", check="sinkhorn_plan",
    hint="`tolerance` is an argument, 1e-9 where none is given: a plan that is left at 1e-3 is not the plan yet.",
    also={("sinkhorn_marginals", "sinkhorn_small_epsilon"): "left too early there, too"},
    old="error <= tolerance", new="error <= 1e-3")

mistake("iterations_unlimited", "more iterations than n_iterations", check="conventions",
    hint="n_iterations is the largest number of pairs of updates: stop there, whether the marginals are right or not.",
    old="range(n_iterations)", new="range(20 * n_iterations)")

mistake("cost_changed", "the cost divided in place", check="conventions",
    hint="`C /= epsilon` changes the cost of the caller, who needs it for transport_cost: C / epsilon.",
    old="log_kernel = -C / epsilon", new="log_kernel = C.div_(-epsilon)")

mistake("epsilon_relative", "cost divided by its maximum before epsilon is used", check="sinkhorn_plan",
    hint="epsilon is absolute: exp(-C / epsilon), with C as it is.",
    also={"sinkhorn_small_epsilon": "the plan of another epsilon, there too"},
    old="-C / epsilon", new="-C / C.max() / epsilon")

mistake("cost_with_root", "square root of the transport cost", check="transport_cost",
    hint="transport_cost is the sum of P * C itself; the root belongs to the distance W_2.",
    old="(plan * C).sum()", new="(plan * C).sum().sqrt()")

mistake("cost_with_entropy", "entropy added to the transport cost", check="transport_cost",
    hint="Sinkhorn minimises a sum of cost and entropy; transport_cost is the cost alone, the sum of P * C.",
    old="(plan * C).sum()", new="(plan * C).sum() + (plan * (plan.log() - 1)).sum()")

mistake("cost_averaged", "mean instead of sum over the plan", check="transport_cost",
    hint="The plan already holds the weights: sum P * C, and divide by nothing.",
    old="(plan * C).sum()", new="(plan * C).mean()")

mistake("line_without_root", "W_p^p returned instead of W_p", check="wasserstein_line",
    hint="The distance is the p-th root of the integral.",
    also={"wasserstein_line_sizes": "wrong for samples of any sizes"},
    old=".sum() ** (1 / p)", new=".sum()")

mistake("line_not_sorted", "points paired in the order they come", check="wasserstein_line",
    hint="On the line the optimal plan keeps the order: sort both samples first.",
    also={"wasserstein_line_sizes": "wrong for samples of any sizes"},
    old="x.sort().values[", new="x[")
mistake("line_not_sorted",
    old="y.sort().values[", new="y[")

mistake("line_whole_order", "p rounded down to an integer", check="wasserstein_line",
    hint="p is a number, 1.5 too: no int().",
    old="abs() ** p).sum() ** (1 / p)", new="abs() ** int(p)).sum() ** (1 / int(p))")

@mistake("line_truncated", "the longer sample cut to the shorter one's size", check="wasserstein_line_sizes",
    hint="With different sizes every point still counts: both quantile functions are steps, with jumps at i/n and j/m.")
def wasserstein_1d(x, y, p=1):
    n = min(len(x), len(y))
    return ((x.sort().values[:n] - y.sort().values[:n]).abs() ** p).mean() ** (1 / p)

@mistake("line_interpolated", "quantiles interpolated between the points", check="wasserstein_line_sizes",
    hint="The quantile function of a sample is a staircase: it takes the points' own values, and none between them.")
def wasserstein_1d(x, y, p=1):
    levels = torch.linspace(0, 1, max(len(x), len(y)), dtype=x.dtype)
    return ((x.quantile(levels) - y.quantile(levels)).abs() ** p).mean() ** (1 / p)

mistake("projection_not_divided", "barycentric projection not divided by the mass of each point",
    check="barycentric_projection",
    hint="P @ y sums a point's mass times its destinations; the mean needs a division by the row's sum, a_i.",
    old=" / plan.sum(dim=1, keepdim=True)", new="")

mistake("projection_uniform_rows", "every row of the plan taken to have the mass 1/n", check="barycentric_projection",
    hint="The points of x need not have equal masses: divide each row of P @ y by the row's own sum, a_i.",
    old="plan @ y / plan.sum(dim=1, keepdim=True)", new="len(plan) * plan @ y")

@mistake("projection_over_columns", "barycentric projection divided by the column sums", check="barycentric_projection",
    hint="Each point of x takes the mean over its own row: divide P @ y by P.sum(1), not by the mass of the targets.")
def barycentric_projection(plan, y):
    shares = plan / plan.sum(0)
    return shares @ y / shares.sum(1, keepdim=True)

mistake("displacement_reversed", "interpolation from the image back to the point", check="displacement",
    hint="t = 0 gives x and t = 1 gives x_mapped: (1 - t) x + t x_mapped.",
    old="(1 - t) * x + t * x_mapped", new="t * x + (1 - t) * x_mapped")

# --- wrong arguments and dtypes -------------------------------------------------------------------

mistake("time_not_checked", "t outside [0, 1] accepted", check="bad_arguments",
    hint="Outside [0, 1] the formula extrapolates: raise ValueError.",
    old="not 0 <= t <= 1", new="False")

mistake("step_shapes_not_checked", "score and noise of other shapes left to torch", check="bad_arguments",
    hint="torch raises RuntimeError, or broadcasts in silence: compare the three shapes and raise ValueError.",
    old="x.shape != score.shape or x.shape != noise.shape", new="False")

mistake("dtype_not_kept", "answers in float64 whatever the input", check="conventions",
    hint="A float32 cloud gets float32 costs: no .double(), and no new tensor without dtype=x.dtype.",
    old="squared ** (p / 2)", new="squared.double() ** (p / 2)")

# --- morphing -------------------------------------------------------------------------------------

mistake("morph_ignores_generator", "morph draws its noise from the global generator", check="morph_without_transport",
    hint="Hand the generator on to everything in morph that draws.",
    old="n_steps, generator)", new="n_steps)")

mistake("morph_ignores_score", "morph without the score", check="morph_without_transport",
    hint="The drift has two parts, score_fn(x) and the pull ot_weight * (T(x) - x).",
    old="score_fn(x) + ot_weight", new="ot_weight")

@mistake("morph_without_noise", "morph without noise", check="morph_without_transport",
    hint="Morphing is Langevin dynamics with a longer drift: each step still adds sqrt(2 step) times normal noise.")
def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    if n_steps < 1:
        raise ValueError("n_steps must be at least 1")
    n, m = len(x_source), len(x_target)
    a, b = x_source.new_full((n,), 1 / n), x_target.new_full((m,), 1 / m)
    mapped = barycentric_projection(sinkhorn(a, b, cost_matrix(x_source, x_target), epsilon), x_target)
    frames = [x_source]
    for _ in range(n_steps):
        x = frames[-1]
        frames.append(x + step * (score_fn(x).detach() + ot_weight * (mapped - x)))
    return torch.stack(frames)

mistake("morph_ignores_transport", "morph without the pull of transport", check="morph_drift",
    hint="The drift has two parts, score_fn(x) and the pull ot_weight * (T(x) - x).",
    old="score_fn(x) + ot_weight * (mapped - x)", new="score_fn(x)")

mistake("pull_is_the_image", "pull ot_weight * T(x) instead of ot_weight * (T(x) - x)", check="morph_drift",
    hint="The pull is what is left of the way: T(x) - x. It vanishes where the point has arrived.",
    old="ot_weight * (mapped - x)", new="ot_weight * mapped")

mistake("pull_without_step", "pull of transport not multiplied by the step", check="morph_drift",
    hint="The pull is part of the drift, and the step multiplies the whole drift.",
    old="ot_weight * (mapped - x)", new="ot_weight / step * (mapped - x)")

mistake("pull_from_the_first_place", "pull T(x) - x of the first frame in every step", check="morph_drift",
    hint="What is left of the way shrinks as the point moves: subtract the current x, not x_source.",
    old="ot_weight * (mapped - x)", new="ot_weight * (mapped - x_source)")

mistake("morph_epsilon_of_its_own", "an epsilon of its own, whatever epsilon is", check="morph_drift",
    hint="epsilon is an argument of morph: hand it on to sinkhorn.",
    old="x_target), epsilon)", new="x_target), 0.05)")

mistake("morph_to_the_likeliest", "each point pulled to the target point that gets most of its mass",
    check="morph_drift",
    hint="T is the barycentric projection of the plan: the mean of a point's destinations, not one of them.",
    old="barycentric_projection(plan, x_target)", new="x_target[plan.argmax(dim=1)]")

mistake("paired_by_index", "each point pulled to the target point of its own index, not to where transport sends it",
    check="morph_arrives",
    hint="Row i of the plan belongs to point i: without transport the ways cross and are longer than needed.",
    old="barycentric_projection(plan, x_target)", new="x_target[torch.arange(n) * m // n]")
