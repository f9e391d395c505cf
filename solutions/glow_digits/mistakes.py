"""Typical wrong versions of Glow's parts, each with the hint a student gets for it."""

from autograder.authoring import mistake

# A catalogue: each entry is a paragraph.
# fmt: off

# --- the way to real numbers ----------------------------------------------------------------------

mistake("alpha_forgotten_in_logit", "the logit is taken without the margin α", check="logit_value",
    hint="The logit is of p = α + (1 - 2α) y, not of y.",
    function="logit_transform", old="torch.logit(p)", new="torch.logit(y)")

mistake("alpha_forgotten_in_log_det", "the factor 1 - 2α is missing in the log-determinant", check="logit_log_det",
    hint="dx/dy = (1 - 2α) / (p (1 - p)): p itself changes by 1 - 2α when y changes by 1.",
    old="math.log(1 - 2 * alpha) - p.log()", new="-p.log()")

mistake("alpha_once_per_image", "log(1 - 2α) is added once per image instead of once per pixel", check="logit_log_det",
    hint="Each pixel has its own dx/dy = (1 - 2α) / (p (1 - p)): log(1 - 2α) belongs in the sum.",
    function="logit_transform", old="math.log(1 - 2 * alpha) - p.log()", new="-p.log()")
mistake("alpha_once_per_image",
    function="logit_transform", old="per_image(log_det)", new="per_image(log_det) + math.log(1 - 2 * alpha)")

mistake("logit_log_det_sign", "the logit's log-determinant has the wrong sign", check="logit_log_det",
    hint="The logit stretches: its log-determinant is positive, -Σ log(p (1 - p)) and more.",
    also={("bits_value", "bits_uniform", "bits_sum_to_one"): "bits are built on it"},
    old="return torch.logit(p), per_image(log_det)", new="return torch.logit(p), -per_image(log_det)")

mistake("logit_log_det_mean", "the logit's log-determinant is a mean over the pixels instead of a sum",
    check="logit_log_det",
    hint="Logarithms of the diagonal of the Jacobian add up: a sum over channels and pixels.",
    also={("bits_uniform", "bits_sum_to_one"): "bits are built on it"},
    function="logit_transform", old="per_image(log_det)", new="log_det.flatten(1).mean(dim=1)")

mistake("logit_log_det_over_batch", "the logit's log-determinant is summed over the batch, too", check="logit_log_det",
    hint="One number per image, (B,): sum over all axes but the first.",
    also={("bits_value", "bits_uniform", "bits_sum_to_one", "conventions"): "bits are built on it"},
    function="logit_transform", old="per_image(log_det)", new="log_det.sum()")

mistake("alpha_forgotten_in_inverse", "the way back forgets the margin α", check="inverse_logit_value",
    hint="p = sigmoid(x) is not y yet: y = (p - α) / (1 - 2α).",
    old="(x.sigmoid() - alpha) / (1 - 2 * alpha)", new="x.sigmoid()")

mistake("inverse_clamped", "the way back is clamped to [0, 1]", check="inverse_logit_value",
    hint="The inverse is not clamped: `quantize` does that, and a clamped map has no inverse.",
    old="(x.sigmoid() - alpha) / (1 - 2 * alpha)", new="((x.sigmoid() - alpha) / (1 - 2 * alpha)).clamp(0, 1)")

mistake("inverse_log_det_sign", "the way back returns the log-determinant of the way there",
    check="inverse_logit_log_det",
    hint="The way back shrinks: its log-determinant is Σ log of sigmoid'(x) / (1 - 2α).",
    old="per_image(log_slope - math.log(1 - 2 * alpha))", new="-per_image(log_slope - math.log(1 - 2 * alpha))")

mistake("inverse_log_det_alpha", "the way back's log-determinant lacks 1 - 2α", check="inverse_logit_log_det",
    hint="y = (sigmoid(x) - α) / (1 - 2α): the division belongs to the derivative, too.",
    old="per_image(log_slope - math.log(1 - 2 * alpha))", new="per_image(log_slope)")

# --- ActNorm --------------------------------------------------------------------------------------

mistake("actnorm_never_set", "ActNorm is never set by a batch", check="actnorm_start",
    hint="In training mode the first forward sets scale and shift from its batch.",
    also={("actnorm_once", "actnorm_restored", "actnorm_map", "actnorm_log_det"): "there is no start to be judged"},
    old="if self.training and not self.is_set:", new="if False:")

mistake("actnorm_set_each_batch", "ActNorm is set again by each batch", check="actnorm_once",
    hint="Only the first batch sets scale and shift; from then on they are trained like any weight.",
    also={"actnorm_restored": "the next batch sets a restored layer, too",
          "flow_rows": "each batch is normalised by itself"},
    old="self.training and not self.is_set", new="self.training")

mistake("actnorm_set_in_evaluation", "ActNorm is set in evaluation mode, too", check="actnorm_once",
    hint="In evaluation mode nothing is set: before the first batch the layer is the identity.",
    old="self.training and not self.is_set", new="not self.is_set")

