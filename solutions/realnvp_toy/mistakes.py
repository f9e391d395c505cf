"""Typical wrong versions of the RealNVP's parts, each with the hint a student gets for it."""

from autograder.authoring import mistake

# A catalogue: each entry is a paragraph.
# fmt: off

# --- the coupling layer ---------------------------------------------------------------------------

mistake("log_det_sign", "the log-determinants have the wrong sign", check="coupling_log_det",
    hint="Where the layer stretches (σ > 1) the log-determinant of `forward` is positive. "
    "Which sign does yours have for z = 2x?",
    also={"coupling_beyond": "in every dimension",
          "coupling_inverse_log_det": "both directions have it", "density_integrates": "the density is built on it"},
    old="+ t, s.sum(", new="+ t, -s.sum(")
mistake("log_det_sign",
    old="exp(), -s.sum(", new="exp(), s.sum(")

mistake("log_det_same_sign", "`inverse` returns the log-determinant of `forward`", check="coupling_inverse_log_det",
    hint="The inverse undoes the stretching: its log-determinant is minus that of `forward` at that point.",
    also={"coupling_beyond": "in every dimension"},
    old="exp(), -s.sum(", new="exp(), s.sum(")

mistake("log_det_unmasked", "the scale is not masked in the log-determinant", check="coupling_log_det",
    hint="The network returns a log-scale for every coordinate, but the unchanged ones are not scaled: "
    "multiply s by the mask of the moved coordinates before you sum it.",
    also={"coupling_beyond": "in every dimension",
          "coupling_inverse_log_det": "both directions have it", "density_integrates": "the density is built on it"},
    old="+ t, s.sum(", new="+ t, self.network(self.mask * x).chunk(2, dim=-1)[0].tanh().sum(")
mistake("log_det_unmasked",
    old="exp(), -s.sum(", new="exp(), -self.network(self.mask * z).chunk(2, dim=-1)[0].tanh().sum(")

mistake("log_det_not_log", "the scales themselves are summed instead of their logarithms", check="coupling_log_det",
    hint="det J is the product of the scales, so log|det J| is the sum of log|σ|, not of σ.",
    also={"coupling_beyond": "in every dimension",
          "coupling_inverse_log_det": "both directions have it", "density_integrates": "the density is built on it"},
    old="+ t, s.sum(", new="+ t, (self.moved * s.exp()).sum(")
mistake("log_det_not_log",
    old="exp(), -s.sum(", new="exp(), -(self.moved * s.exp()).sum(")

mistake("log_det_mean", "the log-scales are averaged over the coordinates instead of summed", check="coupling_log_det",
    hint="Logarithms of the diagonal of J add up: use sum(dim=-1), not mean(dim=-1).",
    also={"coupling_beyond": "in every dimension",
          "coupling_inverse_log_det": "both directions have it", "density_integrates": "the density is built on it"},
    old="+ t, s.sum(", new="+ t, s.mean(")
mistake("log_det_mean",
    old="exp(), -s.sum(", new="exp(), -s.mean(")

mistake("log_det_mean_of_moved", "the log-scales are averaged over the moved coordinates instead of summed",
    check="coupling_beyond",
    hint="Logarithms of the diagonal of J add up: where two coordinates are moved the log-determinant is the sum of "
    "both log-scales, not their mean.",
    old="+ t, s.sum(dim=-1)", new="+ t, s.sum(dim=-1) / self.moved.sum().clamp(min=1)")
mistake("log_det_mean_of_moved",
    old="exp(), -s.sum(dim=-1)", new="exp(), -s.sum(dim=-1) / self.moved.sum().clamp(min=1)")

mistake("log_det_over_batch", "the log-determinant is summed over the batch, too", check="coupling_log_det",
    hint="One log-determinant per sample: sum over the coordinates alone, s.sum(dim=-1).",
    also={"coupling_beyond": "in every dimension",
          ("log_prob_value", "row_by_row"): "one number for the batch",
          "coupling_inverse_log_det": "both directions have it", "density_integrates": "the density is built on it"},
    old="+ t, s.sum(dim=-1)", new="+ t, s.sum()")
