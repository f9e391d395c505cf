"""Typical wrong versions of langevin_ot's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake


@mistake(
    "log_prob_without_normaliser",
    title="log-density of the mixture without its normalising constant",
    hint="A density integrates to 1: each component carries the factor (2 pi std^2)^(-d/2), with d the dimension.",
    loses=("mixture_log_prob",),
)
def gaussian_mixture_log_prob(x, means, std, weights):
    if x.shape[1] != means.shape[1] or weights.shape != means.shape[:1]:
        raise ValueError("shapes of x, means and weights do not fit")
    squared = (x[:, None] - means).square().sum(-1)
    return torch.logsumexp(weights.log() - squared / (2 * std**2), dim=1)


@mistake(
    "normaliser_of_one_dimension",
    title="normalising constant of one dimension used in every dimension",
    hint="In d dimensions the constant is (2 pi std^2)^(-d/2): each coordinate brings its own factor.",
    loses=("mixture_log_prob",),
)
def gaussian_mixture_log_prob(x, means, std, weights):
    if x.shape[1] != means.shape[1] or weights.shape != means.shape[:1]:
        raise ValueError("shapes of x, means and weights do not fit")
    squared = (x[:, None] - means).square().sum(-1)
    log_normaliser = 0.5 * math.log(2 * math.pi * std**2)
    return torch.logsumexp(weights.log() - squared / (2 * std**2) - log_normaliser, dim=1)


@mistake(
    "normaliser_of_two_dimensions",
    title="normalising constant of the plane used in every dimension",
    hint="In d dimensions the constant is (2 pi std^2)^(-d/2): d is the number of coordinates of x, not always 2.",
    loses=("mixture_log_prob",),
)
def gaussian_mixture_log_prob(x, means, std, weights):
    if x.shape[1] != means.shape[1] or weights.shape != means.shape[:1]:
        raise ValueError("shapes of x, means and weights do not fit")
    squared = (x[:, None] - means).square().sum(-1)
    return torch.logsumexp(weights.log() - squared / (2 * std**2) - math.log(2 * math.pi * std**2), dim=1)


@mistake(
    "std_as_variance",
    title="the standard deviation used as the variance",
    hint="`std` is a standard deviation: the exponent is divided by 2 std^2, and the constant holds std^2, too.",
    loses=("mixture_log_prob",),
    may_lose=("mixture_far_away",),
)
def gaussian_mixture_log_prob(x, means, std, weights):
    if x.shape[1] != means.shape[1] or weights.shape != means.shape[:1]:
        raise ValueError("shapes of x, means and weights do not fit")
    squared = (x[:, None] - means).square().sum(-1)
    log_normaliser = 0.5 * x.shape[1] * math.log(2 * math.pi * std)
    return torch.logsumexp(weights.log() - squared / (2 * std) - log_normaliser, dim=1)


@mistake(
    "one_point_squeezed",
    title="a batch of one point loses its axis",
    hint="`squeeze()` takes away every axis of length 1, that of the batch too: sum over dim=-1 and leave the rest.",
    loses=("mixture_log_prob",),
)
def gaussian_mixture_log_prob(x, means, std, weights):
    if x.shape[1] != means.shape[1] or weights.shape != means.shape[:1]:
        raise ValueError("shapes of x, means and weights do not fit")
    squared = (x[:, None] - means).square().sum(-1)
    log_normaliser = 0.5 * x.shape[1] * math.log(2 * math.pi * std**2)
    return torch.logsumexp(weights.log() - squared / (2 * std**2) - log_normaliser, dim=1).squeeze()


@mistake(
    "log_prob_underflows",
    title="logarithm of a sum of exponentials that underflow",
    hint="Far from all modes every exponential is 0 in floating point, and log(0) is -inf: use torch.logsumexp.",
    loses=("mixture_far_away",),
)
def gaussian_mixture_log_prob(x, means, std, weights):
    if x.shape[1] != means.shape[1] or weights.shape != means.shape[:1]:
        raise ValueError("shapes of x, means and weights do not fit")
    squared = (x[:, None] - means).square().sum(-1)
    density = torch.exp(-squared / (2 * std**2)) / (2 * math.pi * std**2) ** (x.shape[1] / 2)
    return (density @ weights).log()


@mistake(
    "score_ignores_weights",
    title="responsibilities without the weights of the components",
    hint="The responsibility of a component is its weight times its density, over the sum of these.",
    loses=("mixture_score",),
)
def gaussian_mixture_score(x, means, std, weights):
    if x.shape[1] != means.shape[1] or weights.shape != means.shape[:1]:
        raise ValueError("shapes of x, means and weights do not fit")
    squared = (x[:, None] - means).square().sum(-1)
    return (torch.softmax(-squared / (2 * std**2), dim=1) @ means - x) / std**2


@mistake(
    "score_softmax_over_points",
    title="responsibilities normalised over the points instead of the components",
    hint="The responsibilities of one point sum to 1 over the components: the softmax runs over K, not over B.",
    loses=("mixture_score", "mixture_far_away"),
)
def gaussian_mixture_score(x, means, std, weights):
    if x.shape[1] != means.shape[1] or weights.shape != means.shape[:1]:
        raise ValueError("shapes of x, means and weights do not fit")
    squared = (x[:, None] - means).square().sum(-1)
    r = torch.softmax(weights.log() - squared / (2 * std**2), dim=0)
    return (r[..., None] * (means - x[:, None])).sum(1) / std**2


@mistake(
    "score_of_nearest_mode",
    title="score of the nearest component alone",
    hint="Between the modes every component pulls: the score is a mean of theirs, weighted by the responsibilities.",
    loses=("mixture_score",),
)
def gaussian_mixture_score(x, means, std, weights):
    if x.shape[1] != means.shape[1] or weights.shape != means.shape[:1]:
        raise ValueError("shapes of x, means and weights do not fit")
    nearest = (x[:, None] - means).square().sum(-1).argmin(dim=1)
    return (means[nearest] - x) / std**2


@mistake(
    "score_sign",
    title="score with its sign reversed",
    hint="The score points to where the density grows: from x towards the means, m - x.",
    loses=("mixture_score",),
)
def gaussian_mixture_score(x, means, std, weights):
    if x.shape[1] != means.shape[1] or weights.shape != means.shape[:1]:
        raise ValueError("shapes of x, means and weights do not fit")
    squared = (x[:, None] - means).square().sum(-1)
    return (x - torch.softmax(weights.log() - squared / (2 * std**2), dim=1) @ means) / std**2


@mistake(
    "score_over_std",
    title="score divided by the standard deviation instead of the variance",
    hint="Differentiate -|x - m|^2 / (2 std^2) in x: the square of std stays in the denominator.",
    loses=("mixture_score",),
)
def gaussian_mixture_score(x, means, std, weights):
    if x.shape[1] != means.shape[1] or weights.shape != means.shape[:1]:
        raise ValueError("shapes of x, means and weights do not fit")
    squared = (x[:, None] - means).square().sum(-1)
    return (torch.softmax(weights.log() - squared / (2 * std**2), dim=1) @ means - x) / std


@mistake(
    "score_underflows",
    title="responsibilities as a quotient of densities that underflow",
    hint="Far from all modes the quotient is 0/0. The responsibilities are a softmax of log-weights and exponents.",
    loses=("mixture_far_away",),
)
def gaussian_mixture_score(x, means, std, weights):
    if x.shape[1] != means.shape[1] or weights.shape != means.shape[:1]:
        raise ValueError("shapes of x, means and weights do not fit")
    density = weights * torch.exp(-(x[:, None] - means).square().sum(-1) / (2 * std**2))
    return (density @ means / density.sum(1, keepdim=True) - x) / std**2


@mistake(
    "noise_without_root",
    title="noise scaled by 2 step instead of its square root",
    hint="The variance of the noise grows with the step, so the noise itself with its square root: sqrt(2 step).",
    loses=("langevin_step",),
)
def langevin_step(x, score, step, noise):
    if x.shape != score.shape or x.shape != noise.shape:
        raise ValueError("x, score and noise must have one shape")
    return x + step * score + 2 * step * noise


@mistake(
    "noise_sqrt_step",
    title="noise sqrt(step) beside the drift step * score",
    hint="Two conventions are mixed: sqrt(2 step) goes with step * score, sqrt(step) with step / 2 * score. This chain "
    "samples the square of the density, normalised.",
    loses=("langevin_step",),
)
def langevin_step(x, score, step, noise):
    if x.shape != score.shape or x.shape != noise.shape:
        raise ValueError("x, score and noise must have one shape")
    return x + step * score + math.sqrt(step) * noise


@mistake(
    "half_step",
    title="the course's other convention: step / 2 * score and sqrt(step)",
    hint="This is the chain of half the step. The contract is step * score and sqrt(2 step).",
    loses=("langevin_step",),
)
def langevin_step(x, score, step, noise):
    if x.shape != score.shape or x.shape != noise.shape:
        raise ValueError("x, score and noise must have one shape")
    return x + 0.5 * step * score + math.sqrt(step) * noise


@mistake(
    "descent_on_score",
    title="steps against the score",
    hint="The score points to where the density grows; Langevin dynamics climbs it, + step * score.",
    loses=("langevin_step", "langevin_modes", "morph_arrives"),
)
def langevin_step(x, score, step, noise):
    if x.shape != score.shape or x.shape != noise.shape:
        raise ValueError("x, score and noise must have one shape")
    return x - step * score + math.sqrt(2 * step) * noise


@mistake(
    "trajectory_without_start",
    title="trajectory without x0",
    hint="The trajectory has n_steps + 1 frames: x0 comes first.",
    loses=(
        "langevin_trajectory",
        "langevin_noise",
        "langevin_stationary",
        "langevin_modes",
        "morph_drift",
        "morph_arrives",
        "conventions",
    ),
)
def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    if n_steps < 1:
        raise ValueError("n_steps must be at least 1")
    x, frames = x0, []
    for _ in range(n_steps):
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
        x = langevin_step(x, score_fn(x).detach(), step, noise)
        frames.append(x)
    return torch.stack(frames)


@mistake(
    "frames_share_memory",
    title="one tensor changed in place, so that all frames are the last one",
    hint="`x += ...` changes the tensor that is already in the list: append x.clone(), or write x = x + ...",
    loses=("langevin_trajectory", "langevin_noise", "morph_without_transport", "morph_drift", "morph_arrives"),
)
def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    if n_steps < 1:
        raise ValueError("n_steps must be at least 1")
    x = x0.clone()
    frames = [x]
    for _ in range(n_steps):
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
        x.copy_(langevin_step(x, score_fn(x).detach(), step, noise))
        frames.append(x)
    return torch.stack(frames)


@mistake(
    "generator_ignored",
    title="noise that does not come from the generator",
    hint="Hand the generator on to torch.randn(..., generator=generator): two generators of one seed then give one "
    "chain.",
    loses=("langevin_trajectory",),
)
def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    if n_steps < 1:
        raise ValueError("n_steps must be at least 1")
    frames = [x0]
    for _ in range(n_steps):
        frames.append(langevin_step(frames[-1], score_fn(frames[-1]).detach(), step, torch.randn_like(x0)))
    return torch.stack(frames)


@mistake(
    "noise_shared_by_chains",
    title="one noise vector for all chains",
    hint="Each chain needs noise of its own: draw (B, d) numbers in every step, not (d,) or (1, d).",
    loses=("langevin_noise", "langevin_stationary", "langevin_modes"),
)
def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    if n_steps < 1:
        raise ValueError("n_steps must be at least 1")
    frames = [x0]
    for _ in range(n_steps):
        noise = torch.randn(x0.shape[1:], generator=generator, dtype=x0.dtype).expand_as(x0)
        frames.append(langevin_step(frames[-1], score_fn(frames[-1]).detach(), step, noise))
    return torch.stack(frames)


@mistake(
    "noise_shared_by_coordinates",
    title="one number of noise for all coordinates of a point",
    hint="Each coordinate needs noise of its own: draw (B, d) numbers in every step, not (B, 1).",
    loses=("langevin_noise", "langevin_stationary"),
    may_lose=("langevin_modes",),
)
def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    if n_steps < 1:
        raise ValueError("n_steps must be at least 1")
    frames = [x0]
    for _ in range(n_steps):
        noise = torch.randn(len(x0), 1, generator=generator, dtype=x0.dtype).expand_as(x0)
        frames.append(langevin_step(frames[-1], score_fn(frames[-1]).detach(), step, noise))
    return torch.stack(frames)


@mistake(
    "noise_drawn_once",
    title="the same noise in every step",
    hint="Draw fresh noise inside the loop.",
    loses=("langevin_noise", "langevin_stationary", "langevin_modes"),
)
def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    if n_steps < 1:
        raise ValueError("n_steps must be at least 1")
    noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype)
    frames = [x0]
    for _ in range(n_steps):
        frames.append(langevin_step(frames[-1], score_fn(frames[-1]).detach(), step, noise))
    return torch.stack(frames)


@mistake(
    "noise_uniform",
    title="uniform noise instead of normal noise",
    hint="torch.rand draws uniform numbers in [0, 1), of mean 1/2; Langevin dynamics needs torch.randn.",
    loses=("langevin_noise", "langevin_stationary", "langevin_modes"),
)
def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    if n_steps < 1:
        raise ValueError("n_steps must be at least 1")
    frames = [x0]
    for _ in range(n_steps):
        noise = torch.rand(x0.shape, generator=generator, dtype=x0.dtype)
        frames.append(langevin_step(frames[-1], score_fn(frames[-1]).detach(), step, noise))
    return torch.stack(frames)


@mistake(
    "score_frozen",
    title="score of the starting points used in every step",
    hint="The drift changes along the way: call score_fn on the current points, inside the loop.",
    loses=("langevin_noise", "langevin_stationary", "langevin_modes", "morph_drift", "morph_arrives"),
)
def langevin_sample(score_fn, x0, step, n_steps, generator=None):
    if n_steps < 1:
        raise ValueError("n_steps must be at least 1")
    score = score_fn(x0).detach()
    frames = [x0]
    for _ in range(n_steps):
        noise = torch.randn(x0.shape, generator=generator, dtype=x0.dtype)
        frames.append(langevin_step(frames[-1], score, step, noise))
    return torch.stack(frames)


@mistake(
    "matching_sign",
    title="denoising target with its sign reversed",
    hint="The score points back from the noise to the data: the target is -noise / sigma.",
    loses=("matching_loss",),
)
def denoising_score_matching_loss(model, x, sigma, noise):
    if x.shape != noise.shape:
        raise ValueError("x and noise must have one shape")
    return (model(x + sigma * noise) - noise / sigma).square().mean()


@mistake(
    "matching_without_sigma",
    title="denoising target not divided by sigma",
    hint="-noise is what a denoising network of diffusion predicts; the score of the blur is -noise / sigma.",
    loses=("matching_loss",),
)
def denoising_score_matching_loss(model, x, sigma, noise):
    if x.shape != noise.shape:
        raise ValueError("x and noise must have one shape")
    return (model(x + sigma * noise) + noise).square().mean()


@mistake(
    "matching_over_variance",
    title="denoising target divided by sigma squared",
    hint="-(noisy - x) / sigma^2 is the target, and noisy - x is sigma * noise already: -noise / sigma is left.",
    loses=("matching_loss",),
)
def denoising_score_matching_loss(model, x, sigma, noise):
    if x.shape != noise.shape:
        raise ValueError("x and noise must have one shape")
    return (model(x + sigma * noise) + noise / sigma**2).square().mean()


@mistake(
    "matching_on_clean_data",
    title="model called on the clean data",
    hint="The network sees the blurred points: model(x + sigma * noise).",
    loses=("matching_loss",),
)
def denoising_score_matching_loss(model, x, sigma, noise):
    if x.shape != noise.shape:
        raise ValueError("x and noise must have one shape")
    return (model(x) + noise / sigma).square().mean()


@mistake(
    "matching_summed",
    title="loss summed over the dimensions",
    hint="The mean runs over all B * d entries, dimensions included.",
    loses=("matching_loss",),
)
def denoising_score_matching_loss(model, x, sigma, noise):
    if x.shape != noise.shape:
        raise ValueError("x and noise must have one shape")
    return (model(x + sigma * noise) + noise / sigma).square().sum(dim=1).mean()


@mistake(
    "matching_weighted",
    title="loss multiplied by sigma squared",
    hint="The weight sigma^2 balances several noise levels (Song and Ermon); here the loss has no weight.",
    loses=("matching_loss",),
)
def denoising_score_matching_loss(model, x, sigma, noise):
    if x.shape != noise.shape:
        raise ValueError("x and noise must have one shape")
    return sigma**2 * (model(x + sigma * noise) + noise / sigma).square().mean()


@mistake(
    "matching_detached",
    title="loss without a gradient",
    hint="Nothing on the way from the model to the loss may cut the graph: no torch.no_grad, .detach() or .item().",
    loses=("matching_gradient",),
)
def denoising_score_matching_loss(model, x, sigma, noise):
    if x.shape != noise.shape:
        raise ValueError("x and noise must have one shape")
    with torch.no_grad():
        return (model(x + sigma * noise) + noise / sigma).square().mean()


@mistake(
    "cost_not_raised",
    title="distance not raised to the power p",
    hint="C is the Euclidean distance to the power p; p does not choose the norm, which stays Euclidean.",
    loses=("cost_matrix", "morph_arrives"),
)
def cost_matrix(x, y, p=2):
    if x.shape[1] != y.shape[1]:
        raise ValueError("x and y must have one dimension")
    return (x[:, None] - y).square().sum(-1).sqrt()


@mistake(
    "cost_of_the_p_norm",
    title="p-norm raised to p instead of the Euclidean distance raised to p",
    hint="Sum the squares of the coordinates' differences first, and raise the distance to p then.",
    loses=("cost_matrix",),
)
def cost_matrix(x, y, p=2):
    if x.shape[1] != y.shape[1]:
        raise ValueError("x and y must have one dimension")
    return (x[:, None] - y).abs().pow(p).sum(-1)


@mistake(
    "cost_always_squared",
    title="squared distance whatever p",
    hint="p = 2 is the default, not the only power: raise the distance to p.",
    loses=("cost_matrix",),
)
def cost_matrix(x, y, p=2):
    if x.shape[1] != y.shape[1]:
        raise ValueError("x and y must have one dimension")
    return (x[:, None] - y).square().sum(-1)


@mistake(
    "sinkhorn_linear_domain",
    title="Sinkhorn on exp(-C / epsilon), which underflows",
    hint="At epsilon = 1e-3 whole rows of exp(-C / epsilon) are 0. Keep log u and log v, and use torch.logsumexp.",
    loses=("sinkhorn_small_epsilon",),
)
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    if C.shape != (len(a), len(b)) or n_iterations < 1:
        raise ValueError("C must be (n, m), n_iterations at least 1")
    kernel = torch.exp(-C / epsilon)
    v = torch.ones_like(b)
    for _ in range(n_iterations):
        u = a / (kernel @ v)
        v = b / (kernel.T @ u)
        plan = u[:, None] * kernel * v
        if (plan.sum(1) - a).abs().sum() <= tolerance:
            break
    return plan


@mistake(
    "marginals_swapped",
    title="a and b swapped in Sinkhorn's updates",
    hint="The rows of the plan belong to a, its columns to b: log u has one entry per row and uses a.",
    loses=("sinkhorn_marginals", "sinkhorn_plan", "sinkhorn_small_epsilon", "morph_drift"),
)
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    if C.shape != (len(a), len(b)) or n_iterations < 1:
        raise ValueError("C must be (n, m), n_iterations at least 1")
    log_kernel, log_v = -C / epsilon, torch.zeros_like(b)
    for _ in range(n_iterations):
        before = log_v
        log_u = b.log() - torch.logsumexp(log_kernel + log_v, dim=1)
        log_v = a.log() - torch.logsumexp(log_kernel + log_u[:, None], dim=0)
        if (log_v - before).abs().max() < tolerance:
            break
    return (log_u[:, None] + log_kernel + log_v).exp()


@mistake(
    "wrong_axis",
    title="log-sum-exp over the wrong axis",
    hint="log u has one entry per row: its logsumexp runs over the columns, dim=1; that of log v over dim=0.",
    loses=(
        "sinkhorn_marginals",
        "sinkhorn_plan",
        "sinkhorn_small_epsilon",
        "sinkhorn_limit",
        "morph_without_transport",
        "morph_drift",
        "morph_arrives",
    ),
)
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    if C.shape != (len(a), len(b)) or n_iterations < 1:
        raise ValueError("C must be (n, m), n_iterations at least 1")
    log_kernel, log_v = -C / epsilon, torch.zeros_like(b)
    for _ in range(min(n_iterations, 200)):
        log_u = a.log() - torch.logsumexp(log_kernel + log_v, dim=0)
        log_v = b.log() - torch.logsumexp(log_kernel + log_u[:, None], dim=1)
    return (log_u[:, None] + log_kernel + log_v).exp()


@mistake(
    "kernel_sign",
    title="exp(+C / epsilon) instead of exp(-C / epsilon)",
    hint="Mass goes where the cost is small: the kernel is exp(-C / epsilon). With a plus the plan is the dearest one.",
    loses=("sinkhorn_plan", "sinkhorn_small_epsilon", "sinkhorn_limit", "morph_arrives"),
)
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9, _right=sinkhorn):
    return _right(a, b, -C, epsilon, n_iterations, tolerance)


@mistake(
    "weights_taken_uniform",
    title="all points weighted alike, whatever a and b are",
    hint="The rows of the plan sum to a and its columns to b: log a and log b stand in the two updates.",
    loses=("sinkhorn_marginals", "sinkhorn_plan", "sinkhorn_small_epsilon"),
)
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    if C.shape != (len(a), len(b)) or n_iterations < 1:
        raise ValueError("C must be (n, m) and n_iterations at least 1")
    log_kernel, log_v = -C / epsilon, torch.zeros_like(b)
    for _ in range(n_iterations):
        log_u = -math.log(len(a)) - torch.logsumexp(log_kernel + log_v, dim=1)
        log_v = -math.log(len(b)) - torch.logsumexp(log_kernel + log_u[:, None], dim=0)
        rows = (log_kernel + log_u[:, None] + log_v).exp().sum(1)
        if (rows * len(a) - 1).abs().mean() < tolerance:
            break
    return (log_kernel + log_u[:, None] + log_v).exp()


@mistake(
    "both_updates_from_old_values",
    title="both vectors updated from the old ones",
    hint="The second update needs the result of the first: log u, then log v from the new log u.",
    loses=("sinkhorn_marginals", "sinkhorn_plan", "sinkhorn_small_epsilon", "sinkhorn_limit"),
)
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    if C.shape != (len(a), len(b)) or n_iterations < 1:
        raise ValueError("C must be (n, m) and n_iterations at least 1")
    log_kernel, log_u, log_v = -C / epsilon, torch.zeros_like(a), torch.zeros_like(b)
    for _ in range(n_iterations):
        log_u, log_v = (
            a.log() - torch.logsumexp(log_kernel + log_v, dim=1),
            b.log() - torch.logsumexp(log_kernel + log_u[:, None], dim=0),
        )
    return (log_kernel + log_u[:, None] + log_v).exp()


@mistake(
    "plan_not_scaled",
    title="the kernel returned without its scalings u and v",
    hint="The plan is u_i exp(-C_ij / epsilon) v_j: exp(-C / epsilon) alone has neither a nor b as marginals.",
    loses=(
        "sinkhorn_marginals",
        "sinkhorn_plan",
        "sinkhorn_small_epsilon",
        "sinkhorn_limit",
        "morph_drift",
        "morph_arrives",
    ),
)
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    if C.shape != (len(a), len(b)) or n_iterations < 1:
        raise ValueError("C must be (n, m), n_iterations at least 1")
    kernel = torch.exp(-C / epsilon)
    return kernel / kernel.sum()


@mistake(
    "one_iteration",
    title="Sinkhorn stopped after one pair of updates",
    hint="One pair of updates makes the columns right and the rows wrong: repeat until both are.",
    loses=(
        "sinkhorn_marginals",
        "sinkhorn_plan",
        "sinkhorn_small_epsilon",
        "sinkhorn_limit",
        "morph_drift",
        "morph_arrives",
    ),
)
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    if C.shape != (len(a), len(b)) or n_iterations < 1:
        raise ValueError("C must be (n, m), n_iterations at least 1")
    log_kernel = -C / epsilon
    log_u = a.log() - torch.logsumexp(log_kernel, dim=1)
    log_v = b.log() - torch.logsumexp(log_kernel + log_u[:, None], dim=0)
    return (log_u[:, None] + log_kernel + log_v).exp()


@mistake(
    "iterations_ignored",
    title="a fixed number of iterations instead of n_iterations",
    hint="Small epsilon need many iterations: run up to n_iterations, and stop earlier only where the marginals are "
    "right.",
    loses=("sinkhorn_plan", "sinkhorn_small_epsilon"),
)
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    if C.shape != (len(a), len(b)) or n_iterations < 1:
        raise ValueError("C must be (n, m), n_iterations at least 1")
    log_kernel, log_v = -C / epsilon, torch.zeros_like(b)
    for _ in range(100):
        log_u = a.log() - torch.logsumexp(log_kernel + log_v, dim=1)
        log_v = b.log() - torch.logsumexp(log_kernel + log_u[:, None], dim=0)
    return (log_u[:, None] + log_kernel + log_v).exp()


@mistake(
    "thousand_iterations",
    title="1,000 iterations whatever n_iterations",
    hint="At epsilon = 1e-3 a thousand iterations are not enough: n_iterations is an argument, use it.",
    loses=("sinkhorn_small_epsilon",),
)
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    if C.shape != (len(a), len(b)) or n_iterations < 1:
        raise ValueError("C must be (n, m), n_iterations at least 1")
    log_kernel, log_v = -C / epsilon, torch.zeros_like(b)
    for _ in range(1000):
        log_u = a.log() - torch.logsumexp(log_kernel + log_v, dim=1)
        log_v = b.log() - torch.logsumexp(log_kernel + log_u[:, None], dim=0)
    return (log_u[:, None] + log_kernel + log_v).exp()


@mistake(
    "epsilon_relative",
    title="cost divided by its maximum before epsilon is used",
    hint="epsilon is absolute: exp(-C / epsilon), with C as it is.",
    loses=("sinkhorn_plan", "sinkhorn_small_epsilon", "morph_arrives"),
)
def sinkhorn(a, b, C, epsilon, n_iterations=1000, tolerance=1e-9):
    if C.shape != (len(a), len(b)) or n_iterations < 1:
        raise ValueError("C must be (n, m), n_iterations at least 1")
    log_kernel, log_v = -C / C.max() / epsilon, torch.zeros_like(b)
    for _ in range(n_iterations):
        log_u = a.log() - torch.logsumexp(log_kernel + log_v, dim=1)
        log_v = b.log() - torch.logsumexp(log_kernel + log_u[:, None], dim=0)
        plan = (log_u[:, None] + log_kernel + log_v).exp()
        if (plan.sum(1) - a).abs().sum() <= tolerance:
            break
    return plan


@mistake(
    "cost_with_root",
    title="square root of the transport cost",
    hint="transport_cost is the sum of P * C itself; the root belongs to the distance W_2.",
    loses=("transport_cost",),
)
def transport_cost(plan, C):
    if plan.shape != C.shape:
        raise ValueError("plan and C must have one shape")
    return (plan * C).sum().sqrt()


@mistake(
    "cost_with_entropy",
    title="entropy added to the transport cost",
    hint="Sinkhorn minimises a sum of cost and entropy; transport_cost is the cost alone, the sum of P * C.",
    loses=("transport_cost",),
)
def transport_cost(plan, C):
    if plan.shape != C.shape:
        raise ValueError("plan and C must have one shape")
    return (plan * C).sum() + (plan * (plan.log() - 1)).sum()


@mistake(
    "cost_averaged",
    title="mean instead of sum over the plan",
    hint="The plan already holds the weights: sum P * C, and divide by nothing.",
    loses=("transport_cost",),
)
def transport_cost(plan, C):
    if plan.shape != C.shape:
        raise ValueError("plan and C must have one shape")
    return (plan * C).mean()


@mistake(
    "line_without_root",
    title="W_p^p returned instead of W_p",
    hint="The distance is the p-th root of the integral.",
    loses=("wasserstein_line", "wasserstein_line_sizes"),
)
def wasserstein_1d(x, y, p=1):
    if x.dim() != 1 or y.dim() != 1:
        raise ValueError("x and y must be 1-D")
    n, m = len(x), len(y)
    jumps = torch.cat([torch.arange(1, n + 1) * m, torch.arange(1, m + 1) * n]).unique()
    widths = jumps.diff(prepend=jumps.new_zeros(1)).to(x.dtype) / (n * m)
    x, y = x.sort().values[(jumps - 1) // m], y.sort().values[(jumps - 1) // n]
    return (widths * (x - y).abs() ** p).sum()


@mistake(
    "line_not_sorted",
    title="points paired in the order they come",
    hint="On the line the optimal plan keeps the order: sort both samples first.",
    loses=("wasserstein_line", "wasserstein_line_sizes"),
)
def wasserstein_1d(x, y, p=1):
    if x.dim() != 1 or y.dim() != 1:
        raise ValueError("x and y must be 1-D")
    n, m = len(x), len(y)
    jumps = torch.cat([torch.arange(1, n + 1) * m, torch.arange(1, m + 1) * n]).unique()
    widths = jumps.diff(prepend=jumps.new_zeros(1)).to(x.dtype) / (n * m)
    x, y = x[(jumps - 1) // m], y[(jumps - 1) // n]
    return (widths * (x - y).abs() ** p).sum() ** (1 / p)


@mistake(
    "line_truncated",
    title="the longer sample cut to the shorter one's size",
    hint="With different sizes every point still counts: both quantile functions are steps, with jumps at i/n and j/m.",
    loses=("wasserstein_line_sizes",),
)
def wasserstein_1d(x, y, p=1):
    if x.dim() != 1 or y.dim() != 1:
        raise ValueError("x and y must be 1-D")
    n = min(len(x), len(y))
    return ((x.sort().values[:n] - y.sort().values[:n]).abs() ** p).mean() ** (1 / p)


@mistake(
    "line_interpolated",
    title="quantiles interpolated between the points",
    hint="The quantile function of a sample is a staircase: it takes the points' own values, and none between them.",
    loses=("wasserstein_line_sizes",),
)
def wasserstein_1d(x, y, p=1):
    if x.dim() != 1 or y.dim() != 1:
        raise ValueError("x and y must be 1-D")
    n = max(len(x), len(y))
    levels = torch.linspace(0, 1, n, dtype=x.dtype)
    return ((x.quantile(levels) - y.quantile(levels)).abs() ** p).mean() ** (1 / p)


@mistake(
    "projection_not_divided",
    title="barycentric projection not divided by the mass of each point",
    hint="P @ y sums a point's mass times its destinations; the mean needs a division by the row's sum, a_i.",
    loses=("barycentric_projection", "morph_drift", "morph_arrives"),
)
def barycentric_projection(plan, y):
    if plan.shape[1] != len(y):
        raise ValueError("plan must have one column per point of y")
    return plan @ y


@mistake(
    "projection_over_columns",
    title="barycentric projection divided by the column sums",
    hint="Each point of x takes the mean over its own row: divide P @ y by P.sum(1), not by the mass of the targets.",
    loses=("barycentric_projection",),
)
def barycentric_projection(plan, y):
    if plan.shape[1] != len(y):
        raise ValueError("plan must have one column per point of y")
    return (plan / plan.sum(0)) @ y / (plan / plan.sum(0)).sum(1, keepdim=True)


@mistake(
    "displacement_reversed",
    title="interpolation from the image back to the point",
    hint="t = 0 gives x and t = 1 gives x_mapped: (1 - t) x + t x_mapped.",
    loses=("displacement",),
)
def displacement_interpolation(x, x_mapped, t):
    if x.shape != x_mapped.shape or not 0 <= t <= 1:
        raise ValueError("x and x_mapped must have one shape, t must lie in [0, 1]")
    return t * x + (1 - t) * x_mapped


@mistake(
    "time_not_checked",
    title="t outside [0, 1] accepted",
    hint="Outside [0, 1] the formula extrapolates: raise ValueError.",
    loses=("bad_arguments",),
)
def displacement_interpolation(x, x_mapped, t):
    if x.shape != x_mapped.shape:
        raise ValueError("x and x_mapped must have one shape")
    return (1 - t) * x + t * x_mapped


@mistake(
    "step_shapes_not_checked",
    title="score and noise of other shapes left to torch",
    hint="torch raises RuntimeError, or broadcasts in silence: compare the three shapes and raise ValueError.",
    loses=("bad_arguments",),
)
def langevin_step(x, score, step, noise):
    return x + step * score + math.sqrt(2 * step) * noise


@mistake(
    "dtype_not_kept",
    title="answers in float64 whatever the input",
    hint="A float32 cloud gets float32 costs: no .double(), and no new tensor without dtype=x.dtype.",
    loses=("conventions",),
)
def cost_matrix(x, y, p=2):
    if x.shape[1] != y.shape[1]:
        raise ValueError("x and y must have one dimension")
    return (x[:, None].double() - y.double()).square().sum(-1) ** (p / 2)


@mistake(
    "morph_ignores_generator",
    title="morph draws its noise from the global generator",
    hint="Hand the generator on to everything in morph that draws.",
    loses=("morph_without_transport",),
)
def morph(*args, generator=None, _right=morph, **kwargs):
    return _right(*args, **kwargs)


@mistake(
    "morph_ignores_score",
    title="morph without the score",
    hint="The drift has two parts, score_fn(x) and the pull ot_weight * (T(x) - x).",
    loses=("morph_without_transport", "morph_drift"),
)
def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    if n_steps < 1:
        raise ValueError("n_steps must be at least 1")
    a, b = (
        x_source.new_full((len(x_source),), 1 / len(x_source)),
        x_target.new_full((len(x_target),), 1 / len(x_target)),
    )
    mapped = barycentric_projection(sinkhorn(a, b, cost_matrix(x_source, x_target), epsilon), x_target)
    return langevin_sample(lambda x: ot_weight * (mapped - x), x_source, step, n_steps, generator)


@mistake(
    "morph_without_noise",
    title="morph without noise",
    hint="Morphing is Langevin dynamics with a longer drift: each step still adds sqrt(2 step) times normal noise.",
    loses=("morph_without_transport", "morph_drift"),
)
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


@mistake(
    "morph_ignores_transport",
    title="morph without the pull of transport",
    hint="The drift has two parts, score_fn(x) and the pull ot_weight * (T(x) - x).",
    loses=("morph_drift", "morph_arrives"),
)
def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    if x_source.shape[1] != x_target.shape[1]:
        raise ValueError("the clouds must have one dimension")
    return langevin_sample(score_fn, x_source, step, n_steps, generator)


@mistake(
    "pull_is_the_image",
    title="pull ot_weight * T(x) instead of ot_weight * (T(x) - x)",
    hint="The pull is what is left of the way: T(x) - x. It vanishes where the point has arrived.",
    loses=("morph_drift", "morph_arrives"),
)
def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    if n_steps < 1:
        raise ValueError("n_steps must be at least 1")
    a, b = (
        x_source.new_full((len(x_source),), 1 / len(x_source)),
        x_target.new_full((len(x_target),), 1 / len(x_target)),
    )
    mapped = barycentric_projection(sinkhorn(a, b, cost_matrix(x_source, x_target), epsilon), x_target)
    return langevin_sample(lambda x: score_fn(x) + ot_weight * mapped, x_source, step, n_steps, generator)


@mistake(
    "pull_without_step",
    title="pull of transport not multiplied by the step",
    hint="The pull is part of the drift, and the step multiplies the whole drift.",
    loses=("morph_drift", "morph_arrives"),
)
def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    if n_steps < 1:
        raise ValueError("n_steps must be at least 1")
    a, b = (
        x_source.new_full((len(x_source),), 1 / len(x_source)),
        x_target.new_full((len(x_target),), 1 / len(x_target)),
    )
    mapped = barycentric_projection(sinkhorn(a, b, cost_matrix(x_source, x_target), epsilon), x_target)
    return langevin_sample(lambda x: score_fn(x) + ot_weight / step * (mapped - x), x_source, step, n_steps, generator)


@mistake(
    "pull_from_the_first_place",
    title="pull T(x) - x of the first frame in every step",
    hint="What is left of the way shrinks as the point moves: subtract the current x, not x_source.",
    loses=("morph_drift", "morph_arrives"),
)
def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    if n_steps < 1:
        raise ValueError("n_steps must be at least 1")
    a, b = (
        x_source.new_full((len(x_source),), 1 / len(x_source)),
        x_target.new_full((len(x_target),), 1 / len(x_target)),
    )
    mapped = barycentric_projection(sinkhorn(a, b, cost_matrix(x_source, x_target), epsilon), x_target)
    return langevin_sample(lambda x: score_fn(x) + ot_weight * (mapped - x_source), x_source, step, n_steps, generator)


@mistake(
    "paired_by_index",
    title="each point pulled to the target point of its own index, not to where transport sends it",
    hint="Row i of the plan belongs to point i: without transport the ways cross and are longer than needed.",
    loses=("morph_arrives",),
)
def morph(x_source, x_target, score_fn, n_steps, step, ot_weight, epsilon, generator=None):
    if x_source.shape[1] != x_target.shape[1] or n_steps < 1:
        raise ValueError("the clouds must have one dimension, n_steps must be at least 1")
    n, m = len(x_source), len(x_target)
    mapped = x_target[torch.arange(n) * m // n]
    return langevin_sample(lambda x: score_fn(x) + ot_weight * (mapped - x), x_source, step, n_steps, generator)