mistake("actnorm_flag_not_saved", "whether ActNorm has been set is no part of its state", check="actnorm_restored",
    hint="Keep the flag in a buffer: self.register_buffer(\"is_set\", torch.tensor(False)).",
    old='self.register_buffer("is_set", torch.tensor(False))', new="self.is_set = torch.tensor(False)")

mistake("actnorm_by_variance", "ActNorm divides by the variance instead of the deviation", check="actnorm_start",
    hint="Dividing by the standard deviation, its square root, gives variance 1.",
    old="-(x.std(dim=(0, 2, 3), unbiased=False) + 1e-6).log()",
    new="-(x.var(dim=(0, 2, 3), unbiased=False) + 1e-6).log()")

mistake("actnorm_within_positions", "ActNorm averages the variances of the single positions", check="actnorm_start",
    hint="Positions of a channel differ from each other, too: one deviation over batch and positions, dim=(0, 2, 3).",
    old="x.std(dim=(0, 2, 3), unbiased=False)", new="x.var(dim=0, unbiased=False).mean(dim=(1, 2)).sqrt()")

mistake("actnorm_shift_alone", "the first batch sets ActNorm's shift but not its scale", check="actnorm_start",
    hint="The first batch sets both: the shift for mean 0, the scale for variance 1.",
    old="                self.log_scale.copy_(-(x.std(dim=(0, 2, 3), unbiased=False) + 1e-6).log())\n", new="")

mistake("actnorm_all_channels", "ActNorm takes mean and deviation over all channels together", check="actnorm_start",
    hint="Each channel has its own mean and deviation: over batch and positions, dim=(0, 2, 3).",
    old="-x.mean(dim=(0, 2, 3))", new="-x.mean().expand(self.channels)")
mistake("actnorm_all_channels",
    old="-(x.std(dim=(0, 2, 3), unbiased=False) + 1e-6).log()", new="-(x.std() + 1e-6).log().expand(self.channels)")

mistake("actnorm_no_epsilon", "a constant channel is divided by 0", check="actnorm_start",
    hint="A channel that is constant has deviation 0: add a tiny number such as 1e-6.",
    old="unbiased=False) + 1e-6)", new="unbiased=False))")

mistake("actnorm_log_det_no_area", "ActNorm's log-determinant lacks the factor H · W", check="actnorm_log_det",
    hint="Each of the H · W pixels of a channel is scaled by s: H · W · Σ log|s|.",
    function="ActNorm.log_det", old="x.shape[2] * x.shape[3] * self", new="self")

mistake("actnorm_log_det_not_log", "ActNorm sums the scales instead of their logarithms", check="actnorm_log_det",
    hint="log|det| is the sum of log|s|, not of s.",
    also={"flow_sums_to_one": "the density is built on it"},
    function="ActNorm.log_det", old="self.log_scale.sum()", new="self.log_scale.exp().sum()")

mistake("actnorm_log_det_sign", "ActNorm's log-determinant has the wrong sign", check="actnorm_log_det",
    hint="Where s > 1 the layer stretches, and the log-determinant of `forward` is positive.",
    also={"flow_sums_to_one": "the density is built on it"},
    function="ActNorm.log_det", old="return (x", new="return -(x")

mistake("actnorm_shift_not_scaled", "the shift of x where that of z is added", check="actnorm_start",
    hint="z = s (x + b) and z = s x + b have other b: -mean, and -s · mean. The first batch has mean 0 afterwards.",
    function="ActNorm.forward", old="z = (x + self.shift[:, None, None]) * self.log_scale.exp()[:, None, None]",
    new="z = x * self.log_scale.exp()[:, None, None] + self.shift[:, None, None]")
mistake("actnorm_shift_not_scaled", function="ActNorm.inverse",
    old="x = z * (-self.log_scale).exp()[:, None, None] - self.shift[:, None, None]",
    new="x = (z - self.shift[:, None, None]) * (-self.log_scale).exp()[:, None, None]")

mistake("actnorm_log_det_detached", "ActNorm's log-determinant carries no gradient", check="actnorm_log_det",
    hint="Scale is learnt through the log-determinant, too: no detach() and no torch.no_grad() on it.",
    function="ActNorm.log_det", old="self.log_scale.sum()", new="self.log_scale.detach().sum()")

mistake("actnorm_inverse_log_det_sign", "the log-determinant of ActNorm's inverse has the wrong sign",
    check="actnorm_log_det",
    hint="`inverse` undoes what `forward` does: its log-determinant is minus that of `forward`.",
    function="ActNorm.inverse", old="-self.log_det(z)", new="self.log_det(z)")

mistake("actnorm_log_det_over_batch", "ActNorm's log-determinant is multiplied by the batch's size",
    check="actnorm_log_det",
    hint="One number per image: nothing is summed over the batch.",
    also={("flow_sums_to_one", "flow_rows"): "it depends on the size of the batch"},
    function="ActNorm.log_det", old="x.shape[2] * x.shape[3]", new="x.shape[0] * x.shape[2] * x.shape[3]")

