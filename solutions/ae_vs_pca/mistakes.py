"""Typical wrong versions of ae_vs_pca's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake


@mistake(
    "no_centring",
    title="PCA of data that were not centred",
    hint="The components describe x - mean: without centring the first one points at the mean.",
    loses=("pca_subspace",),
)
def pca_fit(x, d):
    if not 1 <= d <= min(x.shape):
        raise ValueError("d out of range")
    return x.mean(0), torch.linalg.svd(x, full_matrices=False)[2][:d]


@mistake(
    "global_mean",
    title="one mean for all entries",
    hint="The mean is a point: one number for each of the D columns, x.mean(dim=0).",
    loses=("pca_mean", "pca_subspace"),
)
def pca_fit(x, d):
    if not 1 <= d <= min(x.shape):
        raise ValueError("d out of range")
    return x.mean(), torch.linalg.svd(x - x.mean(), full_matrices=False)[2][:d]


@mistake(
    "components_smallest",
    title="the components of smallest variance",
    hint="torch.linalg.eigh sorts its eigenvalues ascending: the principal components are the last columns.",
    loses=("pca_subspace", "pca_order"),
)
def pca_fit(x, d):
    if not 1 <= d <= min(x.shape):
        raise ValueError("d out of range")
    mean = x.mean(0)
    return mean, torch.linalg.eigh((x - mean).T @ (x - mean)).eigenvectors[:, :d].T


@mistake(
    "components_ascending",
    title="components by ascending variance",
    hint="The first component is the direction of largest variance: turn the order of eigh round.",
    loses=("pca_order",),
)
def pca_fit(x, d):
    if not 1 <= d <= min(x.shape):
        raise ValueError("d out of range")
    mean = x.mean(0)
    return mean, torch.linalg.eigh((x - mean).T @ (x - mean)).eigenvectors[:, -d:].T


@mistake(
    "v_transposed",
    title="columns of Vᵀ instead of its rows",
    hint="torch.linalg.svd returns Vᵀ: its rows are the components, and its columns are nothing of use.",
    loses=("pca_subspace", "pca_order"),
)
def pca_fit(x, d):
    if not 1 <= d <= min(x.shape):
        raise ValueError("d out of range")
    mean = x.mean(0)
    Vh = torch.linalg.svd(x - mean, full_matrices=True)[2]  # (D, D)
    return mean, Vh[:, :d].T


@mistake(
    "standardised",
    title="PCA of standardised data",
    hint="PCA of the covariance centres the data and leaves their scales: do not divide by the standard deviation.",
    loses=("pca_subspace", "pca_order"),
)
def pca_fit(x, d):
    if not 1 <= d <= min(x.shape):
        raise ValueError("d out of range")
    mean = x.mean(0)
    return mean, torch.linalg.svd((x - mean) / x.std(0), full_matrices=False)[2][:d]


@mistake(
    "d_not_checked",
    title="d not checked",
    hint="Slicing past the end gives fewer components in silence: raise ValueError unless 1 <= d <= min(n, D).",
    loses=("d_refused",),
)
def pca_fit(x, d):
    mean = x.mean(0)
    return mean, torch.linalg.svd(x - mean, full_matrices=False)[2][:d]


@mistake(
    "encode_without_mean",
    title="codes of data that were not centred",
    hint="Subtract the mean before you project: the code of the mean is 0.",
    loses=("pca_encode",),
)
def pca_encode(x, mean, components):
    return x @ components.T


@mistake(
    "codes_whitened",
    title="codes divided by their standard deviation",
    hint="A code holds plain coordinates along the components: no whitening.",
    loses=("pca_encode",),
)
def pca_encode(x, mean, components):
    z = (x - mean) @ components.T
    return z / z.std(0)


@mistake(
    "mean_not_added",
    title="the mean not added back",
    hint="The code describes x - mean: add the mean to come back to x.",
    loses=("pca_decode",),
)
def pca_decode(z, mean, components):
    return z @ components


@mistake(
    "shares_of_the_kept",
    title="shares of the variance that was kept",
    hint="Divide by the variance of all D directions: the d shares sum to less than 1.",
    loses=("explained_shares",),
)
def explained_variance_ratio(x, d):
    if not 1 <= d <= min(x.shape):
        raise ValueError("d out of range")
    variances = torch.linalg.svdvals(x - x.mean(0))[:d] ** 2
    return variances / variances.sum()


@mistake(
    "shares_cumulated",
    title="cumulated shares",
    hint="Each entry is the share of one component: no cumsum.",
    loses=("explained_shares",),
)
def explained_variance_ratio(x, d):
    if not 1 <= d <= min(x.shape):
        raise ValueError("d out of range")
    variances = torch.linalg.svdvals(x - x.mean(0)) ** 2
    return (variances / variances.sum()).cumsum(0)[:d]


@mistake(
    "shares_of_deviations",
    title="singular values not squared",
    hint="Variances are squares of singular values, over n.",
    loses=("explained_shares",),
)
def explained_variance_ratio(x, d):
    if not 1 <= d <= min(x.shape):
        raise ValueError("d out of range")
    values = torch.linalg.svdvals(x - x.mean(0))
    return values[:d] / values.sum()


@mistake(
    "shares_not_centred",
    title="variances of data that were not centred",
    hint="A variance is taken around the mean: centre x first.",
    loses=("explained_shares",),
)
def explained_variance_ratio(x, d):
    if not 1 <= d <= min(x.shape):
        raise ValueError("d out of range")
    variances = torch.linalg.svdvals(x) ** 2
    return variances[:d] / variances.sum()


@mistake(
    "shares_smallest",
    title="shares of the smallest variances",
    hint="torch.linalg.eigvalsh sorts ascending: the largest variances come last.",
    loses=("explained_shares",),
)
def explained_variance_ratio(x, d):
    if not 1 <= d <= min(x.shape):
        raise ValueError("d out of range")
    values = torch.linalg.eigvalsh((x - x.mean(0)).T @ (x - x.mean(0)))
    return values[:d] / values.sum()


@mistake(
    "linear_with_relu",
    title="a ReLU in the linear auto-encoder",
    hint="LinearAutoencoder is affine: no activation anywhere.",
    loses=("linear_affine", "linear_optimum", "linear_subspace"),
)
class LinearAutoencoder(LinearAutoencoder):
    def encode(self, x):
        return super().encode(x).relu()


@mistake(
    "relu_on_code",
    title="a ReLU on the code",
    hint="A ReLU after the last layer of the encoder cuts off half of every axis of the code.",
    loses=("code_linear", "beats_pca"),
)
class Autoencoder(Autoencoder):
    def encode(self, x):
        return super().encode(x).relu()


@mistake(
    "relu_on_output",
    title="a ReLU on the output",
    hint="Where the output is below 0 a ReLU has no gradient, and black pixels stop learning: leave it linear.",
    loses=("output_linear", "beats_pca"),
)
class Autoencoder(Autoencoder):
    def decode(self, z):
        return super().decode(z).relu()


@mistake(
    "sigmoid_on_output",
    title="a sigmoid on the output",
    hint="The output of the course's network is linear: the squared error is asked of any data, not of pixels only.",
    loses=("output_linear", "beats_pca"),
)
class Autoencoder(Autoencoder):
    def decode(self, z):
        return super().decode(z).sigmoid()


@mistake(
    "no_hidden_relu",
    title="hidden layers without activation",
    hint="Affine layers one after the other are one affine layer: put a ReLU after each hidden one.",
    loses=("hidden_relu", "beats_pca"),
)
class Autoencoder(Autoencoder):
    @staticmethod
    def _layers(sizes):
        return nn.Sequential(*(nn.Linear(a, b) for a, b in pairwise(sizes)))


@mistake(
    "relu_after_first_only",
    title="a ReLU after the first hidden layer only",
    hint="Each hidden layer has its ReLU: two affine layers with nothing between them are one.",
    loses=("hidden_relu",),
)
class Autoencoder(Autoencoder):
    @staticmethod
    def _layers(sizes):
        first, *rest = [nn.Linear(a, b) for a, b in pairwise(sizes)]
        return nn.Sequential(first, nn.ReLU(), *rest)


@mistake(
    "hidden_not_mirrored",
    title="the decoder's hidden layers in the encoder's order",
    hint="The decoder mirrors the encoder: its hidden sizes come in reverse order.",
    loses=("autoencoder_sizes",),
)
class Autoencoder(Autoencoder):
    def __init__(self, D=784, hidden=(1024, 256), d=128):
        super().__init__(D, hidden, d)
        self.decoder = self._layers([d, *hidden, D])


@mistake(
    "forward_is_code",
    title="forward returns the code",
    hint="forward gives reconstructions: decode what encode returns.",
    loses=("forward_composed", "linear_optimum", "linear_subspace", "beats_pca"),
)
class Autoencoder(Autoencoder):
    def forward(self, x):
        return self.encode(x)


@mistake("forward_is_code")
class LinearAutoencoder(LinearAutoencoder):
    def forward(self, x):
        return self.encode(x)


@mistake(
    "sum_for_mean",
    title="sum of the squared errors instead of their mean",
    hint="Average over all entries: a sum grows with the batch and with the size of the images.",
    loses=("loss_value",),
)
def reconstruction_loss(x, x_hat):
    if x.shape != x_hat.shape:
        raise ValueError("shapes differ")
    return ((x_hat - x) ** 2).sum()


@mistake(
    "mean_over_samples_only",
    title="mean over the samples, sum over the entries of each",
    hint="The mean is over all entries: divide by the number of samples and by D.",
    loses=("loss_value",),
)
def reconstruction_loss(x, x_hat):
    if x.shape != x_hat.shape:
        raise ValueError("shapes differ")
    return ((x_hat - x) ** 2).sum(1).mean()


@mistake(
    "root_of_loss",
    title="the root of the mean squared error",
    hint="The mean of the squared errors itself: no root.",
    loses=("loss_value",),
)
def reconstruction_loss(x, x_hat):
    if x.shape != x_hat.shape:
        raise ValueError("shapes differ")
    return ((x_hat - x) ** 2).mean().sqrt()


@mistake(
    "loss_broadcasts",
    title="shapes not compared",
    hint="(B, D) minus (B, 1) broadcasts to a number without meaning: raise ValueError where the shapes differ.",
    loses=("loss_refused",),
)
def reconstruction_loss(x, x_hat):
    return ((x_hat - x) ** 2).mean()


@mistake(
    "weights_never_updated",
    title="weights that are never updated",
    hint="backward only fills the gradients: optimizer.step() changes the weights.",
    loses=("training_learns", "linear_optimum", "linear_subspace", "beats_pca"),
)
def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs < 1 or batch_size < 1:
        raise ValueError("epochs and batch_size must be at least 1")
    history = {"loss": []}
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            model.zero_grad()
            loss = reconstruction_loss(x[rows], model(x[rows]))
            loss.backward()
            total += loss.item() * len(rows)
        history["loss"].append(total / len(x))
    return history


@mistake(
    "gradients_accumulate",
    title="gradients that add up from batch to batch",
    hint="backward adds to the gradients that are there: call optimizer.zero_grad() before it.",
    loses=("training_learns", "linear_optimum", "linear_subspace", "beats_pca"),
)
def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs < 1 or batch_size < 1:
        raise ValueError("epochs and batch_size must be at least 1")
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            loss = reconstruction_loss(x[rows], model(x[rows]))
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        history["loss"].append(total / len(x))
    return history


@mistake(
    "last_batch_dropped",
    title="incomplete batches dropped",
    hint="The last batch of an epoch may be smaller; it is used all the same (drop_last=False).",
    loses=("training_batches",),
)
def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs < 1 or batch_size < 1:
        raise ValueError("epochs and batch_size must be at least 1")
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    for _ in range(epochs):
        losses = []
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            if len(rows) < batch_size:
                continue
            optimizer.zero_grad()
            loss = reconstruction_loss(x[rows], model(x[rows]))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        history["loss"].append(sum(losses) / len(losses))
    return history


@mistake(
    "first_batch_only",
    title="only the first batch used",
    hint="An epoch is a pass over all samples: take batch after batch until each was seen.",
    loses=("training_batches", "training_history", "linear_optimum", "linear_subspace", "beats_pca"),
)
def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs < 1 or batch_size < 1:
        raise ValueError("epochs and batch_size must be at least 1")
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    for _ in range(epochs):
        batch = x[:batch_size]
        optimizer.zero_grad()
        loss = reconstruction_loss(batch, model(batch))
        loss.backward()
        optimizer.step()
        history["loss"].append(loss.item())
    return history


@mistake(
    "history_of_last_batch",
    title="the loss of the last batch instead of the epoch's mean",
    hint="Collect the losses of all batches of the epoch and average them.",
    loses=("training_history",),
)
def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs < 1 or batch_size < 1:
        raise ValueError("epochs and batch_size must be at least 1")
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            optimizer.zero_grad()
            loss = reconstruction_loss(x[rows], model(x[rows]))
            loss.backward()
            optimizer.step()
        history["loss"].append(loss.item())
    return history


@mistake(
    "history_summed",
    title="the sum of the batches' losses",
    hint="The history holds the mean loss of each epoch: divide by the number of batches.",
    loses=("training_history",),
)
def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs < 1 or batch_size < 1:
        raise ValueError("epochs and batch_size must be at least 1")
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            optimizer.zero_grad()
            loss = reconstruction_loss(x[rows], model(x[rows]))
            loss.backward()
            optimizer.step()
            total += loss.item()
        history["loss"].append(total)
    return history


@mistake(
    "history_per_batch",
    title="one loss per batch in the history",
    hint="The history has one number per epoch: the mean of the losses of its batches.",
    loses=("training_history",),
)
def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs < 1 or batch_size < 1:
        raise ValueError("epochs and batch_size must be at least 1")
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            optimizer.zero_grad()
            loss = reconstruction_loss(x[rows], model(x[rows]))
            loss.backward()
            optimizer.step()
            history["loss"].append(loss.item())
    return history


@mistake(
    "generator_ignored",
    title="the generator ignored",
    hint="Pass the generator to what shuffles (torch.randperm, DataLoader): with one seed comes one training.",
    loses=("training_generator",),
)
def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs < 1 or batch_size < 1:
        raise ValueError("epochs and batch_size must be at least 1")
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x)).split(batch_size):
            optimizer.zero_grad()
            loss = reconstruction_loss(x[rows], model(x[rows]))
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        history["loss"].append(total / len(x))
    return history


@mistake(
    "seed_inside",
    title="the global generator seeded inside a function",
    hint="A seed inside a function makes every later draw of the program the same: leave the global generator alone.",
    loses=("training_generator",),
)
def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs < 1 or batch_size < 1:
        raise ValueError("epochs and batch_size must be at least 1")
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            optimizer.zero_grad()
            loss = reconstruction_loss(x[rows], model(x[rows]))
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        history["loss"].append(total / len(x))
    return history


@mistake(
    "learning_rate_ignored",
    title="the learning rate ignored",
    hint="Pass `lr` to the optimiser.",
    loses=("training_history",),
    may_lose=("linear_optimum", "linear_subspace"),
)
def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs < 1 or batch_size < 1:
        raise ValueError("epochs and batch_size must be at least 1")
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    history = {"loss": []}
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            optimizer.zero_grad()
            loss = reconstruction_loss(x[rows], model(x[rows]))
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        history["loss"].append(total / len(x))
    return history


@mistake(
    "epochs_not_checked",
    title="epochs not checked",
    hint="Zero epochs train nothing and return an empty history: raise ValueError below 1.",
    loses=("training_refused",),
)
def train_autoencoder(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if batch_size < 1:
        raise ValueError("batch_size must be at least 1")
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"loss": []}
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            optimizer.zero_grad()
            loss = reconstruction_loss(x[rows], model(x[rows]))
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        history["loss"].append(total / len(x))
    return history


@mistake(
    "cosines_for_angles",
    title="cosines instead of angles",
    hint="The singular values are cosines: take their arc cosine.",
    loses=("angles_values", "angles_extremes"),
)
def principal_angles(A, B):
    return torch.linalg.svdvals(torch.linalg.qr(A.T)[0].T @ torch.linalg.qr(B.T)[0])


@mistake(
    "angles_in_degrees",
    title="angles in degrees",
    hint="Angles are asked for in radians: pi/2 for orthogonal spaces.",
    loses=("angles_values", "angles_extremes"),
)
def principal_angles(A, B):
    cosines = torch.linalg.svdvals(torch.linalg.qr(A.T)[0].T @ torch.linalg.qr(B.T)[0])
    return torch.rad2deg(cosines.clamp(max=1).acos())


@mistake(
    "largest_angle_only",
    title="only the largest angle",
    hint="There are min(d_A, d_B) principal angles: return all of them.",
    loses=("angles_values", "angles_extremes"),
)
def principal_angles(A, B):
    cosines = torch.linalg.svdvals(torch.linalg.qr(A.T)[0].T @ torch.linalg.qr(B.T)[0])
    return cosines.clamp(max=1).acos().max()


@mistake(
    "bases_not_orthonormalised",
    title="rows taken as orthonormal",
    hint="The singular values of A Bᵀ are cosines only for orthonormal rows: apply QR to each basis first.",
    loses=("angles_values", "angles_extremes"),
)
def principal_angles(A, B):
    return torch.linalg.svdvals(A @ B.T).clamp(max=1).acos()


@mistake(
    "rows_only_normalised",
    title="rows normalised but not made orthogonal",
    hint="Rows of length 1 need not be orthogonal to each other: apply QR to each basis first.",
    loses=("angles_values", "angles_extremes"),
)
def principal_angles(A, B):
    A, B = nn.functional.normalize(A, dim=1), nn.functional.normalize(B, dim=1)
    return torch.linalg.svdvals(A @ B.T).clamp(max=1).acos()


@mistake(
    "angles_nan",
    title="arc cosine of a rounded cosine above 1",
    hint="Rounding gives cosines such as 1.0000000000000002, whose arc cosine is NaN: clamp them.",
    loses=("angles_extremes",),
)
def principal_angles(A, B):
    return torch.linalg.svdvals(torch.linalg.qr(A.T)[0].T @ torch.linalg.qr(B.T)[0]).acos()


@mistake(
    "interpolation_reversed",
    title="interpolation in the other direction",
    hint="alpha weighs the code of x1: alpha = 1 gives the reconstruction of x1.",
    loses=("interpolation_values",),
)
def interpolate(model, x1, x2, alphas):
    z1, z2 = model.encode(x1.reshape(1, -1)), model.encode(x2.reshape(1, -1))
    alphas = torch.as_tensor(alphas, dtype=z1.dtype)[:, None]
    return model.decode((1 - alphas) * z1 + alphas * z2)


@mistake(
    "alphas_replaced",
    title="evenly spaced weights instead of the given ones",
    hint="Row k belongs to alphas[k]: use the weights that are given, in their order.",
    loses=("interpolation_values",),
)
def interpolate(model, x1, x2, alphas):
    z1, z2 = model.encode(x1.reshape(1, -1)), model.encode(x2.reshape(1, -1))
    alphas = torch.linspace(0, 1, len(alphas), dtype=z1.dtype)[:, None]
    return model.decode(alphas * z1 + (1 - alphas) * z2)


@mistake(
    "interpolation_of_pixels",
    title="samples mixed instead of codes",
    hint="Mix the codes, then decode: the mixture of two images is a double exposure.",
    loses=("interpolation_values",),
)
def interpolate(model, x1, x2, alphas):
    alphas = torch.as_tensor(alphas, dtype=x1.dtype)[:, None]
    return model.decode(model.encode(alphas * x1.reshape(1, -1) + (1 - alphas) * x2.reshape(1, -1)))


@mistake(
    "reconstructions_mixed",
    title="reconstructions mixed instead of codes",
    hint="Decode once, at the mixture of the two codes.",
    loses=("interpolation_values",),
)
def interpolate(model, x1, x2, alphas):
    alphas = torch.as_tensor(alphas, dtype=x1.dtype)[:, None]
    return alphas * model(x1.reshape(1, -1)) + (1 - alphas) * model(x2.reshape(1, -1))


@mistake(
    "single_precision",
    title="float64 data turned into float32",
    hint="The dtype of the input is kept: no .float() on the way.",
    loses=("conventions",),
)
def pca_encode(x, mean, components):
    return (x.float() - mean.float()) @ components.float().T


@mistake(
    "arguments_changed",
    title="arguments changed in place",
    hint="Whoever calls a function still needs what was passed: no `-=`, no method with a trailing underscore on it.",
    loses=("conventions",),
)
def pca_encode(x, mean, components):
    x -= mean
    return x @ components.T
