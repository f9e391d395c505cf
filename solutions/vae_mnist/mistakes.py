"""Typical wrong versions of vae_mnist's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake


@mistake(
    "logvar_is_mu",
    title="one head answered twice: logvar is computed from mu",
    hint="The encoder ends in two layers on the same hidden units; which of them does your logvar come from?",
    loses=("encoder",),
)
class Encoder(Encoder):
    def forward(self, x):
        mu, _ = super().forward(x)
        return mu, mu


@mistake(
    "decoder_sigmoid",
    title="sigmoid at the end of the decoder: applied twice in all",
    hint="The decoder answers logits; the likelihood and the pixel means apply the sigmoid themselves.",
    loses=(
        "decoder",
        "held_out_elbo",
        "samples_like_digits",
    ),
)
class Decoder(Decoder):
    def forward(self, z):
        return torch.sigmoid(super().forward(z))


@mistake(
    "logvar_as_std",
    title="log-variance used as standard deviation",
    hint="The encoder answers log σ². What is σ, then? It can never be negative.",
    loses=("reparameterize_value",),
)
def reparameterize(mu, logvar, eps):
    if not mu.shape == logvar.shape == eps.shape:
        raise ValueError("mu, logvar and eps: shapes differ")
    return mu + logvar * eps


@mistake(
    "logvar_as_variance",
    title="log-variance used as variance",
    hint="logvar is the logarithm of the variance: exponentiate before you take the root.",
    loses=("reparameterize_value",),
)
def reparameterize(mu, logvar, eps):
    if not mu.shape == logvar.shape == eps.shape:
        raise ValueError("mu, logvar and eps: shapes differ")
    return mu + logvar.abs().clamp_min(1e-6).sqrt() * eps


@mistake(
    "variance_as_std",
    title="variance used as standard deviation: exp(logvar) eps",
    hint="exp(logvar) is σ². The noise is multiplied by σ = exp(logvar / 2).",
    loses=("reparameterize_value",),
)
def reparameterize(mu, logvar, eps):
    if not mu.shape == logvar.shape == eps.shape:
        raise ValueError("mu, logvar and eps: shapes differ")
    return mu + torch.exp(logvar) * eps


@mistake(
    "eps_not_used",
    title="noise not used: z = mu",
    hint="Without noise this is an auto-encoder: z = mu + exp(logvar / 2) eps.",
    loses=("reparameterize_value", "reparameterize_gradient"),
)
def reparameterize(mu, logvar, eps):
    if not mu.shape == logvar.shape == eps.shape:
        raise ValueError("mu, logvar and eps: shapes differ")
    return mu


@mistake(
    "own_noise",
    title="own noise drawn instead of the given eps",
    hint="eps is the noise: use it as given, so that the same eps gives the same z.",
    loses=(
        "reparameterize_value",
        "reparameterize_gradient",
        "vae_forward",
        "generators",
    ),
)
def reparameterize(mu, logvar, eps):
    if not mu.shape == logvar.shape == eps.shape:
        raise ValueError("mu, logvar and eps: shapes differ")
    return mu + torch.exp(0.5 * logvar) * torch.randn_like(eps)


@mistake(
    "detached_sample",
    title="z detached from the graph",
    hint="The trick exists so that the gradient of the reconstruction reaches the encoder through z: no detach, "
    "no no_grad, no NumPy here.",
    loses=(
        "reparameterize_gradient",
        "held_out_elbo",
    ),
)
def reparameterize(mu, logvar, eps):
    if not mu.shape == logvar.shape == eps.shape:
        raise ValueError("mu, logvar and eps: shapes differ")
    return (mu + torch.exp(0.5 * logvar) * eps).detach()


@mistake(
    "kl_sign",
    title="KL divergence with its sign reversed",
    hint="A divergence is never negative. What does yours give for mu = 0, logvar = 0.5?",
    loses=(
        "kl_value",
        "held_out_elbo",
    ),
    may_lose=("samples_like_digits",),
)
def kl_divergence(mu, logvar):
    if mu.shape != logvar.shape:
        raise ValueError("mu and logvar: shapes differ")
    return 0.5 * (1.0 + logvar - mu**2 - logvar.exp()).sum(dim=-1)


@mistake(
    "kl_averaged",
    title="KL divergence averaged over the latent coordinates",
    hint="The divergence of independent coordinates is the sum of theirs.",
    loses=("kl_value",),
)
def kl_divergence(mu, logvar):
    if mu.shape != logvar.shape:
        raise ValueError("mu and logvar: shapes differ")
    return 0.5 * (mu**2 + logvar.exp() - 1.0 - logvar).mean(dim=-1)


@mistake(
    "kl_without_half",
    title="factor 1/2 missing in the KL divergence",
    hint="Both the square of mu and the variance come with a factor 1/2.",
    loses=("kl_value",),
)
def kl_divergence(mu, logvar):
    if mu.shape != logvar.shape:
        raise ValueError("mu and logvar: shapes differ")
    return (mu**2 + logvar.exp() - 1.0 - logvar).sum(dim=-1)


@mistake(
    "kl_without_constant",
    title="the -1 missing in the KL divergence",
    hint="Where mu = 0 and logvar = 0 the two laws are the same, and the divergence is 0.",
    loses=("kl_value",),
)
def kl_divergence(mu, logvar):
    if mu.shape != logvar.shape:
        raise ValueError("mu and logvar: shapes differ")
    return 0.5 * (mu**2 + logvar.exp() - logvar).sum(dim=-1)


@mistake(
    "kl_log_std",
    title="logvar read as log σ in the KL divergence",
    hint="logvar is log σ²: the variance is exp(logvar), not exp(2 logvar).",
    loses=("kl_value",),
)
def kl_divergence(mu, logvar):
    if mu.shape != logvar.shape:
        raise ValueError("mu and logvar: shapes differ")
    return 0.5 * (mu**2 + (2 * logvar).exp() - 1.0 - 2 * logvar).sum(dim=-1)


@mistake(
    "kl_batch_mean",
    title="KL divergence averaged over the batch",
    hint="One value per image: sum over the latent coordinates only, shape (B,).",
    loses=("kl_value",),
)
def kl_divergence(mu, logvar):
    if mu.shape != logvar.shape:
        raise ValueError("mu and logvar: shapes differ")
    return 0.5 * (mu**2 + logvar.exp() - 1.0 - logvar).sum(dim=-1).mean()


@mistake(
    "pixel_mean",
    title="mean over the pixels instead of their sum",
    hint="The log-likelihood of 784 independent pixels is the sum of theirs. With the mean, the KL term weighs 784 "
    "times too much and the code dies out.",
    loses=(
        "reconstruction_value",
        "held_out_elbo",
    ),
)
def reconstruction_log_likelihood(logits, x):
    if logits.shape != x.shape:
        raise ValueError("logits and x: shapes differ")
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").mean(dim=-1)


@mistake(
    "reconstruction_sign",
    title="cross-entropy returned instead of the log-likelihood",
    hint="The logarithm of a probability is never positive: the cross-entropy is minus the log-likelihood.",
    loses=(
        "reconstruction_value",
        "held_out_elbo",
        "samples_like_digits",
    ),
)
def reconstruction_log_likelihood(logits, x):
    if logits.shape != x.shape:
        raise ValueError("logits and x: shapes differ")
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=-1)


@mistake(
    "reconstruction_sigmoid_twice",
    title="sigmoid applied before a function that applies it",
    hint="binary_cross_entropy_with_logits takes logits; sigmoid(logits) belongs to binary_cross_entropy.",
    loses=(
        "reconstruction_value",
        "reconstruction_large_logits",
        "held_out_elbo",
    ),
    may_lose=("samples_like_digits",),
)
def reconstruction_log_likelihood(logits, x):
    if logits.shape != x.shape:
        raise ValueError("logits and x: shapes differ")
    return -F.binary_cross_entropy_with_logits(torch.sigmoid(logits), x, reduction="none").sum(dim=-1)


@mistake(
    "reconstruction_underflow",
    title="logarithm of a sigmoid that has underflowed",
    hint="sigmoid(-800) is 0 and its logarithm is -inf: use -softplus(-l) for log(sigmoid(l)).",
    loses=("reconstruction_large_logits",),
)
def reconstruction_log_likelihood(logits, x):
    if logits.shape != x.shape:
        raise ValueError("logits and x: shapes differ")
    p = torch.sigmoid(logits)
    return (x * torch.log(p) + (1.0 - x) * torch.log(1.0 - p)).sum(dim=-1)


@mistake(
    "reconstruction_squared_error",
    title="squared error instead of the Bernoulli log-likelihood",
    hint="The pixels are Bernoulli variables here: the reconstruction term is minus their cross-entropy.",
    loses=("reconstruction_value", "reconstruction_large_logits"),
)
def reconstruction_log_likelihood(logits, x):
    if logits.shape != x.shape:
        raise ValueError("logits and x: shapes differ")
    return -((torch.sigmoid(logits) - x) ** 2).sum(dim=-1)


@mistake(
    "elbo_kl_added",
    title="KL divergence added instead of subtracted",
    hint="The ELBO is the reconstruction term minus the divergence: a code that says much has its price.",
    loses=(
        "elbo_value",
        "held_out_elbo",
    ),
    may_lose=("samples_like_digits",),
)
def elbo(x, logits, mu, logvar, beta=1.0):
    return reconstruction_log_likelihood(logits, x) + beta * kl_divergence(mu, logvar)


@mistake(
    "elbo_negative",
    title="ELBO with its sign reversed: the loss is returned",
    hint="The ELBO is to be maximised and lies below 0; its negative is the loss.",
    loses=(
        "elbo_value",
        "held_out_elbo",
        "samples_like_digits",
    ),
)
def elbo(x, logits, mu, logvar, beta=1.0):
    return beta * kl_divergence(mu, logvar) - reconstruction_log_likelihood(logits, x)


@mistake(
    "beta_ignored",
    title="beta not used",
    hint="beta multiplies the KL divergence; with beta = 0 only the reconstruction is left.",
    loses=("elbo_value",),
)
def elbo(x, logits, mu, logvar, beta=1.0):
    return reconstruction_log_likelihood(logits, x) - kl_divergence(mu, logvar)


@mistake(
    "beta_on_reconstruction",
    title="beta multiplies the reconstruction term",
    hint="beta is the weight of the KL divergence.",
    loses=("elbo_value",),
)
def elbo(x, logits, mu, logvar, beta=1.0):
    return beta * reconstruction_log_likelihood(logits, x) - kl_divergence(mu, logvar)


@mistake(
    "elbo_batch_mean",
    title="ELBO averaged over the batch",
    hint="One value per image, shape (B,): the mean is taken in the training.",
    loses=(
        "elbo_value",
        "history",
    ),
)
def elbo(x, logits, mu, logvar, beta=1.0):
    bounds = reconstruction_log_likelihood(logits, x) - beta * kl_divergence(mu, logvar)
    return bounds.mean()


@mistake(
    "elbo_without_graph",
    title="reconstruction term cut from the graph",
    hint="`item`, `detach`, NumPy and `no_grad` cut the graph: the decoder then never learns.",
    loses=("elbo_gradient", "held_out_elbo", "samples_like_digits"),
)
def elbo(x, logits, mu, logvar, beta=1.0):
    return reconstruction_log_likelihood(logits, x).detach() - beta * kl_divergence(mu, logvar)


@mistake(
    "forward_decodes_mean",
    title="the forward pass decodes mu instead of z",
    hint="Draw z with the given eps before decoding: that is what makes it a variational auto-encoder.",
    loses=("vae_forward",),
)
class VAE(VAE):
    def forward(self, x, eps):
        mu, logvar = self.encoder(x)
        return self.decoder(mu), mu, logvar


@mistake(
    "forward_own_noise",
    title="the forward pass draws its own noise",
    hint="forward(x, eps) uses the eps that it is given: the same eps gives the same logits.",
    loses=(
        "vae_forward",
        "generators",
    ),
)
class VAE(VAE):
    def forward(self, x, eps):
        mu, logvar = self.encoder(x)
        z = reparameterize(mu, logvar, torch.randn_like(mu))
        return self.decoder(z), mu, logvar


@mistake(
    "forward_probabilities",
    title="the forward pass answers pixel means instead of logits",
    hint="forward answers logits: the likelihood applies the sigmoid itself.",
    loses=(
        "vae_forward",
        "held_out_elbo",
    ),
    may_lose=("samples_like_digits",),
)
class VAE(VAE):
    def forward(self, x, eps):
        logits, mu, logvar = super().forward(x, eps)
        return torch.sigmoid(logits), mu, logvar


@mistake(
    "history_is_loss",
    title="the history holds the loss, not the ELBO",
    hint='history["elbo"] is the ELBO: negative, and rising while you train.',
    loses=("history",),
)
def train_vae(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False, _train=train_vae):
    history = _train(model, x, epochs, batch_size, lr, generator)
    return {"elbo": [-value for value in history["elbo"]]}


@mistake(
    "history_per_pixel",
    title="the history is a mean over pixels, too",
    hint="The ELBO is in nats per image: sum over the pixels, mean over the images.",
    loses=("history",),
)
def train_vae(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False, _train=train_vae):
    history = _train(model, x, epochs, batch_size, lr, generator)
    return {"elbo": [value / PIXELS for value in history["elbo"]]}


@mistake(
    "history_per_batch",
    title="the history is divided by the number of batches, not of images",
    hint="A sum over all images is divided by the number of images.",
    loses=("history",),
)
def train_vae(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False, _train=train_vae):
    history = _train(model, x, epochs, batch_size, lr, generator)
    batches = math.ceil(len(x) / batch_size)
    return {"elbo": [value * len(x) / batches for value in history["elbo"]]}


@mistake(
    "history_last_batch",
    title="the history holds the last batch's value, not the epoch's mean",
    hint="Add up the ELBO of all images inside the loop over batches; after it, divide by their number and append.",
    loses=("history",),
)
def train_vae(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs < 1 or batch_size < 1:
        raise ValueError("epochs and batch_size must be at least 1")
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"elbo": []}
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            eps = standard_normal((len(rows), model.latent_dim), x, generator)
            logits, mu, logvar = model(x[rows], eps)
            loss = -elbo(x[rows], logits, mu, logvar).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        history["elbo"].append(-loss.item())
    return history


@mistake(
    "weights_never_updated",
    title="the optimiser never steps",
    hint="Each batch: zero_grad, backward, step. Which of them is missing?",
    loses=(
        "partial_batch",
        "held_out_elbo",
        "samples_like_digits",
    ),
)
def train_vae(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False, _train=train_vae):
    return _train(model, x, epochs, batch_size, 0.0, generator)


@mistake(
    "partial_batch_dropped",
    title="the last, smaller batch is left out",
    hint="`drop_last=True`, or `len(x) // batch_size` batches, lose the images of the last batch.",
    loses=("partial_batch",),
)
def train_vae(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False, _train=train_vae):
    if epochs < 1 or batch_size < 1:
        raise ValueError("epochs and batch_size: expected at least 1")
    full = len(x) // batch_size * batch_size
    if full == 0:
        return {"elbo": [0.0] * epochs}
    return _train(model, x[:full], epochs, batch_size, lr, generator)


@mistake(
    "batch_size_ignored",
    title="another batch size than the one asked for",
    hint="Each update takes `batch_size` images: pass it on.",
    loses=("partial_batch",),
)
def train_vae(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False, _train=train_vae):
    if batch_size < 1:
        raise ValueError("batch_size: expected at least 1")
    return _train(model, x, epochs, 128, lr, generator)


@mistake(
    "seed_inside",
    title="the global generator seeded inside a function",
    hint="A seed inside a function makes every later draw of the program the same: leave the global generator alone.",
    loses=("generators",),
)
def train_vae(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False, _train=train_vae):
    torch.manual_seed(0)
    return _train(model, x, epochs, batch_size, lr, generator)


@mistake(
    "sample_from_uniform",
    title="latent points drawn from a uniform law",
    hint="The prior is N(0, I): torch.randn, not torch.rand.",
    loses=("sample_prior",),
)
def sample(model, n, generator=None):
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}")
    weight = next(model.parameters())
    z = 4 * torch.rand(n, model.latent_dim, generator=generator, dtype=weight.dtype) - 2
    return torch.sigmoid(model.decoder(z)).detach()


@mistake(
    "sample_cold",
    title="latent points closer to the origin than the prior's",
    hint="z ~ N(0, I) has standard deviation 1 in every coordinate.",
    loses=("sample_prior",),
)
def sample(model, n, generator=None):
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}")
    weight = next(model.parameters())
    z = 0.7 * torch.randn(n, model.latent_dim, generator=generator, dtype=weight.dtype)
    return torch.sigmoid(model.decoder(z)).detach()


@mistake(
    "sample_equal_coordinates",
    title="one number drawn per image instead of latent_dim",
    hint="The latent coordinates are independent: draw noise of shape (n, latent_dim).",
    loses=("sample_prior",),
)
def sample(model, n, generator=None):
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}")
    weight = next(model.parameters())
    z = torch.randn(n, 1, generator=generator, dtype=weight.dtype).expand(n, model.latent_dim)
    return torch.sigmoid(model.decoder(z)).detach()


@mistake(
    "sample_logits",
    title="logits returned instead of pixel means",
    hint="The pixel means are sigmoid(logits), in [0, 1].",
    loses=(
        "sample_prior",
        "samples_like_digits",
    ),
)
def sample(model, n, generator=None, _sample=sample):
    return torch.logit(_sample(model, n, generator))


@mistake(
    "sample_sigmoid_twice",
    title="sigmoid applied twice to the samples",
    hint="sigmoid(decoder(z)) is in [0, 1] already; a second sigmoid leaves grey images between 0.5 and 0.73.",
    loses=(
        "sample_prior",
        "samples_like_digits",
    ),
)
def sample(model, n, generator=None, _sample=sample):
    return torch.sigmoid(_sample(model, n, generator))


@mistake(
    "sample_binarised",
    title="coin tosses returned instead of pixel means",
    hint="Asked for are the means sigmoid(logits), not draws from the pixels.",
    loses=("sample_prior",),
)
def sample(model, n, generator=None, _sample=sample):
    return torch.bernoulli(_sample(model, n, generator), generator=generator)


@mistake(
    "sample_not_detached",
    title="samples that carry the graph of the decoder",
    hint="Decode under torch.no_grad(), or detach.",
    loses=("conventions",),
)
def sample(model, n, generator=None):
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}")
    z = standard_normal((n, model.latent_dim), like=next(model.parameters()), generator=generator)
    return torch.sigmoid(model.decoder(z))


@mistake(
    "sample_float32",
    title="samples in float32 whatever the model's dtype",
    hint="Draw z with the dtype of the model's parameters.",
    loses=("conventions",),
)
def sample(model, n, generator=None, _sample=sample):
    return _sample(model, n, generator).float()


@mistake(
    "sample_ignores_generator",
    title="the generator is not used",
    hint="Pass generator=generator to torch.randn.",
    loses=("generators",),
)
def sample(model, n, generator=None, _sample=sample):
    return _sample(model, n, None)


@mistake(
    "sample_returns_training",
    title="training images returned as samples",
    hint="A sample is decoded from a fresh latent point; a copy of the data is no generation.",
    loses=("samples_like_digits",),
)
def train_vae(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False, _train=train_vae):
    history = _train(model, x, epochs, batch_size, lr, generator)
    model.kept = x.clone()
    return history


@mistake("sample_returns_training")
def sample(model, n, generator=None, _sample=sample):
    if not hasattr(model, "kept"):
        return _sample(model, n, generator)
    rows = torch.randint(len(model.kept), (n,), generator=generator)
    return model.kept[rows]


@mistake(
    "interpolate_reversed",
    title="interpolation from z2 to z1",
    hint="Row 0 decodes z1, the last row z2.",
    loses=("interpolate_line",),
)
def interpolate(model, z1, z2, steps, _interpolate=interpolate):
    return _interpolate(model, z2, z1, steps)


@mistake(
    "interpolate_pixels",
    title="pixels interpolated instead of latent points",
    hint="Walk in the latent space and decode every step; mixing two images only fades one into the other.",
    loses=("interpolate_line",),
)
def interpolate(model, z1, z2, steps):
    if steps < 1:
        raise ValueError(f"steps: expected at least 1, got {steps}")
    first, last = torch.sigmoid(model.decoder(torch.stack([z1, z2])))
    t = torch.linspace(0.0, 1.0, steps, dtype=z1.dtype)[:, None]
    return (1.0 - t) * first + t * last


@mistake(
    "interpolate_misses_end",
    title="the last step stops short of z2",
    hint="Both ends are included: the weights run from 0 to 1 in `steps` values, so divide by steps - 1.",
    loses=("interpolate_line",),
)
def interpolate(model, z1, z2, steps):
    if steps < 1:
        raise ValueError(f"steps: expected at least 1, got {steps}")
    t = torch.arange(steps, dtype=z1.dtype)[:, None] / steps
    return torch.sigmoid(model.decoder((1.0 - t) * z1 + t * z2))


@mistake(
    "interpolate_logits",
    title="logits returned instead of pixel means",
    hint="The pixel means are sigmoid(logits), in [0, 1].",
    loses=("interpolate_line",),
)
def interpolate(model, z1, z2, steps, _interpolate=interpolate):
    return torch.logit(_interpolate(model, z1, z2, steps))


@mistake(
    "bound_mean_of_logs",
    title="mean of the log-weights instead of the log of the mean weight",
    hint="The mean of the log-weights is the ELBO again, for every k. Take logsumexp over the draws, minus log k.",
    loses=("bound_draws",),
)
def importance_weighted_bound(model, x, k, generator=None):
    if k < 1:
        raise ValueError(f"k: expected at least 1, got {k}")
    mu, logvar = model.encoder(x)
    log_weights = []
    for _ in range(k):
        eps = standard_normal(mu.shape, like=mu, generator=generator)
        z = mu + torch.exp(0.5 * logvar) * eps
        logits = model.decoder(z)
        log_p = (x * logits - F.softplus(logits)).sum(-1)
        log_weights.append(log_p + 0.5 * (eps**2 + logvar - z**2).sum(-1))
    return torch.stack(log_weights).mean(0)


@mistake(
    "bound_no_log_k",
    title="log k not subtracted",
    hint="The mean of k weights is their sum over k: logsumexp minus log k.",
    loses=("bound_exact", "bound_draws"),
)
def importance_weighted_bound(model, x, k, generator=None):
    if k < 1:
        raise ValueError(f"k: expected at least 1, got {k}")
    mu, logvar = model.encoder(x)
    log_weights = []
    for _ in range(k):
        eps = standard_normal(mu.shape, like=mu, generator=generator)
        z = mu + torch.exp(0.5 * logvar) * eps
        logits = model.decoder(z)
        log_p = (x * logits - F.softplus(logits)).sum(-1)
        log_weights.append(log_p + 0.5 * (eps**2 + logvar - z**2).sum(-1))
    return torch.logsumexp(torch.stack(log_weights), dim=0)


@mistake(
    "bound_shared_draws",
    title="one set of draws for all images",
    hint="Every image has draws of its own: noise of shape (B, latent_dim) for each of the k draws.",
    loses=("bound_draws",),
)
def importance_weighted_bound(model, x, k, generator=None):
    if k < 1:
        raise ValueError(f"k: expected at least 1, got {k}")
    mu, logvar = model.encoder(x)
    log_weights = []
    for _ in range(k):
        eps = standard_normal(mu.shape[1:], like=mu, generator=generator).expand_as(mu)
        z = mu + torch.exp(0.5 * logvar) * eps
        logits = model.decoder(z)
        log_p = (x * logits - F.softplus(logits)).sum(-1)
        log_weights.append(log_p + 0.5 * (eps**2 + logvar - z**2).sum(-1))
    return torch.logsumexp(torch.stack(log_weights), dim=0) - math.log(k)


@mistake(
    "bound_without_ratio",
    title="importance weights without p(z) / q(z | x)",
    hint="The draws come from q, not from the prior: weigh each with p(z) / q(z | x).",
    loses=("bound_exact", "bound_draws"),
)
def importance_weighted_bound(model, x, k, generator=None):
    if k < 1:
        raise ValueError(f"k: expected at least 1, got {k}")
    mu, logvar = model.encoder(x)
    log_weights = []
    for _ in range(k):
        eps = standard_normal(mu.shape, like=mu, generator=generator)
        z = mu + torch.exp(0.5 * logvar) * eps
        logits = model.decoder(z)
        log_p = (x * logits - F.softplus(logits)).sum(-1)
        log_weights.append(log_p)
    return torch.logsumexp(torch.stack(log_weights), dim=0) - math.log(k)


@mistake(
    "bound_prior_draws",
    title="weights p(z) / q(z | x) on draws from the prior",
    hint="The draws come from q(z | x): z = mu + exp(logvar / 2) eps.",
    loses=("bound_exact", "bound_draws"),
)
def importance_weighted_bound(model, x, k, generator=None):
    if k < 1:
        raise ValueError(f"k: expected at least 1, got {k}")
    mu, logvar = model.encoder(x)
    log_weights = []
    for _ in range(k):
        eps = standard_normal(mu.shape, like=mu, generator=generator)
        z = eps
        logits = model.decoder(z)
        log_p = (x * logits - F.softplus(logits)).sum(-1)
        log_weights.append(log_p + 0.5 * (eps**2 + logvar - z**2).sum(-1))
    return torch.logsumexp(torch.stack(log_weights), dim=0) - math.log(k)


@mistake(
    "bound_analytic_kl",
    title="log-mean-exp of the likelihoods minus the closed-form KL divergence",
    hint="The ratio p(z) / q(z | x) belongs to each draw, inside the logarithm of the mean.",
    loses=("bound_exact", "bound_draws"),
)
def importance_weighted_bound(model, x, k, generator=None):
    if k < 1:
        raise ValueError(f"k: expected at least 1, got {k}")
    mu, logvar = model.encoder(x)
    log_weights = []
    for _ in range(k):
        eps = standard_normal(mu.shape, like=mu, generator=generator)
        z = mu + torch.exp(0.5 * logvar) * eps
        logits = model.decoder(z)
        log_p = (x * logits - F.softplus(logits)).sum(-1)
        log_weights.append(log_p)
    return torch.logsumexp(torch.stack(log_weights), dim=0) - math.log(k) - kl_divergence(mu, logvar)


@mistake(
    "bound_one_draw",
    title="one draw per image whatever k is",
    hint="k draws per image: at k = 1 the bound is the ELBO, with more draws it rises.",
    loses=("bound_draws",),
)
def importance_weighted_bound(model, x, k, generator=None, _bound=importance_weighted_bound):
    return _bound(model, x, min(k, 1), generator)


@mistake(
    "global_seed",
    title="the global generator is seeded",
    hint="`torch.manual_seed` inside a function makes every call draw the same: draw from `generator`.",
    loses=("generators",),
)
def sample(model, n, generator=None, _sample=sample):
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}")
    torch.manual_seed(0)
    return _sample(model, n, generator)


@mistake(
    "training_ignores_generator",
    title="training draws from the global generator",
    hint="Pass generator=generator to torch.randperm and to torch.randn, or to the DataLoader.",
    loses=("generators",),
)
def train_vae(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False, _train=train_vae):
    return _train(model, x, epochs, batch_size, lr, None)


@mistake(
    "learning_rate_ignored",
    title="learning rate not passed to the optimiser",
    hint="Adam's own default is used whatever `lr` says: Adam(model.parameters(), lr=lr).",
    loses=("history",),
)
def train_vae(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False, _train=train_vae):
    return _train(model, x, epochs, batch_size, 1e-3, generator)


@mistake(
    "shapes_unchecked",
    title="shapes that do not match are not refused",
    hint="Compare the shapes first: some mismatches broadcast silently, others raise RuntimeError deep inside.",
    loses=("shape_errors",),
)
def kl_divergence(mu, logvar):
    return 0.5 * (mu**2 + logvar.exp() - 1.0 - logvar).sum(dim=-1)


@mistake(
    "counts_unchecked",
    title="counts below 1 are not refused",
    hint="n, steps, k, epochs and batch_size are at least 1: raise ValueError with the name and what was got.",
    loses=("count_errors",),
)
def sample(model, n, generator=None):
    z = standard_normal((n, model.latent_dim), like=next(model.parameters()), generator=generator)
    with torch.no_grad():
        return torch.sigmoid(model.decoder(z))


@mistake(
    "arguments_changed",
    title="arguments changed in place",
    hint="Whoever calls a function still needs what was passed: no `-=`, no method with a trailing underscore on it.",
    loses=("conventions",),
)
def elbo(x, logits, mu, logvar, beta=1.0, _right=elbo):
    if logits.requires_grad:  # autograd objects to what follows
        return _right(x, logits, mu, logvar, beta)
    x.mul_(2).sub_(1)  # to [-1, 1], and back in a copy
    return _right((x + 1) / 2, logits, mu, logvar, beta)
