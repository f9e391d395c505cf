"""Typical wrong versions of vae_mnist's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake

# A catalogue: each entry is a paragraph.
# fmt: off

# --- networks and reparameterisation --------------------------------------------------------------

mistake("logvar_is_mu", "one head answered twice: logvar is computed from mu", check="encoder",
    hint="The encoder ends in two layers on the same hidden units; which of them does your logvar come from?",
    old="self.logvar(h)", new="self.mu(h)")

mistake("decoder_sigmoid", "sigmoid at the end of the decoder: applied twice in all", check="decoder",
    hint="The decoder answers logits; the likelihood and the pixel means apply the sigmoid themselves.",
    old="self.logits(h)", new="torch.sigmoid(self.logits(h))")

mistake("logvar_as_std", "log-variance used as standard deviation", check="reparameterize_value",
    hint="The encoder answers log σ². What is σ, then? It can never be negative.",
    old="torch.exp(0.5 * logvar) * eps", new="logvar * eps")

mistake("logvar_as_variance", "log-variance used as variance", check="reparameterize_value",
    hint="logvar is the logarithm of the variance: exponentiate before you take the root.",
    old="torch.exp(0.5 * logvar) * eps", new="logvar.abs().clamp_min(1e-6).sqrt() * eps")

mistake("variance_as_std", "variance used as standard deviation: exp(logvar) eps", check="reparameterize_value",
    hint="exp(logvar) is σ². The noise is multiplied by σ = exp(logvar / 2).",
    old="torch.exp(0.5 * logvar) * eps", new="torch.exp(logvar) * eps")

mistake("eps_not_used", "noise not used: z = mu", check="reparameterize_value",
    hint="Without noise this is an auto-encoder: z = mu + exp(logvar / 2) eps.",
    also={"reparameterize_gradient": "what does not depend on logvar has no gradient there",
          "vae_forward": "the logits do not depend on the noise"},
    old="mu + torch.exp(0.5 * logvar) * eps", new="mu")

mistake("own_noise", "own noise drawn instead of the given eps", check="reparameterize_value",
    hint="eps is the noise: use it as given, so that the same eps gives the same z.",
    also={"reparameterize_gradient": "the derivative by logvar holds the noise",
          ("vae_forward", "generators"): "the noise comes from the global generator at each call"},
    old="torch.exp(0.5 * logvar) * eps", new="torch.exp(0.5 * logvar) * torch.randn_like(eps)")

mistake("detached_sample", "z detached from the graph", check="reparameterize_gradient",
    hint="The trick exists so that the gradient of the reconstruction reaches the encoder through z: no detach, "
    "no no_grad, no NumPy here.",
    old="mu + torch.exp(0.5 * logvar) * eps", new="(mu + torch.exp(0.5 * logvar) * eps).detach()")

# --- the two terms of the bound -------------------------------------------------------------------

mistake("kl_sign", "KL divergence with its sign reversed", check="kl_value",
    hint="A divergence is never negative. What does yours give for mu = 0, logvar = 0.5?",
    old="(mu**2 + logvar.exp() - 1.0 - logvar)", new="(1.0 + logvar - mu**2 - logvar.exp())")

mistake("kl_averaged", "KL divergence averaged over the latent coordinates", check="kl_value",
    hint="The divergence of independent coordinates is the sum of theirs.",
    function="kl_divergence", old=".sum(dim=-1)", new=".mean(dim=-1)")

mistake("kl_without_half", "factor 1/2 missing in the KL divergence", check="kl_value",
    hint="Both the square of mu and the variance come with a factor 1/2.",
    old="0.5 * (mu**2", new="(mu**2")

mistake("kl_without_constant", "the -1 missing in the KL divergence", check="kl_value",
    hint="Where mu = 0 and logvar = 0 the two laws are the same, and the divergence is 0.",
    old="logvar.exp() - 1.0 - logvar", new="logvar.exp() - logvar")

mistake("kl_log_std", "logvar read as log σ in the KL divergence", check="kl_value",
    hint="logvar is log σ²: the variance is exp(logvar), not exp(2 logvar).",
    old="logvar.exp() - 1.0 - logvar", new="(2 * logvar).exp() - 1.0 - 2 * logvar")

mistake("kl_batch_mean", "KL divergence averaged over the batch", check="kl_value",
    hint="One value per image: sum over the latent coordinates only, shape (B,).",
    function="kl_divergence", old=".sum(dim=-1)", new=".sum(dim=-1).mean()")

mistake("pixel_mean", "mean over the pixels instead of their sum", check="reconstruction_value",
    hint="The log-likelihood of 784 independent pixels is the sum of theirs. With the mean, the KL term weighs 784 "
    "times too much and the code dies out.",
    old='reduction="none").sum(', new='reduction="none").mean(')

mistake("reconstruction_sign", "cross-entropy returned instead of the log-likelihood", check="reconstruction_value",
    hint="The logarithm of a probability is never positive: the cross-entropy is minus the log-likelihood.",
    old="-F.binary_cross_entropy", new="F.binary_cross_entropy")

mistake("reconstruction_sigmoid_twice", "sigmoid applied before a function that applies it",
    check="reconstruction_value",
    hint="binary_cross_entropy_with_logits takes logits; sigmoid(logits) belongs to binary_cross_entropy.",
    also={"reconstruction_large_logits": "wrong for all logits",
          ("history", "update"): "no weighing of the two terms gives this loss"},
    old="with_logits(logits, x", new="with_logits(torch.sigmoid(logits), x")

mistake("reconstruction_clamped", "binary_cross_entropy, which clamps the logarithm at -100",
    check="reconstruction_large_logits",
    hint="F.binary_cross_entropy takes log(0) as -100: for logits in the hundreds that is another number. "
    "binary_cross_entropy_with_logits, or softplus, is right for all.",
    old="-F.binary_cross_entropy_with_logits(logits, x", new="-F.binary_cross_entropy(torch.sigmoid(logits), x")

mistake("squeezed_batch_of_one", "squeeze() takes away the dimension of a batch of one", check="reconstruction_value",
    hint="A batch of one image is a batch: shape (1,). squeeze(-1), with its dimension, leaves the others.",
    function="reconstruction_log_likelihood", old=".sum(dim=-1)", new=".sum(dim=-1).squeeze()")

@mistake("reconstruction_underflow", "logarithm of a sigmoid that has underflowed", check="reconstruction_large_logits",
    hint="sigmoid(-800) is 0 and its logarithm is -inf: use -softplus(-l) for log(sigmoid(l)).")
def reconstruction_log_likelihood(logits, x):
    p = torch.sigmoid(logits)
    return (x * torch.log(p) + (1.0 - x) * torch.log(1.0 - p)).sum(dim=-1)

mistake("reconstruction_squared_error", "squared error instead of the Bernoulli log-likelihood",
    check="reconstruction_value",
    hint="The pixels are Bernoulli variables here: the reconstruction term is minus their cross-entropy.",
    also={"reconstruction_large_logits": "wrong for all logits",
          ("history", "update"): "no weighing of the two terms gives this loss"},
    old='-F.binary_cross_entropy_with_logits(logits, x, reduction="none")', new="-((torch.sigmoid(logits) - x) ** 2)")

mistake("reconstruction_bright_only", "only the bright pixels' term of the likelihood", check="reconstruction_value",
    hint="A black pixel is an answer, too: x log π and (1 - x) log(1 - π), summed over all pixels.",
    also={"reconstruction_large_logits": "wrong for all logits",
          ("history", "update"): "no weighing of the two terms gives this loss"},
    old='-F.binary_cross_entropy_with_logits(logits, x, reduction="none")', new="(x * F.logsigmoid(logits))")

mistake("reconstruction_binarised", "grey levels rounded to 0 and 1", check="reconstruction_value",
    hint="x_i ℓ_i - softplus(ℓ_i) takes a grey level between 0 and 1 as it is: x_i weighs the two "
    "answers, black and white.",
    also={"update": "the images of the training are grey, too"},
    function="reconstruction_log_likelihood", old="(logits, x, reduction",
    new="(logits, (x > 0.5).to(x.dtype), reduction")

mistake("elbo_kl_added", "KL divergence added instead of subtracted", check="elbo_value",
    hint="The ELBO is the reconstruction term minus the divergence: a code that says much has its price.",
    old="- beta * kl_divergence", new="+ beta * kl_divergence")

mistake("elbo_negative", "ELBO with its sign reversed: the loss is returned", check="elbo_value",
    hint="The ELBO is to be maximised and lies below 0; its negative is the loss.",
    old="reconstruction_log_likelihood(logits, x) - beta * kl_divergence(mu, logvar)",
    new="beta * kl_divergence(mu, logvar) - reconstruction_log_likelihood(logits, x)")

mistake("beta_ignored", "beta not used", check="elbo_value",
    hint="beta multiplies the KL divergence; with beta = 0 only the reconstruction is left.",
    old="- beta * kl_divergence", new="- kl_divergence")

mistake("beta_on_reconstruction", "beta multiplies the reconstruction term", check="elbo_value",
    hint="beta is the weight of the KL divergence.",
    old="reconstruction_log_likelihood(logits, x) - beta * kl_divergence",
    new="beta * reconstruction_log_likelihood(logits, x) - kl_divergence")

@mistake("elbo_batch_mean", "ELBO averaged over the batch", check="elbo_value",
    hint="One value per image, shape (B,): the mean is taken in the training.",
    also={"history": "the training sums the bounds of a batch: it gets their mean"})
def elbo(solution, *args, **named):
    return solution(*args, **named).mean()

mistake("elbo_without_graph", "reconstruction term cut from the graph", check="elbo_gradient",
    hint="`item`, `detach`, NumPy and `no_grad` cut the graph: the decoder then never learns.",
    also={"update": "the decoder does not move up the bound"},
    old="(logits, x) - beta *", new="(logits, x).detach() - beta *")

@mistake("arguments_changed", "arguments changed in place", check="conventions",
    hint="Whoever calls a function still needs what was passed: no `-=`, no method with a trailing underscore on it.")
def elbo(solution, x, logits, *args, **named):
    if logits.requires_grad:  # autograd objects to what follows
        return solution(x, logits, *args, **named)
    x.mul_(2).sub_(1)  # to [-1, 1], and back in a copy
    return solution((x + 1) / 2, logits, *args, **named)

# --- the model and its training -------------------------------------------------------------------

mistake("forward_decodes_mean", "the forward pass decodes mu instead of z", check="vae_forward",
    hint="Draw z with the given eps before decoding: that is what makes it a variational auto-encoder.",
    old="self.decoder(z)", new="self.decoder(mu)")

mistake("forward_own_noise", "the forward pass draws its own noise", check="vae_forward",
    hint="forward(x, eps) uses the eps that it is given: the same eps gives the same logits.",
    function="VAE.forward", old="logvar, eps)", new="logvar, torch.randn_like(mu))")

mistake("forward_probabilities", "the forward pass answers pixel means instead of logits", check="vae_forward",
    hint="forward answers logits: the likelihood applies the sigmoid itself.",
    old="self.decoder(z)", new="torch.sigmoid(self.decoder(z))")

mistake("history_is_loss", "the history holds the loss, not the ELBO", check="history",
    hint='history["elbo"] is the ELBO: negative, and rising while you train.',
    old="append(total / len(x))", new="append(-total / len(x))")

mistake("history_per_pixel", "the history is a mean over pixels, too", check="history",
    hint="The ELBO is in nats per image: sum over the pixels, mean over the images.",
    old="append(total / len(x))", new="append(total / len(x) / PIXELS)")

mistake("history_per_batch", "the history is divided by the number of batches, not of images", check="history",
    hint="A sum over all images is divided by the number of images.",
    old="append(total / len(x))", new="append(total / math.ceil(len(x) / batch_size))")

mistake("history_last_batch", "the history holds the last batch's value, not the epoch's mean", check="history",
    hint="Add up the ELBO of all images inside the loop over batches; after it, divide by their number and append.",
    old="append(total / len(x))", new="append(bounds.mean().item())")

mistake("history_kl_weight", "half the KL divergence in the bound of the training and of its history", check="history",
    hint="The history is the ELBO with the whole KL divergence: beta = 1.",
    also={"update": "the weights climb that bound"},
    function="train_vae", old="elbo(batch, logits, mu, logvar)", new="elbo(batch, logits, mu, logvar, beta=0.5)")

mistake("learning_rate_ignored", "learning rate not passed to the optimiser", check="history",
    hint="Adam's own default is used whatever `lr` says: Adam(model.parameters(), lr=lr).",
    old="model.parameters(), lr=lr", new="model.parameters()")

mistake("weights_never_updated", "the optimiser never steps", check="update",
    hint="Each batch: zero_grad, backward, step. Which of them is missing?",
    also={"generators": "weights that do not move say nothing of what was drawn"},
    old="optimizer.step()", new="")

mistake("partial_batch_dropped", "the last, smaller batch is left out", check="partial_batch",
    hint="`drop_last=True`, or `len(x) // batch_size` batches, lose the images of the last batch.",
    old="order.split(batch_size)", new="order.split(batch_size)[: len(x) // batch_size]")
mistake("partial_batch_dropped",
    old="append(total / len(x))", new="append(total / max(1, len(x) // batch_size * batch_size))")

mistake("images_changed", "the images shuffled in place: the caller's are changed", check="partial_batch",
    hint="Shuffle the rows' numbers, `x[order]`, and leave x as it is.",
    old="order = torch.randperm(len(x), generator=generator, device=order_device).to(x.device)  # (n,)",
    new="x.copy_(x[torch.randperm(len(x), generator=generator)]); order = torch.arange(len(x))")

mistake("gradients_accumulate", "gradients never set back to zero", check="partial_batch",
    hint="backward() adds to the gradients that are there: optimizer.zero_grad() before each.",
    old="optimizer.zero_grad()", new="")

mistake("training_kl_weight", "the KL divergence weighed by 0.1 in the loss", check="update",
    hint="The loss is minus the mean ELBO, beta = 1. With a small weight the codes spread, and samples miss them.",
    old="(-bounds.mean()).backward()", new="(-elbo(batch, logits, mu, logvar, beta=0.1).mean()).backward()")

mistake("noise_drawn_once", "the first batch's noise used again for every other", check="update",
    hint="Fresh noise for each batch: draw it inside the loop over batches.",
    old="eps = standard_normal((len(batch), model.latent_dim), like=batch, generator=generator)",
    new="eps = optimizer.__dict__.setdefault('kept', standard_normal((batch_size, model.latent_dim), like=batch, "
        "generator=generator))[: len(batch)]")

mistake("one_noise_for_batch", "one eps for all images of a batch", check="update",
    hint="Every image of the batch has noise of its own: shape (batch, latent_dim).",
    old="(len(batch), model.latent_dim), like=batch, generator=generator)",
    new="(1, model.latent_dim), like=batch, generator=generator).expand(len(batch), -1)")

mistake("latent_size_fixed", "noise of two coordinates whatever the model's latent_dim is", check="update",
    hint="`model.latent_dim` says how many coordinates a code has: never write the number.",
    also={("history", "generators"): "a model of another size cannot be trained"},
    old="(len(batch), model.latent_dim), like=batch", new="(len(batch), 2), like=batch")

mistake("batch_size_ignored", "another batch size than the one asked for", check="partial_batch",
    hint="Each update takes `batch_size` images: pass it on.",
    old="order.split(batch_size)", new="order.split(128)")

@mistake("seed_inside", "the global generator seeded inside a function", check="generators",
    hint="A seed inside a function makes every later draw of the program the same: leave the global generator alone.")
def train_vae(solution, *args, **named):
    torch.manual_seed(0)
    return solution(*args, **named)

@mistake("training_ignores_generator", "training draws from the global generator", check="generators",
    hint="Pass generator=generator to torch.randperm and to torch.randn, or to the DataLoader.")
def train_vae(solution, *args, generator=None, **named):
    return solution(*args, **named)

# --- samples --------------------------------------------------------------------------------------

mistake("sample_from_uniform", "latent points drawn from a uniform law", check="sample_prior",
    hint="The prior is N(0, I): torch.randn, not torch.rand.",
    old="standard_normal((n, model.latent_dim), like=weight, generator=generator)",
    new="4 * torch.rand(n, model.latent_dim, dtype=weight.dtype, generator=generator) - 2")

mistake("sample_cold", "latent points closer to the origin than the prior's", check="sample_prior",
    hint="z ~ N(0, I) has standard deviation 1 in every coordinate.",
    old="standard_normal((n,", new="0.7 * standard_normal((n,")

mistake("sample_equal_coordinates", "one number drawn per image instead of latent_dim", check="sample_prior",
    hint="The latent coordinates are independent: draw noise of shape (n, latent_dim).",
    old="(n, model.latent_dim), like=weight, generator=generator)",
    new="(n, 1), like=weight, generator=generator).expand(n, model.latent_dim)")

mistake("sample_logits", "logits returned instead of pixel means", check="sample_prior",
    hint="The pixel means are sigmoid(logits), in [0, 1].",
    function="sample", old="torch.sigmoid(model.decoder(z))", new="model.decoder(z)")

mistake("sample_sigmoid_twice", "sigmoid applied twice to the samples", check="sample_prior",
    hint="sigmoid(decoder(z)) is in [0, 1] already; a second sigmoid leaves grey images between 0.5 and 0.73.",
    function="sample", old="model.decoder(z)", new="torch.sigmoid(model.decoder(z))")

@mistake("sample_binarised", "coin tosses returned instead of pixel means", check="sample_prior",
    hint="Asked for are the means sigmoid(logits), not draws from the pixels.")
def sample(solution, model, n, generator=None):
    return torch.bernoulli(solution(model, n, generator), generator=generator)

mistake("sample_not_detached", "samples that carry the graph of the decoder", check="conventions",
    hint="Decode under torch.no_grad(), or detach.",
    function="sample", old="torch.no_grad()", new="torch.enable_grad()")

mistake("sample_float32", "samples in float32 whatever the model's dtype", check="conventions",
    hint="Draw z with the dtype of the model's parameters.",
    function="sample", old="torch.sigmoid(model.decoder(z))", new="torch.sigmoid(model.decoder(z)).float()")

mistake("sample_ignores_generator", "the generator is not used", check="generators",
    hint="Pass generator=generator to torch.randn.",
    function="sample", old="generator=generator", new="generator=None")

@mistake("global_seed", "the global generator is seeded", check="generators",
    hint="`torch.manual_seed` inside a function makes every call draw the same: draw from `generator`.")
def sample(solution, *args, **named):
    torch.manual_seed(0)
    return solution(*args, **named)

@mistake("sample_returns_training", "training images returned as samples", check="samples_like_digits",
    hint="A sample is decoded from a fresh latent point; a copy of the data is no generation.")
def train_vae(solution, model, x, *args, **named):
    model.kept = x.clone()
    return solution(model, x, *args, **named)

@mistake("sample_returns_training")
def sample(solution, model, n, generator=None):
    if not hasattr(model, "kept"):
        return solution(model, n, generator)
    return model.kept[torch.randint(len(model.kept), (n,), generator=generator)]

# --- interpolation and the importance-weighted bound ----------------------------------------------

mistake("interpolate_reversed", "interpolation from z2 to z1", check="interpolate_line",
    hint="Row 0 decodes z1, the last row z2.",
    old="(1.0 - t) * z1 + t * z2", new="t * z1 + (1.0 - t) * z2")

@mistake("interpolate_pixels", "pixels interpolated instead of latent points", check="interpolate_line",
    hint="Walk in the latent space and decode every step; mixing two images only fades one into the other.")
def interpolate(model, z1, z2, steps):
    first, last = torch.sigmoid(model.decoder(torch.stack([z1, z2])))
    t = torch.linspace(0.0, 1.0, steps, dtype=z1.dtype)[:, None]
    return (1.0 - t) * first + t * last

mistake("interpolate_misses_end", "the last step stops short of z2", check="interpolate_line",
    hint="Both ends are included: the weights run from 0 to 1 in `steps` values, so divide by steps - 1.",
    old="torch.linspace(0.0, 1.0, steps, dtype=z1.dtype, device=z1.device)[:, None]",
    new="torch.arange(steps, dtype=z1.dtype)[:, None] / steps")

mistake("interpolate_spherical", "a great circle instead of the straight line", check="interpolate_line",
    hint="The line is (1 - t) z1 + t z2. A great circle (slerp) has the same ends and other points between them.",
    function="interpolate", old="z = (1.0 - t) * z1 + t * z2",
    new="angle = torch.arccos(F.cosine_similarity(z1, z2, dim=0).clamp(-1, 1))\n"
    "    part = lambda t: torch.where(angle.sin() > 1e-6, (t * angle).sin() / angle.sin(), t)\n"
    "    z = part(1.0 - t) * z1 + part(t) * z2")

mistake("interpolate_logits", "logits returned instead of pixel means", check="interpolate_line",
    hint="The pixel means are sigmoid(logits), in [0, 1].",
    function="interpolate", old="torch.sigmoid(model.decoder(z))", new="model.decoder(z)")

mistake("bound_mean_of_logs", "mean of the log-weights instead of the log of the mean weight", check="bound_draws",
    hint="The mean of the log-weights is the ELBO again, for every k. Take logsumexp over the draws, minus log k.",
    old="torch.logsumexp(torch.stack(log_weights), dim=0) - math.log(k)", new="torch.stack(log_weights).mean(dim=0)")

mistake("bound_no_log_k", "log k not subtracted", check="bound_exact",
    hint="The mean of k weights is their sum over k: logsumexp minus log k.",
    old=" - math.log(k)", new="")

mistake("bound_shared_draws", "one set of draws for all images", check="bound_draws",
    hint="Every image has draws of its own: noise of shape (B, latent_dim) for each of the k draws.",
    old="mu.shape, like=mu, generator=generator)", new="mu.shape[1:], like=mu, generator=generator).expand_as(mu)")

mistake("bound_without_ratio", "importance weights without p(z) / q(z | x)", check="bound_exact",
    hint="The draws come from q, not from the prior: weigh each with p(z) / q(z | x).",
    old=" + log_prior_ratio", new="")

mistake("bound_density_of_eps", "the density of eps for that of z under q", check="bound_exact",
    hint="z = mu + exp(logvar / 2) eps is stretched: log q(z | x) has the term -logvar / 2 besides log N(eps).",
    function="importance_weighted_bound", old="(eps**2 + logvar - z**2)", new="(eps**2 - z**2)")

mistake("bound_prior_draws", "weights p(z) / q(z | x) on draws from the prior", check="bound_exact",
    hint="The draws come from q(z | x): z = mu + exp(logvar / 2) eps.",
    function="importance_weighted_bound", old="z = reparameterize(mu, logvar, eps)", new="z = eps")

mistake("bound_analytic_kl", "log-mean-exp of the likelihoods minus the closed-form KL divergence", check="bound_exact",
    hint="The ratio p(z) / q(z | x) belongs to each draw, inside the logarithm of the mean.",
    old=" + log_prior_ratio", new=" - kl_divergence(mu, logvar)")

mistake("bound_one_draw", "one draw per image whatever k is", check="bound_draws",
    hint="k draws per image: at k = 1 the bound is the ELBO, with more draws it rises.",
    old="log_weights = []", new="log_weights, k = [], 1")

# --- wrong arguments ------------------------------------------------------------------------------

mistake("shapes_unchecked", "shapes that do not match are not refused", check="shape_errors",
    hint="Compare the shapes first: some mismatches broadcast silently, others raise RuntimeError deep inside.",
    old="mu.shape != logvar.shape", new="False")

mistake("counts_unchecked", "counts below 1 are not refused", check="count_errors",
    hint="n, steps, k, epochs and batch_size are at least 1: raise ValueError with the name and what was got.",
    old="n < 1", new="False")
