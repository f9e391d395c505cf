"""Typical wrong versions of score_sde's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake

# A catalogue: each entry is a paragraph.
# fmt: off
# --- forward --------------------------------------------------------------------------------------

mistake("moments_variance_for_std", "the variance 1 - e^-2t returned as the standard deviation", check="ou_moments",
    hint="std multiplies the noise: it is the square root of the variance 1 - e^-2t.",
    old="torch.exp(-t), torch.sqrt(-torch.expm1(-2 * t))", new="torch.exp(-t), -torch.expm1(-2 * t)")
mistake("moments_variance_for_std",
    old="math.exp(-t), math.sqrt(-math.expm1(-2 * t))", new="math.exp(-t), -math.expm1(-2 * t)")

mistake("moments_std_of_decay", "std √(1 - e^-t) where √(1 - e^-2t) belongs", check="ou_moments",
    hint="decay² + std² = 1: the variance of the noise is 1 - (e^-t)² = 1 - e^-2t.",
    old="torch.exp(-t), torch.sqrt(-torch.expm1(-2 * t))", new="torch.exp(-t), torch.sqrt(-torch.expm1(-t))")
mistake("moments_std_of_decay",
    old="math.exp(-t), math.sqrt(-math.expm1(-2 * t))", new="math.exp(-t), math.sqrt(-math.expm1(-t))")

mistake("moments_at_half_speed", "moments of dx = -x/2 dt + dW", check="ou_moments",
    hint="Two conventions: here dx = -x dt + √2 dW, whose decay is e^-t and not e^(-t/2).",
    old="torch.exp(-t), torch.sqrt(-torch.expm1(-2 * t))", new="torch.exp(-t / 2), torch.sqrt(-torch.expm1(-t))")
mistake("moments_at_half_speed",
    old="math.exp(-t), math.sqrt(-math.expm1(-2 * t))", new="math.exp(-t / 2), math.sqrt(-math.expm1(-t))")

mistake("sample_without_decay", "x_0 not shrunk by e^-t", check="ou_sample",
    hint="The drift -x pulls the data to 0: x_t = decay · x_0 + std · noise.",
    old="return decay * x0 + std * noise", new="return x0 + std * noise")

mistake("sample_first_time", "the first time used for all rows", check="ou_sample",
    hint="t may be (B,), one time per row: make it a column, t[:, None], so that each row gets its own.",
    also={"train_history": "which noise the model was shown cannot be told any more"},
    old="decay, std = row_moments(t, x0)\n    return decay * x0",
    new="row_moments(t, x0)\n    decay, std = row_moments(t if isinstance(t, float) else float(t[0]), x0)\n"
    "    return decay * x0")

mistake("step_noise_without_root", "noise scaled by 2 dt instead of its square root", check="ou_step",
    hint="The variance of the noise grows with dt, so the noise itself with its square root: sqrt(2 dt).",
    function="ou_step", old="math.sqrt(2 * dt)", new="2 * dt")

mistake("step_noise_sqrt_dt", "noise sqrt(dt) instead of sqrt(2 dt)", check="ou_step",
    hint="The equation says √2 dW: the variance of the noise of a step is 2 dt.",
    function="ou_step", old="math.sqrt(2 * dt)", new="math.sqrt(dt)")

mistake("step_exact_transition", "the exact transition instead of Euler's step", check="ou_step",
    hint="Asked for is Euler-Maruyama, x - dt·x + sqrt(2 dt)·noise: its bias is the point.",
    old="x - dt * x + math.sqrt(2 * dt) * noise", new="math.exp(-dt) * x + math.sqrt(-math.expm1(-2 * dt)) * noise")

# --- noised scores --------------------------------------------------------------------------------

mistake("score_means_not_shrunk", "centres not shrunk by e^-t", check="noised_score",
    hint="At time t the components sit at e^-t m_k: the drift has pulled them in.",
    old="decay[..., None] * means", new="means")

mistake("score_std_not_shrunk", "spread of the components not shrunk by e^-t", check="noised_score",
    hint="What is left of the components' own variance is e^-2t std^2; the noise adds 1 - e^-2t.",
    old="(decay * std) ** 2 + spread**2", new="std**2 + spread**2")

mistake("score_stds_added", "standard deviations added instead of variances", check="noised_score",
    hint="Variances of independent things add, standard deviations do not.",
    old="(decay * std) ** 2 + spread**2", new="(decay * std + spread) ** 2")

mistake("score_weights_ignored", "responsibilities without the weights of the components", check="noised_score",
    hint="The probability of a component is its weight times its density, over the sum of these.",
    old="weights.log() - gaps", new="-gaps")

mistake("score_shares_of_the_data", "responsibilities with the variance of time 0", check="noised_score",
    hint="The responsibilities are those of the noised components: e^-2t std² + 1 - e^-2t stands in their exponents, "
    "too.",
    old="/ (2 * variance)", new="/ (2 * std**2)")

mistake("score_shares_without_two", "the exponent of the responsibilities without its 1/2", check="noised_score",
    hint="A Gaussian's exponent is -|x - m|² / (2 variance): the 2 belongs to the shares, too.",
    function="noised_score", old="/ (2 * variance)", new="/ variance")

mistake("score_sign", "score with its sign reversed", check="noised_score",
    hint="The score points to where the density grows: from x towards the centres.",
    old="decay[..., None] * means - x[:, None]", new="x[:, None] - decay[..., None] * means")

mistake("score_first_time", "the first time used for all rows of the score", check="noised_score",
    hint="t may be (B,), one time per row: decay and variance are columns, (B, 1).",
    old="decay, spread = row_moments(t, x)",
    new="row_moments(t, x)\n    decay, spread = row_moments(t if isinstance(t, float) else float(t[0]), x)")

@mistake("score_underflows", "responsibilities as a quotient of densities that underflow", check="noised_score_far",
    hint="Far from all centres the quotient is 0/0. The responsibilities are a softmax of log-weights and exponents.")
def noised_score(x, t, means, std, weights):
    decay, spread = row_moments(t, x)
    variance = (decay * std) ** 2 + spread**2
    gaps = decay[..., None] * means - x[:, None]
    density = weights * torch.exp(-gaps.square().sum(dim=-1) / (2 * variance))
    return (density[..., None] * gaps).sum(1) / density.sum(1, keepdim=True) / variance

# --- divergence and Fokker-Planck -----------------------------------------------------------------

mistake("divergence_of_all_entries", "sum of all entries of the Jacobian instead of its trace", check="divergence",
    hint="One backward pass of f(x).sum() sums whole columns of the Jacobian. The divergence is its diagonal: "
    "component i of f, differentiated in x_i.",
    also={"without_grad": "the wrong sum there, too"},
    function="divergence", old="return trace_of_jacobian(field(x), x).detach()",
    new="return derivative(field(x), x).sum(dim=1).detach()")

@mistake("divergence_hutchinson", "Hutchinson's estimate with one random vector", check="divergence",
    hint="v^T J v is the trace on average only. Take d backward passes, one per coordinate.",
    also={"without_grad": "an estimate there, too", ("flow_mixture", "flow_transport"): "noise in the integral"})
def divergence(field, x):
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        v = torch.randn_like(x).sign()
        return (derivative((field(x) * v).sum(dim=1), x) * v).sum(dim=1).detach()

mistake("derivatives_need_grad_mode", "derivatives that fail under torch.no_grad()", check="without_grad",
    hint="Wrap what is differentiated into `with torch.enable_grad():`.",
    function="divergence", old="torch.enable_grad()", new="torch.set_grad_enabled(torch.is_grad_enabled())")

mistake("independent_field_raises", "an error where the field does not depend on x", check="without_grad",
    hint="What does not depend on x has divergence 0: pass allow_unused=True, and look at requires_grad.",
    function="derivative", old="    if not value.requires_grad:\n        return torch.zeros_like(inputs)\n", new="")

mistake("residual_without_square", "the square of the gradient left out of the residual", check="fokker_planck",
    hint="Δp / p = Δ log p + ‖∇ log p‖²: both terms stand in the equation.",
    also={("fokker_planck_solutions", "without_grad"): "the residual misses a term everywhere"},
    old=" + slope.square().sum(dim=1)", new="")

mistake("residual_without_dimension", "the dimension d left out of the residual", check="fokker_planck",
    hint="∇·(x p) = d p + x·∇p: divided by p this leaves d.",
    also={("fokker_planck_solutions", "without_grad"): "the residual misses a term everywhere"},
    old="x.shape[1] + (x * slope)", new="(x * slope)")

mistake("residual_half_laplacian", "half of the Laplacian in the residual", check="fokker_planck",
    hint="The noise is √2 dW: its square, halved, is 1, so the Laplacian comes with factor 1.",
    also={("fokker_planck_solutions", "without_grad"): "a wrong term everywhere"},
    old="slope.square().sum(dim=1) + laplacian", new="slope.square().sum(dim=1) + 0.5 * laplacian")

mistake("residual_drift_sign", "drift of the residual with its sign reversed", check="fokker_planck",
    hint="∂p/∂t = -∇·(drift p) + Δp with drift -x: the term is +∇·(x p).",
    also={("fokker_planck_solutions", "without_grad"): "a wrong term everywhere"},
    old="x.shape[1] + (x * slope).sum(dim=1)", new="-x.shape[1] - (x * slope).sum(dim=1)")

mistake("residual_transport_sign", "x·∇log p with its sign reversed", check="fokker_planck",
    hint="∇·(x p) / p = d + x·∇log p: both have the same sign.",
    also={("fokker_planck_solutions", "without_grad"): "a wrong term everywhere"},
    old="x.shape[1] + (x * slope).sum(dim=1)", new="x.shape[1] - (x * slope).sum(dim=1)")

mistake("residual_without_time", "the derivative in time left out of the residual", check="fokker_planck",
    hint="The residual is what changes, ∂ log p / ∂t, minus what the equation says.",
    also={("fokker_planck_solutions", "without_grad"): "densities that change leave a residual"},
    old="(change - flow)", new="(-flow)")

# --- the way back ---------------------------------------------------------------------------------

mistake("reverse_equation_17", "equation (17) read with dt > 0", check="reverse_step",
    hint="(17) holds with dt < 0. With dt > 0 the drift is +(x + 2 score); yours runs away from the data.",
    also={("reverse_path",): "the path goes the other way"},
    old="x + dt * (x + (1 + eta**2) * score)", new="x - dt * (x + (1 + eta**2) * score)")

mistake("reverse_drift_sign", "drift -x + (1 + eta²) score on the way back", check="reverse_step",
    hint="Backward in time the pull towards 0 becomes a push away from it: +x.",
    also={("reverse_path",): "the path follows another drift"},
    old="x + dt * (x + (1 + eta**2) * score)", new="x + dt * (-x + (1 + eta**2) * score)")

mistake("reverse_one_score", "one score in the reverse SDE, two nowhere", check="reverse_step",
    hint="At eta = 1 the drift has two scores: one undoes the diffusion, one balances the new noise.",
    old="(1 + eta**2) * score", new="score")

mistake("reverse_two_scores", "two scores whatever eta", check="reverse_step",
    hint="Without noise there is nothing for the second score to balance: 1 + eta², which is 1 for the flow.",
    old="(1 + eta**2) * score", new="2 * score")

mistake("reverse_eta_not_squared", "1 + eta scores instead of 1 + eta²", check="reverse_step",
    hint="The score balances the variance of the noise, which goes with eta². At eta = 0 and 1 nobody sees it.",
    old="(1 + eta**2) * score", new="(1 + eta) * score")

mistake("reverse_noise_always", "noise whatever eta, at 0 too", check="reverse_step",
    hint="The noise is eta·sqrt(2 dt): the flow (eta = 0) has none.",
    also={"reverse_path": "the path is noisy where there is no noise"},
    old="eta * math.sqrt(2 * dt) * noise", new="math.sqrt(2 * dt) * noise")

mistake("reverse_noise_without_root", "noise 2 dt on the way back instead of sqrt(2 dt)", check="reverse_step",
    hint="The variance of the noise grows with dt: sqrt(2 dt).",
    function="reverse_step", old="math.sqrt(2 * dt)", new="2 * dt")

mistake("path_score_at_end", "score asked at the end of each step", check="reverse_path",
    hint="Euler's step takes the score where the point is, at times[k]; at times[k+1] it may not even exist.",
    old="torch.full_like(x[:, 0], now)", new="torch.full_like(x[:, 0], after)")

mistake("path_score_at_mid_step", "score asked in the middle of each step", check="reverse_path",
    hint="Euler's step takes the score at the time of the point, times[k]: in the middle of the step the point has "
    "moved on.",
    old="torch.full_like(x[:, 0], now)", new="torch.full_like(x[:, 0], (now + after) / 2)")

mistake("path_time_reversed", "score asked at T - t", check="reverse_path",
    hint="The score wants the forward time: large in noise, small near the data. times holds it already.",
    old="torch.full_like(x[:, 0], now)", new="torch.full_like(x[:, 0], float(times[0]) - now)")

mistake("path_even_steps", "steps of one length, whatever the times", check="reverse_path",
    hint="times need not be even: dt of step k is times[k] - times[k+1].",
    old="score, now - after, noise, eta)", new="score, float(times[0] - times[-1]) / (len(times) - 1), noise, eta)")

mistake("path_reversed", "the trajectory with its end first", check="reverse_path",
    hint="Frame 0 is x_T, the last one is where the way back ends.",
    function="reverse_sample", old="torch.stack(trajectory)", new="torch.stack(trajectory[::-1])")

mistake("path_without_start", "trajectory without x_T", check="reverse_path",
    hint="The trajectory has n + 1 frames: x_T comes first.",
    also={"conventions": "a frame is missing there, too"},
    old="trajectory = [x]", new="trajectory = []")

mistake("path_eta_ignored", "eta not handed on to the steps", check="reverse_path",
    hint="reverse_sample takes eta for reverse_step: hand it on.",
    old="now - after, noise, eta)", new="now - after, noise)")

mistake("path_with_gradients", "trajectory that carries gradients", check="reverse_path",
    hint="`.detach()` what the score function answers, or sample under `torch.no_grad()`.",
    function="reverse_sample", old="now)).detach()", new="now))")

mistake("noise_drawn_once", "the same noise in every step", check="reverse_noise",
    hint="Draw fresh noise inside the loop.",
    function="reverse_sample", old="trajectory = [x]",
    new="trajectory, drawn = [x], torch.randn(x.shape, generator=generator, dtype=x.dtype)")
mistake("noise_drawn_once", function="reverse_sample",
    old="torch.randn(x.shape, generator=generator, dtype=x.dtype, device=device).to(x.device)", new="drawn")

mistake("noise_shared_by_coordinates", "one number of noise for all coordinates of a row", check="reverse_noise",
    hint="Each coordinate needs noise of its own: draw (B, d) numbers in every step, not (B, 1).",
    function="reverse_sample", old="(x.shape, generator=generator, dtype=x.dtype, device=device).to(x.device)",
    new="(len(x), 1, generator=generator, dtype=x.dtype).expand_as(x)")

mistake("noise_shared_by_rows", "one noise vector for all rows", check="reverse_noise",
    hint="Each row needs noise of its own: draw (B, d) numbers in every step, not (d,) or (1, d).",
    function="reverse_sample", old="(x.shape, generator=generator, dtype=x.dtype, device=device).to(x.device)",
    new="(x.shape[1:], generator=generator, dtype=x.dtype).expand_as(x)")

mistake("noise_not_from_generator", "noise that does not come from the generator", check="reverse_noise",
    hint="Hand the generator on to torch.randn(..., generator=generator): two generators of one seed give one chain.",
    function="reverse_sample",
    old="torch.randn(x.shape, generator=generator, dtype=x.dtype, device=device).to(x.device)",
    new="torch.randn_like(x)")

# --- the likelihood -------------------------------------------------------------------------------

mistake("flow_divergence_sign", "the integral of the divergence subtracted", check="flow_transport",
    hint="Along the flow d log p / dt = -∇·v, so log p at the start is log p at the end PLUS the integral of ∇·v.",
    also={"flow_mixture": "wrong densities everywhere"},
    old="return prior + total, x", new="return prior - total, x")

mistake("flow_without_dimension", "the part -d of the divergence left out", check="flow_transport",
    hint="v = -x - score: the divergence of -x is -d.",
    also={"flow_mixture": "wrong densities everywhere"},
    old="velocity, -d - divergence(", new="velocity, -divergence(")

mistake("flow_prior_at_data", "log N(·; 0, I) taken at x instead of x_T", check="flow_transport",
    hint="The normal law holds at T: evaluate it at x_T, where the point has come to.",
    also={"flow_mixture": "wrong densities everywhere"},
    old="x, total = x.detach(), x.new_zeros(len(x))", new="data, x, total = x, x.detach(), x.new_zeros(len(x))")
mistake("flow_prior_at_data",
    old="prior = -0.5 * x.square()", new="prior = -0.5 * data.square()")

mistake("flow_without_constant", "log N(x_T; 0, I) without its normalising constant", check="flow_transport",
    hint="log N(x; 0, I) = -|x|²/2 - d/2 log(2π): the constant belongs to a likelihood.",
    also={"flow_mixture": "wrong densities everywhere"},
    old=" - 0.5 * d * math.log(2 * math.pi)", new="")

mistake("flow_constant_of_dimension_one", "the constant of log N(x_T; 0, I) in one dimension", check="flow_transport",
    hint="In d dimensions it is -d/2 log(2π): each coordinate brings its own factor.",
    also={"flow_mixture": "wrong densities everywhere"},
    old=" - 0.5 * d * math.log(2 * math.pi)", new=" - 0.5 * math.log(2 * math.pi)")

mistake("flow_euler", "Euler's method for the flow", check="flow_transport",
    hint="Euler's method is off by 0.1 nats and more on these times. Take Heun, midpoint or Runge-Kutta 4.",
    also={"flow_mixture": "too coarse, there too"},
    old="x = x + dt * (velocity + velocity_after) / 2", new="x = x + dt * velocity")
mistake("flow_euler",
    old="total = total + dt * (rate + rate_after) / 2", new="total = total + dt * rate")

mistake("flow_integral_of_starts", "the integral of the divergence by its value at the start of each step",
    check="flow_transport",
    hint="A sum of dt times the first value is of order 1: the integral too is to be of order 2, as by trapezia.",
    also={"flow_mixture": "too coarse, there too"},
    old="total = total + dt * (rate + rate_after) / 2", new="total = total + dt * rate")

mistake("flow_backwards", "flow with -v instead of v", check="flow_transport",
    hint="From data to noise dx/dt = v = -x - score; the other sign is the way back.",
    also={"flow_mixture": "wrong densities everywhere"},
    old="velocity = -x - score_fn(x, now).detach()", new="velocity = x + score_fn(x, now).detach()")
mistake("flow_backwards",
    old="-d - divergence(lambda points: score_fn(points, now), x)",
    new="d + divergence(lambda points: score_fn(points, now), x)")

mistake("flow_two_scores", "two scores in the flow", check="flow_transport",
    hint="The flow has one score: v = -x - score. Two belong to the SDE with noise.",
    also={"flow_mixture": "wrong densities everywhere"},
    old="velocity = -x - score_fn(x, now).detach()", new="velocity = -x - 2 * score_fn(x, now).detach()")
mistake("flow_two_scores",
    old="-d - divergence(lambda points: score_fn(points, now), x)",
    new="-d - 2 * divergence(lambda points: score_fn(points, now), x)")

# --- loss, network and training -------------------------------------------------------------------

mistake("loss_sign", "std·model minus the noise", check="loss_value",
    hint="The score of x_t given x_0 is -noise / std: std·model + noise is what has to vanish.",
    old="model(ou_sample(x0, t, noise), t) + noise)", new="model(ou_sample(x0, t, noise), t) - noise)")

mistake("loss_weighted_twice", "std² times the model where std belongs", check="loss_value",
    hint="σ_t² weights the squared error: inside the square it is σ_t, (σ_t s + z)².",
    function="score_matching_loss", old="(std * model", new="(std**2 * model")

mistake("loss_unweighted", "loss without the weight std²", check="loss_value",
    hint="(model + noise / std)² is dominated by small times; the weight std² makes all times count alike.",
    old="(std * model(ou_sample(x0, t, noise), t) + noise)", new="(model(ou_sample(x0, t, noise), t) + noise / std)")

mistake("loss_predicts_noise", "the model's answer taken for the noise instead of the score", check="loss_value",
    hint="The model gives the score; the noise that goes with it is -std·score.",
    old="(std * model(ou_sample(x0, t, noise), t) + noise)", new="(model(ou_sample(x0, t, noise), t) - noise)")

mistake("loss_summed", "loss summed over the coordinates", check="loss_value",
    hint="The mean runs over all B·d entries, coordinates included.",
    old="+ noise).square().mean()", new="+ noise).square().sum(dim=1).mean()")

mistake("loss_on_clean_data", "model called on x_0 instead of x_t", check="loss_value",
    hint="The network sees the noised points: model(ou_sample(x0, t, noise), t).",
    also={"train_history": "the model is not shown any noise in the training"},
    old="model(ou_sample(x0, t, noise), t)", new="model(x0 + 0 * ou_sample(x0, t, noise), t)")

mistake("loss_detached", "loss without a gradient", check="loss_gradient",
    hint="Nothing on the way from the model to the loss may cut the graph: no torch.no_grad, .detach() or .item().",
    also={"train_history": "there is nothing to follow in the training"},
    old="+ noise).square().mean()", new="+ noise).square().mean().detach()")

mistake("network_ignores_time", "network that is not told the time", check="network_time",
    hint="One network serves all times: give it t, row by row, beside x.",
    old="told = torch.cat([x, decay, std, t[:, None].log()], dim=1)",
    new="told = torch.cat([x, 0 * x[:, :1].expand(-1, 3)], dim=1)")
mistake("network_ignores_time",
    old="return self.layers(told) / std", new="return self.layers(told)")

mistake("network_first_time", "network that takes the first row's time for the whole batch", check="network_time",
    hint="Each row has its own time: t[:, None] is a column beside x.",
    function="ScoreNetwork.forward", old="decay, std = row_moments(t, x)",
    new="t = t[:1].expand(len(x))\n        decay, std = row_moments(t, x)")

mistake("network_rows_mix", "network in which the rows of a batch influence each other", check="network_time",
    hint="Each row is a point of its own: no mean, norm or attention over the first axis.",
    function="ScoreNetwork.forward", old="told = torch.cat([x, decay",
    new="told = torch.cat([x - 0.05 * x.mean(dim=0), decay")

mistake("network_batch_norm", "network with batch normalisation", check="network_time",
    hint="No batch normalisation: the rows of a batch are at different times.",
    old="nn.Linear(dim + 3, hidden), nn.SiLU()", new="nn.Linear(dim + 3, hidden), nn.BatchNorm1d(hidden), nn.SiLU()")

mistake("network_returns_zero", "network that answers 0", check="network_time",
    hint="The answer has to depend on the point and on the time.",
    old="return self.layers(told) / std", new="return 0 * self.layers(told)")

mistake("train_times_ignored", "t_min and t_max ignored", check="train_draws",
    hint="Times are drawn between the arguments t_min and t_max, not between fixed ones.",
    also={"train_history": "other times there, too"},
    old="t_min * (t_max / t_min) ** u", new="0.01 * 300**u")

mistake("train_times_shifted", "times from t_min to t_min + t_max", check="train_draws",
    hint="The largest time is t_max: t_min + (t_max - t_min) · u.",
    also={"train_history": "other times there, too"},
    function="train_score", old="t = t_min * (t_max / t_min) ** u", new="t = t_min + t_max * u")

mistake("train_one_time", "one time for the whole batch", check="train_draws",
    hint="Draw batch_size times, one for each row.",
    function="train_score", old="t = t_min * (t_max / t_min) ** u",
    new="t = t_min * (t_max / t_min) ** u[:1].expand(batch_size)")

mistake("train_times_once", "the same times in every step of the training", check="train_draws",
    hint="Draw the times inside the loop: the network is to see all times between t_min and t_max.",
    function="train_score", old="    losses = []\n",
    new="    losses = []\n"
    "    once = torch.rand(batch_size, generator=generator, dtype=x.dtype, device=device).to(x.device)\n")
mistake("train_times_once", function="train_score",
    old="u = torch.rand(batch_size, generator=generator, dtype=x.dtype, device=device).to(x.device)", new="u = once")

mistake("train_one_noise", "one noise for all rows of a batch", check="train_draws",
    hint="Draw noise of the shape of the batch, (batch_size, d): a point of its own for each row.",
    function="train_score",
    old="torch.randn(batch_size, x.shape[1], generator=generator, dtype=x.dtype, device=device).to(x.device)",
    new="torch.randn(1, x.shape[1], generator=generator, dtype=x.dtype, device=device).to(x)"
    ".expand(batch_size, -1)")

mistake("train_same_noise", "the same noise in every step of the training", check="train_draws",
    hint="Draw fresh noise inside the loop: with the same noise the network learns that noise.",
    function="train_score", old="    losses = []\n",
    new="    losses, kept = [], torch.randn(batch_size, x.shape[1], generator=generator, dtype=x.dtype)\n")
mistake("train_same_noise", function="train_score",
    old="torch.randn(batch_size, x.shape[1], generator=generator, dtype=x.dtype, device=device).to(x.device)",
    new="kept")

mistake("train_first_batch", "the first batch_size rows in every step", check="train_draws",
    hint="Draw other rows in each step: all of the data are to be seen.",
    old="torch.randint(len(x), (batch_size,), generator=generator, device=device).to(x.device)",
    new="torch.arange(len(x))[:batch_size]")

mistake("train_last_row_left_out", "the last row never drawn", check="train_draws",
    hint="torch.randint(n, ...) draws 0..n-1: the upper end is left out already, so n is the number of rows.",
    function="train_score", old="torch.randint(len(x), ", new="torch.randint(len(x) - 1, ")

mistake("train_ignores_generator", "times that do not come from the generator", check="train_draws",
    hint="Hand the generator on to every draw, of rows, times and noise: two generators of one seed give one training.",
    function="train_score", old="u = torch.rand(batch_size, generator=generator, dtype=x.dtype, device=device)",
    new="u = torch.rand(batch_size, dtype=x.dtype, device=device)")

mistake("weights_never_updated", "optimiser that never takes its step", check="train_history",
    hint="After loss.backward() the optimiser takes its step: optimiser.step().",
    old="        optimiser.step()\n", new="")

mistake("learning_rate_ignored", "a fixed learning rate", check="train_history",
    hint="Hand lr on to the optimiser.",
    old="torch.optim.Adam(model.parameters(), lr=lr)", new="torch.optim.Adam(model.parameters(), lr=5e-3)")

mistake("history_of_the_last_loss", "only the last loss in the history", check="train_history",
    hint="history[\"loss\"] has one float per step.",
    old="return {\"loss\": losses}", new="return {\"loss\": losses[-1:]}")

mistake("gradients_accumulate", "gradients of earlier steps added up", check="train_history",
    hint="backward() adds to .grad: call optimiser.zero_grad() before it, in every step.",
    old="        optimiser.zero_grad()\n", new="")

# --- denoisers ------------------------------------------------------------------------------------

mistake("denoise_without_decay", "denoised point not divided by e^-t", check="denoise",
    hint="x_t + std² score is the mean of e^-t x_0: divide by e^-t.",
    old="(x_t + std**2 * score) / decay", new="x_t + std**2 * score")

mistake("denoise_decay_multiplied", "shrunk once more instead of stretched back", check="denoise",
    hint="x_t holds e^{-t} x_0: divide by e^{-t}, or multiply by e^t.",
    function="denoise", old="/ decay", new="* decay")

mistake("denoise_std_for_variance", "std instead of its square in Tweedie's formula", check="denoise",
    hint="Tweedie: x_t + variance · score.",
    old="std**2 * score", new="std * score")

mistake("denoise_sigma_of_y", "the score of x_t used as if it were that of y = e^t x_t", check="denoise",
    hint="y = e^t x_t has the score e^-t·score, and σ² = e^2t - 1: do not mix the two forms.",
    old="(x_t + std**2 * score) / decay", new="x_t / decay + (std / decay) ** 2 * score")

mistake("denoise_first_time", "the first time used for all rows in denoise", check="denoise",
    hint="t may be (B,), one time per row: decay and std are columns.",
    old="decay, std = row_moments(t, x_t)",
    new="row_moments(t, x_t)\n    decay, std = row_moments(t if isinstance(t, float) else float(t[0]), x_t)")

mistake("wiener_without_mean", "Wiener filter that forgets the mean", check="wiener",
    hint="Shrink y - mean, and add the mean again.",
    also={"wiener_singular": "the mean is missing there, too"},
    old="return mean + (y - mean) @", new="return y @")

mistake("wiener_sigma_for_variance", "sigma instead of sigma² in the Wiener filter", check="wiener",
    hint="Covariances are compared with covariances: the noise has sigma² I.",
    also={"wiener_singular": "the wrong gain there, too"},
    old="covariance + sigma**2 *", new="covariance + sigma *")

mistake("wiener_gain_of_the_noise", "the share of the noise in the place of the signal's", check="wiener",
    hint="σ² (Σ + σ² I)⁻¹ says how much of y is noise. What is kept of y - mean is the rest, Σ (Σ + σ² I)⁻¹.",
    also={"wiener_singular": "the same gain there"},
    old="torch.linalg.solve(noisy, covariance)", new="torch.linalg.solve(noisy, noisy - covariance)")

mistake("wiener_diagonal", "only the diagonal of the covariance used", check="wiener",
    hint="Coordinates that go together help each other: use the whole matrix.",
    also={"wiener_singular": "there, too, the coordinates go together"},
    old="return mean + (y - mean) @ torch.linalg.solve(noisy, covariance)",
    new="return mean + (y - mean) * covariance.diagonal() / noisy.diagonal()")

mistake("wiener_inverts_covariance", "the covariance inverted, which need not have an inverse", check="wiener_singular",
    hint="Σ may be singular: (I + σ² Σ⁻¹)⁻¹ does not exist then. Solve with Σ + σ² I.",
    old="return mean + (y - mean) @ torch.linalg.solve(noisy, covariance)",
    new="return mean + (y - mean) @ torch.linalg.inv(torch.eye(d, dtype=y.dtype) + sigma**2 * covariance.inverse())")

# --- wrong arguments and dtypes -------------------------------------------------------------------

mistake("times_not_checked", "times in any order accepted", check="bad_arguments",
    hint="times have to be strictly monotone and not negative: raise ValueError.",
    function="check_times", old="if (sign * times.diff() <= 0).any() or (times < 0).any():", new="if False:")

mistake("eta_not_checked", "eta outside [0, 1] accepted", check="bad_arguments",
    hint="Outside [0, 1] there is no such equation: raise ValueError.",
    function="reverse_step", old="not 0 <= eta <= 1", new="False")

@mistake("arguments_changed", "arguments changed in place", check="conventions",
    hint="Whoever calls a function still needs what was passed: no `-=`, no method with a trailing underscore on it.")
def ou_step(solution, x, dt, noise):
    return x.copy_(solution(x, dt, noise))

mistake("dtype_not_kept", "answers in float64 whatever the input", check="conventions",
    hint="A float32 cloud gets float32 answers: no .double(), and no new tensor without dtype=x.dtype.",
    old="return mean + (y - mean) @", new="return mean.double() + (y - mean).double() @")
mistake("dtype_not_kept",
    old="torch.linalg.solve(noisy, covariance)", new="torch.linalg.solve(noisy, covariance).double()")