mistake("actnorm_inverse_order", "ActNorm's inverse subtracts before it divides", check="actnorm_map",
    hint="z = s (x + b) is undone from the outside in: first divide by s, then subtract b.",
    old="z * (-self.log_scale).exp()[:, None, None] - self.shift[:, None, None]",
    new="(z - self.shift[:, None, None]) * (-self.log_scale).exp()[:, None, None]")

mistake("actnorm_not_trained", "scale and shift of ActNorm are no parameters", check="actnorm_map",
    hint="After the first batch they are trained: make them nn.Parameter.",
    old="self.log_scale = nn.Parameter(torch.zeros(channels))",
    new='self.register_buffer("log_scale", torch.zeros(channels))')

# --- the 1×1 convolution --------------------------------------------------------------------------

mistake("conv_log_det_no_area", "the convolution's log-determinant lacks the factor H · W", check="conv_log_det",
    hint="W acts at each of the H · W positions: H · W · log|det W|.",
    function="InvertibleConv1x1.log_det", old="x.shape[2] * x.shape[3] * log_abs_det", new="log_abs_det")

mistake("conv_log_of_det", "the logarithm of det W is taken, not of |det W|", check="conv_log_det",
    hint="The determinant may be negative, and then its logarithm is NaN: torch.linalg.slogdet gives log|det|.",
    also={("flow_log_det", "flow_latents", "flow_rows", "flow_steps"): "NaN where some determinant is negative",
          ("flow_round_trip", "conventions"): "NaN where some determinant is negative",
          ("log_prob_value", "flow_sums_to_one"): "NaN where some determinant is negative"},
    function="InvertibleConv1x1.log_det", old="torch.linalg.slogdet(self.weight).logabsdet",
    new="torch.linalg.det(self.weight).log()")

mistake("conv_log_det_sign", "the convolution's log-determinant has the wrong sign", check="conv_log_det",
    hint="`forward` applies W: its log-determinant is + H · W · log|det W|.",
    also={"flow_sums_to_one": "the density is built on it"},
    function="InvertibleConv1x1.log_det", old="return (x", new="return -(x")

mistake("conv_log_det_detached", "the convolution's log-determinant carries no gradient", check="conv_log_det",
    hint="W is learnt through the log-determinant, too: no detach() and no torch.no_grad() on it.",
    function="InvertibleConv1x1.log_det", old="slogdet(self.weight)", new="slogdet(self.weight.detach())")

mistake("conv_inverse_log_det_sign", "the log-determinant of the convolution's inverse has the wrong sign",
    check="conv_log_det",
    hint="`inverse` applies W⁻¹: its log-determinant is minus that of `forward`, - H · W · log|det W|.",
    function="InvertibleConv1x1.inverse", old="-self.log_det(z)", new="self.log_det(z)")

mistake("conv_not_orthogonal", "the convolution starts as a random matrix that is not orthogonal", check="conv_start",
    hint="Take the orthogonal factor of its QR decomposition: torch.linalg.qr(torch.randn(C, C)).",
    old="nn.Parameter(q * r.diagonal().sign())", new="nn.Parameter(q @ r)")

mistake("conv_permutation", "the convolution starts as a permutation of the channels", check="conv_start",
    hint="A permutation only exchanges channels; a random orthogonal matrix mixes them all.",
    old="nn.Parameter(q * r.diagonal().sign())", new="nn.Parameter(torch.eye(channels)[torch.randperm(channels)])")

mistake("conv_transposed", "the convolution's inverse applies Wᵀ instead of W⁻¹", check="conv_map",
    hint="Wᵀ = W⁻¹ only at the start: training does not keep W orthogonal.",
    old="torch.linalg.inv(self.weight)", new="self.weight.T")

mistake("conv_not_learnt", "the convolution's matrix is not trained", check="conv_map",
    hint="Make it an nn.Parameter: it only starts as a random orthogonal matrix.",
    also={"conv_log_det": "the log-determinant is 0 for all weights"},
    old="self.weight = nn.Parameter(q * r.diagonal().sign())",
    new='self.register_buffer("weight", q * r.diagonal().sign())')

# --- the coupling ---------------------------------------------------------------------------------

@mistake("coupling_batch_norm", "batch normalisation in the coupling's network", check="coupling_rows",
    hint="In training mode it mixes the images of a batch: the map is no longer one of a single image.",
    also={"flow_rows": "the flow is made of couplings"})
class AffineCoupling(AffineCoupling):
    def __init__(self, channels, hidden=32):
        super().__init__(channels, hidden)
        self.network.insert(1, nn.BatchNorm2d(hidden))

mistake("coupling_all_channels", "all channels are scaled and shifted", check="coupling_halves",
    hint="One half passes unchanged: `inverse` needs it to compute σ and t.",
    also={("coupling_round_trip", "coupling_log_det"): "nothing passes, so neither can be right",
          ("flow_steps", "flow_sums_to_one"): "the flow is made of couplings"},
    function="AffineCoupling.forward", old="torch.cat([passing, s.exp()",
    new="torch.cat([s.exp() * passing + t, s.exp()")