mistake("log_det_over_batch",
    old="exp(), -s.sum(dim=-1)", new="exp(), -s.sum()")

mistake("shift_not_masked", "the shift moves the coordinates that should pass", check="coupling_mask",
    hint="A coordinate that passes has scale 1 and shift 0: multiply t, like s, by the mask of the moved ones.",
    also={("coupling_beyond", "flow_beyond"): "in every dimension",
          ("coupling_round_trip", "flow_round_trip"): "`inverse` needs the coordinates that should have passed",
          ("coupling_log_det", "coupling_inverse_log_det", "density_integrates"): "the Jacobian is not triangular"},
    function="AffineCoupling.forward", old="self.moved * t", new="t")
mistake("shift_not_masked",
    function="AffineCoupling.inverse", old="self.moved * t", new="t")

mistake("mask_not_checked", "a mask of another length is accepted", check="errors",
    hint="The mask has one entry per coordinate: raise ValueError unless its shape is (dim,).",
    old="tuple(mask.shape) != (dim,)", new="False")

mistake("network_sees_all", "the scale and the shift are computed from all coordinates", check="coupling_mask",
    hint="`inverse` only knows the unchanged coordinates when it needs σ and t: feed the network mask * x, not x.",
    also={("coupling_beyond", "flow_beyond"): "in every dimension",
          ("coupling_round_trip", "flow_round_trip"): "`inverse` does not know what the network saw",
          ("coupling_log_det", "coupling_inverse_log_det", "density_integrates"): "the Jacobian is not triangular"},
    old="self.network(self.mask * x)", new="self.network(x)")
mistake("network_sees_all",
    old="self.network(self.mask * z)", new="self.network(z)")

mistake("additive", "additive coupling: the moved coordinates are shifted but not scaled", check="coupling_mask",
    hint="An affine coupling also scales: z = σ(x_a) x_b + t(x_a). Without σ all volumes are kept (NICE).",
    also={("coupling_round_trip", "coupling_log_det", "coupling_inverse_log_det", "coupling_beyond",
           "flow_round_trip", "flow_log_det", "every_coordinate", "row_by_row", "flow_beyond", "log_prob_value",
           "density_integrates"): "no volume changes anywhere: there is no affine coupling to be judged"},
    function="AffineCoupling.forward", old="self.moved * s.tanh()", new="0 * s")
mistake("additive",
    function="AffineCoupling.inverse", old="self.moved * s.tanh()", new="0 * s")

mistake("constant_scale", "the scale is a learned constant that does not depend on the unchanged coordinates",
    check="coupling_mask",
    hint="σ is a function of the unchanged coordinates: compute it with the network, like the shift.",
    also={("coupling_round_trip", "coupling_log_det", "coupling_inverse_log_det", "coupling_beyond",
           "flow_round_trip", "flow_log_det", "every_coordinate", "row_by_row", "flow_beyond", "log_prob_value",
           "density_integrates"): "the volume changes by the same factor everywhere: nothing to be judged"},
    function="AffineCoupling.__init__",
    old="self.dim = dim", new="self.dim, self.log_scale = dim, nn.Parameter(torch.zeros(dim))")
mistake("constant_scale",
    function="AffineCoupling.forward", old="s.tanh()", new="self.log_scale.expand_as(x)")
mistake("constant_scale",
    function="AffineCoupling.inverse", old="s.tanh()", new="self.log_scale.expand_as(z)")

mistake("mask_ignored", "the same coordinates pass unchanged, whatever the mask says",
    check="coupling_mask",
    hint="The layer gets its mask as an argument: it decides which coordinates pass unchanged.",
    also={("coupling_beyond", "flow_beyond"): "in every dimension",
          "every_coordinate": "the same half passes through every layer"},
    old="mask.clone()", new="(torch.arange(dim) < dim // 2).float()")
mistake("mask_ignored",
    old="1 - mask", new="1 - self.mask")

