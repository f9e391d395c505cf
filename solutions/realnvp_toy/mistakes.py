"""Typical wrong versions of the RealNVP's parts, each with the hint a student gets for it."""

from autograder.authoring import mistake

# --- the coupling layer ---------------------------------------------------------------------------


@mistake(
    "log_det_sign",
    title="the log-determinants have the wrong sign",
    hint=(
        "Where the layer stretches (σ > 1) the log-determinant of `forward` is positive. "
        "Which sign does yours have for z = 2x?"
    ),
    loses=(
        "coupling_log_det",
        "coupling_inverse_log_det",
        "density_integrates",
        "held_out_nll",
        "samples_fit",
        "latents_fit",
    ),
)
class AffineCoupling(AffineCoupling):
    def forward(self, x):
        z, log_det = super().forward(x)
        return z, -log_det

    def inverse(self, z):
        x, log_det = super().inverse(z)
        return x, -log_det


@mistake(
    "log_det_same_sign",
    title="`inverse` returns the log-determinant of `forward`",
    hint="The inverse undoes the stretching: its log-determinant is minus that of `forward` at that point.",
    loses=("coupling_inverse_log_det",),
)
class AffineCoupling(AffineCoupling):
    def inverse(self, z):
        x, log_det = super().inverse(z)
        return x, -log_det


@mistake(
    "log_det_unmasked",
    title="the scale is not masked in the log-determinant",
    hint=(
        "The network returns a log-scale for every coordinate, but the unchanged ones are not scaled: "
        "multiply s by the mask of the moved coordinates before you sum it."
    ),
    loses=(
        "coupling_log_det",
        "coupling_inverse_log_det",
        "density_integrates",
        "held_out_nll",
        "samples_fit",
        "latents_fit",
    ),
)
class AffineCoupling(AffineCoupling):
    def forward(self, x):
        z, _ = super().forward(x)
        s, _ = self.network(self.mask * x).chunk(2, dim=-1)
        return z, s.tanh().sum(dim=-1)

    def inverse(self, z):
        x, _ = super().inverse(z)
        s, _ = self.network(self.mask * z).chunk(2, dim=-1)
        return x, -s.tanh().sum(dim=-1)


@mistake(
    "log_det_not_log",
    title="the scales themselves are summed instead of their logarithms",
    hint="det J is the product of the scales, so log|det J| is the sum of log|σ|, not of σ.",
    loses=(
        "coupling_log_det",
        "coupling_inverse_log_det",
        "density_integrates",
        "held_out_nll",
        "samples_fit",
        "latents_fit",
    ),
)
class AffineCoupling(AffineCoupling):
    def forward(self, x):
        z, _ = super().forward(x)
        s, _ = self.network(self.mask * x).chunk(2, dim=-1)
        return z, (self.moved * s.tanh().exp()).sum(dim=-1)

    def inverse(self, z):
        x, _ = super().inverse(z)
        s, _ = self.network(self.mask * z).chunk(2, dim=-1)
        return x, -(self.moved * s.tanh().exp()).sum(dim=-1)


@mistake(
    "log_det_mean",
    title="the log-scales are averaged over the coordinates instead of summed",
    hint="Logarithms of the diagonal of J add up: use sum(dim=-1), not mean(dim=-1).",
    loses=(
        "coupling_log_det",
        "coupling_inverse_log_det",
        "density_integrates",
        "held_out_nll",
        "samples_fit",
        "latents_fit",
    ),
)
class AffineCoupling(AffineCoupling):
    def forward(self, x):
        z, log_det = super().forward(x)
        return z, log_det / self.dim

    def inverse(self, z):
        x, log_det = super().inverse(z)
        return x, log_det / self.dim


@mistake(
    "log_det_over_batch",
    title="the log-determinant is summed over the batch, too",
    hint="One log-determinant per sample: sum over the coordinates alone, s.sum(dim=-1).",
    loses=(
        "coupling_log_det",
        "coupling_inverse_log_det",
        "density_integrates",
        "held_out_nll",
        "samples_fit",
        "latents_fit",
    ),
)
class AffineCoupling(AffineCoupling):
    def forward(self, x):
        z, log_det = super().forward(x)
        return z, log_det.sum()

    def inverse(self, z):
        x, log_det = super().inverse(z)
        return x, log_det.sum()


