"""Typical wrong versions of wgan_gp's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake

# --- losses ---------------------------------------------------------------------------------------


@mistake(
    "critic_sign",
    title="critic loss with its sign reversed",
    hint="The critic maximises E[D(real)] - E[D(fake)]; an optimiser minimises. Which mean gets the minus?",
    loses=("critic_loss_value", "ring_distance", "own_distance", "own_modes"),
)
def critic_loss(real_scores, fake_scores):
    return real_scores.mean() - fake_scores.mean()


@mistake(
    "critic_loss_logistic",
    title="the critic loss of the first GAN (logarithms of probabilities)",
    hint="A Wasserstein critic's scores are no probabilities: its loss is a difference of plain means.",
    loses=("critic_loss_value",),
)
def critic_loss(real_scores, fake_scores):
    softplus = torch.nn.functional.softplus
    return softplus(-real_scores).mean() + softplus(fake_scores).mean()


@mistake(
    "generator_sign",
    title="generator loss without its minus sign",
    hint="The generator wants high scores for its fakes, and an optimiser minimises: -E[D(fake)].",
    loses=("generator_loss_value", "ring_distance", "own_distance", "own_modes"),
)
def generator_loss(fake_scores):
    return fake_scores.mean()


# --- interpolates and penalty ---------------------------------------------------------------------


@mistake(
    "interpolates_swapped",
    title="eps and 1 - eps exchanged",
    hint="eps multiplies the real sample: at eps = 1 the point is the real one.",
    loses=("interpolates_value",),
)
def interpolates(real, fake, eps):
    if real.shape != fake.shape or eps.shape != (len(real), 1):
        raise ValueError("real, fake and eps: shapes do not match")
    if (eps < 0).any() or (eps > 1).any():
        raise ValueError("eps: expected values in [0, 1]")
    return eps * fake + (1 - eps) * real


@mistake(
    "interpolates_one_eps",
    title="the first eps used for every sample",
    hint="eps has one number per sample, shape (B, 1): it broadcasts over the coordinates by itself.",
    loses=("interpolates_value", "training_eps"),
)
def interpolates(real, fake, eps):
    if real.shape != fake.shape or eps.shape != (len(real), 1):
        raise ValueError("real, fake and eps: shapes do not match")
    if (eps < 0).any() or (eps > 1).any():
        raise ValueError("eps: expected values in [0, 1]")
    return eps[:1] * real + (1 - eps[:1]) * fake


@mistake(
    "single_precision",
    title="samples always in float32",
    hint="Keep the dtype of the input: no .float(), and new tensors made with x.new_zeros, rand_like or .to(x).",
    loses=("conventions",),
)
def sample(generator, n, generator_rng=None, _right=sample):
    return _right(generator, n, generator_rng=generator_rng).float()


@mistake(
    "no_create_graph",
    title="penalty that has no gradient with respect to the critic's weights",
    hint="The penalty is differentiated once more: autograd.grad(..., create_graph=True), nothing detached.",
    loses=("penalty_weight_gradient", "ring_distance", "own_distance", "own_modes"),
)
def gradient_penalty(critic, real, fake, eps):
    x_hat = interpolates(real.detach(), fake.detach(), eps).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x_hat).sum(), x_hat)
    return ((gradient.norm(2, dim=1) - 1) ** 2).mean()


@mistake(
    "coordinates_for_norm",
    title="each coordinate of the gradient compared with 1, instead of its norm",
    hint="The slope is the norm of a sample's gradient: norm(dim=1) first, then minus 1, then the square.",
    loses=("penalty_linear", "penalty_quadratic"),
)
def gradient_penalty(critic, real, fake, eps):
    x_hat = interpolates(real.detach(), fake.detach(), eps).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x_hat).sum(), x_hat, create_graph=True)
    return ((gradient.abs() - 1) ** 2).mean()


@mistake(
    "norm_over_batch",
    title="one norm over the whole batch",
    hint="Each sample has its own gradient and its own norm: norm(dim=1), then the square, then the mean.",
    loses=("penalty_linear", "penalty_quadratic"),
)
def gradient_penalty(critic, real, fake, eps):
    x_hat = interpolates(real.detach(), fake.detach(), eps).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x_hat).sum(), x_hat, create_graph=True)
    return (gradient.norm(2) - 1) ** 2


@mistake(
    "squared_norm",
    title="(‖g‖² - 1)² instead of (‖g‖ - 1)²",
    hint="The norm is the root of the sum of squares; its distance from 1 is squared, not the norm itself.",
    loses=("penalty_linear", "penalty_quadratic"),
)
def gradient_penalty(critic, real, fake, eps):
    x_hat = interpolates(real.detach(), fake.detach(), eps).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x_hat).sum(), x_hat, create_graph=True)
    return (((gradient**2).sum(1) - 1) ** 2).mean()


@mistake(
    "norms_averaged_first",
    title="mean norm of the batch compared with 1, instead of each sample's norm",
    hint="Square the difference sample by sample: one norm of 0.5 and one of 1.5 are not a slope of 1.",
    loses=("penalty_quadratic",),
)
def gradient_penalty(critic, real, fake, eps):
    x_hat = interpolates(real, fake, eps).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x_hat).sum(), x_hat, create_graph=True)
    return (gradient.norm(dim=1).mean() - 1) ** 2


@mistake(
    "zero_centred",
    title="mean of ‖g‖², which pulls the slope to 0 instead of 1",
    hint="The best critic has slope 1: the penalty is on ‖g‖ - 1. That of ‖g‖² belongs to other GANs (R1).",
    loses=("penalty_linear", "penalty_quadratic"),
)
def gradient_penalty(critic, real, fake, eps):
    x_hat = interpolates(real, fake, eps).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x_hat).sum(), x_hat, create_graph=True)
    return gradient.square().sum(1).mean()


@mistake(
    "penalty_draws_eps",
    title="the penalty draws an eps of its own instead of using the one given",
    hint="eps is an argument of gradient_penalty: the training draws it, with generator_rng.",
    loses=("penalty_quadratic", "rng_used"),
)
def gradient_penalty(critic, real, fake, eps, _right=gradient_penalty):
    return _right(critic, real, fake, torch.rand_like(eps))


@mistake(
    "one_norm",
    title="sum of absolute values instead of the Euclidean norm",
    hint="‖g‖₂ is the root of the sum of squares of the coordinates.",
    loses=("penalty_linear", "penalty_quadratic"),
)
def gradient_penalty(critic, real, fake, eps):
    x_hat = interpolates(real.detach(), fake.detach(), eps).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x_hat).sum(), x_hat, create_graph=True)
    return ((gradient.norm(1, dim=1) - 1) ** 2).mean()


@mistake(
    "one_sided_penalty",
    title="only norms above 1 penalised",
    hint="The penalty here is two-sided: a gradient that is too small costs as well, (‖g‖ - 1)².",
    loses=("penalty_linear", "penalty_quadratic"),
)
def gradient_penalty(critic, real, fake, eps):
    x_hat = interpolates(real.detach(), fake.detach(), eps).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x_hat).sum(), x_hat, create_graph=True)
    return ((gradient.norm(2, dim=1) - 1).clamp(min=0) ** 2).mean()


@mistake(
    "penalty_on_real",
    title="penalty taken at the real samples alone",
    hint="The gradient is penalised at the interpolates between real and fake samples, not at the ends.",
    loses=("penalty_quadratic", "training_eps"),
)
def gradient_penalty(critic, real, fake, eps):
    interpolates(real, fake, eps)
    x_hat = real.detach().clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x_hat).sum(), x_hat, create_graph=True)
    return ((gradient.norm(2, dim=1) - 1) ** 2).mean()


@mistake(
    "root_of_zero",
    title="root of a sum of squares that may be 0",
    hint="The derivative of sqrt at 0 is infinite, and 0 · ∞ is NaN: use Tensor.norm, or add 1e-12 inside.",
    loses=("penalty_flat",),
)
def gradient_penalty(critic, real, fake, eps):
    x_hat = interpolates(real.detach(), fake.detach(), eps).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(x_hat).sum(), x_hat, create_graph=True)
    return (((gradient**2).sum(1).sqrt() - 1) ** 2).mean()


# --- networks -------------------------------------------------------------------------------------


@mistake(
    "batch_norm",
    title="batch normalisation in the critic",
    hint="With batch normalisation a score depends on other samples; the penalty is about each sample's own.",
    loses=("critic_scores", "own_distance", "own_modes"),
)
class Critic(Critic):
    def __init__(self, dim=2):
        super().__init__(dim)
        self.net = nn.Sequential(
            nn.Linear(dim, 128),
            nn.BatchNorm1d(128),
            nn.ReLU(),
            nn.Linear(128, 128),
            nn.BatchNorm1d(128),
            nn.ReLU(),
            nn.Linear(128, 1),
        )


@mistake(
    "critic_sigmoid",
    title="a critic that answers probabilities",
    hint="A critic's score is any real number: no sigmoid and no tanh at its end.",
    loses=("critic_scores", "own_distance", "own_modes"),
)
class Critic(Critic):
    def forward(self, x):
        return torch.sigmoid(super().forward(x))


@mistake(
    "critic_column",
    title="scores of shape (B, 1)",
    hint="The critic answers one number per sample, shape (B,): squeeze the last dimension.",
    loses=("critic_shape",),
)
class Critic(Critic):
    def forward(self, x):
        return super().forward(x)[:, None]


@mistake(
    "generator_tanh",
    title="a generator that cannot leave [-1, 1]",
    hint="The data here are points of the plane, not pixels in [-1, 1]: no tanh and no sigmoid at the end.",
    loses=("generator_answers", "own_distance", "own_modes"),
)
class Generator(Generator):
    def forward(self, z):
        return torch.tanh(super().forward(z))


@mistake(
    "collapsed",
    title="a generator that answers nearly the same point whatever the noise is",
    hint="Draw a few hundred samples: mode collapse leaves modes out. Does your generator use all of z?",
    loses=("own_modes", "own_distance"),
)
class Generator(Generator):
    def forward(self, z):
        return super().forward(torch.zeros_like(z)) + 0.05 * z[:, :1]


# --- training -------------------------------------------------------------------------------------


@mistake(
    "eps_per_coordinate",
    title="one eps per coordinate instead of one per sample",
    hint="eps has shape (B, 1): all coordinates of a sample move along the same line from real to fake.",
    loses=("training_eps",),
)
def train_wgan_gp(
    generator, critic, data, steps, n_critic=5, lr=1e-4, betas=(0.0, 0.9), gp_weight=10.0, batch_size=256,
    generator_rng=None, progress=False,
):  # fmt: skip
    if steps < 1 or n_critic < 1 or batch_size < 1:
        raise ValueError("steps, n_critic and batch_size must be at least 1")
    critic_optimizer = torch.optim.Adam(critic.parameters(), lr=lr, betas=betas)
    generator_optimizer = torch.optim.Adam(generator.parameters(), lr=lr, betas=betas)
    history = {"critic_loss": [], "generator_loss": []}
    for _ in range(steps):
        for _ in range(n_critic):
            real = data[torch.randint(len(data), (batch_size,), generator=generator_rng, device=data.device)]
            fake = generator(standard_normal((batch_size, generator.latent_dim), data, generator_rng)).detach()
            eps = uniform(real.shape, data, generator_rng)
            x_hat = eps * real + (1 - eps) * fake
            penalty = gradient_penalty(critic, x_hat, x_hat, torch.ones_like(eps[:, :1]))
            loss = critic_loss(critic(real), critic(fake))
            critic_optimizer.zero_grad()
            (loss + gp_weight * penalty).backward()
            critic_optimizer.step()
        fake = generator(standard_normal((batch_size, generator.latent_dim), data, generator_rng))
        loss_of_generator = generator_loss(critic(fake))
        generator_optimizer.zero_grad()
        loss_of_generator.backward()
        generator_optimizer.step()
        history["critic_loss"].append(loss.item())
        history["generator_loss"].append(loss_of_generator.item())
    return history


@mistake(
    "eps_normal",
    title="normal instead of uniform eps",
    hint="eps is uniform on [0, 1]: torch.rand, not torch.randn. Interpolates lie between real and fake.",
    loses=("training_eps",),
)
def train_wgan_gp(
    generator, critic, data, steps, n_critic=5, lr=1e-4, betas=(0.0, 0.9), gp_weight=10.0, batch_size=256,
    generator_rng=None, progress=False,
):  # fmt: skip
    if steps < 1 or n_critic < 1 or batch_size < 1:
        raise ValueError("steps, n_critic and batch_size must be at least 1")
    critic_optimizer = torch.optim.Adam(critic.parameters(), lr=lr, betas=betas)
    generator_optimizer = torch.optim.Adam(generator.parameters(), lr=lr, betas=betas)
    history = {"critic_loss": [], "generator_loss": []}
    for _ in range(steps):
        for _ in range(n_critic):
            real = data[torch.randint(len(data), (batch_size,), generator=generator_rng, device=data.device)]
            fake = generator(standard_normal((batch_size, generator.latent_dim), data, generator_rng)).detach()
            eps = standard_normal((batch_size, 1), data, generator_rng)
            x_hat = eps * real + (1 - eps) * fake
            penalty = gradient_penalty(critic, x_hat, x_hat, torch.ones_like(eps))
            loss = critic_loss(critic(real), critic(fake))
            critic_optimizer.zero_grad()
            (loss + gp_weight * penalty).backward()
            critic_optimizer.step()
        fake = generator(standard_normal((batch_size, generator.latent_dim), data, generator_rng))
        loss_of_generator = generator_loss(critic(fake))
        generator_optimizer.zero_grad()
        loss_of_generator.backward()
        generator_optimizer.step()
        history["critic_loss"].append(loss.item())
        history["generator_loss"].append(loss_of_generator.item())
    return history


@mistake(
    "eps_per_batch",
    title="one eps for the whole batch",
    hint="Each sample gets its own eps: torch.rand(batch_size, 1).",
    loses=("training_eps",),
)
def uniform(shape, like, rng):
    return torch.rand(1, 1, dtype=like.dtype, device=like.device, generator=rng).expand(shape)


@mistake(
    "fakes_not_detached",
    title="the critic's updates send gradients into the generator",
    hint="For the critic the fakes are data: generator(z).detach(), or generate them under torch.no_grad().",
    loses=("fakes_detached",),
)
def train_wgan_gp(
    generator, critic, data, steps, n_critic=5, lr=1e-4, betas=(0.0, 0.9), gp_weight=10.0, batch_size=256,
    generator_rng=None, progress=False,
):  # fmt: skip
    if steps < 1 or n_critic < 1 or batch_size < 1:
        raise ValueError("steps, n_critic and batch_size must be at least 1")
    critic_optimizer = torch.optim.Adam(critic.parameters(), lr=lr, betas=betas)
    generator_optimizer = torch.optim.Adam(generator.parameters(), lr=lr, betas=betas)
    history = {"critic_loss": [], "generator_loss": []}
    for _ in range(steps):
        for _ in range(n_critic):
            real = data[torch.randint(len(data), (batch_size,), generator=generator_rng, device=data.device)]
            fake = generator(standard_normal((batch_size, generator.latent_dim), data, generator_rng))
            eps = uniform((batch_size, 1), data, generator_rng)
            loss = critic_loss(critic(real), critic(fake))
            critic_optimizer.zero_grad()
            (loss + gp_weight * gradient_penalty(critic, real, fake, eps)).backward()
            critic_optimizer.step()
        fake = generator(standard_normal((batch_size, generator.latent_dim), data, generator_rng))
        loss_of_generator = generator_loss(critic(fake))
        generator_optimizer.zero_grad()
        loss_of_generator.backward()
        generator_optimizer.step()
        history["critic_loss"].append(loss.item())
        history["generator_loss"].append(loss_of_generator.item())
    return history


@mistake(
    "n_critic_ignored",
    title="one critic update per generator update, whatever n_critic says",
    hint="n_critic critic updates, each on a fresh batch and fresh noise, come before each generator update.",
    loses=("training_updates", "ring_distance", "own_distance", "own_modes"),
)
def train_wgan_gp(*args, n_critic=5, _right=train_wgan_gp, **kwargs):
    if n_critic < 1:
        raise ValueError(f"n_critic: expected at least 1, got {n_critic}")
    return _right(*args, n_critic=1, **kwargs)


@mistake(
    "gradients_not_cleared",
    title="the critic's gradients are not cleared before its update",
    hint="The generator's backward leaves gradients in the critic: zero_grad() before each critic backward.",
    loses=("training_updates", "ring_distance", "own_distance", "own_modes"),
)
def train_wgan_gp(
    generator, critic, data, steps, n_critic=5, lr=1e-4, betas=(0.0, 0.9), gp_weight=10.0, batch_size=256,
    generator_rng=None, progress=False,
):  # fmt: skip
    if steps < 1 or n_critic < 1 or batch_size < 1:
        raise ValueError("steps, n_critic and batch_size must be at least 1")
    critic_optimizer = torch.optim.Adam(critic.parameters(), lr=lr, betas=betas)
    generator_optimizer = torch.optim.Adam(generator.parameters(), lr=lr, betas=betas)
    history = {"critic_loss": [], "generator_loss": []}
    for _ in range(steps):
        for _ in range(n_critic):
            real = data[torch.randint(len(data), (batch_size,), generator=generator_rng, device=data.device)]
            fake = generator(standard_normal((batch_size, generator.latent_dim), data, generator_rng)).detach()
            eps = uniform((batch_size, 1), data, generator_rng)
            loss = critic_loss(critic(real), critic(fake))
            (loss + gp_weight * gradient_penalty(critic, real, fake, eps)).backward()
            critic_optimizer.step()
        fake = generator(standard_normal((batch_size, generator.latent_dim), data, generator_rng))
        loss_of_generator = generator_loss(critic(fake))
        generator_optimizer.zero_grad()
        loss_of_generator.backward()
        generator_optimizer.step()
        history["critic_loss"].append(loss.item())
        history["generator_loss"].append(loss_of_generator.item())
    return history


@mistake(
    "gp_weight_ignored",
    title="the penalty has weight 10, whatever gp_weight says",
    hint="Multiply the penalty by the argument gp_weight.",
    loses=("training_updates", "ring_distance", "own_distance", "own_modes"),
)
def train_wgan_gp(*args, gp_weight=10.0, _right=train_wgan_gp, **kwargs):
    return _right(*args, gp_weight=10.0, **kwargs)


@mistake(
    "betas_ignored",
    title="Adam with its own default betas (0.9, 0.999)",
    hint="Pass betas to both optimisers: the paper's (0, 0.9) has no momentum, which a moving target needs.",
    loses=("training_updates", "ring_distance", "own_distance", "own_modes"),
)
def train_wgan_gp(*args, betas=(0.0, 0.9), _right=train_wgan_gp, **kwargs):
    return _right(*args, betas=(0.9, 0.999), **kwargs)


@mistake(
    "same_batch",
    title="the same batch and noise for all critic updates of a step",
    hint="Draw the batch and z inside the loop over n_critic: each critic update sees fresh ones.",
    loses=("training_batches",),
)
def train_wgan_gp(
    generator, critic, data, steps, n_critic=5, lr=1e-4, betas=(0.0, 0.9), gp_weight=10.0, batch_size=256,
    generator_rng=None, progress=False,
):  # fmt: skip
    if steps < 1 or n_critic < 1 or batch_size < 1:
        raise ValueError("steps, n_critic and batch_size must be at least 1")
    critic_optimizer = torch.optim.Adam(critic.parameters(), lr=lr, betas=betas)
    generator_optimizer = torch.optim.Adam(generator.parameters(), lr=lr, betas=betas)
    history = {"critic_loss": [], "generator_loss": []}
    for _ in range(steps):
        real = data[torch.randint(len(data), (batch_size,), generator=generator_rng, device=data.device)]
        z = standard_normal((batch_size, generator.latent_dim), data, generator_rng)
        for _ in range(n_critic):
            fake = generator(z).detach()
            eps = uniform((batch_size, 1), data, generator_rng)
            loss = critic_loss(critic(real), critic(fake))
            critic_optimizer.zero_grad()
            (loss + gp_weight * gradient_penalty(critic, real, fake, eps)).backward()
            critic_optimizer.step()
        loss_of_generator = generator_loss(critic(generator(z)))
        generator_optimizer.zero_grad()
        loss_of_generator.backward()
        generator_optimizer.step()
        history["critic_loss"].append(loss.item())
        history["generator_loss"].append(loss_of_generator.item())
    return history


@mistake(
    "noise_uniform",
    title="training noise drawn from a uniform law",
    hint="z ~ N(0, I): torch.randn, in training as in sampling.",
    loses=("training_batches", "ring_distance", "own_distance", "own_modes"),
)
def train_wgan_gp(generator, *args, _right=train_wgan_gp, **kwargs):
    class Noise(nn.Module):
        def __init__(self):
            super().__init__()
            self.network, self.latent_dim = generator, generator.latent_dim

        def forward(self, z):
            return self.network(torch.special.ndtr(z))

    return _right(Noise(), *args, **kwargs)


@mistake(
    "rng_ignored",
    title="random numbers drawn from the global generator, whatever generator_rng is",
    hint="Pass generator=generator_rng to every torch.randn, torch.rand and torch.randint.",
    loses=("rng_used",),
)
def standard_normal(shape, like, rng):
    return torch.randn(*shape, dtype=like.dtype, device=like.device)


@mistake(
    "history_per_update",
    title="one history value per critic update instead of one per step",
    hint="steps counts generator updates: append to each list once per step, after the loop over n_critic.",
    loses=("history",),
)
def train_wgan_gp(*args, n_critic=5, _right=train_wgan_gp, **kwargs):
    history = _right(*args, n_critic=n_critic, **kwargs)
    return history | {"critic_loss": [loss for loss in history["critic_loss"] for _ in range(n_critic)]}


@mistake(
    "counts_not_checked",
    title="counts below 1 accepted",
    hint="Raise ValueError, naming the argument, where n, steps, n_critic or batch_size is below 1.",
    loses=("arguments_refused",),
)
def sample(generator, n, generator_rng=None):
    weight = next(generator.parameters())
    return generator(standard_normal((n, generator.latent_dim), weight, generator_rng)).detach()


# --- sampling and coverage ------------------------------------------------------------------------


@mistake(
    "sample_uniform",
    title="samples made from uniform noise",
    hint="z ~ N(0, I): torch.randn, the law that the generator was trained with.",
    loses=("sample_law",),
)
def sample(generator, n, generator_rng=None):
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}")
    weight = next(generator.parameters())
    return generator(2 * uniform((n, generator.latent_dim), weight, generator_rng) - 1).detach()


@mistake(
    "sample_not_detached",
    title="samples that still carry the generator's graph",
    hint="Generate under torch.no_grad(), or detach the result.",
    loses=("sample_law",),
)
def sample(generator, n, generator_rng=None):
    if n < 1:
        raise ValueError(f"n: expected at least 1, got {n}")
    weight = next(generator.parameters())
    return generator(standard_normal((n, generator.latent_dim), weight, generator_rng))


@mistake(
    "coverage_ignores_radius",
    title="modes counted as covered when they are merely nearest to some sample",
    hint="A mode is covered when a sample lies within the radius, not when it is merely nearest to one.",
    loses=("mode_coverage_counts",),
)
def mode_coverage(samples, centres, radius):
    if radius <= 0 or samples.shape[1] != centres.shape[1]:
        raise ValueError("radius must be positive, samples and centres of one dimension")
    distances = torch.cdist(samples, centres)
    inside = distances.min(1).values <= radius
    return len(distances.argmin(1).unique()), inside.double().mean().item()


@mistake(
    "quality_over_pairs",
    title="high quality averaged over all pairs of sample and mode",
    hint="A sample counts once when it lies in any of the balls: any(dim=1), then the mean over the samples.",
    loses=("mode_coverage_counts",),
)
def mode_coverage(samples, centres, radius):
    if radius <= 0 or samples.shape[1] != centres.shape[1]:
        raise ValueError("radius must be positive, samples and centres of one dimension")
    inside = torch.cdist(samples, centres) <= radius
    return int(inside.any(0).sum()), inside.double().mean().item()


@mistake(
    "squared_distance",
    title="squared distance compared with the radius",
    hint="Take the root of the sum of squares, or compare it with radius².",
    loses=("mode_coverage_counts",),
)
def mode_coverage(samples, centres, radius):
    if radius <= 0 or samples.shape[1] != centres.shape[1]:
        raise ValueError("radius must be positive, samples and centres of one dimension")
    inside = ((samples[:, None] - centres) ** 2).sum(-1) <= radius
    return int(inside.any(0).sum()), inside.any(1).double().mean().item()


@mistake(
    "arguments_changed",
    title="arguments changed in place",
    hint="Whoever calls a function still needs what was passed: no `-=`, no method with a trailing underscore on it.",
    loses=("conventions",),
)
def mode_coverage(samples, centres, radius, _right=mode_coverage):
    answer = _right(samples, centres, radius)
    samples.sub_(centres.mean(0))
    return answer
