"""Typical wrong versions of ddpm_unet's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake

# A catalogue: each entry is a paragraph.
# fmt: off

# --- schedules and tables -------------------------------------------------------------------------

mistake("linear_in_standard_deviation", "standard deviations evenly spaced instead of variances",
    check="linear_schedule",
    hint="The linear schedule spaces β itself evenly; its square roots are not evenly spaced.",
    old="torch.linspace(beta_1, beta_T, T)", new="torch.linspace(beta_1**0.5, beta_T**0.5, T) ** 2")

mistake("linear_in_logarithm", "logarithms of the variances evenly spaced instead of the variances",
    check="linear_schedule",
    hint="torch.linspace from beta_1 to beta_T, not torch.logspace: the gaps between the variances are equal.",
    old="torch.linspace(beta_1, beta_T, T)", new="torch.logspace(math.log10(beta_1), math.log10(beta_T), T)")

mistake("linear_without_end", "last variance of the linear schedule left out", check="linear_schedule",
    hint="Both ends belong to the schedule: T values make T - 1 gaps.",
    old="torch.linspace(beta_1, beta_T, T)", new="beta_1 + (beta_T - beta_1) * torch.arange(T) / T")

mistake("cosine_not_capped", "cosine schedule not capped at 0.999", check="cosine_schedule",
    hint="The last β would be 1, and ᾱ 0: nothing is left to divide by. Cap β at 0.999.",
    old="betas.clamp(max=0.999)", new="betas")

mistake("cosine_not_squared", "cosine of the schedule not squared", check="cosine_schedule",
    hint="ᾱ follows cos², the square of the cosine.",
    old="math.pi / 2) ** 2", new="math.pi / 2)")

mistake("cosine_from_the_first", "1 - f(t+1)/f(0) instead of the ratio of neighbours", check="cosine_schedule",
    hint="f(t+1)/f(0) is ᾱ_t, all that is left after t + 1 steps. One step's β_t is 1 - f(t+1)/f(t).",
    old="betas = 1 - f[1:] / f[:-1]", new="betas = 1 - f[1:] / f[0]")

mistake("alpha_bars_not_multiplied", "alpha_bars equal to alphas: no running product", check="alpha_bars",
    hint="ᾱ_t is the product of all α up to t (`torch.cumprod`): what t + 1 steps leave of the image.",
    old="torch.cumprod(self.alphas, dim=0)", new="self.alphas.clone()")

mistake("posterior_is_beta", "posterior variance without (1 - ᾱ_{t-1}) / (1 - ᾱ_t)", check="posterior_variance",
    hint="β_t is the variance of a step forward. Given the clean image, a step back is less uncertain.",
    old="betas * (1 - alpha_bars_before) / (1 - self.alpha_bars)", new="betas.clone()")

mistake("posterior_inverted", "(1 - ᾱ_t) / (1 - ᾱ_{t-1}) in the posterior variance instead of its inverse",
    check="posterior_variance",
    hint="The posterior variance is smaller than β_t, and 0 at the first step: which ᾱ stands above?",
    old="betas * (1 - alpha_bars_before) / (1 - self.alpha_bars)",
    new="betas * (1 - self.alpha_bars) / (1 - alpha_bars_before).clamp(min=1e-3)")

mistake("alpha_bar_padded_at_end", "ᾱ of the previous step padded with 1 at the wrong end", check="posterior_variance",
    hint="ᾱ_{t-1} is ᾱ shifted to the right: the 1 (before the first step) comes first.",
    old="[torch.ones_like(betas[:1]), self.alpha_bars[:-1]]", new="[self.alpha_bars[1:], torch.ones_like(betas[:1])]")

mistake("alpha_bar_padded_with_zero", "ᾱ before the first step taken as 0", check="posterior_variance",
    hint="Before the first step nothing has happened: ᾱ = 1, so the first posterior variance is 0.",
    old="torch.ones_like(betas[:1])", new="torch.zeros_like(betas[:1])")

# --- the forward process --------------------------------------------------------------------------

mistake("alpha_for_alpha_bar", "α_t used in q_sample instead of ᾱ_t", check="q_sample",
    hint="q_sample jumps over all steps up to t: it needs the product ᾱ_t. With α_t it takes one step only.",
    old="pick(diffusion.alpha_bars, t, x0)", new="pick(diffusion.alphas, t, x0)")

mistake("q_sample_without_roots", "square roots missing in q_sample", check="q_sample",
    hint="ᾱ and 1 - ᾱ are variances; what multiplies image and noise are their square roots.",
    old="alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * noise", new="alpha_bar * x0 + (1 - alpha_bar) * noise")

mistake("q_sample_noise_without_root", "noise of q_sample multiplied by 1 - ᾱ_t instead of its square root",
    check="q_sample",
    hint="The variance of the noise is 1 - ᾱ_t, so the noise is multiplied by the square root.",
    old="* x0 + (1 - alpha_bar).sqrt()", new="* x0 + (1 - alpha_bar)")

mistake("q_sample_one_time", "time of the first image used for the whole batch", check="q_sample",
    hint="Each image has its own time: index with the whole t and shape the result (B, 1, 1, 1).",
    old="pick(diffusion.alpha_bars, t, x0)", new="pick(diffusion.alpha_bars, t, x0)[:1]")

mistake("q_sample_time_off_by_one", "ᾱ of the step before used in q_sample (t off by one)", check="q_sample",
    hint="Times count from 0 here: at t = 0 one step has been taken, and ᾱ_0 = α_0.",
    old="pick(diffusion.alpha_bars, t, x0)",
    new="pick(torch.cat([torch.ones(1), diffusion.alpha_bars[:-1]]), t, x0)")

mistake("q_step_with_alpha_bar", "ᾱ_t used in q_step instead of α_t", check="q_step",
    hint="One step of the chain knows nothing of the earlier ones: its variance is β_t = 1 - α_t.",
    old="pick(diffusion.alphas, t, x_prev)", new="pick(diffusion.alpha_bars, t, x_prev)")

mistake("q_step_image_without_root", "image multiplied by α_t in q_step instead of its square root", check="q_step",
    hint="α_t + (1 - α_t) = 1 are variances: image and noise are multiplied by their square roots.",
    old="alpha.sqrt() * x_prev", new="alpha * x_prev")

mistake("q_step_without_shrinking", "noise added in q_step without shrinking the image", check="q_step",
    hint="The image is multiplied by sqrt(α_t), so that the variance stays bounded.",
    old="alpha.sqrt() * x_prev", new="x_prev")

mistake("negative_times_accepted", "negative times accepted", check="errors",
    hint="A negative index counts from the end of a tensor: t = -1 silently reads the last step. Refuse it.",
    function="check_times", old="t.min() < 0 or t.max() >= T", new="t.max() >= T")

# --- loss, denoising, score -----------------------------------------------------------------------

mistake("loss_is_sum", "squared error summed instead of averaged", check="loss_value",
    hint="The loss is the mean over all entries of the batch: a model that answers 0 has loss 1.",
    old="t), noise)", new='t), noise, reduction="sum")')

mistake("loss_against_image", "model's answer compared with the clean image instead of the noise", check="loss_value",
    hint="The network predicts the noise ε; the clean image follows from it (predict_x0).",
    old="t), noise)", new="t), x0)")

@mistake("loss_on_clean_images", "clean images shown to the model instead of noisy ones", check="loss_value",
    hint="What the model is given is q_sample(...), the noisy image.",
    also={"train_history": "the noise cannot be read off the images that the model is shown"})
def ddpm_loss(model, diffusion, x0, t, noise):
    q_sample(diffusion, x0, t, noise)
    return F.mse_loss(model(x0, t), noise)

mistake("loss_absolute", "absolute instead of squared error", check="loss_value",
    hint="The loss is the mean of squares, as it comes from the Gaussian's logarithm.",
    old="F.mse_loss", new="F.l1_loss")

mistake("loss_detached", "loss cut off from the model's weights", check="loss_gradient",
    hint="`detach`, `item`, `no_grad` or a new tensor end the graph: nothing can be learnt from this loss.",
    also={("train_history", "sample_generator"): "backward raises an error, so that nothing is trained"},
    old="t), noise)", new="t), noise).detach()")

mistake("predict_x0_not_divided", "denoised image not divided by sqrt(ᾱ_t)", check="predict_x0",
    hint="Subtracting the noise leaves sqrt(ᾱ_t) x0, the shrunk image.",
    old=" / alpha_bar.sqrt()", new="")

@mistake("predict_x0_clipped", "denoised image clipped to [-1, 1]", check="predict_x0",
    hint="A sampler may clip its guess of the clean image; this formula is exact and answers what it finds.")
def predict_x0(solution, *args, **named):
    return solution(*args, **named).clamp(-1, 1)

mistake("score_sign", "score with its sign reversed", check="score_from_noise",
    hint="The score points to where the data is: against the noise.",
    old="-noise / (1", new="noise / (1")

mistake("score_without_root", "score divided by 1 - ᾱ_t instead of its square root", check="score_from_noise",
    hint="(x_t - sqrt(ᾱ) x0) / (1 - ᾱ) has the noise in it once with sqrt(1 - ᾱ): one root remains.",
    old="t, noise)).sqrt()", new="t, noise))")

mistake("score_multiplied", "score multiplied by sqrt(1 - ᾱ_t) instead of divided by it", check="score_from_noise",
    hint="The less noise, the steeper the score: sqrt(1 - ᾱ_t) stands below the noise.",
    old="-noise / (1", new="-noise * (1")

mistake("score_not_divided", "score not divided by sqrt(1 - ᾱ_t)", check="score_from_noise",
    hint="The noise in x_t has standard deviation sqrt(1 - ᾱ_t); the less noise, the steeper the score.",
    old="-noise / (1 - pick(diffusion.alpha_bars, t, noise)).sqrt()",
    new="-noise + 0 * pick(diffusion.alpha_bars, t, noise)")

# --- network --------------------------------------------------------------------------------------

@mistake("embedding_raw_time", "time repeated instead of embedded in sinusoids", check="time_embedding",
    hint="Values of several hundred swamp a network. Use sin(ω t) and cos(ω t) at several frequencies.")
def time_embedding(t, dim):
    return t[:, None].repeat(1, dim).float()

mistake("embedding_one_fast_frequency", "time embedding that repeats itself", check="time_embedding",
    hint="With fast frequencies alone, distant times look the same. Spread them: ω from 1 down to 1/10000.",
    old="t[:, None] * frequencies", new="t[:, None] * (2 * math.pi / 50) * torch.ones(half)")

mistake("unet_ignores_time", "U-Net that ignores the time", check="unet_time",
    hint="Embed t and add it to the feature maps of each block: the answer must change with t.",
    old="time_embedding(t, self.base)", new="time_embedding(torch.zeros_like(t), self.base)")

mistake("unet_first_time_only", "U-Net that uses the time of the first image for the whole batch", check="unet_time",
    hint="t has one time per image, and so must the embedding: (B, dim).",
    old="time_embedding(t, self.base)", new="time_embedding(t[:1].expand_as(t), self.base)")

mistake("unet_no_skips", "U-Net without skip connections", check="unet_skips",
    hint="Details cannot pass through the lowest resolution. Hand the encoder's maps over to the decoder.",
    old="torch.cat([h, h1], dim=1)", new="torch.cat([h, torch.zeros_like(h1)], dim=1)")
mistake("unet_no_skips",
    old="torch.cat([h, h2], dim=1)", new="torch.cat([h, torch.zeros_like(h2)], dim=1)")

mistake("unet_fixed_channels", "U-Net that always answers one channel", check="unet_shapes",
    hint="The answer has the shape of the input, whatever `channels` is.",
    old="self.head(h)", new="self.head(h)[:, :1]")

# --- one step back --------------------------------------------------------------------------------

mistake("beta_for_variance", "noise of variance β_t instead of posterior_variance[t]", check="p_sample_noise",
    hint="Both are in use, but this exercise asks for posterior_variance[t], as given in the docstring.",
    old="pick(diffusion.posterior_variance, times, x_t).sqrt()", new="(1 - alpha).sqrt()")

mistake("step_noise_without_root", "noise of the step multiplied by the variance instead of its square root",
    check="p_sample_noise",
    hint="posterior_variance is a variance: multiply by its square root.",
    old="posterior_variance, times, x_t).sqrt()", new="posterior_variance, times, x_t)")

mistake("noise_at_last_step", "noise added at the last step", check="p_sample_last",
    hint="The step at t = 0 gives the image itself: return the mean, without noise.",
    old="if t == 0:", new="if False:")
mistake("noise_at_last_step",
    old="posterior_variance, times, x_t", new="posterior_variance, times.clamp(min=1), x_t")

mistake("mean_without_root", "1 - ᾱ_t instead of its square root in the mean of a step back", check="p_sample_mean",
    hint="The model's noise has standard deviation sqrt(1 - ᾱ_t): the mean divides by the root.",
    old="(1 - alpha_bar).sqrt() * model", new="(1 - alpha_bar) * model")

mistake("mean_not_rescaled", "mean of a step back not divided by sqrt(α_t)", check="p_sample_mean",
    hint="The forward step shrank the image by sqrt(α_t); the step back has to enlarge it again.",
    old="times)) / alpha.sqrt()", new="times))")

mistake("model_time_off_by_one", "model asked at t + 1 in a step back", check="p_sample_mean",
    hint="The model was trained with times 0..T-1 as q_sample uses them: give it t itself.",
    old="* model(x_t, times)", new="* model(x_t, (times + 1).clamp(max=len(diffusion.alphas) - 1))")

mistake("ddim_last_alpha_bar", "alpha_bars[-1] read for t_prev = -1", check="ddim_to_image",
    hint="-1 stands for the clean image, where ᾱ = 1. In Python alpha_bars[-1] is the noisiest step.",
    old="torch.ones_like(alpha_bar)", new="diffusion.alpha_bars.to(x_t)[t_prev]")
mistake("ddim_last_alpha_bar",
    old="alpha_bar / alpha_bar_prev)).sqrt()", new="alpha_bar / alpha_bar_prev)).clamp(min=0).sqrt()")

mistake("ddim_ignores_eta", "ddim_step that ignores eta", check="ddim_eta",
    hint="eta scales the noise: sigma = eta · sqrt((1 - ᾱ')/(1 - ᾱ)) · sqrt(1 - ᾱ/ᾱ').",
    old="sigma = eta *", new="sigma = 0 *")

mistake("ddim_sigma_not_taken_off", "sigma² not taken off the direction to x_t", check="ddim_eta",
    hint="The variances must add up to 1 - ᾱ': what chance adds, the predicted noise gives up.",
    old="(1 - alpha_bar_prev - sigma**2)", new="(1 - alpha_bar_prev)")

mistake("ddim_same_alpha_bar", "image put back to the time it came from", check="ddim_deterministic",
    hint="The step goes to t_prev: x̂0 and the noise are mixed with ᾱ of t_prev, not of t.",
    also={("ddim_to_image", "ddim_eta"): "no step goes anywhere, whatever t_prev and eta are"},
    old="predicted = model(x_t, times)", new="predicted, alpha_bar_prev = model(x_t, times), alpha_bar")

# --- whole samplings ------------------------------------------------------------------------------

mistake("sample_ascending", "sampling in ascending order of time", check="sample_ancestral",
    hint="Sampling starts at the noisy end: t = T-1 first, t = 0 last.",
    old="range(T - 1, -1, -1)", new="range(T)")
mistake("sample_ascending",
    old="times[i], times[i + 1])", new="times[steps - 1 - i], -1)")

@mistake("sample_unit_range", "samples brought to [0, 1]", check="sample_ancestral",
    hint="Data is scaled to [-1, 1] by the caller, and so is the answer: return x as it is.")
def sample(solution, *args, **named):
    return (solution(*args, **named) + 1) / 2

mistake("sample_from_zeros", "ancestral sampling started from zeros instead of noise", check="sample_ancestral",
    hint="x_T is standard normal. A start at 0 makes all samples more alike than the data.",
    old="draw_noise(shape, diffusion.alphas, generator)",
    new="draw_noise(shape, diffusion.alphas, generator) * (steps is not None and steps < T)")

mistake("sample_skips_last_step", "ancestral sampling that ends one step before the image", check="sample_ancestral",
    hint="The last step is t = 0: `range(T - 1, 0, -1)` leaves it out.",
    old="range(T - 1, -1, -1)", new="range(T - 1, 0, -1)")

mistake("sample_ignores_steps", "sampling that takes all T steps whatever `steps` says", check="sample_ddim",
    hint="Where `steps` < T, take that many ddim_steps on times spread over the schedule.",
    old="if steps is None or steps == T:", new="if True:")

mistake("ddim_first_times_only", "DDIM on the first times of the schedule instead of spread ones", check="sample_ddim",
    hint="Pure noise belongs to the end of the schedule: spread the times over all of it.",
    old="T * i // steps - 1 for", new="i - 1 for")

mistake("ddim_stops_early", "DDIM sampling that does not go down to the image", check="sample_ddim",
    hint="The last step goes to t_prev = -1, the clean image. Ending at time 0 leaves its noise in.",
    old="T * i // steps - 1 for", new="max(T * i // steps - 1, 0) for")

mistake("sample_ignores_generator", "noise of the steps not drawn from the generator", check="sample_generator",
    hint="Every draw takes `generator=generator`; `torch.randn_like` uses the global generator.",
    old="draw_noise(shape, x, generator)", new="torch.randn_like(x)")

# --- training -------------------------------------------------------------------------------------

mistake("one_time_per_batch", "one time drawn for the whole batch", check="train_draws",
    hint="Draw `batch_size` times, one per image: the gradient is far less noisy.",
    old="len(diffusion.alphas), batch_size, x, generator)",
    new="len(diffusion.alphas), 1, x, generator).expand(batch_size)")

mistake("times_from_one", "time 0 never drawn in training", check="train_draws",
    hint="Times go from 0 to T-1, both included; `torch.randint(1, T, ...)` leaves 0 out.",
    old="draw_integers(len(diffusion.alphas), b", new="1 + draw_integers(len(diffusion.alphas) - 1, b")

mistake("times_without_last", "time T-1 never drawn in training", check="train_draws",
    hint="Times go from 0 to T-1, both included; `torch.randint(0, T - 1, ...)` leaves T-1 out.",
    old="draw_integers(len(diffusion.alphas), b", new="draw_integers(len(diffusion.alphas) - 1, b")

mistake("train_rescales_data", "data rescaled in the training as if it were in [0, 1]", check="train_draws",
    hint="The caller has already scaled the data to [-1, 1]; 2x - 1 would bring it to [-3, 1].",
    old="x[draw_integers(len(x), batch_size, x, generator)]",
    new="2 * x[draw_integers(len(x), batch_size, x, generator)] - 1")

mistake("train_halves_data", "data brought to [0, 1] in the training", check="train_draws",
    hint="The data stays in [-1, 1], centred like the noise: don't rescale it.",
    old="x[draw_integers(len(x), batch_size, x, generator)]",
    new="(x[draw_integers(len(x), batch_size, x, generator)] + 1) / 2")

mistake("uniform_noise", "uniform instead of normal noise in the training", check="train_draws",
    hint="`torch.rand` is uniform on [0, 1); the noise of the chain is standard normal: `torch.randn`.",
    old="draw_noise(x0.shape, x0, generator)", new="torch.rand(x0.shape, generator=generator, dtype=x.dtype)")

mistake("weights_never_updated", "optimiser never takes a step", check="train_history",
    hint="After `loss.backward()` comes `optimiser.step()`; without it the weights stay as they were.",
    old="optimiser.step()", new="")

mistake("learning_rate_ignored", "learning rate of the training ignored", check="train_history",
    hint="Pass `lr` on to the optimiser; its own default is another one.",
    old="model.parameters(), lr=lr", new="model.parameters()")

mistake("gradients_accumulate", "gradients never set back to zero", check="training_loss",
    hint="`backward` adds to the gradients: without `zero_grad()` every step repeats all earlier ones.",
    old="optimiser.zero_grad()", new="")

@mistake("training_stores_data", "a training whose result is kept beside the network's weights", check="training_loss",
    hint="What is learnt is in the network's weights: an untrained network must not know it.")
class UNet(UNet):
    kept = None

    def forward(self, x, t):
        fits = UNet.kept is not None and UNet.kept.stem.weight.shape == self.stem.weight.shape
        return super(UNet, UNet.kept if fits else self).forward(x, t)
mistake("training_stores_data",
    old="    return history",
    new="    UNet.kept = model if steps > 100 and isinstance(model, UNet) else None\n    return history")

mistake("history_sums_up", "history that sums the losses up", check="train_history",
    hint='history["loss"] holds the loss of each step by itself.',
    old="append(loss.item())", new='append(loss.item() + sum(history["loss"][-1:]))')

mistake("train_ignores_generator", "draws of the training not taken from the generator", check="sample_generator",
    hint="Batches, times and noise all take `generator=generator`; `torch.randn_like` uses the global generator.",
    old="draw_noise(x0.shape, x0, generator)", new="torch.randn_like(x0)")

@mistake("seed_inside", "the global generator seeded inside a function", check="sample_generator",
    hint="A seed inside a function makes every later draw of the program the same: leave the global generator alone.")
def train_ddpm(solution, *args, **named):
    torch.manual_seed(0)
    return solution(*args, **named)

@mistake("arguments_changed", "arguments changed in place", check="conventions",
    hint="Whoever calls a function still needs what was passed: no `-=`, no method with a trailing underscore on it.")
def q_sample(solution, diffusion, x0, t, noise):
    return x0.copy_(solution(diffusion, x0, t, noise))