mistake("coupling_all_channels",
    function="AffineCoupling.inverse", old="torch.cat([passing, (", new="torch.cat([(passing - t) * (-s).exp(), (")

mistake("coupling_no_neighbours", "the coupling's network sees one pixel only", check="coupling_neighbours",
    hint="Convolutions of size 1 see no neighbour: at least one must be 3×3, with padding=1.",
    old="last = nn.Conv2d(hidden, channels, 3, padding=1)", new="last = nn.Conv2d(hidden, channels, 1)")
mistake("coupling_no_neighbours",
    old="nn.Conv2d(channels // 2, hidden, 3, padding=1)", new="nn.Conv2d(channels // 2, hidden, 1)")

mistake("coupling_additive", "additive coupling: the moved half is shifted but not scaled", check="coupling_halves",
    hint="An affine coupling also scales: z = σ(x_a) x_b + t(x_a). Without σ all volumes are kept (NICE).",
    also={("coupling_neighbours", "coupling_rows", "coupling_round_trip", "coupling_log_det"): "nothing to be judged",
          ("flow_latents", "flow_steps", "flow_round_trip", "flow_log_det", "flow_rows"): "nothing to be judged",
          ("log_prob_value", "flow_sums_to_one", "temperature_zero"): "nothing to be judged"},
    function="AffineCoupling.scale_and_shift", old="2 * torch.tanh(s / 2)", new="0 * s")

mistake("coupling_scale_per_channel", "one scale for all pixels of a channel", check="coupling_halves",
    hint="σ has the shape of what it scales, (B, C/2, H, W): no mean over the pixels.",
    function="AffineCoupling.scale_and_shift", old="2 * torch.tanh(s / 2)",
    new="2 * torch.tanh(s / 2).mean(dim=(2, 3), keepdim=True).expand_as(s)")

mistake("coupling_scale_per_pixel", "one scale for all channels of a pixel", check="coupling_halves",
    hint="σ has the shape of what it scales, (B, C/2, H, W): the network gives a scale for each moved channel.",
    function="AffineCoupling.scale_and_shift", old="2 * torch.tanh(s / 2)",
    new="2 * torch.tanh(s / 2).mean(dim=1, keepdim=True).expand_as(s)")

mistake("coupling_log_det_sign", "the coupling's log-determinant has the wrong sign", check="coupling_log_det",
    hint="Where σ > 1 the layer stretches, and the log-determinant of `forward` is positive.",
    also={"flow_sums_to_one": "the density is built on it"},
    function="AffineCoupling.forward", old="per_image(s)", new="-per_image(s)")
mistake("coupling_log_det_sign",
    function="AffineCoupling.inverse", old="-per_image(s)", new="per_image(s)")

mistake("coupling_inverse_log_det_sign", "the log-determinant of the coupling's inverse has the wrong sign",
    check="coupling_log_det",
    hint="`inverse` divides by σ: its log-determinant is minus that of `forward`, - Σ log|σ|.",
    function="AffineCoupling.inverse", old="-per_image(s)", new="per_image(s)")

mistake("coupling_log_det_of_raw", "the log-determinant of log σ as it was before its bound", check="coupling_log_det",
    hint="What scales the channels is σ itself: the log-determinant sums the bounded log σ that exp is taken of.",
    function="AffineCoupling.forward", old="per_image(s)", new="per_image(self.network(passing).chunk(2, dim=1)[0])")
mistake("coupling_log_det_of_raw",
    function="AffineCoupling.inverse", old="-per_image(s)", new="-per_image(self.network(passing).chunk(2, dim=1)[0])")

mistake("coupling_log_det_detached", "the coupling's log-determinant carries no gradient", check="coupling_log_det",
    hint="The network learns σ through the log-determinant, too: no detach() and no torch.no_grad() on it.",
    function="AffineCoupling.forward", old="per_image(s)", new="per_image(s.detach())")

mistake("coupling_log_det_mean", "the coupling's log-determinant is a mean instead of a sum", check="coupling_log_det",
    hint="Sum log|σ| over the moved channels and all pixels.",
    also={"flow_sums_to_one": "the density is built on it"},
    function="AffineCoupling.forward", old="per_image(s)", new="s.flatten(1).mean(dim=1)")
mistake("coupling_log_det_mean",
    function="AffineCoupling.inverse", old="-per_image(s)", new="-s.flatten(1).mean(dim=1)")

mistake("coupling_log_det_not_log", "the coupling sums the scales instead of their logarithms",
    check="coupling_log_det",
    hint="log|det| is the sum of log|σ|, not of σ.",
    also={"flow_sums_to_one": "the density is built on it"},
    function="AffineCoupling.forward", old="per_image(s)", new="per_image(s.exp())")
mistake("coupling_log_det_not_log",
    function="AffineCoupling.inverse", old="-per_image(s)", new="-per_image(s.exp())")

