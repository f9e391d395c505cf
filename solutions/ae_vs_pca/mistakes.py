"""Typical wrong versions of ae_vs_pca's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake

# A catalogue: each entry is a paragraph.
# fmt: off

# --- principal components -------------------------------------------------------------------------

mistake("no_centring", "PCA of data that were not centred", check="pca_subspace",
    hint="The components describe x - mean: without centring the first one points at the mean.",
    old="svd(x - mean,", new="svd(x,")

mistake("global_mean", "one mean for all entries", check="pca_mean",
    hint="The mean is a point: one number for each of the D columns, x.mean(dim=0).",
    also={"single_row": "the mean is no point",
          "pca_subspace": "data around another point have other components"},
    function="pca_fit", old="x.mean(dim=0)", new="x.mean()")

mistake("components_smallest", "the components of smallest variance", check="pca_subspace",
    hint="torch.linalg.eigh sorts its eigenvalues ascending: the principal components are the last columns.",
    also={"pca_order": "eigh sorts ascending"},
    old="_, _, Vh = torch.linalg.svd(x - mean, full_matrices=False)",
    new="Vh = torch.linalg.eigh((x - mean).T @ (x - mean)).eigenvectors.T")

mistake("components_ascending", "components by ascending variance", check="pca_order",
    hint="The first component is the direction of largest variance: turn the order of eigh round.",
    old="Vh[:d]", new="Vh[:d].flip(0)")

mistake("v_transposed", "columns of Vᵀ instead of its rows", check="pca_subspace",
    hint="torch.linalg.svd returns Vᵀ: its rows are the components, and its columns are nothing of use.",
    also={"pca_order": "the variances along such directions have no order"},
    old="full_matrices=False", new="full_matrices=True")
mistake("v_transposed",
    old="Vh[:d]", new="Vh[:, :d].T")

mistake("standardised", "PCA of standardised data", check="pca_subspace",
    hint="PCA of the covariance centres the data and leaves their scales: do not divide by the standard deviation.",
    also={"pca_order": "the order is that of the standardised variances"},
    old="svd(x - mean,", new="svd((x - mean) / x.std(0),")

mistake("d_not_checked", "d not checked", check="refusals",
    hint="Slicing past the end gives fewer components in silence: raise ValueError unless 1 <= d <= min(n, D).",
    function="pca_fit", old="not 1 <= d <= min(x.shape)", new="False")

mistake("divided_by_zero_variance", "components divided by deviations that are 0", check="pca_order",
    hint="Eigenvectors of the (n, n) products of the rows give components only where the variance is above 0.",
    old="_, _, Vh = torch.linalg.svd(x - mean, full_matrices=False)",
    new="y = x - mean; w, U = torch.linalg.eigh(y @ y.T); Vh = (U.T @ y / w.abs().sqrt()[:, None]).flip(0)")

mistake("encode_without_mean", "codes of data that were not centred", check="pca_encode",
    hint="Subtract the mean before you project: the code of the mean is 0.",
    old="(x - mean) @", new="x @")

@mistake("codes_whitened", "codes divided by their standard deviation", check="pca_encode",
    hint="A code holds plain coordinates along the components: no whitening.",
    also={"single_row": "one sample has no deviation"})
def pca_encode(solution, x, mean, components):
    z = solution(x, mean, components)
    return z / z.std(0)

mistake("mean_not_added", "the mean not added back", check="pca_decode",
    hint="The code describes x - mean: add the mean to come back to x.",
    old="z @ components + mean", new="z @ components")

mistake("shares_of_the_kept", "shares of the variance that was kept", check="explained_shares",
    hint="Divide by the variance of all D directions: the d shares sum to less than 1.",
    old="variances.sum()", new="variances[:d].sum()")

mistake("shares_cumulated", "cumulated shares", check="explained_shares",
    hint="Each entry is the share of one component: no cumsum.",
    old="variances[:d] /", new="variances[:d].cumsum(0) /")

mistake("shares_of_deviations", "singular values not squared", check="explained_shares",
    hint="Variances are squares of singular values, over n.",
    old="svdvals(x - x.mean(dim=0)) ** 2", new="svdvals(x - x.mean(dim=0))")

mistake("shares_not_centred", "variances of data that were not centred", check="explained_shares",
    hint="A variance is taken around the mean: centre x first.",
    old="svdvals(x - x.mean(dim=0))", new="svdvals(x)")

mistake("shares_smallest", "shares of the smallest variances", check="explained_shares",
    hint="torch.linalg.eigvalsh sorts ascending: the largest variances come last.",
    old="torch.linalg.svdvals(x - x.mean(dim=0)) ** 2",
    new="torch.linalg.eigvalsh((x - x.mean(0)).T @ (x - x.mean(0)))")

# --- auto-encoders --------------------------------------------------------------------------------

mistake("linear_with_relu", "a ReLU in the linear auto-encoder", check="linear_affine",
    hint="LinearAutoencoder is affine: no activation anywhere.",
    function="LinearAutoencoder.encode", old="self.encoder(x)", new="self.encoder(x).relu()")

mistake("relu_on_code", "a ReLU on the code", check="code_linear",
    hint="A ReLU after the last layer of the encoder cuts off half of every axis of the code.",
    function="Autoencoder.encode", old="self.encoder(x)", new="self.encoder(x).relu()")

mistake("relu_on_output", "a ReLU on the output", check="output_linear",
    hint="Where the output is below 0 a ReLU has no gradient, and black pixels stop learning: leave it linear.",
    function="Autoencoder.decode", old="self.decoder(z)", new="self.decoder(z).relu()")

mistake("sigmoid_on_output", "a sigmoid on the output", check="output_linear",
    hint="The output of the course's network is linear: the squared error is asked of any data, not of pixels only.",
    function="Autoencoder.decode", old="self.decoder(z)", new="self.decoder(z).sigmoid()")

mistake("no_hidden_relu", "hidden layers without activation", check="hidden_relu",
    hint="Affine layers one after the other are one affine layer: put a ReLU after each hidden one.",
    old="nn.ReLU()", new="nn.Identity()")

mistake("relu_after_first_only", "a ReLU after the first hidden layer only", check="hidden_relu",
    hint="Each hidden layer has its ReLU: two affine layers with nothing between them are one.",
    old="nn.ReLU()", new="nn.Identity() if layers else nn.ReLU()")

mistake("leaky_relu", "an activation that lets negative values through", check="hidden_relu",
    hint="A ReLU gives exactly 0 below 0: LeakyReLU and its like keep a slope there.",
    old="nn.ReLU()", new="nn.LeakyReLU(0.01)")

mistake("hidden_as_tuple_only", "hidden sizes taken as a tuple only", check="autoencoder_sizes",
    hint="`hidden` is a Sequence, a list as well as a tuple: [D, *hidden, d] takes both.",
    old="sizes = [D, *hidden, d]", new="sizes = (D,) + hidden + (d,)")

mistake("hidden_not_mirrored", "the decoder's hidden layers in the encoder's order", check="autoencoder_sizes",
    hint="The decoder mirrors the encoder: its hidden sizes come in reverse order.",
    old="sizes[::-1]", new="[d, *hidden, D]")

mistake("code_size_fixed", "a code of one size whatever d is", check="autoencoder_sizes",
    hint="The size of the code is an argument: use d where the layers are made.",
    also={("forward_composed", "single_row", "code_linear", "output_linear", "hidden_relu"):
          "its codes have another size"},
    old="sizes = [D, *hidden, d]", new="sizes = [D, *hidden, 128]")

mistake("code_squeezed", "the code of one sample loses an axis", check="single_row",
    hint="`squeeze()` takes away every axis of length 1, that of a batch of one too: leave the shape as it is.",
    function="Autoencoder.encode", old="self.encoder(x)", new="self.encoder(x).squeeze()")
mistake("code_squeezed",
    function="LinearAutoencoder.encode", old="self.encoder(x)", new="self.encoder(x).squeeze()")

mistake("forward_is_code", "forward returns the code", check="forward_composed",
    hint="forward gives reconstructions: decode what encode returns.",
    also={"autoencoder_sizes": "the decoder is not used"},
    function="Autoencoder.forward", old="self.decode(self.encode(x))", new="self.encode(x)")
mistake("forward_is_code",
    function="LinearAutoencoder.forward", old="self.decode(self.encode(x))", new="self.encode(x)")

# --- loss and training ----------------------------------------------------------------------------

mistake("sum_for_mean", "sum of the squared errors instead of their mean", check="loss_value",
    hint="Average over all entries: a sum grows with the batch and with the size of the images.",
    old="((x_hat - x) ** 2).mean()", new="((x_hat - x) ** 2).sum()")

mistake("mean_over_samples_only", "mean over the samples, sum over the entries of each", check="loss_value",
    hint="The mean is over all entries: divide by the number of samples and by D.",
    old="((x_hat - x) ** 2).mean()", new="((x_hat - x) ** 2).sum(1).mean()")

mistake("half_sum_for_mean", "half of the sum of the squared errors instead of their mean", check="loss_value",
    hint="Half of the sum is a Gaussian's minus log-likelihood, up to a constant: asked is the mean over all entries.",
    old="((x_hat - x) ** 2).mean()", new="0.5 * ((x_hat - x) ** 2).sum()")

mistake("root_of_loss", "the root of the mean squared error", check="loss_value",
    hint="The mean of the squared errors itself: no root.",
    old="((x_hat - x) ** 2).mean()", new="((x_hat - x) ** 2).mean().sqrt()")

mistake("loss_detached", "a loss that cannot be differentiated", check="loss_value",
    hint="The training goes down the gradient of the loss: nothing on its way from x_hat may be detached.",
    old="((x_hat - x) ** 2).mean()", new="((x_hat - x) ** 2).mean().detach()")
mistake("loss_detached",
    old="reconstruction_loss(batch, model(batch))", new="nn.functional.mse_loss(model(batch), batch)")

mistake("loss_broadcasts", "shapes not compared", check="refusals",
    hint="(B, D) minus (B, 1) broadcasts to a number without meaning: raise ValueError where the shapes differ.",
    old="x.shape != x_hat.shape", new="False")

mistake("weights_never_updated", "weights that are never updated", check="training_learns",
    hint="backward only fills the gradients: optimizer.step() changes the weights.",
    also={("training_batches", "training_history", "training_generator"): "nothing is trained"},
    old="optimizer.step()", new="")

mistake("copy_trained", "a copy of the model trained instead of the model", check="training_learns",
    hint="The model is trained in place: the weights of the one that was given are those that change.",
    also={("training_batches", "training_history", "training_generator"): "nothing is trained"},
    old="optimizer = torch", new="import copy; model = copy.deepcopy(model); optimizer = torch")

@mistake("formula_for_training", "weights by the formula of PCA instead of a training", check="linear_optimum",
    hint="Training moves the weights step by step, down the gradient of the loss.")
def train_autoencoder(solution, model, x, *args, **named):
    if isinstance(model, LinearAutoencoder):
        mean, components = pca_fit(x, model.encoder.out_features)
        with torch.no_grad():
            model.encoder.weight.copy_(components), model.decoder.weight.copy_(components.T)
            model.encoder.bias.copy_(-components @ mean), model.decoder.bias.copy_(mean)
    return solution(model, x, *args, **named)

mistake("gradients_accumulate", "gradients that add up from batch to batch", check="training_learns",
    hint="backward adds to the gradients that are there: call optimizer.zero_grad() before it.",
    old="optimizer.zero_grad()", new="")

mistake("last_batch_dropped", "incomplete batches dropped", check="training_batches",
    hint="The last batch of an epoch may be smaller; it is used all the same (drop_last=False).",
    old=".split(batch_size)", new=".split(batch_size)[: len(x) // batch_size]")
mistake("last_batch_dropped",
    old="append(total / len(x))", new="append(total / (len(x) // batch_size * batch_size))")

mistake("first_batch_only", "only the first batch used", check="training_batches",
    hint="An epoch is a pass over all samples: take batch after batch until each was seen.",
    also={"training_history": "the history is that batch's alone"},
    old="torch.randperm(len(x), generator=generator, device=device).to(x.device).split(batch_size)",
    new="[slice(batch_size)]")
mistake("first_batch_only",
    old="append(total / len(x))", new="append(loss.item())")

mistake("batch_size_ignored", "all samples in one batch", check="training_batches",
    hint="A batch has batch_size samples: one update for each batch, several in an epoch.",
    old=".split(batch_size)", new=".split(len(x))")

mistake("history_of_last_batch", "the loss of the last batch instead of the epoch's mean", check="training_history",
    hint="Collect the losses of all batches of the epoch and average them.",
    old="append(total / len(x))", new="append(loss.item())")

mistake("history_summed", "the sum of the batches' losses", check="training_history",
    hint="The history holds the mean loss of each epoch: divide by the number of batches.",
    old="append(total / len(x))", new="append(total)")
mistake("history_summed",
    old="loss.item() * len(batch)", new="loss.item()")

mistake("history_per_batch", "one loss per batch in the history", check="training_history",
    hint="The history has one number per epoch: the mean of the losses of its batches.",
    old="total += loss.item() * len(batch)", new='history["loss"].append(loss.item())')
mistake("history_per_batch",
    old='history["loss"].append(total / len(x))', new="")

mistake("learning_rate_ignored", "the learning rate ignored", check="training_history",
    hint="Pass `lr` to the optimiser.",
    old="model.parameters(), lr=lr", new="model.parameters()")

mistake("generator_ignored", "the generator ignored", check="training_generator",
    hint="Pass the generator to what shuffles (torch.randperm, DataLoader): with one seed comes one training.",
    old="len(x), generator=generator", new="len(x)")

@mistake("seed_inside", "the global generator seeded inside a function", check="training_generator",
    hint="A seed inside a function makes every later draw of the program the same: leave the global generator alone.")
def train_autoencoder(solution, *args, **named):
    torch.manual_seed(0)
    return solution(*args, **named)

mistake("epochs_not_checked", "epochs not checked", check="refusals",
    hint="Zero epochs train nothing and return an empty history: raise ValueError below 1.",
    old="epochs < 1", new="False")

# --- principal angles -----------------------------------------------------------------------------

mistake("cosines_for_angles", "cosines instead of angles", check="angles_values",
    hint="The singular values are cosines: take their arc cosine.",
    also={"angles_extremes": "1 for 0 and 0 for pi/2"},
    old=".clamp(max=1).acos()", new="")

mistake("angles_in_degrees", "angles in degrees", check="angles_values",
    hint="Angles are asked for in radians: pi/2 for orthogonal spaces.",
    also={"angles_extremes": "90 for pi/2"},
    old=".acos()", new=".acos().rad2deg()")

mistake("largest_angle_only", "only the largest angle", check="angles_values",
    hint="There are min(d_A, d_B) principal angles: return all of them.",
    also={"angles_extremes": "one angle where there are several"},
    old=".acos()", new=".acos().max()")

mistake("bases_not_orthonormalised", "rows taken as orthonormal", check="angles_values",
    hint="The singular values of A Bᵀ are cosines only for orthonormal rows: apply QR to each basis first.",
    also={"angles_extremes": "equal spaces with other bases, too"},
    old="Q_A.T @ Q_B", new="A @ B.T")

mistake("rows_only_normalised", "rows normalised but not made orthogonal", check="angles_values",
    hint="Rows of length 1 need not be orthogonal to each other: apply QR to each basis first.",
    also={"angles_extremes": "equal spaces with other bases, too"},
    old="Q_A.T @ Q_B", new="nn.functional.normalize(A, dim=1) @ nn.functional.normalize(B, dim=1).T")

mistake("angles_nan", "arc cosine of a rounded cosine above 1", check="angles_extremes",
    hint="Rounding gives cosines such as 1.0000000000000002, whose arc cosine is NaN: clamp them.",
    old=".clamp(max=1)", new="")

# --- interpolation --------------------------------------------------------------------------------

mistake("interpolation_reversed", "interpolation in the other direction", check="interpolation_values",
    hint="alpha weighs the code of x1: alpha = 1 gives the reconstruction of x1.",
    also={"interpolation_forms": "in every form"},
    old="weights * z1 + (1 - weights) * z2", new="(1 - weights) * z1 + weights * z2")

mistake("alphas_replaced", "evenly spaced weights instead of the given ones", check="interpolation_values",
    hint="Row k belongs to alphas[k]: use the weights that are given, in their order.",
    also={"interpolation_forms": "in every form"},
    old="torch.as_tensor(alphas, dtype=z1.dtype, device=z1.device)",
    new="torch.linspace(0, 1, len(alphas), dtype=z1.dtype)")

mistake("interpolation_of_pixels", "samples mixed instead of codes", check="interpolation_values",
    hint="Mix the codes, then decode: the mixture of two images is a double exposure.",
    also={"interpolation_forms": "in every form"},
    old="weights * z1 + (1 - weights) * z2",
    new="model.encode(weights * x1.reshape(1, -1) + (1 - weights) * x2.reshape(1, -1))")

mistake("reconstructions_mixed", "reconstructions mixed instead of codes", check="interpolation_values",
    hint="Decode once, at the mixture of the two codes.",
    also={"interpolation_forms": "in every form"},
    old="model.decode(weights * z1 + (1 - weights) * z2)",
    new="weights * model.decode(z1) + (1 - weights) * model.decode(z2)")

# --- dtypes and arguments -------------------------------------------------------------------------

mistake("single_precision", "float64 data turned into float32", check="conventions",
    hint="The dtype of the input is kept: no .float() on the way.",
    old="(x - mean) @ components.T", new="(x.float() - mean.float()) @ components.float().T")

mistake("arguments_changed", "arguments changed in place", check="conventions",
    hint="Whoever calls a function still needs what was passed: no `-=`, no method with a trailing underscore on it.",
    old="(x - mean) @ components.T", new="x.sub_(mean) @ components.T")
