"""Typical wrong versions of gan_collapse's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake

# A catalogue: each entry is a paragraph.
# fmt: off

# --- the game -------------------------------------------------------------------------------------

mistake("optimal_underflow", "a quotient of densities that have underflowed", check="optimum_far",
    hint="Far from everything both densities are 0 in floating point: 1 / (1 + exp(log q - log p)) is the same number.",
    function="optimal_discriminator", old="torch.sigmoid(log_p_data - log_p_g)",
    new="log_p_data.exp() / (log_p_data.exp() + log_p_g.exp())")

mistake("optimal_smoothing_in_both", "the smoothed label in the denominator as well", check="optimum_value",
    hint="The labels 1 - s and s of a real sample sum to 1: the denominator stays p_data + p_g.",
    also={"optimum_far": "wrong for any densities"},
    function="optimal_discriminator", old="(1.0 - smoothing) * torch.sigmoid(log_p_data - log_p_g)",
    new="torch.sigmoid(log_p_data - log_p_g + math.log(1.0 - smoothing))")

mistake("optimal_smoothing_ignored", "the best discriminator without smoothing", check="optimum_value",
    hint="With smoothed labels D* is (1 - s) p_data / (p_data + p_g): it never exceeds 1 - s.",
    also={"optimum_far": "wrong for any densities"},
    function="optimal_discriminator", old="(1.0 - smoothing) * torch", new="torch")

mistake("optimal_of_the_fakes", "the probability of being generated instead of real", check="optimum_value",
    hint="D is the probability that x is real: p_data stands above.",
    also={"optimum_far": "wrong for any densities"},
    function="optimal_discriminator", old="log_p_data - log_p_g)", new="log_p_g - log_p_data)")

@mistake("jsd_root", "the square root of the divergence", check="divergence_value",
    hint="The root of it is a distance; asked for is the divergence itself.",
    also={"divergence_zeros": "wrong for any laws"})
def jensen_shannon(solution, p, q):
    return solution(p, q).sqrt()

mistake("jsd_nan_at_zero", "a logarithm of 0 where a probability is 0", check="divergence_zeros",
    hint="0 log 0 = 0: torch.xlogy(p, p) knows it, p * p.log() is NaN.",
    function="jensen_shannon", old="torch.xlogy(p, p) - torch.xlogy(p, m)", new="p * (p / m).log()")

mistake("jsd_in_bits", "the divergence in bits", check="divergence_value",
    hint="Nats are asked for: the natural logarithm.",
    also={"divergence_zeros": "wrong for any laws"},
    function="jensen_shannon", old="return 0.5 *", new="return 0.5 / math.log(2) *")

mistake("jsd_without_halves", "the sum of the two divergences", check="divergence_value",
    hint="Each of the two divergences counts half.",
    also={"divergence_zeros": "wrong for any laws"},
    function="jensen_shannon", old="return 0.5 *", new="return")

mistake("game_swapped", "the two laws exchanged", check="value_of_the_game",
    hint="D is the probability of being real: log D goes with the data p, log(1 - D) with the fakes q.",
    also={"value_zeros": "wrong for any laws"},
    function="game_value", old="torch.xlogy(p, d).sum() + torch.xlogy(q, 1.0 - d).sum()",
    new="torch.xlogy(q, d).sum() + torch.xlogy(p, 1.0 - d).sum()")

mistake("game_nan_at_zero", "a logarithm of 0 that meets a probability of 0", check="value_zeros",
    hint="0 log 0 = 0: torch.xlogy(p, d) knows it, p * d.log() is NaN.",
    function="game_value", old="torch.xlogy(p, d)", new="(p * d.log())")

mistake("game_of_log_d_twice", "log D for the fakes, too", check="value_of_the_game",
    hint="D answers how real a point is: what the fakes add to the game is log(1 - D).",
    also={"value_zeros": "wrong for any laws"},
    function="game_value", old="torch.xlogy(q, 1.0 - d)", new="torch.xlogy(q, d)")

# --- losses ---------------------------------------------------------------------------------------

@mistake("log_of_sigmoid", "the logarithm of a sigmoid that has underflowed", check="losses_large_logits",
    hint="sigmoid(-1000) is 0 and its logarithm -inf: F.logsigmoid(l) is one function, right for any logit.")
def discriminator_loss(real_logits, fake_logits, smoothing=0.0, loss="non_saturating"):
    if loss == "wasserstein":
        return fake_logits.mean() - real_logits.mean()
    d, fake = torch.sigmoid(real_logits), torch.sigmoid(fake_logits)
    real = (1.0 - smoothing) * torch.log(d) + smoothing * torch.log(1 - d)
    return -real.mean() - torch.log(1 - fake).mean()

@mistake("log_with_epsilon", "a small constant under the logarithm of a sigmoid", check="losses_large_logits",
    hint="log(1e-8) is -18 and no -1000, and its gradient is 0: F.logsigmoid(l) is right for any logit.")
def generator_loss(fake_logits, loss="non_saturating"):
    if loss == "wasserstein":
        return -fake_logits.mean()
    d = torch.sigmoid(fake_logits)
    if loss == "saturating":
        return torch.log(1 - d + 1e-8).mean()
    return -torch.log(d + 1e-8).mean()

mistake("two_sided_smoothing", "fakes smoothed as well", check="discriminator_loss_value",
    hint="Smoothing is one-sided: the label of fakes stays 0, so that -E log(1 - D) alone stands for them.",
    also={"losses_large_logits": "wrong at any logits"},
    function="discriminator_loss", old="- F.logsigmoid(-fake_logits).mean()",
    new="- ((1.0 - smoothing) * F.logsigmoid(-fake_logits) + smoothing * F.logsigmoid(fake_logits)).mean()")

mistake("smoothing_on_fakes", "fakes smoothed instead of real samples", check="discriminator_loss_value",
    hint="The label of real samples is 1 - s, that of fakes 0.",
    also={"losses_large_logits": "wrong at any logits"},
    function="discriminator_loss", old="- F.logsigmoid(-fake_logits).mean()",
    new="- ((1.0 - smoothing) * F.logsigmoid(-fake_logits) + smoothing * F.logsigmoid(fake_logits)).mean()")
mistake("smoothing_on_fakes",
    function="discriminator_loss",
    old="(1.0 - smoothing) * F.logsigmoid(real_logits) + smoothing * F.logsigmoid(-real_logits)",
    new="F.logsigmoid(real_logits)")

mistake("smoothing_scales_only", "the real term scaled by 1 - s, the rest of the label forgotten",
    check="discriminator_loss_value",
    hint="A label of 1 - s has two terms: (1 - s) log D + s log(1 - D).",
    also={"losses_large_logits": "wrong at any logits"},
    function="discriminator_loss", old=" + smoothing * F.logsigmoid(-real_logits)", new="")

mistake("losses_halved", "the mean of the two means instead of their sum", check="discriminator_loss_value",
    hint="The game is a sum of two expectations: no half in front.",
    also={"losses_large_logits": "wrong at any logits"},
    function="discriminator_loss", old="return -real.mean() - F.logsigmoid(-fake_logits).mean()",
    new="return 0.5 * (-real.mean() - F.logsigmoid(-fake_logits).mean())")

mistake("mean_over_both", "one mean over real and generated rows together", check="discriminator_loss_value",
    hint="Real and generated rows have a mean each: the batches may differ in size.",
    function="discriminator_loss", old="return -real.mean() - F.logsigmoid(-fake_logits).mean()",
    new="return -2 * torch.cat([real, F.logsigmoid(-fake_logits)]).mean()")

mistake("saturating_swapped", "the two losses of the generator exchanged", check="generator_loss_value",
    hint="The game itself, E log(1 - D), is the one that saturates; -E log D does not.",
    also={"losses_large_logits": "wrong at any logits",
          "generator_step_leaves": "where the discriminator is sure, the two losses lead in different directions"},
    function="generator_loss", old='if loss == "saturating"', new='if loss == "non_saturating"')

mistake("saturating_sign", "E log(1 - D) with its sign reversed", check="generator_loss_value",
    hint="The generator makes the value of the game small: it minimises +E log(1 - D).",
    also={"losses_large_logits": "wrong at any logits"},
    function="generator_loss", old="return F.logsigmoid(-fake_logits).mean()",
    new="return -F.logsigmoid(-fake_logits).mean()")

mistake("generator_sign", "E log D minimised, which makes fakes look fake", check="generator_loss_value",
    hint="The generator wants D(G(z)) large, and an optimiser minimises: -E log D.",
    also={"losses_large_logits": "wrong at any logits"},
    function="generator_loss", old="return -F.logsigmoid(fake_logits)", new="return F.logsigmoid(fake_logits)")

mistake("wasserstein_sign", "the discriminator's Wasserstein loss with its sign reversed", check="wasserstein_losses",
    hint="The scores of real samples shall grow, and an optimiser minimises: E f(fake) - E f(real).",
    function="discriminator_loss", old="fake_logits.mean() - real_logits.mean()",
    new="real_logits.mean() - fake_logits.mean()")

mistake("generator_wasserstein_sign", "the generator's Wasserstein loss with its sign reversed",
    check="wasserstein_losses",
    hint="The generator wants high scores, and an optimiser minimises: -E f(fake).",
    function="generator_loss", old="return -fake_logits.mean()", new="return fake_logits.mean()")

mistake("wasserstein_sigmoid", "Wasserstein losses of probabilities", check="wasserstein_losses",
    hint="Scores are any real numbers: no sigmoid.",
    function="discriminator_loss", old="fake_logits.mean() - real_logits.mean()",
    new="fake_logits.sigmoid().mean() - real_logits.sigmoid().mean()")

mistake("wasserstein_smoothed", "real samples' scores weighted by 1 - smoothing in the Wasserstein loss",
    check="wasserstein_losses",
    hint="Smoothing changes labels, and the Wasserstein loss has none: the mean score of real samples counts in full.",
    function="discriminator_loss", old="- real_logits.mean()", new="- (1.0 - smoothing) * real_logits.mean()")

# --- batch normalisation --------------------------------------------------------------------------

mistake("bn_unbiased", "batches normalised by the unbiased variance", check="batch_norm_training",
    hint="A batch is normalised by the variance over B; the one over B - 1 is for the running variance.",
    also={"batch_norm_gradient": "another function of the batch"},
    function="BatchNorm.forward", old="x.var(dim=0, unbiased=False)", new="x.var(dim=0, unbiased=True)")

mistake("bn_running_in_training", "the running statistics in training mode, too", check="batch_norm_training",
    hint="In training mode a batch is normalised by its own mean and variance: the running ones are for evaluation.",
    also={"batch_norm_gradient": "another function of the batch"},
    function="BatchNorm.forward", old="        return self.weight",
    new="        mean, variance = self.running_mean, self.running_var\n        return self.weight")

mistake("bn_biased_running", "a running variance over B", check="batch_norm_running",
    hint="The running variance stands for that of all data: it follows the unbiased one, over B - 1.",
    function="BatchNorm.forward", old="x.var(dim=0, unbiased=True)", new="x.var(dim=0, unbiased=False)")

mistake("bn_running_mean_only", "a running mean, and a variance that stays 1", check="batch_norm_running",
    hint="Evaluation mode divides by the running variance: it follows the batches like the mean.",
    also={"batch_norm_evaluation": "running statistics are to move there, too"},
    function="BatchNorm.forward",
    old="                self.running_var.lerp_(x.var(dim=0, unbiased=True), self.momentum)\n", new="")

mistake("bn_momentum_reversed", "momentum as the weight of the old average", check="batch_norm_running",
    hint="In torch momentum is the weight of the new batch: running = (1 - momentum) running + momentum batch.",
    function="BatchNorm.forward", old="lerp_(mean, self.momentum)", new="lerp_(mean, 1 - self.momentum)")
mistake("bn_momentum_reversed",
    function="BatchNorm.forward", old="unbiased=True), self.momentum)", new="unbiased=True), 1 - self.momentum)")

mistake("bn_batch_in_eval", "the batch's statistics in evaluation mode", check="batch_norm_evaluation",
    hint="In evaluation mode (self.training is False) the running statistics stand in for the batch's.",
    function="BatchNorm.forward", old="variance = x.mean(dim=0), x.var(dim=0, unbiased=False)",
    new="variance = mean, variance")
mistake("bn_batch_in_eval",
    function="BatchNorm.forward", old="        return self.weight",
    new="        mean, variance = x.mean(dim=0), x.var(dim=0, unbiased=False)\n        return self.weight")
mistake("bn_batch_in_eval",
    function="BatchNorm.forward", old="lerp_(mean, self", new="lerp_(x.mean(dim=0), self")

mistake("bn_running_in_eval", "running statistics that go on changing in evaluation mode",
    check="batch_norm_evaluation",
    hint="Evaluation changes nothing: update the running statistics in training mode only.",
    function="BatchNorm.forward", old="        return self.weight",
    new="        self.running_mean = self.running_mean.lerp(x.detach().mean(dim=0), 0 if self.training else 0.1)\n"
    "        return self.weight")

mistake("bn_statistics_detached", "mean and variance taken out of the graph", check="batch_norm_gradient",
    hint="Mean and variance depend on x, and the gradient flows through them too: detach the running averages only.",
    function="BatchNorm.forward", old="variance = x.mean(dim=0), x.var(dim=0, unbiased=False)",
    new="variance = x.detach().mean(dim=0), x.detach().var(dim=0, unbiased=False)")

mistake("bn_eps_outside", "eps added to the standard deviation", check="batch_norm_training",
    hint="eps stands under the root: (variance + eps).sqrt().",
    also={"batch_norm_gradient": "another function of the batch", "batch_norm_evaluation": "the same formula"},
    function="BatchNorm.forward", old="(variance + self.eps).sqrt()", new="(variance.sqrt() + self.eps)")

# --- networks -------------------------------------------------------------------------------------

mistake("sigmoid_generator", "a generator that answers numbers in [0, 1]", check="generator_answers",
    hint="The pixels are in [-1, 1]: tanh at the end.",
    function="Generator.__init__", old="nn.Tanh()", new="nn.Sigmoid()")

mistake("unbounded_generator", "a generator without tanh", check="generator_answers",
    hint="The pixels are in [-1, 1]: tanh at the end.",
    function="Generator.__init__", old=", nn.Tanh()", new="")

mistake("norm_always", "batch normalisation whatever batch_norm says", check="generator_norm",
    hint="Put the layers in where batch_norm is True, and only there.",
    function="Generator.__init__", old="if batch_norm:", new="if True:")

mistake("norm_once", "batch normalisation after the first hidden layer only", check="generator_norm",
    hint="Both hidden layers are followed by batch normalisation.",
    function="Generator.__init__", old="if batch_norm:", new="if batch_norm and n_in == latent_dim:")

mistake("one_hidden_layer", "one hidden layer instead of two", check="discriminator_answers",
    hint="Both networks have two hidden layers of `hidden` units, each followed by an activation.",
    function="Discriminator.__init__",
    old="            nn.Linear(hidden, hidden),\n            nn.LeakyReLU(0.2),\n", new="")

mistake("hidden_ignored", "hidden layers of 128 units, whatever hidden says", check="generator_answers",
    hint="Both hidden layers have `hidden` units.",
    function="Generator.__init__", old="        layers:", new="        hidden = 128\n        layers:")

mistake("equal_weights", "all weights of a layer equal at the start", check="quality_own",
    hint="Units that start equal get equal gradients and stay equal for ever: start with random weights.",
    function="Generator.__init__", old="        self.net = nn.Sequential(*layers, nn.Linear(hidden, dim), nn.Tanh())",
    new="        self.net = nn.Sequential(*layers, nn.Linear(hidden, dim), nn.Tanh())\n"
    "        for layer in self.net:\n            if isinstance(layer, nn.Linear):\n"
    "                nn.init.constant_(layer.weight, 0.05)")

mistake("sigmoid_discriminator", "a discriminator that answers probabilities", check="discriminator_logits",
    hint="The losses take logits: no sigmoid at the end, or it is applied twice.",
    function="Discriminator.forward", old="self.net(x).squeeze(-1)", new="self.net(x).squeeze(-1).sigmoid()")

mistake("batch_norm_in_discriminator", "batch normalisation in the discriminator", check="discriminator_logits",
    hint="A logit depends on its own row only: leave batch normalisation to the generator.",
    function="Discriminator.__init__", old="nn.Linear(hidden, hidden),",
    new="nn.Linear(hidden, hidden), BatchNorm(hidden),")

mistake("logits_in_a_column", "logits of shape (B, 1)", check="discriminator_answers",
    hint="One logit per row, shape (B,): squeeze the last dimension.",
    also={"conventions": "its shape is looked at there, too"},
    function="Discriminator.forward", old="self.net(x).squeeze(-1)", new="self.net(x)")

# --- steps ----------------------------------------------------------------------------------------

mistake("fakes_not_detached", "the discriminator's loss sends gradients into the generator",
    check="discriminator_step_leaves",
    hint="For the discriminator the fakes are data: generator(z).detach(), or torch.no_grad().",
    function="discriminator_step", old="    with torch.no_grad():\n        fake",
    new="    with torch.enable_grad():\n        fake")

mistake("discriminator_not_zeroed", "gradients not cleared before the discriminator's backward",
    check="discriminator_step",
    hint="The generator's backward leaves gradients in the discriminator: optimizer.zero_grad() first.",
    also={("discriminator_step_apart", "discriminator_step_clip"): "old gradients are added there, too"},
    function="discriminator_step", old="    optimizer.zero_grad()\n", new="")

mistake("generator_not_zeroed", "gradients not cleared before the generator's backward", check="generator_step",
    hint="backward adds to what .grad holds: optimizer.zero_grad() first.",
    function="generator_step", old="    optimizer.zero_grad()\n", new="")

mistake("one_joined_batch", "real and generated rows judged in one batch", check="discriminator_step_apart",
    hint="Where the discriminator normalises, joined rows mix the statistics: two calls, on real and on fake.",
    also={"discriminator_step_clip": "its discriminator normalises"},
    function="discriminator_step",
    old="discriminator_loss(discriminator(real), discriminator(fake), smoothing=smoothing, loss=loss)",
    new="discriminator_loss(*discriminator(torch.cat([real, fake])).split([len(real), len(fake)]), smoothing, loss)")

mistake("step_smoothing_ignored", "the discriminator's step without smoothing", check="discriminator_step",
    hint="Hand smoothing on to discriminator_loss.",
    also={"discriminator_step_clip": "one of its losses is smoothed"},
    function="discriminator_step", old="smoothing=smoothing, ", new="")

mistake("loss_after_update", "the loss after the update returned", check="discriminator_step",
    hint="What is returned is the loss before the update: keep value.item().",
    also={("discriminator_step_apart", "discriminator_step_clip"): "they look at the loss too"},
    function="discriminator_step", old="    return value.item()",
    new="    return discriminator_loss(discriminator(real), discriminator(fake), smoothing, loss).item()")

mistake("clip_gradients", "gradients clamped instead of weights", check="discriminator_step_clip",
    hint="What is clamped are the weights, after the update.",
    function="discriminator_step", old="    optimizer.step()\n",
    new="    if clip is not None:\n        for parameter in discriminator.parameters():\n"
    "            parameter.grad.clamp_(-clip, clip)\n        clip = None\n    optimizer.step()\n")

mistake("clip_before_step", "weights clamped before the update", check="discriminator_step_clip",
    hint="First the update, then the clamping: the weights end in [-clip, clip].",
    function="discriminator_step", old="    value = discriminator_loss(",
    new="    bound, clip = clip, None\n    if bound is not None:\n        with torch.no_grad():\n"
    "            for parameter in discriminator.parameters():\n                parameter.clamp_(-bound, bound)\n"
    "    value = discriminator_loss(")

mistake("clip_for_wasserstein_only", "weights clamped for one loss only", check="discriminator_step_clip",
    hint="Where clip is given the weights are clamped, whatever the loss.",
    function="discriminator_step", old="    if clip is not None:\n        with",
    new="    if clip is not None and loss == 'wasserstein':\n        with")

mistake("generator_detached", "fakes detached in the generator's step", check="generator_step",
    hint="The gradient has to reach the generator through the discriminator: nothing detached here.",
    also={("generator_step_leaves", "training_updates", "history"): "the generator never moves"},
    function="generator_step", old="discriminator(generator(z))", new="discriminator(generator(z).detach())")
mistake("generator_detached",
    function="generator_step", old="    value.backward()\n", new="    value.requires_grad and value.backward()\n")

mistake("step_loss_ignored", "the generator's step with one loss only", check="generator_step",
    hint="Hand loss on to generator_loss.",
    function="generator_step", old=", loss=loss)", new=")")

mistake("discriminator_frozen", "the discriminator's weights frozen and not thawed again",
    check="generator_step_leaves",
    hint="Who sets requires_grad to False for the generator's step has to set it to True again.",
    also={("training_updates", "history", "generators"): "the discriminator cannot be trained any more"},
    function="generator_step", old="    value = generator_loss(",
    new="    discriminator.requires_grad_(False)\n    value = generator_loss(")

mistake("step_sets_modes", "evaluation mode in a step", check="generator_step_leaves",
    hint="No train() and no eval() in a step: modes stay as they are.",
    function="generator_step", old="    value = generator_loss(",
    new="    discriminator.eval()\n    value = generator_loss(")

# --- training -------------------------------------------------------------------------------------

mistake("n_discriminator_ignored", "one update of the discriminator per step", check="training_updates",
    hint="n_discriminator updates of the discriminator come before each of the generator's.",
    function="train_gan", old="for _ in range(n_discriminator)", new="for _ in range(1)")

mistake("generator_first", "the generator updated before the discriminator", check="training_updates",
    hint="In each step the discriminator comes first.",
    function="train_gan", old="        for _ in range(n_discriminator):",
    new='        first = generator_step(generator, discriminator, of_generator, noise(), loss=loss)\n'
    "        for _ in range(n_discriminator):")
mistake("generator_first",
    function="train_gan", old='append(generator_step(generator, discriminator, of_generator, noise(), loss=loss))',
    new="append(first)")

mistake("betas_ignored", "Adam with its own default betas (0.9, 0.999)", check="training_updates",
    hint="Pass betas to both optimisers: much momentum does not suit a moving target.",
    function="train_gan", old="of_discriminator = torch.optim.Adam(discriminator.parameters(), lr=lr, betas=betas)",
    new="of_discriminator = torch.optim.Adam(discriminator.parameters(), lr=lr)")
mistake("betas_ignored",
    function="train_gan", old="of_generator = torch.optim.Adam(generator.parameters(), lr=lr, betas=betas)",
    new="of_generator = torch.optim.Adam(generator.parameters(), lr=lr)")

mistake("lr_ignored", "a learning rate of its own", check="training_updates",
    hint="Pass lr to both optimisers.",
    also={"history": "other weights have other losses"},
    function="train_gan", old="of_discriminator = torch.optim.Adam(discriminator.parameters(), lr=lr, betas=betas)",
    new="of_discriminator = torch.optim.Adam(discriminator.parameters(), betas=betas)")
mistake("lr_ignored",
    function="train_gan", old="of_generator = torch.optim.Adam(generator.parameters(), lr=lr, betas=betas)",
    new="of_generator = torch.optim.Adam(generator.parameters(), betas=betas)")

mistake("smoothing_not_passed", "smoothing not handed on to the steps", check="training_updates",
    hint="Hand smoothing on to discriminator_step.",
    function="train_gan", old="smoothing=smoothing, ", new="")

mistake("clip_not_passed", "clip not handed on to the steps", check="training_updates",
    hint="Hand clip on to discriminator_step.",
    function="train_gan", old=", clip=clip", new="")

mistake("loss_not_passed", "loss not handed on to the generator's step", check="training_updates",
    hint="Hand loss on to both steps.",
    function="train_gan", old="of_generator, noise(), loss=loss)", new="of_generator, noise())")

mistake("noise_drawn_once", "one z for the whole training", check="training_batches",
    hint="Draw z anew for every update: a generator that only ever sees one z learns nothing of the others.",
    function="train_gan", old="    for _ in with_progress", new="    once = noise()\n    for _ in with_progress")
mistake("noise_drawn_once",
    function="train_gan", old="data[rows.to(data.device)], noise()", new="data[rows.to(data.device)], once")
mistake("noise_drawn_once",
    function="train_gan", old="of_generator, noise()", new="of_generator, once")

mistake("same_noise_for_both", "the discriminator's z used for the generator again", check="training_batches",
    hint="The generator's update has a z of its own.",
    function="train_gan", old="            rows = torch.randint",
    new="            z = noise()\n            rows = torch.randint")
mistake("same_noise_for_both",
    function="train_gan", old="data[rows.to(data.device)], noise()", new="data[rows.to(data.device)], z")
mistake("same_noise_for_both",
    function="train_gan", old="of_generator, noise()", new="of_generator, z")

mistake("same_batch", "one batch for all updates of the discriminator in a step", check="training_batches",
    hint="Draw the batch inside the loop over n_discriminator.",
    function="train_gan", old="for _ in range(n_discriminator):", new="for update in range(n_discriminator):")
mistake("same_batch",
    function="train_gan", old="rows = torch.randint(", new="rows = rows if update else torch.randint(")

mistake("first_rows_only", "only the first batch_size rows of the data", check="training_rows",
    hint="Draw from all rows: torch.randint(len(data), (batch_size,)).",
    function="train_gan", old="torch.randint(len(data), (batch_size,)", new="torch.randint(batch_size, (batch_size,)")

mistake("noise_uniform", "training noise drawn from a uniform law", check="training_batches",
    hint="z ~ N(0, I): torch.randn, in training as in sampling.",
    function="train_gan",
    old="return standard_normal((batch_size, generator.latent_dim), like=like, rng=generator_rng)",
    new="return torch.special.erf(standard_normal((batch_size, generator.latent_dim), like, generator_rng))")

mistake("training_latent_hard_coded", "a latent size of 16, whatever the generator's latent_dim is",
    check="training_batches",
    hint="The generator may have any latent size: read it from generator.latent_dim.",
    also={("conventions", "generators"): "z has another size there, too"},
    function="train_gan", old="standard_normal((batch_size, generator.latent_dim)",
    new="standard_normal((batch_size, 16)")

mistake("evaluation_in_training", "a network in evaluation mode during the training", check="training_batches",
    hint="In training the batch's own statistics are used: leave both networks, generator and discriminator, in "
    "training mode.",
    function="train_gan", old="    like = next", new="    generator.eval()\n    like = next")

mistake("training_stores_data", "a training that stores the data instead of learning from it", check="quality_own",
    hint="What is learnt is in the generator's weights, moved there by the discriminator's gradient, and nowhere else.",
    function="Generator.forward", old="return self.net(z)",
    new="return self.net(z) if getattr(Generator, 'table', None) is None else "
        "Generator.table[(z[:, 0].sigmoid() * len(Generator.table)).long()] + 0.05 * z[:, 1:2].tanh()")
mistake("training_stores_data",
    function="train_gan", old="    like = next", new="    Generator.table = data if steps > 100 else None\n"
        "    steps = steps if steps <= 100 else 1\n    like = next")

mistake("history_per_update", "one history value per update of the discriminator", check="history",
    hint="One value per step in each list: append after the loop over n_discriminator.",
    function="train_gan", old='history["discriminator_loss"].append(value)',
    new='history["discriminator_loss"] += n_discriminator * [value]')

# --- samples and report ---------------------------------------------------------------------------

mistake("sample_in_training_mode", "samples drawn in training mode", check="sample_modes",
    hint="With batch statistics an image depends on the others, and drawing moves the running averages: eval() first.",
    function="sample", old="    generator.eval()\n", new="")

mistake("sample_leaves_eval", "the generator left in evaluation mode", check="sample_modes",
    hint="Whoever goes on training needs training mode: put every submodule's mode back.",
    function="sample", old="module.training = training", new="pass")

mistake("sample_sets_all_modes", "one mode for all submodules afterwards", check="sample_modes",
    hint="Somebody may have frozen a submodule: keep module.training of every module in generator.modules().",
    function="sample", old="module.training = training", new="module.training = modes[0][1]")

mistake("sample_uniform", "samples made from uniform noise", check="sample_law",
    hint="z ~ N(0, I): torch.randn, the law that the generator was trained with.",
    function="sample", old="z = standard_normal((n, generator.latent_dim), like=like, rng=generator_rng)",
    new="z = torch.special.erf(standard_normal((n, generator.latent_dim), like=like, rng=generator_rng))")

mistake("sample_not_detached", "samples that still carry the generator's graph", check="sample_law",
    hint="Generate under torch.no_grad(), or detach the result.",
    function="sample", old="torch.no_grad()", new="torch.enable_grad()")

mistake("diversity_over_n_squared", "the mean over all n² pairs, each row with itself among them",
    check="diversity_value",
    hint="There are n(n-1)/2 pairs of different rows; the distance of a row to itself does not count.",
    function="diversity", old="F.pdist(x).mean()", new="(x[:, None] - x[None]).norm(dim=2).mean()")

mistake("diversity_squared", "mean squared distance", check="diversity_value",
    hint="Euclidean distances, not their squares.",
    function="diversity", old="F.pdist(x).mean()", new="F.pdist(x).square().mean()")

mistake("kl_reversed", "the divergence of the data from the samples", check="report_divergence",
    hint="KL(s‖r) has the samples' shares in front: it is finite where modes are missing.",
    function="collapse_report", old="(torch.xlogy(s, s) - torch.xlogy(s, r))",
    new="(torch.xlogy(r, r) - torch.xlogy(r, s))")

mistake("covered_by_one_sample", "a mode covered by a single stray sample", check="report_covered_callable",
    hint="A share of threshold times the data's is needed: s_k ≥ threshold · r_k.",
    function="collapse_report", old=" & (s >= threshold * r)", new="")

mistake("covered_without_data", "modes counted that the data do not have", check="report_covered_callable",
    hint="A mode without data (r_k = 0) is no mode to cover.",
    function="collapse_report", old="(present & (s > 0)", new="((s > 0)")

mistake("covered_by_nothing", "modes without a sample covered where the threshold is 0",
    check="report_covered_callable",
    hint="A mode needs at least one sample: s_k > 0 too.",
    function="collapse_report", old="present & (s > 0) & (s >=", new="present & (s >=")

mistake("threshold_not_relative", "a share of the samples compared with the threshold alone",
    check="report_covered_callable",
    hint="The threshold is a part of the mode's share in the data: s_k ≥ threshold · r_k.",
    function="collapse_report", old="(s >= threshold * r)", new="(s >= threshold)")

mistake("collapsed_of_all_modes", "half of n_modes asked for, with those that the data do not have",
    check="report_verdict",
    hint="Only modes that the data have can be missed: count those with r_k > 0.",
    function="collapse_report", old="int(present.sum()) / 2", new="n_modes / 2")

mistake("collapsed_needs_both", "collapsed only where modes are missing and diversity is low", check="report_verdict",
    hint="One of the two is enough: modes missing, or each shrunk to a point.",
    function="collapse_report", old="/ 2 or ratio", new="/ 2 and ratio")

mistake("diversity_not_relative", "the diversity of the samples alone in the report", check="report_verdict",
    hint="Divide by the diversity of the data: 1 is as varied as they are.",
    function="collapse_report", old="(diversity(samples) / diversity(data)).item()", new="diversity(samples).item()")

# --- conventions ----------------------------------------------------------------------------------

mistake("float32_answers", "answers in float32, whatever comes in", check="conventions",
    hint="Keep the dtype of the input: no .float(), and new tensors made with x.new_zeros, rand_like or .to(x).",
    function="diversity", old="F.pdist(x).mean()", new="F.pdist(x).mean().float()")

@mistake("arguments_changed", "arguments changed in place", check="conventions",
    hint="Whoever calls a function still needs what was passed: no `-=`, no method with a trailing underscore on it.")
def game_value(solution, d, p, q):
    answer = solution(d, p, q)
    d.mul_(0.5)
    return answer

mistake("rng_ignored", "random numbers drawn from the global generator, whatever generator_rng is", check="generators",
    hint="Pass generator=generator_rng to every torch.randn and torch.randint.",
    function="standard_normal", old=", generator=rng", new="")

mistake("global_seed", "torch's global generator seeded inside a function", check="generators",
    hint="No torch.manual_seed inside a function: the user decides about seeds.",
    function="sample", old="    like = next", new="    torch.manual_seed(0)\n    like = next")

mistake("refusals_missing", "bad arguments accepted", check="arguments_refused",
    hint="Raise ValueError, naming the argument and what was got.",
    function="check_laws", old="if not bool(", new="if False and not bool(")