mistake("coupling_sees_all", "the network sees the channels that it moves", check="coupling_halves",
    hint="Scale and shift are functions of the passing channels alone: what is moved could not be moved back.",
    also={("coupling_log_det", "coupling_neighbours", "coupling_round_trip"): "it is no coupling any more"},
    function="AffineCoupling.forward", old="self.scale_and_shift(passing)", new="self.scale_and_shift(moved)")

mistake("coupling_inverse_order", "the coupling's inverse divides before it subtracts", check="coupling_round_trip",
    hint="z = σ x + t is undone from the outside in: first subtract t, then divide by σ.",
    old="(moved - t) * (-s).exp()", new="moved * (-s).exp() - t")

# --- the flow -------------------------------------------------------------------------------------

mistake("flow_no_split", "no latents leave between the scales", check="flow_latents",
    hint="After each scale but the last, half of the channels leaves: zs has one entry per scale.",
    also={("flow_round_trip", "flow_log_det", "flow_rows"): "the latents have other shapes",
          ("temperature_zero", "conventions"): "the latents have other shapes"},
    function="Glow.forward", old="scale < self.n_scales - 1", new="False")
mistake("flow_no_split",
    function="Glow.__init__", old="4 * channels * 2**scale", new="4 ** (scale + 1) * channels")
mistake("flow_no_split",
    function="Glow.inverse", old="scale < self.n_scales - 1", new="False")
mistake("flow_no_split",
    function="Glow.sample", old="width * 4 if last else width * 2", new="width * 4")
mistake("flow_no_split",
    function="Glow.sample", old="        with torch.no_grad():",
    new="        zs = zs[-1:]\n        with torch.no_grad():")

mistake("flow_inverse_forward_order", "the flow's inverse runs the layers in the order of `forward`",
    check="flow_round_trip",
    hint="The last layer applied is the first to be undone: reversed(layers).",
    function="Glow.inverse", old="reversed(self.scales[scale])", new="self.scales[scale]")

mistake("flow_inverse_halves_swapped", "the latents that left put behind the others", check="flow_round_trip",
    hint="`forward` sends away the first half of the channels: `inverse` puts it back in front.",
    function="Glow.inverse", old="torch.cat([zs[scale], x], dim=1)", new="torch.cat([x, zs[scale]], dim=1)")

mistake("flow_log_det_overwritten", "only the last layer's log-determinant is kept", check="flow_log_det",
    hint="The log-determinants of the layers add up: log_det = log_det + layer_log_det.",
    also={"flow_sums_to_one": "the density is built on it"},
    function="Glow.forward", old="log_det = log_det + layer_log_det", new="log_det = layer_log_det")
mistake("flow_log_det_overwritten",
    function="Glow.inverse", old="log_det = log_det + layer_log_det", new="log_det = layer_log_det")

mistake("flow_log_det_subtracted", "the layers' log-determinants are subtracted instead of added", check="flow_log_det",
    hint="`forward` goes from data to latent: its log-determinant is the sum of its layers', as they are.",
    also={"flow_sums_to_one": "the density is built on it"},
    function="Glow.forward", old="log_det = log_det + layer_log_det", new="log_det = log_det - layer_log_det")
mistake("flow_log_det_subtracted",
    function="Glow.inverse", old="log_det = log_det + layer_log_det", new="log_det = log_det - layer_log_det")

mistake("flow_log_det_detached", "the flow's log-determinant carries no gradient", check="flow_log_det",
    hint="The layers learn through the log-determinant, too: add what they return as it is, without detach().",
    function="Glow.forward", old="log_det = log_det + layer_log_det", new="log_det = log_det + layer_log_det.detach()")

mistake("flow_shared_steps", "all steps of a scale share their weights", check="flow_steps",
    hint="Make new layers for every step: [layer] * n is the same layer n times.",
    function="Glow.__init__",
    old="steps = ((ActNorm(width), InvertibleConv1x1(width), AffineCoupling(width, hidden)) for _ in range(n_steps))",
    new="steps = [(ActNorm(width), InvertibleConv1x1(width), AffineCoupling(width, hidden))] * n_steps")

mistake("flow_hidden_ignored", "the networks have the same width whatever `hidden` is", check="flow_steps",
    hint="Hand `hidden` on to every coupling.",
    function="Glow.__init__", old="AffineCoupling(width, hidden)", new="AffineCoupling(width)")

mistake("flow_no_actnorm", "the steps have no ActNorm", check="flow_steps",
    hint="Each step is an ActNorm, an invertible convolution and a coupling.",
    function="Glow.__init__", old="(ActNorm(width), InvertibleConv1x1(width)", new="(InvertibleConv1x1(width)")

mistake("flow_no_conv", "the steps have no invertible convolution", check="flow_steps",
    hint="Without it the same channels pass through all couplings: each step has "
    "a 1×1 convolution before its coupling.",
    function="Glow.__init__", old="ActNorm(width), InvertibleConv1x1(width), Aff", new="ActNorm(width), Aff")