mistake("arguments_changed", "arguments changed in place", check="coupling_mask",
    hint="Whoever calls a function still needs what was passed: write into a copy, `x.clone()`, or make a new tensor.",
    also={("coupling_round_trip", "coupling_log_det", "coupling_inverse_log_det", "coupling_beyond",
           "flow_round_trip", "flow_log_det", "every_coordinate", "row_by_row", "flow_beyond", "log_prob_value",
           "density_integrates"): "z is x itself, so there is no Jacobian",
          "conventions": "arguments are to be left alone"},
    function="AffineCoupling.forward",
    old="return x * s.exp() + t,", new="return (x.data.copy_(x * s.exp() + t), x)[1],")

mistake("inverse_order", "`inverse` divides by the scale before it subtracts the shift", check="coupling_round_trip",
    hint="z = σ x + t is undone from the outside in: first subtract t, then divide by σ.",
    also={("coupling_beyond", "flow_beyond"): "in every dimension",
          "flow_round_trip": "the flow undoes layer by layer"},
    old="(z - t) * (-s).exp()", new="z * (-s).exp() - t")

mistake("inverse_scale_negated", "`inverse` multiplies by -exp(s) instead of exp(-s)", check="coupling_round_trip",
    hint="Dividing by exp(s) is multiplying by exp(-s): the minus sign belongs in the exponent.",
    also={("coupling_beyond", "flow_beyond"): "in every dimension",
          "flow_round_trip": "the flow undoes layer by layer"},
    old="(z - t) * (-s).exp()", new="self.mask * z + self.moved * (z - t) * -s.exp()")

# --- the flow -------------------------------------------------------------------------------------

mistake("mask_never_alternates", "every layer has the same mask", check="every_coordinate",
    hint="With one mask the same coordinates pass through all layers unchanged: swap 0 and 1 in turn.",
    also={"flow_beyond": "in every dimension"},
    old="even if i % 2 == 0 else 1 - even", new="even")

mistake("inverse_layers_forward_order", "`inverse` runs the layers in the order of `forward`", check="flow_round_trip",
    hint="The last layer applied is the first to be undone: go through reversed(layers).",
    also={"flow_beyond": "in every dimension"},
    old="reversed(self.layers)", new="self.layers")

mistake("log_det_overwritten", "only the last layer's log-determinant is kept", check="flow_log_det",
    hint="The log-determinants of the layers add up: write log_det = log_det + layer_log_det.",
    also={"flow_beyond": "in every dimension",
          "density_integrates": "the density is built on it"},
    function="RealNVP.forward", old="log_det + layer_log_det", new="layer_log_det")
mistake("log_det_overwritten",
    function="RealNVP.inverse", old="log_det + layer_log_det", new="layer_log_det")

mistake("inverse_log_det_zero", "the flow's `inverse` returns no log-determinant", check="flow_log_det",
    hint="`inverse` adds up the log-determinants of its layers, as `forward` does.",
    also={"flow_beyond": "in every dimension"},
    function="RealNVP.inverse", old="log_det + layer_log_det", new="log_det")

mistake("log_det_subtracted_in_flow", "the layers' log-determinants are subtracted instead of added",
    check="flow_log_det",
    hint="`forward` goes from data to latent: its log-determinant is the sum of its layers', as they are.",
    also={"flow_beyond": "in every dimension",
          "density_integrates": "the density is built on it"},
    function="RealNVP.forward", old="log_det + layer_log_det", new="log_det - layer_log_det")
mistake("log_det_subtracted_in_flow",
    function="RealNVP.inverse", old="log_det + layer_log_det", new="log_det - layer_log_det")

@mistake("prior_not_summed", "the prior is not summed over the coordinates", check="log_prob_value",
    hint="log N(z; 0, I) is one number per sample: sum the coordinates' log-densities (dim=-1).",
    also={"flow_beyond": "in every dimension",
          "density_integrates": "it takes log_prob, which has one number per coordinate"})
class RealNVP(RealNVP):
    def log_prob(self, x):
        z, log_det = self(x)
        return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + log_det[:, None]

