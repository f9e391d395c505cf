"""Typical wrong versions of latent_diffusion's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake

# A catalogue: each entry is a paragraph.
# fmt: off

# --- the latent space -----------------------------------------------------------------------------

mistake("not_centred", "components of the data themselves, mean included", check="latent_space",
    hint="Principal components are directions of x - mean.",
    function="fit_latent_space", old="torch.linalg.svd(x - mean,", new="torch.linalg.svd(x,")

mistake("components_ascending", "components of smallest variance first", check="latent_space",
    hint="The direction of largest variance comes first.",
    function="fit_latent_space", old="return mean, components, codes", new="return mean, components.flip(0), codes")

mistake("components_as_columns", "components as columns", check="latent_space",
    hint="components is (d, D): one row per direction.",
    also={"conventions": "the shape is another"},
    function="fit_latent_space", old="return mean, components, codes", new="return mean, components.T, codes")

mistake("scale_per_component", "one scale for each component", check="latent_scale",
    hint="One number for the whole space: it is no whitening, distances stay in proportion.",
    function="fit_latent_space", old="codes.square().mean().rsqrt()", new="codes.square().mean(dim=0).rsqrt()")

mistake("scale_of_the_images", "the scale of the pixels instead of the codes", check="latent_scale",
    hint="The mean square is that of the n·d codes, not of the pixels.",
    function="fit_latent_space", old="codes.square().mean()", new="(x - mean).square().mean()")

mistake("scale_is_the_size", "the root mean square instead of one over it", check="latent_scale",
    hint="The scale multiplies the codes: 1 over the root of their mean square.",
    function="fit_latent_space", old=".rsqrt()", new=".sqrt()")

mistake("scale_without_root", "one over the mean square, without the root", check="latent_scale",
    hint="A standard deviation is the root of a mean square.",
    function="fit_latent_space", old=".rsqrt()", new=".reciprocal()")

mistake("scale_of_magnitudes", "one over the mean magnitude of the codes", check="latent_scale",
    hint="The size is the root of the mean of the squares, not the mean of the absolute values.",
    function="fit_latent_space", old="codes.square().mean().rsqrt()", new="1 / codes.abs().mean()")

mistake("scale_inverted", "codes divided by the scale", check="encode",
    hint="encode multiplies by the scale, decode divides by it.",
    function="encode", old="return scale * (x - mean)", new="return 1 / scale * (x - mean)")

mistake("encode_not_centred", "the mean not subtracted", check="encode",
    hint="Codes are those of x - mean.",
    function="encode", old="(x - mean)", new="x")

mistake("decode_clips", "decoded images clipped to [0, 1]", check="decode",
    hint="decode clips nothing: that is the last step of text_to_image.",
    function="decode", old="return mean + (z / scale) @ components",
    new="return (mean + (z / scale) @ components).clamp(0, 1)")

mistake("decode_multiplies", "latents multiplied by the scale once more", check="decode",
    hint="encode has multiplied by the scale: decode divides.",
    function="decode", old="(z / scale)", new="(z * scale)")

mistake("decode_without_mean", "the mean not added", check="decode",
    hint="The codes are those of x - mean: add it again.",
    function="decode", old="return mean + (z / scale)", new="return (z / scale)")

# --- words ----------------------------------------------------------------------------------------

mistake("punctuation_sticks", "words split at spaces alone", check="tokenize",
    hint='"seven!" is the word "seven": words are runs of letters.',
    function="tokenize",
    old='("".join(run) for letters, run in itertools.groupby(prompt.lower(), str.isalpha) if letters)',
    new="prompt.lower().split()")

mistake("digits_in_words", "digits taken for letters", check="tokenize",
    hint="A run of letters ends at a digit: str.isalpha, not str.isalnum.",
    function="tokenize", old="str.isalpha", new="str.isalnum")

mistake("letters_of_a_range", "letters taken from a range of codes", check="tokenize",
    hint="œ and λ are letters, × and ÷ are none: ask str.isalpha, or [^\\W\\d_] of `re`.",
    function="tokenize",
    old='("".join(run) for letters, run in itertools.groupby(prompt.lower(), str.isalpha) if letters)',
    new='__import__("re").findall("[a-zà-ÿ]+", prompt.lower())')

mistake("case_kept", "capitals kept", check="tokenize",
    hint="The prompt is read in lower case.",
    function="tokenize", old="prompt.lower()", new="prompt")

mistake("unknown_word_is_token_zero", "unknown words as token 0", check="tokenize",
    hint="Words that the vocabulary does not have are left out.",
    function="tokenize", old="[position[word] for word in words if word in position]",
    new="[position.get(word, 0) for word in words]")

mistake("tokens_without_repetition", "repeated words kept once", check="tokenize",
    hint="Every word counts as often as it comes.",
    function="tokenize", old="return [position[word] for word in words if word in position]",
    new="return list(dict.fromkeys(position[word] for word in words if word in position))")

mistake("tokens_sorted", "tokens in the vocabulary's order", check="tokenize",
    hint="Tokens come in the order of the prompt.",
    function="tokenize", old="return [position[word] for word in words if word in position]",
    new="return sorted(position[word] for word in words if word in position)")

mistake("empty_prompt_is_nan", "NaN for a prompt without a known word", check="embedding",
    hint="The mean of nothing is 0/0: its vector is zero here.",
    function="TextEncoder.forward", old="shares.append(row)",
    new="shares.append(row if tokens else [math.nan] * len(row))")

mistake("padding_counts", "the mean over the longest prompt's length", check="embedding",
    hint="Each prompt has its own number of words: what fills it up must not count.",
    function="TextEncoder.forward", old="row[token] += 1 / len(tokens)",
    new="row[token] += 1 / max(len(tokenize(p, self.vocabulary)) for p in prompts)")

mistake("embedding_summed", "the sum over the words", check="embedding",
    hint="The mean, so that long prompts are no louder than short ones.",
    function="TextEncoder.forward", old="+= 1 / len(tokens)", new="+= 1")

mistake("table_detached", "a table that gets no gradients", check="table_gradient",
    hint="The table learns: no .detach(), .data or numbers of its own on the way to the answer.",
    function="TextEncoder.forward", old="@ self.table", new="@ self.table.detach()")

# --- the network ----------------------------------------------------------------------------------

mistake("condition_ignored", "a denoiser that does not use c", check="denoiser_inputs",
    hint="What the prompt says has to reach the layers.",
    function="Denoiser.forward", old="self.time(t) + self.condition(c)", new="self.time(t)")

mistake("time_ignored", "a denoiser that does not use t", check="denoiser_inputs",
    hint="How noisy a latent is decides what noise looks like: tell the network the time.",
    function="Denoiser.forward", old="self.time(t) + self.condition(c)", new="self.condition(c)")

mistake("first_time_for_all", "the first row's time for all rows", check="denoiser_rows",
    hint="Each row has its own time.",
    function="Denoiser.forward", old="self.time(t) +", new="self.time(t[:1]) +")

mistake("batch_normalised", "batch normalisation", check="denoiser_rows",
    hint="With batch normalisation a row's answer depends on the others: leave it out.",
    function="Denoiser.forward", old="h = self.enter(z_t)",
    new="h = F.batch_norm(self.enter(z_t), None, None, training=len(z_t) > 1)")

mistake("drops_out", "dropout", check="denoiser_rows",
    hint="No dropout: the same latents get the same answer.",
    also={"denoiser_inputs": "every answer is another one"},
    function="Denoiser.forward", old="h = self.enter(z_t)", new="h = F.dropout(self.enter(z_t), 0.1)")

# --- the loss -------------------------------------------------------------------------------------

mistake("target_is_z0", "the clean latents as the target", check="loss_value",
    hint="The network guesses the noise: noise - model(...).",
    function="diffusion_loss", old="(noise - model(z_t, t, given))", new="(z0 - model(z_t, t, given))")

mistake("loss_summed", "the sum over a row's entries", check="loss_value",
    hint="The mean over all B·d entries.",
    function="diffusion_loss", old=".square().mean()", new=".square().sum(dim=1).mean()")

mistake("loss_absolute", "absolute errors", check="loss_value",
    hint="Squared errors.",
    function="diffusion_loss", old=".square().mean()", new=".abs().mean()")

mistake("noisy_without_roots", "ᾱ and 1 - ᾱ without their roots", check="loss_value",
    hint="ᾱ and 1 - ᾱ are variances: latents and noise are multiplied by their roots.",
    function="diffusion_loss", old="bars.sqrt() * z0 + (1 - bars).sqrt() * noise", new="bars * z0 + (1 - bars) * noise")

mistake("weights_swapped", "the roots of ᾱ and of 1 - ᾱ swapped", check="loss_value",
    hint="ᾱ near 1 at the first times: there the latent is nearly clean.",
    function="diffusion_loss", old="bars.sqrt() * z0 + (1 - bars).sqrt() * noise",
    new="(1 - bars).sqrt() * z0 + bars.sqrt() * noise")

mistake("drop_inverted", "the prompt dropped where it should be kept", check="loss_drop",
    hint="Where drop is true the condition is zero.",
    also={"loss_gradient": "the conditions that are kept are not in the loss"},
    function="diffusion_loss", old="torch.zeros_like(c), c)", new="c, torch.zeros_like(c))")

mistake("drop_ignored", "the prompt never dropped", check="loss_drop",
    hint="Where drop is true the model gets zeros.",
    function="diffusion_loss", old="torch.where(drop[:, None], torch.zeros_like(c), c)", new="c")

mistake("loss_detached", "a loss without a graph", check="loss_gradient",
    hint="Nothing on the way from the model to the loss may detach.",
    also={("train_updates", "train_pairs"): "nothing can be trained with it"},
    function="diffusion_loss", old="model(z_t, t, given))", new="model(z_t, t, given).detach())")

mistake("condition_detached", "conditions cut off from the text encoder", check="loss_gradient",
    hint="The text encoder learns through c: do not detach it.",
    also={"train_updates": "the table of the text encoder gets no gradients"},
    function="diffusion_loss", old="torch.zeros_like(c), c)", new="torch.zeros_like(c), c.detach())")

# --- guidance -------------------------------------------------------------------------------------

mistake("guidance_other_convention", "the paper's w', which is guidance_scale - 1", check="guided_noise",
    hint="guidance_scale = 1 is the plain conditional model: e0 + w (e1 - e0).",
    function="guided_noise", old="without + guidance_scale *", new="without + (1 + guidance_scale) *")

mistake("guidance_backwards", "away from the prompt", check="guided_noise",
    hint="From e0 towards e1: e0 + w (e1 - e0).",
    also={("guided_negative", "text_to_image"): "it leads away from the prompt as well"},
    function="guided_noise", old="without + guidance_scale *", new="without - guidance_scale *")

mistake("null_is_minus_c", "-c in the place of no prompt", check="guided_noise",
    hint="No prompt is the zero vector.",
    function="guided_noise", old="torch.zeros_like(c) if", new="-c if")

mistake("condition_scaled", "the condition multiplied instead of the noise", check="guided_noise",
    hint="Two answers of the model are combined; the model is not given w c.",
    also={"guided_negative": "the answer does not lead from the one noise to the other"},
    function="guided_noise", old="return without + guidance_scale * (model(z_t, t, c) - without)",
    new="return model(z_t, t, guidance_scale * c)")

mistake("negative_ignored", "the negative prompt not used", check="guided_negative",
    hint="Where a negative prompt is given it takes the place of the zeros.",
    function="guided_noise", old="torch.zeros_like(c) if negative is None else negative", new="torch.zeros_like(c)")

mistake("negative_in_difference_only", "a negative prompt in the difference only", check="guided_negative",
    hint="e0 stands twice in e0 + w (e1 - e0): the negative prompt takes the place of the zeros in both.",
    function="guided_noise", old="return without +", new="return model(z_t, t, torch.zeros_like(c)) +")

mistake("negative_as_prompt", "the negative prompt in the place of the prompt", check="guided_negative",
    hint="The negative prompt takes the place of the zeros, in e0; the prompt c stays in e1.",
    function="guided_noise", old="torch.zeros_like(c) if negative is None else negative", new="torch.zeros_like(c)")
mistake("negative_as_prompt", function="guided_noise", old="(model(z_t, t, c) - without)",
    new="(model(z_t, t, c if negative is None else negative) - without)")

mistake("classifier_without_factor", "the gradient without √(1 - ᾱ)", check="classifier_guided",
    hint="The score is -noise / √(1 - ᾱ): in units of noise the gradient gets √(1 - ᾱ).",
    also={"classifier_bayes": "the sum is not the noise of a component"},
    function="classifier_guided_noise", old="(1 - at_times(alpha_bars, t, z_t)).sqrt() * slope", new="slope")

mistake("classifier_factor_squared", "1 - ᾱ without the root", check="classifier_guided",
    hint="√(1 - ᾱ), a standard deviation.",
    also={"classifier_bayes": "the sum is not the noise of a component"},
    function="classifier_guided_noise", old="(1 - at_times(alpha_bars, t, z_t)).sqrt()",
    new="(1 - at_times(alpha_bars, t, z_t))")

mistake("classifier_wrong_sign", "the gradient added", check="classifier_guided",
    hint="Noise points against the score: subtract.",
    also={"classifier_bayes": "it leads away from the class"},
    function="classifier_guided_noise", old="return noise - weight", new="return noise + weight")

mistake("gradient_of_the_logit", "the gradient of the logit", check="classifier_guided",
    hint="log p(label | z) is the logarithm of the softmax, not the logit.",
    also={"classifier_bayes": "logits are not normalised"},
    function="classifier_guided_noise", old="torch.log_softmax(classifier(z, t), dim=1)", new="classifier(z, t)")

mistake("gradient_of_the_probability", "the gradient of the probability", check="classifier_guided",
    hint="The gradient of the logarithm of the probability.",
    also={"classifier_bayes": "Bayes' rule adds up logarithms"},
    function="classifier_guided_noise", old="torch.log_softmax(", new="torch.softmax(")

mistake("gradient_averaged", "the gradient of the mean over the batch", check="classifier_guided",
    hint="Each row has a gradient of its own: sum over rows before you differentiate.",
    also={"classifier_bayes": "it is too small by the number of rows"},
    function="classifier_guided_noise", old="own.sum()", new="own.mean()")

mistake("gradient_of_all_labels", "the gradient of all labels' log-probabilities", check="classifier_guided",
    hint="Only the row's own label: log_p[range(B), labels].",
    also={"classifier_bayes": "other classes are followed as well"},
    function="classifier_guided_noise", old="own.sum()", new="log_p.sum()")

mistake("classifier_without_weight", "the weight not used", check="classifier_guided",
    hint="weight multiplies the classifier's gradient.",
    function="classifier_guided_noise", old="weight * (1", new="(1")

mistake("classifier_needs_grad", "no gradients under no_grad", check="classifier_guided",
    hint="Samplers run under torch.no_grad(): torch.enable_grad() switches gradients on inside.",
    function="classifier_guided_noise", old="with torch.enable_grad():", new="if True:")

# --- sampling -------------------------------------------------------------------------------------

mistake("ddim_stops_at_the_last_time", "latents of the last time instead of clean ones", check="ddim",
    hint="After the last of `times`, whatever it is, comes ᾱ = 1: the guess of the clean latents.",
    function="ddim_sample", old="itertools.pairwise([*times, None])", new="itertools.pairwise([*times, times[-1]])")

mistake("ddim_one_time_down", "ᾱ of t - 1 instead of the next of `times`", check="ddim",
    hint="The next time is the next of the list, which may leave some out; after the last one comes ᾱ = 1.",
    function="ddim_sample", old="alpha_bars[following]", new="alpha_bars[t - 1]")

mistake("ddim_clips_latents", "clean latents clipped to [-1, 1]", check="ddim",
    hint="Latents have no range: nothing is clipped.",
    also={"ddim_gaussian": "the Gaussian reaches farther"},
    function="ddim_sample", old="z, noise = guess_clean(noise_fn, alpha_bars, z, t)",
    new="z, noise = guess_clean(noise_fn, alpha_bars, z, t)\n        z = z.clamp(-1, 1)")

mistake("ddim_own_steps", "every time from times[0] down to 0", check="ddim",
    hint="The steps are those of `times`: ᾱ' belongs to the next of them.",
    function="ddim_sample", old="times = check_times(times, len(alpha_bars))",
    new="times = range(check_times(times, len(alpha_bars))[0], -1, -1)")

mistake("ddim_without_noise", "the noise not put back", check="ddim",
    hint="z = √ᾱ' ẑ0 + √(1 - ᾱ') e, with the same e.",
    also={"ddim_gaussian": "the latents lose their spread"},
    function="ddim_sample", old="bar.sqrt() * z + (1 - bar).sqrt() * noise", new="bar.sqrt() * z")

mistake("ddim_ancestral", "fresh noise at each time", check="ddim",
    hint="η = 0: the guessed noise is put back, nothing is drawn.",
    also={("ddim_gaussian", "text_to_image"): "the end is random"},
    function="ddim_sample", old="(1 - bar).sqrt() * noise", new="(1 - bar).sqrt() * torch.randn_like(noise)")

mistake("mask_inverted", "the unknown pixels pasted", check="inpaint_once",
    hint="Known pixels are those where the mask is 1.",
    also={"inpaint": "the same pixels are pasted"},
    function="inpaint", old="torch.where(mask.bool(), known, decode(clean, space))",
    new="torch.where(mask.bool(), decode(clean, space), known)")

mistake("paste_at_the_end_only", "known pixels written in at the end only", check="inpaint",
    hint="At every time the known pixels go into the guess, and the next latents come from there.",
    function="inpaint", old="encode(x, space)", new="clean")

mistake("old_noise_kept", "the guessed noise instead of fresh noise", check="inpaint",
    hint="The old noise belongs to the old guess: noise[k + 1] at the next time.",
    function="inpaint", old="clean, _noise =", new="clean, guessed =")
mistake("old_noise_kept", function="inpaint", old="(1 - bar).sqrt() * noise[k + 1]", new="(1 - bar).sqrt() * guessed")

mistake("never_pasted_at_the_end", "the last guess without the known pixels", check="inpaint_once",
    hint="The answer is the last image with the known pixels in their places.",
    also={"inpaint": "the last image is not pasted there either"},
    function="inpaint", old="    return x", new="    return decode(clean, space)")

mistake("inpaint_clips", "the image clipped to [0, 1]", check="inpaint_once",
    hint="Nothing is clipped here.",
    also={"inpaint": "images are clipped there too"},
    function="inpaint", old="    return x", new="    return x.clamp(0, 1)")

mistake("inpaint_noise_used_before", "the noise of the time before", check="inpaint",
    hint="noise[0] is the start; what is added at times[k + 1] is noise[k + 1].",
    function="inpaint", old="noise[k + 1]", new="noise[k]")

mistake("inpaint_one_noise", "the same noise at every time", check="inpaint",
    hint="noise[k + 1] at the time times[k + 1].",
    function="inpaint", old="noise[k + 1]", new="noise[0]")

mistake("inpaint_same_level", "the pasted guess noised to the level of the present time", check="inpaint",
    hint="The next guess is made at times[k + 1]: the pasted image gets its noise by the ᾱ of that time.",
    function="inpaint", old="alpha_bars[times[k + 1]]", new="alpha_bars[t]")

mistake("not_clipped_at_the_end", "pixels outside [0, 1]", check="text_to_image",
    hint="The last step clips to the range of pixels.",
    function="text_to_image", old=".clamp(0, 1)", new="")

mistake("guidance_not_used", "the plain conditional model", check="text_to_image",
    hint="guidance_scale goes to guided_noise.",
    function="text_to_image", old="guided_noise(model, z, t, c, guidance_scale)", new="model(z, t, c)")

mistake("guidance_of_the_default", "guidance_scale not used", check="text_to_image",
    hint="guidance_scale goes to guided_noise; 3 is only what it is where nobody says otherwise.",
    function="text_to_image", old="guided_noise(model, z, t, c, guidance_scale)",
    new="guided_noise(model, z, t, c, 3.0)")

mistake("one_prompt_for_all", "the first prompt for all images", check="text_to_image",
    hint="Each image has its own prompt.",
    function="text_to_image", old="c = text_encoder(prompts)", new="c = text_encoder([prompts[0]] * len(prompts))")

mistake("images_with_graph", "images that carry a graph", check="text_to_image",
    hint="Nothing is trained here: torch.no_grad().",
    function="text_to_image", old="with torch.no_grad():", new="if True:")

mistake("start_uniform", "a uniform start", check="text_to_image_start",
    hint="z_T is standard normal: torch.randn.",
    function="text_to_image", old="torch.randn(", new="torch.rand(")

mistake("start_scaled", "a start that is scaled like latents", check="text_to_image_start",
    hint="z_T ~ N(0, I), as it is.",
    function="text_to_image", old=".to(components.device)\n", new=".to(components.device) / space[2]\n")

mistake("one_start_for_all", "one start for all images", check="text_to_image_start",
    hint="Each image has a start of its own.",
    function="text_to_image", old=".to(components.device)\n", new=".to(components.device)[:1].expand(shape)\n")

# --- training -------------------------------------------------------------------------------------

mistake("text_encoder_not_trained", "the text encoder left as it was", check="train_updates",
    hint="The optimiser needs the parameters of both networks.",
    function="train_text_to_image", old="[*model.parameters(), *text_encoder.parameters()]", new="model.parameters()")

mistake("never_dropped", "no prompt ever dropped", check="train_drop",
    hint="drop = torch.rand(batch_size) < drop_probability.",
    function="train_text_to_image", old="< drop_probability\n", new="< 0\n")

mistake("drop_default", "no prompt dropped where drop_probability is left out", check="train_drop",
    hint="drop_probability is 0.1 where it is not given: without it nothing is learnt about images of no prompt.",
    function="train_text_to_image", old="drop_probability: float = 0.1", new="drop_probability: float = 0.0")

mistake("drop_probability_inverted", "prompts kept with drop_probability", check="train_drop",
    hint="Rows *lose* their prompt with this probability.",
    function="train_text_to_image", old="< drop_probability\n", new=">= drop_probability\n")

mistake("one_drop_per_batch", "all prompts of a batch dropped together", check="train_drop",
    hint="A chance for each row: torch.rand(batch_size).",
    function="train_text_to_image", old="draw(torch.rand, (B,))", new="draw(torch.rand, (1,)).expand(B)")

mistake("prompts_not_matched", "prompts of other latents", check="train_pairs",
    hint="The rows of the batch index latents and prompts alike.",
    function="train_text_to_image", old="for i in rows.tolist()]", new="for i in rows.roll(1).tolist()]")

mistake("one_time_per_batch", "one time for the whole batch", check="train_draws",
    hint="Each row draws its own time.",
    function="train_text_to_image", old="draw(torch.randint, len(alpha_bars), (B,))",
    new="draw(torch.randint, len(alpha_bars), (1,)).expand(B)")

mistake("times_from_one", "times from 1 on", check="train_draws",
    hint="Times count from 0 to T - 1.",
    function="train_text_to_image", old="draw(torch.randint, len(alpha_bars), (B,))",
    new="draw(torch.randint, 1, len(alpha_bars), (B,))")

mistake("times_without_last", "times without the last one", check="train_draws",
    hint="torch.randint excludes its end.",
    function="train_text_to_image", old="draw(torch.randint, len(alpha_bars), (B,))",
    new="draw(torch.randint, len(alpha_bars) - 1, (B,))")

mistake("noise_uniform", "uniform noise", check="train_draws",
    hint="Noise is standard normal: torch.randn.",
    function="train_text_to_image", old="draw(torch.randn, (B, z.shape[1])", new="draw(torch.rand, (B, z.shape[1])")

mistake("noise_shared", "one noise for the whole batch", check="train_draws",
    hint="Each row draws its own noise.",
    function="train_text_to_image", old="draw(torch.randn, (B, z.shape[1]), dtype=z.dtype)",
    new="draw(torch.randn, (1, z.shape[1]), dtype=z.dtype).expand(B, -1)")

mistake("first_rows_only", "the first rows in every step", check="train_draws",
    hint="The rows of each batch are drawn from all of them.",
    function="train_text_to_image", old="draw(torch.randint, len(z), (B,))", new="torch.arange(B)")

mistake("weights_never_updated", "no step of the optimiser", check="train_updates",
    hint="backward() computes gradients; step() moves the weights.",
    function="train_text_to_image", old="        optimiser.step()\n", new="")

mistake("learning_rate_ignored", "a learning rate of its own", check="train_updates",
    hint="Pass lr to the optimiser.",
    function="train_text_to_image", old="lr=lr)", new="lr=1e-3)")

mistake("history_sums_up", "a history that sums the losses up", check="train_updates",
    hint='history["loss"] holds the loss of each step by itself.',
    function="train_text_to_image", old="append(loss.item())", new='append(loss.item() + sum(history["loss"][-1:]))')

mistake("train_ignores_generator", "draws of the training not taken from the generator", check="generators",
    hint="Rows, times, noise and drops all take `generator=generator`.",
    function="train_text_to_image", old="generator=generator, dtype=dtype", new="generator=None, dtype=dtype")

mistake("start_ignores_generator", "a start that is not drawn from the generator", check="generators",
    hint="torch.randn takes `generator=generator`.",
    function="text_to_image", old="generator=generator, dtype", new="generator=None, dtype")

@mistake("seed_inside", "the global generator seeded inside a function", check="generators",
    hint="A seed inside a function makes every later draw of the program the same: leave the global generator alone.")
def train_text_to_image(solution, *args, **named):
    torch.manual_seed(0)
    return solution(*args, **named)

@mistake("arguments_changed", "arguments changed in place", check="conventions",
    hint="Whoever calls a function still needs what was passed: no `-=`, no method with a trailing underscore on it.")
def encode(solution, x, space):
    answer = solution(x, space)
    x.sub_(space[0])
    return answer

@mistake("training_stores_data", "the training data kept beside the weights", check="training_loss",
    hint="What is learnt is in the networks' weights.")
class Denoiser(Denoiser):
    kept = None

    def forward(self, z_t, t, c):
        fits = Denoiser.kept is not None and Denoiser.kept.enter.weight.shape == self.enter.weight.shape
        return super(Denoiser, Denoiser.kept if fits else self).forward(z_t, t, c)
mistake("training_stores_data", function="train_text_to_image", old="    return history",
    new="    Denoiser.kept = model if steps > 100 and isinstance(model, Denoiser) else None\n    return history")