mistake("flow_reshape", "a reshape instead of squeeze: channels are made of distant pixels", check="flow_steps",
    hint="x.reshape(B, 4C, H/2, W/2) does not gather 2×2 blocks: use squeeze and unsqueeze.",
    function="Glow.forward", old="x = squeeze(x)",
    new="x = x.reshape(len(x), 4 * x.shape[1], x.shape[2] // 2, x.shape[3] // 2)")
mistake("flow_reshape",
    function="Glow.inverse", old="x = unsqueeze(x)",
    new="x = x.reshape(len(x), x.shape[1] // 4, 2 * x.shape[2], 2 * x.shape[3])")

mistake("prior_last_scale", "the prior is that of the last scale's latents only", check="log_prob_value",
    hint="All latents are standard normal: sum over those that left early, too.",
    function="Glow.log_prob", old="for z in zs)", new="for z in zs[-1:])")

mistake("prior_without_half", "the squares of the latents without their half", check="log_prob_value",
    hint="log N(z; 0, 1) = -z² / 2 - log(2π) / 2.",
    also={"flow_sums_to_one": "a density that does not integrate to 1"},
    function="Glow.log_prob", old="-0.5 * z**2", new="-(z**2)")

mistake("prior_constant_dropped", "the prior lacks its constant -D/2 log 2π", check="log_prob_value",
    hint="Without -D/2 log 2π the density does not integrate to 1.",
    also={"flow_sums_to_one": "as the hint says"},
    function="Glow.log_prob", old=" - 0.5 * math.log(2 * math.pi)", new="")

mistake("log_det_left_out", "`log_prob` is the prior alone, without the log-determinant", check="log_prob_value",
    hint="The change of variables adds log|det ∂f/∂x| to the log-density of the latents.",
    also={"flow_sums_to_one": "it integrates to another number than 1"},
    function="Glow.log_prob", old="return log_prior + log_det", new="return log_prior")

mistake("log_det_subtracted", "`log_prob` subtracts the log-determinant of `forward`", check="log_prob_value",
    hint="With f from data to latent, log p(x) = log N(f(x); 0, I) + log|det ∂f/∂x|: the sign is plus.",
    also={"flow_sums_to_one": "it integrates to another number than 1"},
    function="Glow.log_prob", old="return log_prior + log_det", new="return log_prior - log_det")

mistake("log_prob_detached", "`log_prob` cuts the gradient of the log-determinant", check="log_prob_value",
    hint="Training maximises both terms: no detach() on log_det.",
    function="Glow.log_prob", old="return log_prior + log_det", new="return log_prior + log_det.detach()")

mistake("log_prob_over_batch", "the prior is summed over the batch, too", check="log_prob_value",
    hint="One log-density per image, (B,).",
    also={"flow_sums_to_one": "the density of an image depends on its batch"},
    function="Glow.log_prob", old="per_image(-0.5 * z**2 - 0.5 * math.log(2 * math.pi))",
    new="(-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum()")

mistake("temperature_variance", "the temperature is the variance of the latents", check="sampling",
    hint="The temperature is the standard deviation: z = temperature * torch.randn(...).",
    function="Glow.sample", old="temperature * z", new="temperature**0.5 * z")

mistake("temperature_last_scale", "the temperature only acts on the last scale", check="sampling",
    hint="All latents are drawn at the temperature, those that leave early too.",
    also={"temperature_zero": "the other scales stay random"},
    function="Glow.sample", old="temperature * z", new="(temperature if last else 1.0) * z")

mistake("temperature_on_image", "the temperature multiplies the image instead of the latents", check="sampling",
    hint="Draw the latents at the temperature, and return inverse(zs) as it is.",
    also={"temperature_zero": "the image is 0 instead of that of latents 0"},
    function="Glow.sample", old="temperature * z", new="z")
mistake("temperature_on_image",
    function="Glow.sample", old="return self.inverse(zs)[0]", new="return temperature * self.inverse(zs)[0]")

mistake("temperature_ignored", "the temperature is ignored", check="sampling",
    hint="z = temperature * torch.randn(...) at every scale.",
    also={"temperature_zero": "the latents stay random"},
    function="Glow.sample", old="temperature * z", new="z")

mistake("sample_with_graph", "samples carry gradients", check="conventions",
    hint="Sample under torch.no_grad().",
    function="Glow.sample", old="with torch.no_grad():", new="if True:")

mistake("sample_ignores_generator", "`sample` ignores the generator", check="generators",
    hint="Pass the generator on: torch.randn(..., generator=generator).",
    function="Glow.sample", old="generator=generator, dtype", new="dtype")

# --- bits per dimension ---------------------------------------------------------------------------

mistake("bits_levels_forgotten", "the number of levels is missing in the bits", check="bits_value",
    hint="The box of noise has the volume levels^(-D): subtract D log levels from the log-density.",
    also={("bits_uniform", "bits_sum_to_one"): "the same number"},
    function="bits_per_dimension", old=" - dimensions * math.log(levels)", new="")