@mistake(
    "shift_not_masked",
    title="the shift moves the coordinates that should pass",
    hint="A coordinate that passes has scale 1 and shift 0: multiply t, like s, by the mask of the moved ones.",
    loses=(
        "coupling_mask",
        "coupling_round_trip",
        "coupling_log_det",
        "coupling_inverse_log_det",
        "flow_round_trip",
        "density_integrates",
        "held_out_nll",
        "samples_fit",
        "latents_fit",
    ),
)
class AffineCoupling(AffineCoupling):
    def forward(self, x):
        check_last_dimension(x, self.dim)
        s, t = self.network(self.mask * x).chunk(2, dim=-1)
        s = self.moved * s.tanh()
        return x * s.exp() + t, s.sum(dim=-1)

    def inverse(self, z):
        check_last_dimension(z, self.dim, "z")
        s, t = self.network(self.mask * z).chunk(2, dim=-1)
        s = self.moved * s.tanh()
        return (z - t) * (-s).exp(), -s.sum(dim=-1)


@mistake(
    "mask_not_checked",
    title="a mask of another length is accepted",
    hint="The mask has one entry per coordinate: raise ValueError unless its shape is (dim,).",
    loses=("errors",),
)
class AffineCoupling(AffineCoupling):
    def __init__(self, dim, mask, hidden=64):
        padded = torch.zeros(dim)
        padded[: len(mask)] = mask[:dim]
        super().__init__(dim, padded, hidden)


@mistake(
    "network_sees_all",
    title="the scale and the shift are computed from all coordinates",
    hint=("`inverse` only knows the unchanged coordinates when it needs σ and t: feed the network mask * x, not x."),
    loses=(
        "coupling_mask",
        "coupling_round_trip",
        "coupling_log_det",
        "coupling_inverse_log_det",
        "flow_round_trip",
        "density_integrates",
        "held_out_nll",
        "samples_fit",
        "latents_fit",
    ),
)
class AffineCoupling(AffineCoupling):
    def forward(self, x):
        check_last_dimension(x, self.dim)
        s, t = self.network(x).chunk(2, dim=-1)
        s, t = self.moved * s.tanh(), self.moved * t
        return x * s.exp() + t, s.sum(dim=-1)

    def inverse(self, z):
        check_last_dimension(z, self.dim, "z")
        s, t = self.network(z).chunk(2, dim=-1)
        s, t = self.moved * s.tanh(), self.moved * t
        return (z - t) * (-s).exp(), -s.sum(dim=-1)


@mistake(
    "additive",
    title="additive coupling: the moved coordinates are shifted but not scaled",
    hint="An affine coupling also scales: z = σ(x_a) x_b + t(x_a). Without σ all volumes are kept (NICE).",
    loses=("coupling_mask", "held_out_nll", "samples_fit", "latents_fit"),
)
class AffineCoupling(AffineCoupling):
    def forward(self, x):
        check_last_dimension(x, self.dim)
        _, t = self.network(self.mask * x).chunk(2, dim=-1)
        return x + self.moved * t, x.new_zeros(len(x))

    def inverse(self, z):
        check_last_dimension(z, self.dim, "z")
        _, t = self.network(self.mask * z).chunk(2, dim=-1)
        return z - self.moved * t, z.new_zeros(len(z))


@mistake(
    "constant_scale",
    title="the scale is a learned constant that does not depend on the unchanged coordinates",
    hint="σ is a function of the unchanged coordinates: compute it with the network, like the shift.",
    loses=("coupling_mask",),
)
class AffineCoupling(AffineCoupling):
    def __init__(self, dim, mask, hidden=64):
        super().__init__(dim, mask, hidden)
        self.log_scale = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        check_last_dimension(x, self.dim)
        _, t = self.network(self.mask * x).chunk(2, dim=-1)
        s = self.moved * self.log_scale
        return x * s.exp() + self.moved * t, s.sum().expand(len(x))

    def inverse(self, z):
        check_last_dimension(z, self.dim, "z")
        _, t = self.network(self.mask * z).chunk(2, dim=-1)
        s = self.moved * self.log_scale
        return (z - self.moved * t) * (-s).exp(), -s.sum().expand(len(z))