mistake("prior_constant_dropped", "the prior lacks its constant -d/2 log 2π", check="log_prob_value",
    hint="Without -d/2 log 2π the density does not integrate to 1.",
    also={"flow_beyond": "in every dimension",
          "density_integrates": "as the hint says"},
    old=" - 0.5 * self.dim * math.log(2 * math.pi)", new="")

mistake("prior_constant_once", "the prior's constant is that of one coordinate", check="log_prob_value",
    hint="Each of the d coordinates brings its -1/2 log 2π: the constant is -d/2 log 2π.",
    also={"flow_beyond": "in every dimension",
          "density_integrates": "it integrates to another number than 1"},
    old="0.5 * self.dim * math.log", new="0.5 * math.log")

mistake("log_det_left_out", "`log_prob` is the prior alone, without the log-determinant", check="log_prob_value",
    hint="The change of variables adds log|det ∂f/∂x| to the log-density of the latent.",
    also={"flow_beyond": "in every dimension",
          "density_integrates": "it integrates to another number than 1"},
    old="log_prior + log_det", new="log_prior")

mistake("log_det_subtracted", "`log_prob` subtracts the log-determinant of `forward`", check="log_prob_value",
    hint="With f from data to latent, log p(x) = log p_Z(f(x)) + log|det ∂f/∂x|: the sign is plus.",
    also={"flow_beyond": "in every dimension",
          "density_integrates": "it integrates to another number than 1"},
    old="log_prior + log_det", new="log_prior - log_det")

mistake("one_point_squeezed", "a batch of one point loses its axis", check="log_prob_value",
    hint="`squeeze()` takes away every axis of length 1, that of the batch too: sum over dim=-1 and leave the rest.",
    old="log_prior + log_det", new="(log_prior + log_det).squeeze()")

mistake("low_temperature", "sampling at a lower temperature", check="sampling",
    hint="The latents of a sample are standard normal draws, not scaled ones: z ~ N(0, I).",
    old="z = torch.randn(", new="z = 0.8 * torch.randn(")

mistake("one_latent_for_all", "one latent for all samples", check="sampling",
    hint="Each sample has a latent of its own: draw (n, dim) numbers.",
    old="self.inverse(z)[0]", new="self.inverse(z[:1].expand(n, -1))[0]")

mistake("uniform_latents", "the latents of samples are uniform instead of normal", check="sampling",
    hint="torch.rand is uniform on [0, 1); the prior N(0, I) is torch.randn.",
    old="z = torch.randn(", new="z = torch.rand(")

mistake("sample_by_forward", "samples go through `forward` instead of `inverse`", check="sampling",
    hint="`forward` goes from data to latent. A sample starts in the latent space: which way must it go?",
    old="self.inverse(z)[0]", new="self(z)[0]")

mistake("generator_ignored", "`sample` ignores the generator", check="conventions",
    hint="Pass the generator on: torch.randn(..., generator=generator).",
    old="self.dim, generator=generator", new="self.dim")

mistake("n_layers_ignored", "the flow has the same number of layers whatever `n_layers` is", check="conventions",
    hint="Make the layers in a loop over range(n_layers).",
    old="range(n_layers)", new="range(6)")

mistake("hidden_ignored", "the networks have the same width whatever `hidden` is", check="conventions",
    hint="Hand `hidden` on to every coupling layer, and use it for the width of its networks.",
    old="1 - even, hidden)", new="1 - even, 64)")

@mistake("batch_statistics", "the batch's own mean and deviation are used in evaluation mode, too", check="row_by_row",
    hint="A point's latent may not depend on the other points: after eval() normalise with running statistics.",
    also={("flow_round_trip", "flow_log_det", "flow_beyond"): "the map of one point changes with its batch",
          "density_integrates": "and so does the density, which is asked for in parts"})
class RealNVP(RealNVP):
    def forward(self, x):
        check_last_dimension(x, self.dim)
        mean, root = x.mean(0), x.var(0, unbiased=False).add(1e-5).sqrt()
        z, log_det = super().forward((x - mean) / root)
        return z, log_det - root.log().sum()