mistake("bits_256_levels", "256 levels are assumed, whatever `levels` is", check="bits_value",
    hint="Use the number of levels that is given, in the box of noise as well.",
    also={("bits_uniform", "bits_sum_to_one"): "the same number"},
    function="bits_per_dimension", old="math.log(levels)", new="math.log(256)")

mistake("bits_logit_subtracted", "the log-determinant of the logit subtracted", check="bits_value",
    hint="Densities change by the map from y to x: log p(y) = log p(x) + log|det ∂x/∂y|.",
    also={("bits_sum_to_one", "bits_uniform"): "wrong for any model"},
    function="bits_per_dimension", old="model.log_prob(x) + log_det", new="model.log_prob(x) - log_det")

mistake("bits_without_channels", "pixels counted without their channels", check="bits_value",
    hint="D is C · H · W: each channel of each pixel is a number to encode.",
    function="bits_per_dimension", old="pixels[0].numel()", new="pixels[0, 0].numel()")

mistake("bits_in_nats", "nats instead of bits", check="bits_value",
    hint="Divide by log 2.",
    also={("bits_uniform", "bits_sum_to_one"): "the same number"},
    function="bits_per_dimension", old="(dimensions * math.log(2))", new="dimensions")

mistake("bits_per_image", "bits per image instead of per dimension", check="bits_value",
    hint="Divide by D = C · H · W.",
    also={("bits_uniform", "bits_sum_to_one"): "the same number"},
    function="bits_per_dimension", old="(dimensions * math.log(2))", new="math.log(2)")

mistake("bits_without_logit", "the logit's log-determinant is missing in the bits", check="bits_value",
    hint="The model's density is one of x; for one of y, add log|det ∂x/∂y|.",
    also={("bits_uniform", "bits_sum_to_one"): "the same number"},
    function="bits_per_dimension", old="model.log_prob(x) + log_det", new="model.log_prob(x)")

mistake("bits_default_alpha", "the bits are computed with α = 0.05, whatever `alpha` is", check="bits_value",
    hint="Hand alpha on to logit_transform.",
    also={("bits_uniform", "bits_sum_to_one"): "their α is another one"},
    function="bits_per_dimension", old="levels), alpha)", new="levels))")

mistake("bits_averaged", "one number for the batch instead of one per image", check="bits_value",
    hint="bits_per_dimension returns (B,); the mean is taken where it is used.",
    also={("bits_uniform", "bits_sum_to_one", "conventions"): "one number"},
    function="bits_per_dimension", old="return -log_prob / (dimensions * math.log(2))",
    new="return (-log_prob / (dimensions * math.log(2))).mean()")

# --- training and images --------------------------------------------------------------------------

mistake("noise_once", "one noise for all steps", check="train_batches",
    hint="Draw the noise inside the loop: with one noise the flow learns where exactly the points are.",
    function="train_glow", old="    for _ in rounds:",
    new="    same = torch.rand(pixels.shape, generator=generator, dtype=weight.dtype)\n    for _ in rounds:")
mistake("noise_once",
    function="train_glow", old="torch.rand(batch.shape, generator=generator, dtype=weight.dtype, device=device)",
    new="same[rows]")

mistake("noise_per_batch", "one noise for all images of a batch", check="train_batches",
    hint="Every image gets its own noise: torch.rand(batch.shape), with the batch's own number of images.",
    function="train_glow", old="torch.rand(batch.shape, generator=generator, dtype=weight.dtype, device=device)",
    new="torch.rand(batch[:1].shape, generator=generator, dtype=weight.dtype).expand(batch.shape)")

mistake("noise_per_image", "one noise for all pixels of an image", check="train_batches",
    hint="Every pixel gets its own noise: torch.rand(batch.shape).",
    function="train_glow", old="torch.rand(batch.shape, generator=generator, dtype=weight.dtype, device=device)",
    new="torch.rand(len(batch), 1, 1, 1, generator=generator, dtype=weight.dtype).expand(batch.shape)")

mistake("noise_absent", "training without noise", check="train_batches",
    hint="Without noise the density may grow without bound on whole numbers: add torch.rand(batch.shape).",
    function="train_glow", old="torch.rand(batch.shape, generator=generator, dtype=weight.dtype, device=device)",
    new="torch.full(batch.shape, 0.5, dtype=weight.dtype)")

mistake("train_256_levels", "training assumes 256 levels", check="train_batches",
    hint="Hand `levels` on to bits_per_dimension.",
    function="train_glow", old="noise, levels, alpha)", new="noise, 256, alpha)")

mistake("train_default_alpha", "training ignores `alpha`", check="train_batches",
    hint="Hand `alpha` on to bits_per_dimension.",
    function="train_glow", old="noise, levels, alpha)", new="noise, levels)")

mistake("first_batch_only", "every step uses the same rows", check="train_batches",
    hint="Draw a new mini-batch inside the loop.",
    function="train_glow", old="    for _ in rounds:",
    new="    same = torch.randint(len(pixels), (batch_size,), generator=generator)\n    for _ in rounds:")
