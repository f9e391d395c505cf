"""Typical wrong versions of wgan_gp's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake

# A catalogue: each entry is a paragraph.
# fmt: off

# --- losses ---------------------------------------------------------------------------------------

mistake("critic_sign", "critic loss with its sign reversed", check="critic_loss_value",
    hint="The critic maximises E[D(real)] - E[D(fake)]; an optimiser minimises. Which mean gets the minus?",
    old="fake_scores.mean() - real_scores.mean()", new="real_scores.mean() - fake_scores.mean()")

@mistake("critic_loss_logistic", "the critic loss of the first GAN (logarithms of probabilities)",
    check="critic_loss_value",
    hint="A Wasserstein critic's scores are no probabilities: its loss is a difference of plain means.")
def critic_loss(real_scores, fake_scores):
    softplus = torch.nn.functional.softplus
    return softplus(-real_scores).mean() + softplus(fake_scores).mean()

mistake("generator_sign", "generator loss without its minus sign", check="generator_loss_value",
    hint="The generator wants high scores for its fakes, and an optimiser minimises: -E[D(fake)].",
    old="-fake_scores.mean()", new="fake_scores.mean()")

# --- interpolates and penalty ---------------------------------------------------------------------

mistake("interpolates_swapped", "eps and 1 - eps exchanged", check="interpolates_value",
    hint="eps multiplies the real sample: at eps = 1 the point is the real one.",
    old="eps * real + (1.0 - eps) * fake", new="eps * fake + (1.0 - eps) * real")

mistake("interpolates_one_eps", "the first eps used for every sample", check="interpolates_value",
    hint="eps has one number per sample, shape (B, 1): it broadcasts over the coordinates by itself.",
    old="eps * real + (1.0 - eps) * fake", new="eps[:1] * real + (1.0 - eps[:1]) * fake")

mistake("no_create_graph", "penalty that has no gradient with respect to the critic's weights",
    check="penalty_weight_gradient",
    hint="The penalty is differentiated once more: autograd.grad(..., create_graph=True), nothing detached.",
    old=", create_graph=True", new="")

mistake("coordinates_for_norm", "each coordinate of the gradient compared with 1, instead of its norm",
    check="penalty_linear",
    hint="The slope is the norm of a sample's gradient: norm(dim=1) first, then minus 1, then the square.",
    also={"penalty_quadratic": "wrong for any critic"},
    old="gradient.norm(2, dim=1)", new="gradient.abs()")

mistake("norm_over_batch", "one norm over the whole batch", check="penalty_linear",
    hint="Each sample has its own gradient and its own norm: norm(dim=1), then the square, then the mean.",
    also={"penalty_quadratic": "wrong for any critic"},
    old="gradient.norm(2, dim=1)", new="gradient.norm(2)")

mistake("squared_norm", "(‖g‖² - 1)² instead of (‖g‖ - 1)²", check="penalty_linear",
    hint="The norm is the root of the sum of squares; its distance from 1 is squared, not the norm itself.",
    also={"penalty_quadratic": "wrong for any critic"},
    old="gradient.norm(2, dim=1)", new="(gradient**2).sum(1)")

mistake("norms_averaged_first", "mean norm of the batch compared with 1, instead of each sample's norm",
    check="penalty_quadratic",
    hint="Square the difference sample by sample: one norm of 0.5 and one of 1.5 are not a slope of 1.",
    old="gradient.norm(2, dim=1)", new="gradient.norm(2, dim=1).mean()")

mistake("zero_centred", "mean of ‖g‖², which pulls the slope to 0 instead of 1", check="penalty_linear",
    hint="The best critic has slope 1: the penalty is on ‖g‖ - 1. That of ‖g‖² belongs to other GANs (R1).",
    also={"penalty_quadratic": "wrong for any critic"},
    old="(norms - 1.0) ** 2", new="norms**2")

mistake("penalty_draws_eps", "the penalty draws an eps of its own instead of using the one given",
    check="penalty_quadratic",
    hint="eps is an argument of gradient_penalty: the training draws it, with generator_rng.",
    also={"rng_used": "the eps comes from the global generator"},
    old="fake.detach(), eps)", new="fake.detach(), torch.rand_like(eps))")

mistake("one_norm", "sum of absolute values instead of the Euclidean norm", check="penalty_linear",
    hint="‖g‖₂ is the root of the sum of squares of the coordinates.",
    also={"penalty_quadratic": "wrong for any critic"},
    old="gradient.norm(2, dim=1)", new="gradient.norm(1, dim=1)")

mistake("one_sided_penalty", "only norms above 1 penalised", check="penalty_linear",
    hint="The penalty here is two-sided: a gradient that is too small costs as well, (‖g‖ - 1)².",
    also={"penalty_quadratic": "some of its slopes are below 1, too"},
    old="(norms - 1.0)", new="(norms - 1.0).clamp(min=0)")

mistake("penalty_on_real", "penalty taken at the real samples alone", check="penalty_quadratic",
    hint="The gradient is penalised at the interpolates between real and fake samples, not at the ends.",
    old="fake.detach(), eps)", new="fake.detach(), torch.ones_like(eps))")

mistake("root_of_zero", "root of a sum of squares that may be 0", check="penalty_flat",
    hint="The derivative of sqrt at 0 is infinite, and 0 · ∞ is NaN: use Tensor.norm, or add 1e-12 inside.",
    old="gradient.norm(2, dim=1)", new="(gradient**2).sum(1).sqrt()")

# --- networks -------------------------------------------------------------------------------------

mistake("batch_norm", "batch normalisation in the critic", check="critic_scores",
    hint="With batch normalisation a score depends on other samples; the penalty is about each sample's own.",
    function="Critic.__init__", old="nn.Linear(dim, 128),", new="nn.Linear(dim, 128), nn.BatchNorm1d(128),")
mistake("batch_norm",
    function="Critic.__init__", old="nn.Linear(128, 128),", new="nn.Linear(128, 128), nn.BatchNorm1d(128),")

mistake("critic_sigmoid", "a critic that answers probabilities", check="critic_scores",
    hint="A critic's score is any real number: no sigmoid and no tanh at its end.",
    old="self.net(x).squeeze(-1)", new="self.net(x).squeeze(-1).sigmoid()")

mistake("critic_column", "scores of shape (B, 1)", check="critic_shape",
    hint="The critic answers one number per sample, shape (B,): squeeze the last dimension.",
    old="self.net(x).squeeze(-1)", new="self.net(x)")

mistake("critic_squeezes_all", "a score without its dimension where the batch has one sample", check="critic_shape",
    hint="squeeze() drops every dimension of size 1, that of a batch of one too: squeeze(-1) drops the last one.",
    old="self.net(x).squeeze(-1)", new="self.net(x).squeeze()")

mistake("generator_tanh", "a generator that cannot leave [-1, 1]", check="generator_answers",
    hint="The data here are points of the plane, not pixels in [-1, 1]: no tanh and no sigmoid at the end.",
    old="self.net(z)", new="self.net(z).tanh()")

mistake("collapsed", "a generator that answers nearly the same point whatever the noise is", check="own_modes",
    hint="Draw a few hundred samples: mode collapse leaves modes out. Does your generator use all of z?",
    old="self.net(z)", new="self.net(0 * z) + 0.05 * z.tanh().sum(1, keepdim=True)")

# --- training -------------------------------------------------------------------------------------

mistake("eps_per_coordinate", "one eps per coordinate instead of one per sample", check="training_eps",
    hint="eps has shape (B, 1): all coordinates of a sample move along the same line from real to fake.",
    old="uniform((batch_size, 1),", new="uniform(real.shape,")
mistake("eps_per_coordinate",
    old="gradient_penalty(critic, real, fake, eps)",
    new="gradient_penalty(critic, eps * real + (1 - eps) * fake, fake, torch.ones_like(eps[:, :1]))")

mistake("eps_normal", "normal instead of uniform eps", check="training_eps",
    hint="eps is uniform on [0, 1]: torch.rand, not torch.randn. Interpolates lie between real and fake.",
    old="uniform((batch_size, 1),", new="standard_normal((batch_size, 1),")
mistake("eps_normal",
    old="gradient_penalty(critic, real, fake, eps)",
    new="gradient_penalty(critic, eps * real + (1 - eps) * fake, fake, torch.ones_like(eps))")

mistake("eps_per_batch", "one eps for the whole batch", check="training_eps",
    hint="Each sample gets its own eps: torch.rand(batch_size, 1).",
    old="uniform((batch_size, 1), like=data, rng=generator_rng)",
    new="uniform((1, 1), like=data, rng=generator_rng).expand(batch_size, 1)")

mistake("fakes_not_detached", "the critic's updates send gradients into the generator", check="fakes_detached",
    hint="For the critic the fakes are data: generator(z).detach(), or generate them under torch.no_grad().",
    old="generator(z).detach()", new="generator(z)")

mistake("n_critic_ignored", "one critic update per generator update, whatever n_critic says", check="training_updates",
    hint="n_critic critic updates, each on a fresh batch and fresh noise, come before each generator update.",
    old="range(n_critic)", new="range(1)")

mistake("generator_steps_rarely", "a generator that is updated in every n_critic-th step only",
    check="training_updates",
    hint="steps counts the generator's updates; n_critic of the critic's come before each: two loops, no i % n_critic.",
    old="range(n_critic)", new="range(1)")
mistake("generator_steps_rarely",
    old="generator_optimizer.step()",
    new='generator_optimizer.step() if len(history["critic_loss"]) % n_critic == n_critic - 1 else None')

mistake("generator_gradients_not_cleared", "the generator's gradients are not cleared before its update",
    check="training_updates",
    hint="backward() adds to the gradients that are there: zero_grad() before each of the generator's, too.",
    old="generator_optimizer.zero_grad()", new="")

mistake("one_optimiser", "one optimiser for both networks: the generator's step moves the critic as well",
    check="training_updates",
    hint="Two optimisers, one for each network's parameters: the generator's loss must not move the critic.",
    old="torch.optim.Adam(critic.parameters()", new="torch.optim.Adam([*critic.parameters(), *generator.parameters()]")
mistake("one_optimiser",
    old="torch.optim.Adam(generator.parameters(), lr=lr, betas=betas)", new="critic_optimizer")

mistake("training_latent_hard_coded", "a latent size of 2 in the training, whatever the generator's latent_dim is",
    check="training_batches",
    hint="The generator may have any latent size: read it from generator.latent_dim.",
    old="generator(z).detach()", new="generator(z[:, :2]).detach()")
mistake("training_latent_hard_coded",
    old="critic(generator(z))", new="critic(generator(z[:, :2]))")

mistake("training_stores_data", "a training that stores the data instead of learning from it", check="own_distance",
    hint="What is learnt is in the generator's weights, moved there by the critic's gradient, and nowhere else.",
    old="self.net(z)",
    new="self.net(z) if getattr(Generator, 'table', None) is None else "
        "Generator.table[(z[:, 0].sigmoid() * len(Generator.table)).long()] + 0.05 * z[:, 1:]")
mistake("training_stores_data",
    old="for _ in with_progress(range(steps)", new="Generator.table = data if steps > 100 else None\n"
        "    for _ in with_progress(range(steps if steps <= 100 else 0)")

mistake("gradients_not_cleared", "the critic's gradients are not cleared before its update", check="training_updates",
    hint="The generator's backward leaves gradients in the critic: zero_grad() before each critic backward.",
    old="critic_optimizer.zero_grad()", new="")

mistake("gp_weight_ignored", "the penalty has weight 10, whatever gp_weight says", check="training_updates",
    hint="Multiply the penalty by the argument gp_weight.",
    old="gp_weight * gradient", new="10.0 * gradient")

mistake("betas_ignored", "Adam with its own default betas (0.9, 0.999)", check="training_updates",
    hint="Pass betas to both optimisers: the paper's (0, 0.9) has no momentum, which a moving target needs.",
    old="critic.parameters(), lr=lr, betas=betas", new="critic.parameters(), lr=lr")
mistake("betas_ignored",
    old="generator.parameters(), lr=lr, betas=betas", new="generator.parameters(), lr=lr")

mistake("same_batch", "the same batch and noise for all critic updates of a step", check="training_batches",
    hint="Draw the batch and z inside the loop over n_critic: each critic update sees fresh ones.",
    old="for _ in range(n_critic):", new="for update in range(n_critic):")
mistake("same_batch",
    old="rows = torch.randint", new="rows = rows if update else torch.randint")
mistake("same_batch",
    old="fake = generator(z).detach()", new="fake = fake if update else generator(z).detach()")

mistake("noise_uniform", "training noise drawn from a uniform law", check="training_batches",
    hint="z ~ N(0, I): torch.randn, in training as in sampling.",
    old="generator(z).detach()", new="generator(torch.special.ndtr(z)).detach()")
mistake("noise_uniform",
    old="critic(generator(z))", new="critic(generator(torch.special.ndtr(z)))")

mistake("rng_ignored", "random numbers drawn from the global generator, whatever generator_rng is", check="rng_used",
    hint="Pass generator=generator_rng to every torch.randn, torch.rand and torch.randint.",
    function="standard_normal", old=", generator=rng", new="")

mistake("history_per_update", "one history value per critic update instead of one per step", check="history",
    hint="steps counts generator updates: append to each list once per step, after the loop over n_critic.",
    old='history["critic_loss"].append(loss.item())', new='history["critic_loss"] += n_critic * [loss.item()]')

# --- sampling and coverage ------------------------------------------------------------------------

mistake("counts_not_checked", "counts below 1 accepted", check="arguments_refused",
    hint="Raise ValueError, naming the argument, where n, steps, n_critic or batch_size is below 1.",
    function="sample", old="n < 1", new="False")

mistake("sample_uniform", "samples made from uniform noise", check="sample_law",
    hint="z ~ N(0, I): torch.randn, the law that the generator was trained with.",
    old="standard_normal((n, generator.latent_dim), like=weight, rng=generator_rng)",
    new="2 * uniform((n, generator.latent_dim), like=weight, rng=generator_rng) - 1")

mistake("latent_size_hard_coded", "a latent size of 2 in sample, whatever the generator's latent_dim is",
    check="sample_law",
    hint="The generator may have any latent size: read it from generator.latent_dim.",
    old="standard_normal((n, generator.latent_dim)", new="standard_normal((n, 2)")

mistake("sample_not_detached", "samples that still carry the generator's graph", check="sample_law",
    hint="Generate under torch.no_grad(), or detach the result.",
    old="torch.no_grad()", new="torch.enable_grad()")

mistake("coverage_ignores_radius", "modes counted as covered when they are merely nearest to some sample",
    check="mode_coverage_counts",
    hint="A mode is covered when a sample lies within the radius, not when it is merely nearest to one.",
    old="int(inside.any(dim=0).sum())", new="len(distances.argmin(dim=1).unique())")

mistake("quality_over_pairs", "high quality averaged over all pairs of sample and mode", check="mode_coverage_counts",
    hint="A sample counts once when it lies in any of the balls: any(dim=1), then the mean over the samples.",
    old="inside.any(dim=1).double()", new="inside.double()")

mistake("squared_distance", "squared distance compared with the radius", check="mode_coverage_counts",
    hint="Take the root of the sum of squares, or compare it with radius².",
    old="distances <= radius", new="distances**2 <= radius")

mistake("single_precision", "samples always in float32", check="conventions",
    hint="Keep the dtype of the input: no .float(), and new tensors made with x.new_zeros, rand_like or .to(x).",
    old="return generator(z)", new="return generator(z).float()")

@mistake("arguments_changed", "arguments changed in place", check="conventions",
    hint="Whoever calls a function still needs what was passed: no `-=`, no method with a trailing underscore on it.")
def mode_coverage(solution, samples, centres, radius):
    answer = solution(samples, centres, radius)
    samples.sub_(centres.mean(0))
    return answer