@mistake(
    "mask_ignored",
    title="the first half of the coordinates passes unchanged, whatever the mask says",
    hint="The layer gets its mask as an argument: it decides which coordinates pass unchanged.",
    loses=("coupling_mask", "every_coordinate", "samples_fit"),
    may_lose=("held_out_nll",),
)
class AffineCoupling(AffineCoupling):
    def __init__(self, dim, mask, hidden=64):
        super().__init__(dim, mask, hidden)
        self.mask = (torch.arange(dim) < dim // 2).float()
        self.moved = 1 - self.mask


@mistake(
    "inverse_order",
    title="`inverse` divides by the scale before it subtracts the shift",
    hint="z = σ x + t is undone from the outside in: first subtract t, then divide by σ.",
    loses=("coupling_round_trip", "flow_round_trip", "samples_fit"),
)
class AffineCoupling(AffineCoupling):
    def inverse(self, z):
        check_last_dimension(z, self.dim, "z")
        s, t = self.network(self.mask * z).chunk(2, dim=-1)
        s, t = self.moved * s.tanh(), self.moved * t
        return z * (-s).exp() - t, -s.sum(dim=-1)


@mistake(
    "inverse_scale_negated",
    title="`inverse` multiplies by -exp(s) instead of exp(-s)",
    hint="Dividing by exp(s) is multiplying by exp(-s): the minus sign belongs in the exponent.",
    loses=("coupling_round_trip", "flow_round_trip", "samples_fit"),
)
class AffineCoupling(AffineCoupling):
    def inverse(self, z):
        check_last_dimension(z, self.dim, "z")
        s, t = self.network(self.mask * z).chunk(2, dim=-1)
        s, t = self.moved * s.tanh(), self.moved * t
        return self.mask * z + self.moved * (z - t) * -s.exp(), -s.sum(dim=-1)


# --- the flow -------------------------------------------------------------------------------------


@mistake(
    "mask_never_alternates",
    title="every layer has the same mask",
    hint="With one mask the same coordinates pass through all layers unchanged: swap 0 and 1 in turn.",
    loses=("every_coordinate", "samples_fit"),
    may_lose=("held_out_nll",),
)
class RealNVP(RealNVP):
    def __init__(self, dim=2, n_layers=6, hidden=64):
        super().__init__(dim, n_layers, hidden)
        even = (torch.arange(dim) % 2 == 0).float()
        self.layers = nn.ModuleList(AffineCoupling(dim, even, hidden) for _ in range(n_layers))


@mistake(
    "inverse_layers_forward_order",
    title="`inverse` runs the layers in the order of `forward`",
    hint="The last layer applied is the first to be undone: go through reversed(layers).",
    loses=("flow_round_trip", "samples_fit"),
)
class RealNVP(RealNVP):
    def inverse(self, z):
        check_last_dimension(z, self.dim, "z")
        log_det = z.new_zeros(len(z))
        for layer in self.layers:
            z, layer_log_det = layer.inverse(z)
            log_det = log_det + layer_log_det
        return z, log_det


@mistake(
    "log_det_overwritten",
    title="only the last layer's log-determinant is kept",
    hint="The log-determinants of the layers add up: write log_det = log_det + layer_log_det.",
    loses=("flow_log_det", "density_integrates", "held_out_nll", "samples_fit", "latents_fit"),
)
class RealNVP(RealNVP):
    def forward(self, x):
        check_last_dimension(x, self.dim)
        for layer in self.layers:
            x, log_det = layer(x)
        return x, log_det

    def inverse(self, z):
        check_last_dimension(z, self.dim, "z")
        for layer in reversed(self.layers):
            z, log_det = layer.inverse(z)
        return z, log_det


@mistake(
    "inverse_log_det_zero",
    title="the flow's `inverse` returns no log-determinant",
    hint="`inverse` adds up the log-determinants of its layers, as `forward` does.",
    loses=("flow_log_det", "held_out_nll"),
)
class RealNVP(RealNVP):
    def inverse(self, z):
        x, log_det = super().inverse(z)
        return x, torch.zeros_like(log_det)


@mistake(
    "log_det_subtracted_in_flow",
    title="the layers' log-determinants are subtracted instead of added",
    hint="`forward` goes from data to latent: its log-determinant is the sum of its layers', as they are.",
    loses=("flow_log_det", "density_integrates", "held_out_nll", "samples_fit", "latents_fit"),
)
class RealNVP(RealNVP):
    def forward(self, x):
        z, log_det = super().forward(x)
        return z, -log_det

    def inverse(self, z):
        x, log_det = super().inverse(z)
        return x, -log_det


@mistake(
    "prior_not_summed",
    title="the prior is not summed over the coordinates",
    hint="log N(z; 0, I) is one number per sample: sum the coordinates' log-densities (dim=-1).",
    loses=("log_prob_value", "density_integrates", "density_grid"),
    may_lose=("latents_fit",),
)
class RealNVP(RealNVP):
    def log_prob(self, x):
        z, log_det = self(x)
        return -0.5 * z**2 - 0.5 * math.log(2 * math.pi) + log_det[:, None]


@mistake(
    "prior_constant_dropped",
    title="the prior lacks its constant -d/2 log 2π",
    hint="Without -d/2 log 2π the density does not integrate to 1.",
    loses=("log_prob_value", "density_integrates"),
)
class RealNVP(RealNVP):
    def log_prob(self, x):
        z, log_det = self(x)
        return -0.5 * (z**2).sum(dim=-1) + log_det


@mistake(
    "prior_constant_once",
    title="the prior's constant is that of one coordinate",
    hint="Each of the d coordinates brings its -1/2 log 2π: the constant is -d/2 log 2π.",
    loses=("log_prob_value", "density_integrates"),
)
class RealNVP(RealNVP):
    def log_prob(self, x):
        z, log_det = self(x)
        return -0.5 * (z**2).sum(dim=-1) - 0.5 * math.log(2 * math.pi) + log_det


@mistake(
    "log_det_left_out",
    title="`log_prob` is the prior alone, without the log-determinant",
    hint="The change of variables adds log|det ∂f/∂x| to the log-density of the latent.",
    loses=("log_prob_value", "density_integrates", "held_out_nll", "samples_fit", "latents_fit"),
)
class RealNVP(RealNVP):
    def log_prob(self, x):
        z, _ = self(x)
        return -0.5 * (z**2).sum(dim=-1) - 0.5 * self.dim * math.log(2 * math.pi)


@mistake(
    "log_det_subtracted",
    title="`log_prob` subtracts the log-determinant of `forward`",
    hint="With f from data to latent, log p(x) = log p_Z(f(x)) + log|det ∂f/∂x|: the sign is plus.",
    loses=("log_prob_value", "density_integrates", "held_out_nll", "samples_fit", "latents_fit"),
)
class RealNVP(RealNVP):
    def log_prob(self, x):
        z, log_det = self(x)
        return -0.5 * (z**2).sum(dim=-1) - 0.5 * self.dim * math.log(2 * math.pi) - log_det


@mistake(
    "low_temperature",
    title="sampling at a lower temperature",
    hint="The latents of a sample are standard normal draws, not scaled ones: z ~ N(0, I).",
    loses=("sampling", "samples_fit"),
)
class RealNVP(RealNVP):
    def sample(self, n, generator=None):
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        parameter = next(self.parameters())
        z = 0.8 * torch.randn(n, self.dim, generator=generator, dtype=parameter.dtype, device=parameter.device)
        with torch.no_grad():
            return self.inverse(z)[0]


@mistake(
    "generator_ignored",
    title="`sample` ignores the generator",
    hint="Pass the generator on: torch.randn(..., generator=generator).",
    loses=("conventions",),
)
class RealNVP(RealNVP):
    def sample(self, n, generator=None):
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        parameter = next(self.parameters())
        with torch.no_grad():
            return self.inverse(torch.randn(n, self.dim, dtype=parameter.dtype, device=parameter.device))[0]


@mistake(
    "n_layers_ignored",
    title="the flow has the same number of layers whatever `n_layers` is",
    hint="Make the layers in a loop over range(n_layers).",
    loses=("conventions",),
)
class RealNVP(RealNVP):
    def __init__(self, dim=2, n_layers=6, hidden=64):
        super().__init__(dim, 6, hidden)


@mistake(
    "hidden_ignored",
    title="the networks have the same width whatever `hidden` is",
    hint="Hand `hidden` on to every coupling layer, and use it for the width of its networks.",
    loses=("conventions",),
)
class RealNVP(RealNVP):
    def __init__(self, dim=2, n_layers=6, hidden=64):
        super().__init__(dim, n_layers, 64)


@mistake(
    "one_point_squeezed",
    title="a batch of one point loses its axis",
    hint="`squeeze()` takes away every axis of length 1, that of the batch too: sum over dim=-1 and leave the rest.",
    loses=("log_prob_value",),
)
class RealNVP(RealNVP):
    def log_prob(self, x):
        return super().log_prob(x).squeeze()


@mistake(
    "one_latent_for_all",
    title="one latent for all samples",
    hint="Each sample has a latent of its own: draw (n, dim) numbers.",
    loses=("sampling", "samples_fit"),
)
class RealNVP(RealNVP):
    def sample(self, n, generator=None):
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        parameter = next(self.parameters())
        z = torch.randn(1, self.dim, generator=generator, dtype=parameter.dtype, device=parameter.device)
        with torch.no_grad():
            return self.inverse(z.expand(n, -1))[0]


@mistake(
    "uniform_latents",
    title="the latents of samples are uniform instead of normal",
    hint="torch.rand is uniform on [0, 1); the prior N(0, I) is torch.randn.",
    loses=("sampling", "samples_fit"),
)
class RealNVP(RealNVP):
    def sample(self, n, generator=None):
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        parameter = next(self.parameters())
        z = torch.rand(n, self.dim, generator=generator, dtype=parameter.dtype, device=parameter.device)
        with torch.no_grad():
            return self.inverse(z)[0]


@mistake(
    "sample_by_forward",
    title="samples go through `forward` instead of `inverse`",
    hint="`forward` goes from data to latent. A sample starts in the latent space: which way must it go?",
    loses=("sampling", "samples_fit"),
)
class RealNVP(RealNVP):
    def sample(self, n, generator=None):
        if n < 1:
            raise ValueError(f"n must be at least 1, got {n}")
        parameter = next(self.parameters())
        z = torch.randn(n, self.dim, generator=generator, dtype=parameter.dtype, device=parameter.device)
        with torch.no_grad():
            return self(z)[0]


# --- training and the grid ------------------------------------------------------------------------


@mistake(
    "nll_sum",
    title="the negative log-likelihood is summed over the batch",
    hint="The NLL is in nats per sample: average over the batch, so that it does not grow with its size.",
    loses=("nll_value",),
)
def nll(model, x):
    return -model.log_prob(x).sum()


@mistake(
    "nll_per_dimension",
    title="the negative log-likelihood is divided by the dimension",
    hint="Nats per sample are wanted, not nats per coordinate.",
    loses=("nll_value",),
)
def nll(model, x):
    return -model.log_prob(x).mean() / x.shape[-1]


@mistake(
    "nll_in_bits",
    title="the negative log-likelihood is in bits",
    hint="Nats are wanted: the natural logarithm, without a division by log 2.",
    loses=("nll_value",),
)
def nll(model, x):
    return -model.log_prob(x).mean() / math.log(2)


@mistake(
    "nll_sign",
    title="the log-likelihood is returned without its minus sign",
    hint="A loss is minimised: the negative log-likelihood falls when the data become more likely.",
    loses=("nll_value", "held_out_nll", "samples_fit", "latents_fit"),
)
def nll(model, x):
    return model.log_prob(x).mean()


@mistake(
    "no_update",
    title="the weights are never updated",
    hint="Compute the gradient with loss.backward(), then apply it with optimizer.step().",
    loses=("held_out_nll", "samples_fit"),
)
def train_flow(model, x, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    for name, count in (("steps", steps), ("batch_size", batch_size)):
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
    check_last_dimension(x, model.dim)
    history = {"nll": []}
    for _ in range(steps):
        rows = torch.randint(len(x), (batch_size,), generator=generator).to(x.device)
        loss = nll(model, x[rows])
        loss.backward()
        history["nll"].append(loss.item())
    return history


@mistake(
    "same_batch_every_step",
    title="every step uses the same mini-batch",
    hint="Draw a new mini-batch inside the loop, otherwise the flow learns those few points by heart.",
    loses=("fresh_batches",),
    may_lose=("held_out_nll", "latents_fit"),
)
def train_flow(model, x, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    for name, count in (("steps", steps), ("batch_size", batch_size)):
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
    check_last_dimension(x, model.dim)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    rows = torch.randint(len(x), (batch_size,), generator=generator).to(x.device)
    history = {"nll": []}
    for _ in range(steps):
        loss = nll(model, x[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history["nll"].append(loss.item())
    return history


@mistake(
    "train_ignores_generator",
    title="`train_flow` does not draw its mini-batches from the generator",
    hint="Pass the generator on: torch.randint(..., generator=generator).",
    loses=("conventions",),
)
def train_flow(model, x, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    for name, count in (("steps", steps), ("batch_size", batch_size)):
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
    check_last_dimension(x, model.dim)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"nll": []}
    for _ in range(steps):
        rows = torch.randint(len(x), (batch_size,)).to(x.device)
        loss = nll(model, x[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history["nll"].append(loss.item())
    return history


@mistake(
    "seed_inside",
    title="`train_flow` seeds torch's global generator",
    hint="Whoever calls decides the seed: no torch.manual_seed inside a function.",
    loses=("conventions",),
)
def train_flow(model, x, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    for name, count in (("steps", steps), ("batch_size", batch_size)):
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
    check_last_dimension(x, model.dim)
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"nll": []}
    for _ in range(steps):
        rows = torch.randint(len(x), (batch_size,)).to(x.device)
        loss = nll(model, x[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history["nll"].append(loss.item())
    return history


@mistake(
    "history_is_sparse",
    title="the history holds one value in two steps",
    hint='history["nll"] has one value per step: `steps` values in all.',
    loses=("train_history",),
)
def train_flow(model, x, steps, batch_size=256, lr=1e-3, generator=None, progress=False):
    for name, count in (("steps", steps), ("batch_size", batch_size)):
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
    check_last_dimension(x, model.dim)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"nll": []}
    for step in range(steps):
        rows = torch.randint(len(x), (batch_size,), generator=generator).to(x.device)
        loss = nll(model, x[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 2 == 0:
            history["nll"].append(loss.item())
    return history


@mistake(
    "grid_log_density",
    title="`density_grid` returns the logarithm of the density",
    hint="log_prob is a logarithm: the density is its exponential, and is never negative.",
    loses=("density_grid",),
)
def density_grid(model, low, high, n):
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    parameter = next(model.parameters())
    side = torch.linspace(low, high, n, dtype=parameter.dtype, device=parameter.device)
    points = torch.cartesian_prod(side, side)
    with torch.no_grad():
        return points, model.log_prob(points)


@mistake(
    "grid_axes_swapped",
    title="the densities come in another order than the points",
    hint="Evaluate log_prob at the very points that you return: the k-th density belongs to the k-th point.",
    loses=("density_grid",),
)
def density_grid(model, low, high, n):
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    parameter = next(model.parameters())
    side = torch.linspace(low, high, n, dtype=parameter.dtype, device=parameter.device)
    points = torch.cartesian_prod(side, side)
    with torch.no_grad():
        return points, model.log_prob(points.flip(1)).exp()


@mistake(
    "density_as_image",
    title="`density_grid` returns the density as an n × n image",
    hint="One density per point, in the points' order, (n²,): leave the reshape to the figure.",
    loses=("density_grid",),
)
def density_grid(model, low, high, n):
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    parameter = next(model.parameters())
    side = torch.linspace(low, high, n, dtype=parameter.dtype, device=parameter.device)
    points = torch.cartesian_prod(side, side)
    with torch.no_grad():
        return points, model.log_prob(points).exp().reshape(n, n)


@mistake(
    "grid_diagonal",
    title="`density_grid` returns the points of a diagonal instead of a grid",
    hint="A grid of n × n points holds every pair of coordinates: use torch.cartesian_prod or meshgrid.",
    loses=("density_grid",),
)
def density_grid(model, low, high, n):
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    parameter = next(model.parameters())
    side = torch.linspace(low, high, n * n, dtype=parameter.dtype, device=parameter.device)
    points = torch.stack([side, side], dim=1)
    with torch.no_grad():
        return points, model.log_prob(points).exp()


@mistake(
    "counts_not_checked",
    title="wrong arguments are accepted",
    hint='Begin with the checks: `if n < 1: raise ValueError(f"n must be at least 1, got {n}")`.',
    loses=("errors",),
)
def check_last_dimension(x, dim, name="x"):
    return None