mistake("first_batch_only",
    function="train_glow", old="rows = torch.randint(len(pixels), (batch_size,), generator=generator, device=device)",
    new="rows = same")

mistake("batch_size_ignored", "the batches have 64 images, whatever `batch_size` is", check="train_batches",
    hint="Draw batch_size rows.",
    function="train_glow", old="(batch_size,), generator", new="(64,), generator")

mistake("no_update", "the weights are never updated", check="train_updates",
    hint="Compute the gradient with loss.backward(), then apply it with optimizer.step().",
    function="train_glow", old="        optimizer.step()\n", new="")

mistake("train_in_evaluation", "the model is trained in evaluation mode", check="train_updates",
    hint="model.train() before the loop: in evaluation mode ActNorm is never set by a batch.",
    function="train_glow", old="model.train()", new="model.eval()")

mistake("learning_rate_ignored", "the learning rate is ignored", check="train_updates",
    hint="Pass `lr` to the optimiser: torch.optim.Adam(model.parameters(), lr=lr).",
    function="train_glow", old="model.parameters(), lr=lr", new="model.parameters(), lr=1e-2")

mistake("gradients_accumulate", "the gradients add up from step to step", check="train_updates",
    hint="backward adds to the gradients that are there: call optimizer.zero_grad() before it.",
    function="train_glow", old="        optimizer.zero_grad()\n", new="")

mistake("history_summed", "the history holds sums over the mini-batch", check="train_history",
    hint="Append the mean over the batch, loss.item().",
    function="train_glow", old="append(loss.item())", new="append(loss.item() * batch_size)")

mistake("history_in_nats", "the history is in nats", check="train_history",
    hint="The history is in bits per dimension, as the loss.",
    function="train_glow", old="append(loss.item())", new="append(loss.item() * math.log(2))")

mistake("history_per_image", "the history is in bits per image", check="train_history",
    hint="The history is in bits per dimension, as the loss.",
    function="train_glow", old="append(loss.item())", new="append(loss.item() * batch[0].numel())")

mistake("log_prob_twice", "the model is asked twice in each step", check="train_history",
    hint="The loss before the update is the number for the history: no second call of log_prob.",
    function="train_glow", old="append(loss.item())",
    new="append(bits_per_dimension(model, batch, noise, levels, alpha).mean().item())")

mistake("train_ignores_generator", "`train_glow` does not draw its rows from the generator", check="generators",
    hint="Rows and noise are both drawn with generator=generator.",
    function="train_glow", old="(batch_size,), generator=generator", new="(batch_size,)")

mistake("train_noise_from_elsewhere", "`train_glow` does not draw its noise from the generator", check="generators",
    hint="Rows and noise are both drawn with generator=generator.",
    function="train_glow", old="torch.rand(batch.shape, generator=generator,", new="torch.rand(batch.shape,")

@mistake("global_seed", "`train_glow` seeds torch's global generator", check="generators",
    hint="Whoever calls decides the seed: no torch.manual_seed inside a function.")
def train_glow(solution, *args, generator=None, **named):
    torch.manual_seed(0)
    return solution(*args, **named)

mistake("images_temperature", "`sample_images` does not hand on the temperature", check="sample_images",
    hint="model.sample(n, temperature=temperature, generator=generator).",
    function="sample_images", old="temperature=temperature, ", new="")

mistake("images_default_alpha", "`sample_images` ignores `alpha`", check="sample_images",
    hint="Hand alpha on to inverse_logit_transform.",
    function="sample_images", old="(x, alpha)", new="(x)")

mistake("images_rounded", "grey levels are rounded to the nearest instead of down", check="sample_images",
    hint="Level k is the box from k / levels to (k + 1) / levels: floor(levels · y), as `quantize` does.",
    function="sample_images", old="quantize(inverse_logit_transform(x, alpha)[0], levels)",
    new="(levels * inverse_logit_transform(x, alpha)[0]).round().clamp(0, levels - 1).long()")

mistake("images_not_whole", "the images are real numbers instead of whole grey levels", check="sample_images",
    hint="Return quantize(y, levels).",
    also={"conventions": "they are no integers"},
    function="sample_images", old="quantize(inverse_logit_transform(x, alpha)[0], levels)",
    new="inverse_logit_transform(x, alpha)[0]")

@mistake("arguments_changed", "arguments changed in place", check="conventions",
    hint="Whoever calls a function still needs what was passed: no `-=`, no method with a trailing underscore on it.")
def logit_transform(solution, y, alpha=0.05):
    answer = solution(y, alpha)
    y.mul_(1 - 2 * alpha)
    return answer

mistake("counts_not_checked", "counts below 1 are accepted", check="bad_arguments",
    hint='Begin with the checks: `if n < 1: raise ValueError(f"n must be at least 1, got {n}")`.',
    function="check_count", old="value < 1", new="False")

mistake("channels_not_checked", "images of other channels are accepted", check="bad_arguments",
    hint="Each layer refuses images whose channels are not its own.",
    function="check_channels", old="x.dim() != 4 or x.shape[1] != channels", new="False")
