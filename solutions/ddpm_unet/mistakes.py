"""Typical wrong versions of ddpm_unet's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake

# --- schedules and tables -------------------------------------------------------------------------


@mistake(
    "linear_in_standard_deviation",
    title="standard deviations evenly spaced instead of variances",
    hint="The linear schedule spaces β itself evenly; its square roots are not evenly spaced.",
    loses=("linear_schedule",),
)
def linear_beta_schedule(T, beta_1=1e-4, beta_T=0.02):
    return torch.linspace(beta_1**0.5, beta_T**0.5, T) ** 2


@mistake(
    "linear_in_logarithm",
    title="logarithms of the variances evenly spaced instead of the variances",
    hint="torch.linspace from beta_1 to beta_T, not torch.logspace: the gaps between the variances are equal.",
    loses=("linear_schedule",),
)
def linear_beta_schedule(T, beta_1=1e-4, beta_T=0.02):
    if T < 1:
        raise ValueError("T must be at least 1")
    return torch.logspace(math.log10(beta_1), math.log10(beta_T), T)


@mistake(
    "linear_without_end",
    title="last variance of the linear schedule left out",
    hint="Both ends belong to the schedule: T values make T - 1 gaps.",
    loses=("linear_schedule",),
)
def linear_beta_schedule(T, beta_1=1e-4, beta_T=0.02):
    return beta_1 + (beta_T - beta_1) * torch.arange(T) / T


@mistake(
    "cosine_not_capped",
    title="cosine schedule not capped at 0.999",
    hint="The last β would be 1, and ᾱ 0: nothing is left to divide by. Cap β at 0.999.",
    loses=("cosine_schedule",),
)
def cosine_beta_schedule(T, s=0.008):
    u = torch.arange(T + 1, dtype=torch.float64)
    f = torch.cos((u / T + s) / (1 + s) * math.pi / 2) ** 2
    return (1 - f[1:] / f[:-1]).float()


@mistake(
    "cosine_not_squared",
    title="cosine of the schedule not squared",
    hint="ᾱ follows cos², the square of the cosine.",
    loses=("cosine_schedule",),
)
def cosine_beta_schedule(T, s=0.008):
    u = torch.arange(T + 1, dtype=torch.float64)
    f = torch.cos((u / T + s) / (1 + s) * math.pi / 2)
    return (1 - f[1:] / f[:-1]).clamp(max=0.999).float()


@mistake(
    "alpha_bars_not_multiplied",
    title="alpha_bars equal to alphas: no running product",
    hint="ᾱ_t is the product of all α up to t (`torch.cumprod`): what t + 1 steps leave of the image.",
    loses=("alpha_bars",),
)
class Diffusion(Diffusion):
    def __init__(self, betas):
        super().__init__(betas)
        self.alpha_bars = self.alphas.clone()
        before = torch.cat([torch.ones_like(betas[:1]), self.alpha_bars[:-1]])
        self.posterior_variance = betas * (1 - before) / (1 - self.alpha_bars)


@mistake(
    "posterior_is_beta",
    title="posterior variance without (1 - ᾱ_{t-1}) / (1 - ᾱ_t)",
    hint="β_t is the variance of a step forward. Given the clean image, a step back is less uncertain.",
    loses=("posterior_variance",),
)
class Diffusion(Diffusion):
    def __init__(self, betas):
        super().__init__(betas)
        self.posterior_variance = betas.clone()


@mistake(
    "posterior_inverted",
    title="(1 - ᾱ_t) / (1 - ᾱ_{t-1}) in the posterior variance instead of its inverse",
    hint="The posterior variance is smaller than β_t, and 0 at the first step: which ᾱ stands above?",
    loses=("posterior_variance",),
)
class Diffusion(Diffusion):
    def __init__(self, betas):
        super().__init__(betas)
        before = torch.cat([torch.ones_like(betas[:1]), self.alpha_bars[:-1]])
        self.posterior_variance = betas * (1 - self.alpha_bars) / (1 - before).clamp(min=1e-3)


@mistake(
    "alpha_bar_padded_at_end",
    title="ᾱ of the previous step padded with 1 at the wrong end",
    hint="ᾱ_{t-1} is ᾱ shifted to the right: the 1 (before the first step) comes first.",
    loses=("posterior_variance",),
)
class Diffusion(Diffusion):
    def __init__(self, betas):
        super().__init__(betas)
        before = torch.cat([self.alpha_bars[1:], torch.ones_like(betas[:1])])
        self.posterior_variance = betas * (1 - before) / (1 - self.alpha_bars)


@mistake(
    "alpha_bar_padded_with_zero",
    title="ᾱ before the first step taken as 0",
    hint="Before the first step nothing has happened: ᾱ = 1, so the first posterior variance is 0.",
    loses=("posterior_variance",),
)
class Diffusion(Diffusion):
    def __init__(self, betas):
        super().__init__(betas)
        before = torch.cat([torch.zeros_like(betas[:1]), self.alpha_bars[:-1]])
        self.posterior_variance = betas * (1 - before) / (1 - self.alpha_bars)


# --- the forward process --------------------------------------------------------------------------


@mistake(
    "alpha_for_alpha_bar",
    title="α_t used in q_sample instead of ᾱ_t",
    hint="q_sample jumps over all steps up to t: it needs the product ᾱ_t. With α_t it takes one step only.",
    loses=("q_sample", "training_loss"),
    may_lose=("sampled_digits",),
)
def q_sample(diffusion, x0, t, noise):
    check_noise(noise, x0)
    alpha = pick(diffusion.alphas, t, x0)
    return alpha.sqrt() * x0 + (1 - alpha).sqrt() * noise


@mistake(
    "q_sample_without_roots",
    title="square roots missing in q_sample",
    hint="ᾱ and 1 - ᾱ are variances; what multiplies image and noise are their square roots.",
    loses=("q_sample",),
)
def q_sample(diffusion, x0, t, noise):
    check_noise(noise, x0)
    alpha_bar = pick(diffusion.alpha_bars, t, x0)
    return alpha_bar * x0 + (1 - alpha_bar) * noise


@mistake(
    "q_sample_noise_without_root",
    title="noise of q_sample multiplied by 1 - ᾱ_t instead of its square root",
    hint="The variance of the noise is 1 - ᾱ_t, so the noise is multiplied by the square root.",
    loses=("q_sample",),
)
def q_sample(diffusion, x0, t, noise):
    check_noise(noise, x0)
    alpha_bar = pick(diffusion.alpha_bars, t, x0)
    return alpha_bar.sqrt() * x0 + (1 - alpha_bar) * noise


@mistake(
    "q_sample_one_time",
    title="time of the first image used for the whole batch",
    hint="Each image has its own time: index with the whole t and shape the result (B, 1, 1, 1).",
    loses=("q_sample",),
)
def q_sample(diffusion, x0, t, noise):
    check_noise(noise, x0)
    check_times(t, x0, len(diffusion.alpha_bars))
    alpha_bar = diffusion.alpha_bars.to(x0)[t[0]]
    return alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * noise


@mistake(
    "q_sample_time_off_by_one",
    title="ᾱ of the step before used in q_sample (t off by one)",
    hint="Times count from 0 here: at t = 0 one step has been taken, and ᾱ_0 = α_0.",
    loses=("q_sample",),
)
def q_sample(diffusion, x0, t, noise):
    check_noise(noise, x0)
    check_times(t, x0, len(diffusion.alpha_bars))
    before = torch.cat([torch.ones_like(diffusion.alpha_bars[:1]), diffusion.alpha_bars[:-1]])
    alpha_bar = pick(before, t, x0)
    return alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * noise


@mistake(
    "q_step_with_alpha_bar",
    title="ᾱ_t used in q_step instead of α_t",
    hint="One step of the chain knows nothing of the earlier ones: its variance is β_t = 1 - α_t.",
    loses=("q_step",),
)
def q_step(diffusion, x_prev, t, noise):
    return q_sample(diffusion, x_prev, t, noise)


@mistake(
    "q_step_image_without_root",
    title="image multiplied by α_t in q_step instead of its square root",
    hint="α_t + (1 - α_t) = 1 are variances: image and noise are multiplied by their square roots.",
    loses=("q_step",),
)
def q_step(diffusion, x_prev, t, noise):
    check_noise(noise, x_prev)
    alpha = pick(diffusion.alphas, t, x_prev)
    return alpha * x_prev + (1 - alpha).sqrt() * noise


@mistake(
    "q_step_without_shrinking",
    title="noise added in q_step without shrinking the image",
    hint="The image is multiplied by sqrt(α_t), so that the variance stays bounded.",
    loses=("q_step",),
)
def q_step(diffusion, x_prev, t, noise):
    check_noise(noise, x_prev)
    alpha = pick(diffusion.alphas, t, x_prev)
    return x_prev + (1 - alpha).sqrt() * noise


@mistake(
    "negative_times_accepted",
    title="negative times accepted",
    hint="A negative index counts from the end of a tensor: t = -1 silently reads the last step. Refuse it.",
    loses=("errors",),
)
def check_times(t, x, T):
    if t.shape != x.shape[:1]:
        raise ValueError("t must have one time per image")


# --- loss, denoising, score -----------------------------------------------------------------------


@mistake(
    "loss_is_sum",
    title="squared error summed instead of averaged",
    hint="The loss is the mean over all entries of the batch: a model that answers 0 has loss 1.",
    loses=("loss_value",),
)
def ddpm_loss(model, diffusion, x0, t, noise):
    return F.mse_loss(model(q_sample(diffusion, x0, t, noise), t), noise, reduction="sum")


@mistake(
    "loss_against_image",
    title="model's answer compared with the clean image instead of the noise",
    hint="The network predicts the noise ε; the clean image follows from it (predict_x0).",
    loses=("loss_value", "training_loss", "sampled_digits"),
)
def ddpm_loss(model, diffusion, x0, t, noise):
    return F.mse_loss(model(q_sample(diffusion, x0, t, noise), t), x0)


@mistake(
    "loss_on_clean_images",
    title="clean images shown to the model instead of noisy ones",
    hint="What the model is given is q_sample(...), the noisy image.",
    loses=("loss_value", "train_draws", "train_history", "training_loss", "sampled_digits"),
)
def ddpm_loss(model, diffusion, x0, t, noise):
    q_sample(diffusion, x0, t, noise)
    return F.mse_loss(model(x0, t), noise)


@mistake(
    "loss_absolute",
    title="absolute instead of squared error",
    hint="The loss is the mean of squares, as it comes from the Gaussian's logarithm.",
    loses=("loss_value",),
)
def ddpm_loss(model, diffusion, x0, t, noise):
    return F.l1_loss(model(q_sample(diffusion, x0, t, noise), t), noise)


@mistake(
    "loss_detached",
    title="loss cut off from the model's weights",
    hint="`detach`, `item`, `no_grad` or a new tensor end the graph: nothing can be learnt from this loss.",
    loses=("loss_gradient", "train_draws", "train_history", "training_loss", "sampled_digits"),
)
def ddpm_loss(model, diffusion, x0, t, noise):
    with torch.no_grad():
        return F.mse_loss(model(q_sample(diffusion, x0, t, noise), t), noise)


@mistake(
    "predict_x0_not_divided",
    title="denoised image not divided by sqrt(ᾱ_t)",
    hint="Subtracting the noise leaves sqrt(ᾱ_t) x0, the shrunk image.",
    loses=("predict_x0",),
)
def predict_x0(diffusion, x_t, t, noise):
    check_noise(noise, x_t)
    alpha_bar = pick(diffusion.alpha_bars, t, x_t)
    return x_t - (1 - alpha_bar).sqrt() * noise


@mistake(
    "predict_x0_clipped",
    title="denoised image clipped to [-1, 1]",
    hint="A sampler may clip its guess of the clean image; this formula is exact and answers what it finds.",
    loses=("predict_x0",),
)
def predict_x0(diffusion, x_t, t, noise):
    check_noise(noise, x_t)
    alpha_bar = pick(diffusion.alpha_bars, t, x_t)
    return ((x_t - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()).clamp(-1, 1)


@mistake(
    "score_sign",
    title="score with its sign reversed",
    hint="The score points to where the data is: against the noise.",
    loses=("score_from_noise",),
)
def score_from_noise(diffusion, noise, t):
    return noise / (1 - pick(diffusion.alpha_bars, t, noise)).sqrt()


@mistake(
    "score_without_root",
    title="score divided by 1 - ᾱ_t instead of its square root",
    hint="(x_t - sqrt(ᾱ) x0) / (1 - ᾱ) has the noise in it once with sqrt(1 - ᾱ): one root remains.",
    loses=("score_from_noise",),
)
def score_from_noise(diffusion, noise, t):
    return -noise / (1 - pick(diffusion.alpha_bars, t, noise))


@mistake(
    "score_multiplied",
    title="score multiplied by sqrt(1 - ᾱ_t) instead of divided by it",
    hint="The less noise, the steeper the score: sqrt(1 - ᾱ_t) stands below the noise.",
    loses=("score_from_noise",),
)
def score_from_noise(diffusion, noise, t):
    return -noise * (1 - pick(diffusion.alpha_bars, t, noise)).sqrt()


@mistake(
    "score_not_divided",
    title="score not divided by sqrt(1 - ᾱ_t)",
    hint="The noise in x_t has standard deviation sqrt(1 - ᾱ_t); the less noise, the steeper the score.",
    loses=("score_from_noise",),
)
def score_from_noise(diffusion, noise, t):
    return -noise + 0 * pick(diffusion.alpha_bars, t, noise)


# --- network --------------------------------------------------------------------------------------


@mistake(
    "embedding_raw_time",
    title="time repeated instead of embedded in sinusoids",
    hint="Values of several hundred swamp a network. Use sin(ω t) and cos(ω t) at several frequencies.",
    loses=("time_embedding",),
)
def time_embedding(t, dim):
    return t[:, None].repeat(1, dim).float()


@mistake(
    "embedding_one_fast_frequency",
    title="time embedding that repeats itself",
    hint="With fast frequencies alone, distant times look the same. Spread them: ω from 1 down to 1/10000.",
    loses=("time_embedding",),
)
def time_embedding(t, dim):
    angles = t[:, None] * (2 * math.pi / 50) * torch.ones(dim // 2, device=t.device)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


@mistake(
    "unet_ignores_time",
    title="U-Net that ignores the time",
    hint="Embed t and add it to the feature maps of each block: the answer must change with t.",
    loses=("unet_time",),
)
class UNet(UNet):
    def forward(self, x, t):
        return super().forward(x, torch.zeros_like(t))


@mistake(
    "unet_first_time_only",
    title="U-Net that uses the time of the first image for the whole batch",
    hint="t has one time per image, and so must the embedding: (B, dim).",
    loses=("unet_time",),
)
class UNet(UNet):
    def forward(self, x, t):
        return super().forward(x, t[:1].expand_as(t))


@mistake(
    "unet_no_skips",
    title="U-Net without skip connections",
    hint="Details cannot pass through the lowest resolution. Hand the encoder's maps over to the decoder.",
    loses=("unet_skips", "training_loss", "sampled_digits"),
)
class UNet(UNet):
    def forward(self, x, t):
        e = self.time(time_embedding(t, self.base).to(x))
        h1 = self.down1(self.stem(x), e)
        h2 = self.down2(self.halve1(h1), e)
        h = F.interpolate(self.middle(self.halve2(h2), e), scale_factor=2.0)
        h = self.up2(torch.cat([h, torch.zeros_like(h2)], dim=1), e)
        h = F.interpolate(h, scale_factor=2.0)
        return self.head(self.up1(torch.cat([h, torch.zeros_like(h1)], dim=1), e))


@mistake(
    "unet_fixed_channels",
    title="U-Net that always answers one channel",
    hint="The answer has the shape of the input, whatever `channels` is.",
    loses=("unet_shapes",),
)
class UNet(UNet):
    def forward(self, x, t):
        return super().forward(x, t)[:, :1]


# --- one step back --------------------------------------------------------------------------------


@mistake(
    "beta_for_variance",
    title="noise of variance β_t instead of posterior_variance[t]",
    hint="Both are in use, but this exercise asks for posterior_variance[t], as given in the docstring.",
    loses=("p_sample_noise",),
)
def p_sample_step(model, diffusion, x_t, t, noise):
    check_noise(noise, x_t)
    times = torch.full((len(x_t),), t, device=x_t.device)
    alpha, alpha_bar = (pick(v, times, x_t) for v in (diffusion.alphas, diffusion.alpha_bars))
    mean = (x_t - (1 - alpha) / (1 - alpha_bar).sqrt() * model(x_t, times)) / alpha.sqrt()
    return mean if t == 0 else mean + (1 - alpha).sqrt() * noise


@mistake(
    "step_noise_without_root",
    title="noise of the step multiplied by the variance instead of its square root",
    hint="posterior_variance is a variance: multiply by its square root.",
    loses=("p_sample_noise",),
)
def p_sample_step(model, diffusion, x_t, t, noise):
    check_noise(noise, x_t)
    times = torch.full((len(x_t),), t, device=x_t.device)
    alpha, alpha_bar = (pick(v, times, x_t) for v in (diffusion.alphas, diffusion.alpha_bars))
    mean = (x_t - (1 - alpha) / (1 - alpha_bar).sqrt() * model(x_t, times)) / alpha.sqrt()
    return mean if t == 0 else mean + pick(diffusion.posterior_variance, times, x_t) * noise


@mistake(
    "noise_at_last_step",
    title="noise added at the last step",
    hint="The step at t = 0 gives the image itself: return the mean, without noise.",
    loses=("p_sample_last",),
)
def p_sample_step(model, diffusion, x_t, t, noise):
    check_noise(noise, x_t)
    times = torch.full((len(x_t),), t, device=x_t.device)
    alpha, alpha_bar = (pick(v, times, x_t) for v in (diffusion.alphas, diffusion.alpha_bars))
    mean = (x_t - (1 - alpha) / (1 - alpha_bar).sqrt() * model(x_t, times)) / alpha.sqrt()
    return mean + pick(diffusion.posterior_variance, times.clamp(min=1), x_t).sqrt() * noise


@mistake(
    "mean_without_root",
    title="1 - ᾱ_t instead of its square root in the mean of a step back",
    hint="The model's noise has standard deviation sqrt(1 - ᾱ_t): the mean divides by the root.",
    loses=("p_sample_mean",),
)
def p_sample_step(model, diffusion, x_t, t, noise):
    check_noise(noise, x_t)
    times = torch.full((len(x_t),), t, device=x_t.device)
    alpha, alpha_bar = (pick(v, times, x_t) for v in (diffusion.alphas, diffusion.alpha_bars))
    mean = (x_t - (1 - alpha) / (1 - alpha_bar) * model(x_t, times)) / alpha.sqrt()
    return mean if t == 0 else mean + pick(diffusion.posterior_variance, times, x_t).sqrt() * noise


@mistake(
    "mean_not_rescaled",
    title="mean of a step back not divided by sqrt(α_t)",
    hint="The forward step shrank the image by sqrt(α_t); the step back has to enlarge it again.",
    loses=("p_sample_mean",),
)
def p_sample_step(model, diffusion, x_t, t, noise):
    check_noise(noise, x_t)
    times = torch.full((len(x_t),), t, device=x_t.device)
    alpha, alpha_bar = (pick(v, times, x_t) for v in (diffusion.alphas, diffusion.alpha_bars))
    mean = x_t - (1 - alpha) / (1 - alpha_bar).sqrt() * model(x_t, times)
    return mean if t == 0 else mean + pick(diffusion.posterior_variance, times, x_t).sqrt() * noise


@mistake(
    "model_time_off_by_one",
    title="model asked at t + 1 in a step back",
    hint="The model was trained with times 0..T-1 as q_sample uses them: give it t itself.",
    loses=("p_sample_mean",),
)
def p_sample_step(model, diffusion, x_t, t, noise):
    check_noise(noise, x_t)
    times = torch.full((len(x_t),), t, device=x_t.device)
    alpha, alpha_bar = (pick(v, times, x_t) for v in (diffusion.alphas, diffusion.alpha_bars))
    later = (times + 1).clamp(max=len(diffusion.alphas) - 1)
    mean = (x_t - (1 - alpha) / (1 - alpha_bar).sqrt() * model(x_t, later)) / alpha.sqrt()
    return mean if t == 0 else mean + pick(diffusion.posterior_variance, times, x_t).sqrt() * noise


@mistake(
    "ddim_last_alpha_bar",
    title="alpha_bars[-1] read for t_prev = -1",
    hint="-1 stands for the clean image, where ᾱ = 1. In Python alpha_bars[-1] is the noisiest step.",
    loses=("ddim_to_image", "sample_ddim"),
)
def ddim_step(model, diffusion, x_t, t, t_prev, eta=0.0, noise=None):
    times = torch.full((len(x_t),), t, device=x_t.device)
    bar, bar_prev = diffusion.alpha_bars.to(x_t)[t], diffusion.alpha_bars.to(x_t)[t_prev]
    predicted = model(x_t, times)
    sigma = eta * ((1 - bar_prev) / (1 - bar) * (1 - bar / bar_prev)).clamp(min=0).sqrt()
    x = bar_prev.sqrt() * predict_x0(diffusion, x_t, times, predicted)
    x = x + (1 - bar_prev - sigma**2).clamp(min=0).sqrt() * predicted
    return x if noise is None else x + sigma * noise


@mistake(
    "ddim_ignores_eta",
    title="ddim_step that ignores eta",
    hint="eta scales the noise: sigma = eta · sqrt((1 - ᾱ')/(1 - ᾱ)) · sqrt(1 - ᾱ/ᾱ').",
    loses=("ddim_eta",),
)
def ddim_step(model, diffusion, x_t, t, t_prev, eta=0.0, noise=None):
    times = torch.full((len(x_t),), t, device=x_t.device)
    bar_prev = diffusion.alpha_bars.to(x_t)[t_prev] if t_prev >= 0 else torch.ones((), dtype=x_t.dtype)
    predicted = model(x_t, times)
    x0 = predict_x0(diffusion, x_t, times, predicted)
    return bar_prev.sqrt() * x0 + (1 - bar_prev).sqrt() * predicted


@mistake(
    "ddim_sigma_not_taken_off",
    title="sigma² not taken off the direction to x_t",
    hint="The variances must add up to 1 - ᾱ': what chance adds, the predicted noise gives up.",
    loses=("ddim_eta",),
)
def ddim_step(model, diffusion, x_t, t, t_prev, eta=0.0, noise=None):
    times = torch.full((len(x_t),), t, device=x_t.device)
    bar = diffusion.alpha_bars.to(x_t)[t]
    bar_prev = diffusion.alpha_bars.to(x_t)[t_prev] if t_prev >= 0 else torch.ones_like(bar)
    predicted = model(x_t, times)
    x0 = predict_x0(diffusion, x_t, times, predicted)
    x = bar_prev.sqrt() * x0 + (1 - bar_prev).sqrt() * predicted
    sigma = eta * ((1 - bar_prev) / (1 - bar) * (1 - bar / bar_prev)).sqrt()
    return x if noise is None else x + sigma * noise


@mistake(
    "ddim_same_alpha_bar",
    title="image put back to the time it came from",
    hint="The step goes to t_prev: x̂0 and the noise are mixed with ᾱ of t_prev, not of t.",
    loses=("ddim_deterministic", "ddim_to_image", "ddim_eta", "sample_ddim"),
)
def ddim_step(model, diffusion, x_t, t, t_prev, eta=0.0, noise=None):
    times = torch.full((len(x_t),), t, device=x_t.device)
    bar = diffusion.alpha_bars.to(x_t)[t]
    predicted = model(x_t, times)
    x = bar.sqrt() * predict_x0(diffusion, x_t, times, predicted)
    return x + (1 - bar).sqrt() * predicted


# --- whole samplings ------------------------------------------------------------------------------


@mistake(
    "sample_ascending",
    title="sampling in ascending order of time",
    hint="Sampling starts at the noisy end: t = T-1 first, t = 0 last.",
    loses=("sample_ancestral", "sample_ddim"),
)
@torch.no_grad()
def sample(model, diffusion, shape, steps=None, generator=None, progress=False):
    T = len(diffusion.alphas)
    if steps is not None and not 1 <= steps <= T:
        raise ValueError("steps")
    x = draw_noise(shape, diffusion.alphas, generator)
    if steps is None or steps == T:
        for t in range(T):
            x = p_sample_step(model, diffusion, x, t, draw_noise(shape, x, generator))
        return x
    for t in [T * (i + 1) // steps - 1 for i in range(steps)]:
        x = ddim_step(model, diffusion, x, t, -1)
    return x


@mistake(
    "sample_unit_range",
    title="samples brought to [0, 1]",
    hint="Data is scaled to [-1, 1] by the caller, and so is the answer: return x as it is.",
    loses=("sample_ancestral", "sample_ddim"),
)
@torch.no_grad()
def sample(model, diffusion, shape, steps=None, generator=None, progress=False):
    T = len(diffusion.alphas)
    if steps is not None and not 1 <= steps <= T:
        raise ValueError("steps")
    x = draw_noise(shape, diffusion.alphas, generator)
    if steps is None or steps == T:
        for t in range(T - 1, -1, -1):
            x = p_sample_step(model, diffusion, x, t, draw_noise(shape, x, generator))
    else:
        times = [T * i // steps - 1 for i in range(steps, -1, -1)]
        for i in range(steps):
            x = ddim_step(model, diffusion, x, times[i], times[i + 1])
    return (x + 1) / 2


@mistake(
    "sample_from_zeros",
    title="ancestral sampling started from zeros instead of noise",
    hint="x_T is standard normal. A start at 0 makes all samples more alike than the data.",
    loses=("sample_ancestral",),
)
@torch.no_grad()
def sample(model, diffusion, shape, steps=None, generator=None, progress=False):
    T = len(diffusion.alphas)
    if steps is not None and not 1 <= steps <= T:
        raise ValueError("steps")
    x = draw_noise(shape, diffusion.alphas, generator)
    if steps is None or steps == T:
        x = torch.zeros_like(x)
        for t in range(T - 1, -1, -1):
            x = p_sample_step(model, diffusion, x, t, draw_noise(shape, x, generator))
        return x
    times = [T * i // steps - 1 for i in range(steps, -1, -1)]
    for i in range(steps):
        x = ddim_step(model, diffusion, x, times[i], times[i + 1])
    return x


@mistake(
    "sample_skips_last_step",
    title="ancestral sampling that ends one step before the image",
    hint="The last step is t = 0: `range(T - 1, 0, -1)` leaves it out.",
    loses=("sample_ancestral",),
)
@torch.no_grad()
def sample(model, diffusion, shape, steps=None, generator=None, progress=False):
    T = len(diffusion.alphas)
    if steps is not None and not 1 <= steps <= T:
        raise ValueError("steps")
    x = draw_noise(shape, diffusion.alphas, generator)
    if steps is None or steps == T:
        for t in range(T - 1, 0, -1):
            x = p_sample_step(model, diffusion, x, t, draw_noise(shape, x, generator))
        return x
    times = [T * i // steps - 1 for i in range(steps, -1, -1)]
    for i in range(steps):
        x = ddim_step(model, diffusion, x, times[i], times[i + 1])
    return x


@mistake(
    "sample_ignores_steps",
    title="sampling that takes all T steps whatever `steps` says",
    hint="Where `steps` < T, take that many ddim_steps on times spread over the schedule.",
    loses=("sample_ddim",),
)
@torch.no_grad()
def sample(model, diffusion, shape, steps=None, generator=None, progress=False):
    T = len(diffusion.alphas)
    if steps is not None and not 1 <= steps <= T:
        raise ValueError("steps")
    x = draw_noise(shape, diffusion.alphas, generator)
    for t in range(T - 1, -1, -1):
        x = p_sample_step(model, diffusion, x, t, draw_noise(shape, x, generator))
    return x


@mistake(
    "ddim_first_times_only",
    title="DDIM on the first times of the schedule instead of spread ones",
    hint="Pure noise belongs to the end of the schedule: spread the times over all of it.",
    loses=("sample_ddim",),
)
@torch.no_grad()
def sample(model, diffusion, shape, steps=None, generator=None, progress=False):
    T = len(diffusion.alphas)
    if steps is not None and not 1 <= steps <= T:
        raise ValueError("steps")
    x = draw_noise(shape, diffusion.alphas, generator)
    if steps is None or steps == T:
        for t in range(T - 1, -1, -1):
            x = p_sample_step(model, diffusion, x, t, draw_noise(shape, x, generator))
        return x
    for t in range(steps - 1, -1, -1):
        x = ddim_step(model, diffusion, x, t, t - 1)
    return x


@mistake(
    "ddim_stops_early",
    title="DDIM sampling that does not go down to the image",
    hint="The last step goes to t_prev = -1, the clean image. Ending at time 0 leaves its noise in.",
    loses=("sample_ddim",),
)
@torch.no_grad()
def sample(model, diffusion, shape, steps=None, generator=None, progress=False):
    T = len(diffusion.alphas)
    if steps is not None and not 1 <= steps <= T:
        raise ValueError("steps")
    x = draw_noise(shape, diffusion.alphas, generator)
    if steps is None or steps == T:
        for t in range(T - 1, -1, -1):
            x = p_sample_step(model, diffusion, x, t, draw_noise(shape, x, generator))
        return x
    times = [T * i // steps - 1 for i in range(steps, 0, -1)] + [0]
    for i in range(steps):
        x = ddim_step(model, diffusion, x, times[i], times[i + 1])
    return x


@mistake(
    "sample_ignores_generator",
    title="noise of the steps not drawn from the generator",
    hint="Every draw takes `generator=generator`; `torch.randn_like` uses the global generator.",
    loses=("sample_generator",),
)
@torch.no_grad()
def sample(model, diffusion, shape, steps=None, generator=None, progress=False):
    T = len(diffusion.alphas)
    if steps is not None and not 1 <= steps <= T:
        raise ValueError("steps")
    x = draw_noise(shape, diffusion.alphas, generator)
    if steps is None or steps == T:
        for t in range(T - 1, -1, -1):
            x = p_sample_step(model, diffusion, x, t, torch.randn_like(x))
        return x
    times = [T * i // steps - 1 for i in range(steps, -1, -1)]
    for i in range(steps):
        x = ddim_step(model, diffusion, x, times[i], times[i + 1])
    return x


# --- training -------------------------------------------------------------------------------------


@mistake(
    "one_time_per_batch",
    title="one time drawn for the whole batch",
    hint="Draw `batch_size` times, one per image: the gradient is far less noisy.",
    loses=("train_draws",),
)
def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError("steps and batch_size must be at least 1")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    for _ in range(steps):
        x0 = x[draw_integers(len(x), batch_size, x, generator)]
        t = draw_integers(len(diffusion.alphas), 1, x, generator).expand(batch_size)
        loss = ddpm_loss(model, diffusion, x0, t, draw_noise(x0.shape, x0, generator))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history["loss"].append(loss.item())
    return history


@mistake(
    "times_from_one",
    title="time 0 never drawn in training",
    hint="Times go from 0 to T-1, both included; `torch.randint(1, T, ...)` leaves 0 out.",
    loses=("train_draws",),
)
def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError("steps and batch_size must be at least 1")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    for _ in range(steps):
        x0 = x[draw_integers(len(x), batch_size, x, generator)]
        t = 1 + draw_integers(len(diffusion.alphas) - 1, batch_size, x, generator)
        loss = ddpm_loss(model, diffusion, x0, t, draw_noise(x0.shape, x0, generator))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history["loss"].append(loss.item())
    return history


@mistake(
    "times_without_last",
    title="time T-1 never drawn in training",
    hint="Times go from 0 to T-1, both included; `torch.randint(0, T - 1, ...)` leaves T-1 out.",
    loses=("train_draws",),
)
def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError("steps and batch_size must be at least 1")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    for _ in range(steps):
        x0 = x[draw_integers(len(x), batch_size, x, generator)]
        t = draw_integers(len(diffusion.alphas) - 1, batch_size, x, generator)
        loss = ddpm_loss(model, diffusion, x0, t, draw_noise(x0.shape, x0, generator))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history["loss"].append(loss.item())
    return history


@mistake(
    "train_rescales_data",
    title="data rescaled in the training as if it were in [0, 1]",
    hint="The caller has already scaled the data to [-1, 1]; 2x - 1 would bring it to [-3, 1].",
    loses=("train_draws",),
)
def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError("steps and batch_size must be at least 1")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    x = 2 * x - 1
    for _ in range(steps):
        x0 = x[draw_integers(len(x), batch_size, x, generator)]
        t = draw_integers(len(diffusion.alphas), batch_size, x, generator)
        loss = ddpm_loss(model, diffusion, x0, t, draw_noise(x0.shape, x0, generator))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history["loss"].append(loss.item())
    return history


@mistake(
    "train_halves_data",
    title="data brought to [0, 1] in the training",
    hint="The data stays in [-1, 1], centred like the noise: don't rescale it.",
    loses=("train_draws",),
    may_lose=("training_loss",),
)
def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError("steps and batch_size must be at least 1")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    x = (x + 1) / 2
    for _ in range(steps):
        x0 = x[draw_integers(len(x), batch_size, x, generator)]
        t = draw_integers(len(diffusion.alphas), batch_size, x, generator)
        loss = ddpm_loss(model, diffusion, x0, t, draw_noise(x0.shape, x0, generator))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history["loss"].append(loss.item())
    return history


@mistake(
    "uniform_noise",
    title="uniform instead of normal noise in the training",
    hint="`torch.rand` is uniform on [0, 1); the noise of the chain is standard normal: `torch.randn`.",
    loses=("train_draws", "training_loss", "sampled_digits"),
)
def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError("steps and batch_size must be at least 1")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    for _ in range(steps):
        x0 = x[draw_integers(len(x), batch_size, x, generator)]
        t = draw_integers(len(diffusion.alphas), batch_size, x, generator)
        noise = torch.rand(x0.shape, generator=generator, dtype=x.dtype)
        loss = ddpm_loss(model, diffusion, x0, t, noise)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history["loss"].append(loss.item())
    return history


@mistake(
    "weights_never_updated",
    title="optimiser never takes a step",
    hint="After `loss.backward()` comes `optimiser.step()`; without it the weights stay as they were.",
    loses=("train_history", "training_loss", "sampled_digits"),
)
def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError("steps and batch_size must be at least 1")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    for _ in range(steps):
        x0 = x[draw_integers(len(x), batch_size, x, generator)]
        t = draw_integers(len(diffusion.alphas), batch_size, x, generator)
        loss = ddpm_loss(model, diffusion, x0, t, draw_noise(x0.shape, x0, generator))
        optimiser.zero_grad()
        loss.backward()
        history["loss"].append(loss.item())
    return history


@mistake(
    "learning_rate_ignored",
    title="learning rate of the training ignored",
    hint="Pass `lr` on to the optimiser; its own default is another one.",
    loses=("train_history",),
)
def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError("steps and batch_size must be at least 1")
    optimiser = torch.optim.Adam(model.parameters())
    history = {"loss": []}
    for _ in range(steps):
        x0 = x[draw_integers(len(x), batch_size, x, generator)]
        t = draw_integers(len(diffusion.alphas), batch_size, x, generator)
        loss = ddpm_loss(model, diffusion, x0, t, draw_noise(x0.shape, x0, generator))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history["loss"].append(loss.item())
    return history


@mistake(
    "gradients_accumulate",
    title="gradients never set back to zero",
    hint="`backward` adds to the gradients: without `zero_grad()` every step repeats all earlier ones.",
    loses=("training_loss", "sampled_digits"),
)
def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError("steps and batch_size must be at least 1")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    for _ in range(steps):
        x0 = x[draw_integers(len(x), batch_size, x, generator)]
        t = draw_integers(len(diffusion.alphas), batch_size, x, generator)
        loss = ddpm_loss(model, diffusion, x0, t, draw_noise(x0.shape, x0, generator))
        loss.backward()
        optimiser.step()
        history["loss"].append(loss.item())
    return history


@mistake(
    "history_sums_up",
    title="history that sums the losses up",
    hint='history["loss"] holds the loss of each step by itself.',
    loses=("train_history",),
)
def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError("steps and batch_size must be at least 1")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    history, total = {"loss": []}, 0.0
    for _ in range(steps):
        x0 = x[draw_integers(len(x), batch_size, x, generator)]
        t = draw_integers(len(diffusion.alphas), batch_size, x, generator)
        loss = ddpm_loss(model, diffusion, x0, t, draw_noise(x0.shape, x0, generator))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += loss.item()
        history["loss"].append(total)
    return history


@mistake(
    "train_ignores_generator",
    title="draws of the training not taken from the generator",
    hint="Batches, times and noise all take `generator=generator`; `torch.randn_like` uses the global generator.",
    loses=("sample_generator",),
)
def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError("steps and batch_size must be at least 1")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    for _ in range(steps):
        x0 = x[draw_integers(len(x), batch_size, x, generator)]
        t = draw_integers(len(diffusion.alphas), batch_size, x, generator)
        noise = torch.randn_like(x0)
        loss = ddpm_loss(model, diffusion, x0, t, noise)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history["loss"].append(loss.item())
    return history


@mistake(
    "seed_inside",
    title="the global generator seeded inside a function",
    hint="A seed inside a function makes every later draw of the program the same: leave the global generator alone.",
    loses=("sample_generator",),
)
def train_ddpm(model, diffusion, x, steps, batch_size=64, lr=2e-4, generator=None, progress=False):
    if steps < 1 or batch_size < 1:
        raise ValueError("steps and batch_size must be at least 1")
    torch.manual_seed(0)
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    for _ in range(steps):
        x0 = x[draw_integers(len(x), batch_size, x, generator)]
        t = draw_integers(len(diffusion.alphas), batch_size, x, generator)
        noise = draw_noise(x0.shape, x0, generator)
        loss = ddpm_loss(model, diffusion, x0, t, noise)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history["loss"].append(loss.item())
    return history


@mistake(
    "arguments_changed",
    title="arguments changed in place",
    hint="Whoever calls a function still needs what was passed: no `-=`, no method with a trailing underscore on it.",
    loses=("conventions",),
)
def q_sample(diffusion, x0, t, noise, _right=q_sample):
    return x0.copy_(_right(diffusion, x0, t, noise))