@mistake("log_det_between_missing", "the log-determinant of what lies between the couplings is left out",
    check="flow_log_det",
    hint="A normalisation stretches, too: its log-determinant, Σ log|gain / deviation|, is added to the couplings'.",
    also={"flow_beyond": "in every dimension", "density_integrates": "the density is built on it"})
class RealNVP(RealNVP):
    def __init__(self, dim=2, n_layers=6, hidden=64):
        super().__init__(dim, n_layers, hidden)
        self.norm = nn.BatchNorm1d(dim)
    def forward(self, x):
        check_last_dimension(x, self.dim)
        return super().forward(self.norm(x))
    def inverse(self, z):
        x, log_det = super().inverse(z)
        scale = self.norm.weight / (self.norm.running_var + self.norm.eps).sqrt()
        return (x - self.norm.bias) / scale + self.norm.running_mean, log_det - scale.abs().log().sum()

# --- training and the grid ------------------------------------------------------------------------

mistake("nll_sum", "the negative log-likelihood is summed over the batch", check="nll_value",
    hint="The NLL is in nats per sample: average over the batch, so that it does not grow with its size.",
    old="-model.log_prob(x).mean()", new="-model.log_prob(x).sum()")

mistake("nll_per_dimension", "the negative log-likelihood is divided by the dimension", check="nll_value",
    hint="Nats per sample are wanted, not nats per coordinate.",
    old="-model.log_prob(x).mean()", new="-model.log_prob(x).mean() / x.shape[-1]")

mistake("nll_in_bits", "the negative log-likelihood is in bits", check="nll_value",
    hint="Nats are wanted: the natural logarithm, without a division by log 2.",
    old="-model.log_prob(x).mean()", new="-model.log_prob(x).mean() / math.log(2)")

mistake("nll_sign", "the log-likelihood is returned without its minus sign", check="nll_value",
    hint="A loss is minimised: the negative log-likelihood falls when the data become more likely.",
    also={"train_history": "the history is made of it"},
    old="-model.log_prob(x).mean()", new="model.log_prob(x).mean()")

mistake("no_update", "the weights are never updated", check="train_history",
    hint="Compute the gradient with loss.backward(), then apply it with optimizer.step().",
    old="optimizer.step()", new="")

mistake("learning_rate_ignored", "the learning rate is ignored", check="train_history",
    hint="Pass `lr` to the optimiser: torch.optim.Adam(model.parameters(), lr=lr).",
    old="model.parameters(), lr=lr", new="model.parameters()")

mistake("gradients_accumulate", "the gradients add up from step to step", check="training_moves",
    hint="backward adds to the gradients that are there: call optimizer.zero_grad() before it.",
    also={"train_history": "each step follows older gradients as well"},
    old="optimizer.zero_grad()", new="")

mistake("history_summed", "the history holds sums over the mini-batch", check="train_history",
    hint="The history is in nats per sample: append nll(model, batch) as it is.",
    old="append(loss.item())", new="append(loss.item() * batch_size)")

mistake("history_in_bits", "the history is in bits", check="train_history",
    hint="The history is in nats, as the loss: no division by log 2.",
    old="append(loss.item())", new="append(loss.item() / math.log(2))")

mistake("history_of_all_rows", "the history holds the NLL of the whole data", check="fresh_batches",
    hint="Append the loss of the mini-batch of each step: the NLL of all rows is not what is asked for.",
    old="loss = nll(model, x[rows])", new="loss, whole = nll(model, x[rows]), nll(model, x).item()")
mistake("history_of_all_rows",
    old="append(loss.item())", new="append(whole)")

mistake("data_standardised", "the data are standardised before the training", check="train_history",
    hint="The flow is to learn the law of x as it is: leave centre and spread of the data alone.",
    old="loss = nll(model, x[rows])", new="loss = nll(model, ((x - x.mean(0)) / x.std(0))[rows])")

mistake("last_update_missing", "the last step makes no update", check="training_moves",
    hint="One update per step: the optimiser's step stands in the loop, for every mini-batch.",
    old="optimizer.step()", new="optimizer.step() if len(history[\"nll\"]) < steps - 1 else None")

@mistake("data_memorised", "the training keeps the data, and samples are rows of it", check="samples_fit",
    hint="What a flow has learnt is in its weights alone: a sample is the inverse of a normal latent.",
    also={"train_history": "nothing is trained"})
class RealNVP(RealNVP):
    def sample(self, n, generator=None):
        if not hasattr(self, "rows"):
            return super().sample(n, generator)
        return self.rows[torch.randint(len(self.rows), (n,), generator=generator)]
@mistake("data_memorised")
def train_flow(model, x, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    model.rows = x
    with torch.no_grad():
        next(model.parameters()).add_(lr)
        rows = torch.randint(len(x), (steps, batch_size), generator=generator)
        return {"nll": [nll(model, x[batch]).item() for batch in rows]}

mistake("same_batch_every_step", "every step uses the same mini-batch", check="fresh_batches",
    hint="Draw a new mini-batch inside the loop, otherwise the flow learns those few points by heart.",
    old="iterations = range(steps)",
    new="iterations, same = range(steps), torch.randint(len(x), (batch_size,), generator=generator)")
mistake("same_batch_every_step",
    old="torch.randint(len(x), (batch_size,), generator=generator, device=device).to(x.device)", new="same")

mistake("train_ignores_generator", "`train_flow` does not draw its mini-batches from the generator",
    check="conventions",
    hint="Pass the generator on: torch.randint(..., generator=generator).",
    old="(batch_size,), generator=generator", new="(batch_size,)")

@mistake("seed_inside", "`train_flow` seeds torch's global generator", check="conventions",
    hint="Whoever calls decides the seed: no torch.manual_seed inside a function.")
def train_flow(solution, *args, generator=None, **named):
    torch.manual_seed(0)
    return solution(*args, **named)

mistake("history_is_sparse", "the history holds one value in two steps", check="train_history",
    hint='history["nll"] has one value per step: `steps` values in all.',
    old="return history", new='return {"nll": history["nll"][::2]}')

mistake("grid_log_density", "`density_grid` returns the logarithm of the density", check="density_grid",
    hint="log_prob is a logarithm: the density is its exponential, and is never negative.",
    old="log_prob(points).exp()", new="log_prob(points)")

mistake("grid_normalised", "`density_grid` divides the densities by their sum over the grid", check="density_grid",
    hint="The density is exp(log_prob) itself: its integral over the plane is 1, not the sum of its values at n² "
    "points.",
    old="model.log_prob(points).exp()", new="model.log_prob(points).softmax(dim=0)")

mistake("grid_axes_swapped", "the densities come in another order than the points", check="density_grid",
    hint="Evaluate log_prob at the very points that you return: the k-th density belongs to the k-th point.",
    old="log_prob(points).exp()", new="log_prob(points.flip(1)).exp()")

mistake("density_as_image", "`density_grid` returns the density as an n × n image", check="density_grid",
    hint="One density per point, in the points' order, (n²,): leave the reshape to the figure.",
    old="log_prob(points).exp()", new="log_prob(points).exp().reshape(n, n)")

mistake("grid_diagonal", "`density_grid` returns the points of a diagonal instead of a grid", check="density_grid",
    hint="A grid of n × n points holds every pair of coordinates: use torch.cartesian_prod or meshgrid.",
    old="torch.cartesian_prod(side, side)", new="torch.stack([side, side], dim=1)")
mistake("grid_diagonal",
    old="torch.linspace(low, high, n,", new="torch.linspace(low, high, n * n,")

mistake("counts_not_checked", "wrong arguments are accepted", check="errors",
    hint='Begin with the checks: `if n < 1: raise ValueError(f"n must be at least 1, got {n}")`.',
    function="check_last_dimension", old="x.dim() != 2 or x.shape[-1] != dim", new="False")
