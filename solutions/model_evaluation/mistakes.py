"""Typical wrong versions of model_evaluation's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake

# A catalogue: each entry is a paragraph.
# fmt: off

# --- likelihood -----------------------------------------------------------------------------------

mistake("gaussian_determinant", "the logarithm of the determinant, which underflows", check="gaussian_many",
    hint="A determinant of 200 small numbers is 0 in floating point: sum the logarithms of a Cholesky factor's "
    "diagonal.",
    function="gaussian_log_likelihood", old="2 * root.diagonal().log().sum()", new="torch.linalg.det(cov).log()")

mistake("gaussian_one_2pi", "the constant of one dimension in every dimension", check="gaussian_value",
    hint="Each coordinate brings its own factor: D/2 log(2 pi).",
    function="gaussian_log_likelihood", old="x.shape[1] * math.log(2 * math.pi)", new="math.log(2 * math.pi)")

mistake("gaussian_log_det_whole", "the whole log-determinant instead of half of it", check="gaussian_value",
    hint="The density has (det Sigma)^(-1/2): half of the log-determinant.",
    also={"gaussian_many": "with 200 coordinates it is most of the value"},
    function="gaussian_log_likelihood", old="log_det = 2 * root", new="log_det = 4 * root")

mistake("gaussian_diagonal", "the diagonal of the covariance alone", check="gaussian_value",
    hint="The covariance is full: coordinates may vary together.",
    function="gaussian_log_likelihood", old="torch.linalg.cholesky(cov)", new="torch.diag(cov.diagonal().sqrt())")

mistake("bits_without_levels", "no bits for the division by the levels", check="bits",
    hint="A box of [0, 1]^D has the volume L^-D: log2 L bits per dimension are added.",
    function="bits_per_dim", old=" + math.log2(levels)", new="")

mistake("bits_in_nats", "nats instead of bits", check="bits",
    hint="From nats to bits: divide by ln 2.",
    function="bits_per_dim", old="(math.log(2) * x.shape[1]) + math.log2(levels)", new="x.shape[1] + math.log(levels)")

mistake("bits_levels_subtracted", "log2 of the levels with its sign reversed", check="bits",
    hint="A box of [0, 1]^D has the volume levels^-D: it is that much less probable, and costs log2 levels more.",
    function="bits_per_dim", old="+ math.log2(levels)", new="- math.log2(levels)")

mistake("bits_by_levels_minus_one", "images divided by levels - 1", check="bits",
    hint="x + u runs from 0 to L: divide by L, or points leave [0, 1].",
    function="bits_per_dim", old="+ noise) / levels)", new="+ noise) / (levels - 1))")

mistake("bits_not_per_dimension", "bits of the whole image", check="bits",
    hint="Bits per dimension: divide by the number of pixels.",
    function="bits_per_dim", old="(math.log(2) * x.shape[1])", new="math.log(2)")

mistake("bits_without_noise", "no dequantisation", check="bits",
    hint="Add the noise before the division: grey levels are whole numbers, and the density is asked for on boxes.",
    function="bits_per_dim", old="(x.to(noise.dtype) + noise)", new="x.to(noise.dtype)")

# --- Fréchet --------------------------------------------------------------------------------------

mistake("frechet_rooted", "the root of the distance", check="frechet_value",
    hint="FID is the squared distance: no root at the end.",
    also={"fid_value": "its root can be far from it"},
    function="frechet_distance", old="return distance.clamp_min(0)", new="return distance.clamp_min(0).sqrt()")

mistake("frechet_elementwise_root", "roots of the covariances' entries", check="frechet_value",
    hint="The root of a matrix is not the matrix of the roots: take the roots of its eigenvalues.",
    also={("fid_value", "fid_infinity", "table"): "with negative entries it can be far off"},
    function="symmetric_root", old="return vectors * values.clamp_min(0).sqrt() @ vectors.T",
    new="return cov.clamp_min(0).sqrt()")

mistake("frechet_trace_of_roots", "tr(Sigma1 Sigma2) without the root", check="frechet_value",
    hint="The trace is that of the root of the product, 2 (Sigma1^1/2 Sigma2 Sigma1^1/2)^1/2.",
    function="frechet_distance", old="torch.linalg.svdvals(symmetric_root(cov1) @ symmetric_root(cov2)).sum()",
    new="(symmetric_root(cov1) @ symmetric_root(cov2)).trace()")

mistake("frechet_cholesky", "Cholesky factors instead of symmetric roots", check="frechet_value",
    hint="tr(L1 L2) is not the trace of the root: take the eigenvalues of Sigma1^1/2 Sigma2 Sigma1^1/2.",
    also={("fid_value", "conventions"): "few rows have a singular covariance"},
    function="frechet_distance", old="torch.linalg.svdvals(symmetric_root(cov1) @ symmetric_root(cov2)).sum()",
    new="(torch.linalg.cholesky(cov1) @ torch.linalg.cholesky(cov2).T).trace()")

mistake("frechet_means_not_squared", "the distance of the means, not squared", check="frechet_value",
    hint="The squared distance of the means: sum the squares.",
    function="frechet_distance", old="(mean1 - mean2).square().sum()", new="(mean1 - mean2).norm()")

mistake("frechet_one_root", "the root taken once instead of twice", check="frechet_value",
    hint="Minus two roots: (a - b)^2 = a^2 + b^2 - 2ab.",
    function="frechet_distance", old="- 2 * trace_of_root", new="- trace_of_root")

mistake("fid_biased_covariance", "covariances over n", check="fid_value",
    hint="Covariances are those over n - 1.",
    function="moments", old="/ (len(features) - 1)", new="/ len(features)")

mistake("fid_variances", "variances of the features alone", check="fid_value",
    hint="Features vary together: the whole covariance counts.",
    function="moments", old="return mean, centred.T @ centred / (len(features) - 1)",
    new="return mean, torch.diag(centred.square().sum(dim=0) / (len(features) - 1))")

mistake("infinity_line_in_n", "a line in n instead of 1/n", check="fid_infinity",
    hint="The bias falls as 1/n: fit the line in 1/n and read it off at 0.",
    function="fid_infinity", old="[1 / n for n in sizes]", new="[float(n) for n in sizes]")

mistake("infinity_slope", "the slope of the line instead of its intercept", check="fid_infinity",
    hint="The limit is where the line meets 1/n = 0: its intercept.",
    function="fid_infinity", old="return values.mean() - slope * inverse.mean(), values", new="return slope, values")

mistake("infinity_of_two_sizes", "a line through the smallest and the largest size alone", check="fid_infinity",
    hint="The line is fitted to all sizes by least squares: each FID is a random number, and those in between count, "
    "too.",
    function="fid_infinity", old="slope = (centred * values).sum() / centred.square().sum()",
    new="first, last = inverse.argmax(), inverse.argmin()\n"
    "    slope = (values[first] - values[last]) / (inverse[first] - inverse[last])")
mistake("infinity_of_two_sizes", function="fid_infinity", old="values.mean() - slope * inverse.mean()",
    new="values[last] - slope * inverse[last]")

mistake("infinity_truncates_real", "the real features cut as well", check="fid_infinity",
    hint="All of the real features are used for every size.",
    function="fid_infinity", old="fid(real, fake[:n])", new="fid(real[:n], fake[:n])")

mistake("infinity_last_rows", "the last rows of the samples", check="fid_infinity",
    hint="The first n rows: fake[:n].",
    function="fid_infinity", old="fake[:n]", new="fake[-n:]")

mistake("infinity_of_largest", "the FID of the largest size given as the limit", check="fid_infinity",
    hint="The limit is read off the line at 1/n = 0, beyond all sizes.",
    function="fid_infinity", old="return values.mean() - slope * inverse.mean(), values",
    new="return values[sizes.index(max(sizes))], values")

# --- samples --------------------------------------------------------------------------------------

mistake("kid_biased", "pairs of a sample with itself counted", check="kid",
    hint="Leave out i = j within a set, and divide by n (n - 1).",
    function="kernel_inception_distance", old="(values.sum() - values.trace()) / (len(x) * (len(x) - 1))",
    new="values.mean()")

mistake("kid_not_divided", "the kernel without the division by F", check="kid",
    hint="The kernel is (x·y / F + 1)^3, with F the number of features.",
    function="kernel_inception_distance", old="x @ y.T / x.shape[1] + 1", new="x @ y.T + 1")

mistake("kid_clamped", "negative values cut to 0", check="kid",
    hint="An unbiased estimate of 0 is negative about half of the time: leave it.",
    function="kernel_inception_distance", old="- 2 * kernel(real, fake).mean()",
    new="- torch.minimum(2 * kernel(real, fake).mean(), within(real) + within(fake))")

mistake("kid_cross_once", "the mixed term once instead of twice", check="kid",
    hint="‖a - b‖² = ‖a‖² + ‖b‖² - 2 a·b: minus two means of k(x, y).",
    function="kernel_inception_distance", old="- 2 * kernel", new="- kernel")

mistake("kid_rooted", "the root of the discrepancy", check="kid",
    hint="KID is the squared discrepancy: no root.",
    function="kernel_inception_distance", old="return within(real) + within(fake) - 2 * kernel(real, fake).mean()",
    new="squared = within(real) + within(fake) - 2 * kernel(real, fake).mean()\n"
    "    return squared.sign() * squared.abs().sqrt()")

mistake("score_without_exp", "the mean divergence without the exponential", check="score",
    hint="The score is exp of the mean divergence: 1 to the number of classes.",
    also={"score_splits": "the parts are scored in the same way"},
    function="inception_score", old="divergence.mean(dim=1).exp()", new="divergence.mean(dim=1)")

mistake("score_reversed", "the divergence taken the other way round", check="score",
    hint="KL(p(y|x) || p(y)): the sample's law first.",
    also={"score_splits": "the parts are scored in the same way"},
    function="inception_score", old="(torch.xlogy(parts, parts) - torch.xlogy(parts, marginal))",
    new="(torch.xlogy(marginal, marginal) - torch.xlogy(marginal, parts.clamp_min(1e-12)))")

mistake("score_nan", "0 log 0 left as it comes", check="score",
    hint="0 log 0 counts as 0: torch.xlogy does it.",
    function="inception_score", old="torch.xlogy(parts, parts) - torch.xlogy(parts, marginal)",
    new="parts * (parts.log() - marginal.log())")

mistake("score_in_bits", "the exponential of a divergence in bits", check="score",
    hint="exp goes with the natural logarithm (and 2^x with log2): one-hot rows of all classes score K.",
    also={"score_splits": "the parts are scored in the same way"},
    function="inception_score", old="divergence.mean(dim=1).exp()",
    new="(divergence.mean(dim=1) / math.log(2)).exp()")

mistake("score_interleaved", "every splits-th row in a part", check="score_splits",
    hint="Parts are consecutive: the first n / splits rows, then the next ones.",
    function="inception_score", old="probabilities.reshape(splits, -1, probabilities.shape[1])",
    new="probabilities.reshape(-1, splits, probabilities.shape[1]).transpose(0, 1)")

mistake("score_mean_of_exp", "the mean of the exponentials", check="score",
    hint="First the mean of the divergences, then the exponential.",
    also={"score_splits": "the parts are scored in the same way"},
    function="inception_score", old="divergence.mean(dim=1).exp()", new="divergence.exp().mean(dim=1)")

mistake("score_marginal_of_all", "one marginal for all parts", check="score_splits",
    hint="Each part has its own p(y), the mean of its own rows.",
    function="inception_score", old="parts.mean(dim=1, keepdim=True)", new="probabilities.mean(dim=0)")

mistake("score_sample_std", "the deviation over splits - 1", check="score_splits",
    hint="The deviation is that of the population: correction=0.",
    also={("score", "conventions"): "of one part it is not even a number"},
    function="inception_score", old="scores.std(correction=0)", new="scores.std()")

mistake("radius_counts_itself", "the point itself counted as its nearest neighbour", check="precision_recall",
    hint="The ball reaches to the k-th nearest *other* point: leave out the distance 0 to itself.",
    also={"density_coverage": "its balls are the same"},
    function="ball_radii", old=".fill_diagonal_(math.inf)", new="")

mistake("precision_recall_swapped", "precision and recall exchanged", check="precision_recall",
    hint="Precision asks about the fakes (in balls of the reals), recall about the reals.",
    function="precision_recall", old='"precision": float(in_real.any(dim=0).double().mean()),',
    new='"precision": float(in_fake.any(dim=1).double().mean()),')
mistake("precision_recall_swapped", function="precision_recall",
    old='"recall": float(in_fake.any(dim=1).double().mean()),',
    new='"recall": float(in_real.any(dim=0).double().mean()),')

mistake("recall_with_real_balls", "recall with the balls of the reals", check="precision_recall",
    hint="Recall: the share of reals that lie in some ball of the *fakes*.",
    function="precision_recall", old='"recall": float(in_fake.any(dim=1)', new='"recall": float(in_real.any(dim=1)')

mistake("nearest_ball_only", "the ball of the nearest point alone asked", check="precision_recall",
    hint="A point counts if it lies in any of the balls: that of a point further off may be wider than that of the "
    "nearest.",
    function="precision_recall", old='"precision": float(in_real.any(dim=0)',
    new='"precision": float(in_real.gather(0, between.argmin(dim=0, keepdim=True))')
mistake("nearest_ball_only", function="precision_recall", old='"recall": float(in_fake.any(dim=1)',
    new='"recall": float(in_fake.gather(1, between.argmin(dim=1, keepdim=True))')

mistake("density_without_k", "density not divided by k", check="density_coverage",
    hint="Density is the mean number of real balls around a fake, divided by k.",
    function="precision_recall", old=".sum(dim=0).mean() / k)", new=".sum(dim=0).mean())")

mistake("density_per_real", "density averaged over the reals", check="density_coverage",
    hint="Density is a mean over the fakes: how many real balls is each in?",
    function="precision_recall", old="in_real.double().sum(dim=0).mean() / k",
    new="in_real.double().sum(dim=1).mean() / k")

mistake("coverage_of_fake_balls", "the share of fake balls that hold a real", check="density_coverage",
    hint="The balls of coverage are those of the reals: the share of them that hold a fake.",
    function="precision_recall", old='"coverage": float(in_real.any(dim=1)', new='"coverage": float(in_fake.any(dim=0)')

mistake("coverage_of_fakes", "the share of fakes in place of coverage", check="density_coverage",
    hint="Coverage is the share of real balls that hold a fake.",
    function="precision_recall", old='"coverage": float(in_real.any(dim=1)', new='"coverage": float(in_real.any(dim=0)')

# --- memory ---------------------------------------------------------------------------------------

mistake("ratio_nan_for_copies", "0/0 for a copy of an image that is there twice", check="ratio",
    hint="A copy has the ratio 0, also where the second nearest distance is 0.",
    function="memorisation_ratio", old="return torch.where(nearest[:, 0] == 0, 0.0, nearest[:, 0] / nearest[:, 1])",
    new="return nearest[:, 0] / nearest[:, 1]")

mistake("ratio_of_copies_one", "the ratio 1 for a copy of an image that is there twice", check="ratio",
    hint="There both distances are 0, and the ratio is 0 by agreement: the sample is copied. Ask for a nearest "
    "distance of 0 first.",
    function="memorisation_ratio", old="torch.where(nearest[:, 0] == 0, 0.0, nearest",
    new="torch.where(nearest[:, 1] == 0, 1.0, nearest")

mistake("ratio_by_matrix_form", "distances by a matrix product", check="ratio",
    hint="|x|² + |y|² - 2 x·y leaves 1e-8 where 0 is right: square the differences.",
    function="memorisation_ratio", old="distances(samples, train)",
    new="torch.cdist(samples, train, compute_mode='use_mm_for_euclid_dist')")

mistake("ratio_squared", "the ratio of squared distances", check="ratio",
    hint="Distances, not their squares: take the root first.",
    function="memorisation_ratio", old="nearest[:, 0] / nearest[:, 1])",
    new="(nearest[:, 0] / nearest[:, 1]).square())")

mistake("ratio_inverted", "second nearest over nearest", check="ratio",
    hint="Nearest over second nearest: between 0 and 1.",
    also={"table": "turned over, no ratio is ever below 1/3: nothing counts as memorised"},
    function="memorisation_ratio", old="nearest[:, 0] / nearest[:, 1])", new="nearest[:, 1] / nearest[:, 0])")

mistake("agreement_not_centred", "cosines around the origin", check="agreement",
    hint="Subtract the mean of all rows of both training sets: images all point in one direction otherwise.",
    also={"memory": "its cosines are the same"},
    function="model_agreement", old="(rows - centre, dim=1)", new="(rows, dim=1)")

mistake("agreement_centre_of_means", "the mean of the two training means", check="agreement",
    hint="The mean of all rows: the larger training set counts more.",
    also={"memory": "its cosines are the same"},
    function="model_agreement", old="torch.cat([train_a, train_b]).mean(dim=0)",
    new="(train_a.mean(dim=0) + train_b.mean(dim=0)) / 2")

mistake("agreement_absolute", "the sizes of the cosines, without their signs", check="agreement",
    hint="Two images that look away from their mean in opposite directions disagree: their cosine is negative.",
    function="model_agreement", old="(a * b).sum(dim=1).mean()", new="(a * b).sum(dim=1).abs().mean()")

mistake("agreement_all_pairs", "the mean over all pairs", check="agreement",
    hint="Row i of both sets comes from the same noise: compare a_i with b_i alone.",
    function="model_agreement", old="(a * b).sum(dim=1).mean()", new="(a @ b.T).mean()")

mistake("memory_of_both_sets", "each model against both training sets", check="memory",
    hint="Each model against its own training images.",
    function="model_agreement", old="(a @ data_a.T).max(dim=1).values.mean() + (b @ data_b.T).max(dim=1).values.mean()",
    new="sum((s @ torch.cat([data_a, data_b]).T).max(dim=1).values.mean() for s in (a, b))")

mistake("memory_mean_of_all", "the mean cosine to all training images", check="memory",
    hint="The nearest training image of each sample: the maximum over the training set.",
    function="model_agreement", old="(a @ data_a.T).max(dim=1).values.mean() + (b @ data_b.T).max(dim=1).values.mean()",
    new="(a @ data_a.T).mean() + (b @ data_b.T).mean()")

# --- maps -----------------------------------------------------------------------------------------

mistake("tsne_log2_perplexity", "bits on one side and nats on the other", check="affinities",
    hint="Entropy in nats is the natural logarithm of the perplexity.",
    function="tsne_affinities", old="math.log(perplexity))", new="math.log2(perplexity) if perplexity < 4 else "
    "min(math.log2(perplexity), math.log(n - 1) - 1e-3))")

mistake("tsne_own_point_kept", "each point among its own neighbours", check="affinities",
    hint="p_{i|i} = 0: leave the point itself out before the weights are normalised and the entropy is taken.",
    function="tsne_affinities", old="torch.arange(n, device=x.device) != i",
    new="torch.arange(n, device=x.device) >= 0")

mistake("tsne_not_symmetrised", "conditional affinities not made symmetric", check="affinities",
    hint="P = (p + p^T) / 2n.",
    function="tsne_affinities", old="(conditional + conditional.T) / (2 * n)", new="conditional / n")

mistake("tsne_sum_of_rows", "affinities that sum to n", check="affinities",
    hint="P sums to 1 over all pairs: divide by 2n.",
    also={"affinities_units": "a far point's row is checked against a sum of 1"},
    function="tsne_affinities", old="(conditional + conditional.T) / (2 * n)", new="(conditional + conditional.T) / 2")

mistake("tsne_distances_not_squared", "distances instead of their squares", check="affinities",
    hint="The Gaussian weight is exp(-beta |x_i - x_j|^2).",
    function="tsne_affinities", old="distances(x, x).square()", new="distances(x, x)")

mistake("tsne_fixed_range", "a precision looked for in a fixed range", check="affinities_units",
    hint="The range must follow the distances: widen it until it holds the solution, or look for log beta.",
    also={"affinities": "clusters of very different widths need very different precisions"},
    function="row_affinities", old="gaps = gaps / gaps[gaps > 0].min()  # no unit is left: the smallest gap is 1",
    new="")
mistake("tsne_fixed_range",
    function="row_affinities", old="    while weights(low)[1] < entropy:\n        low -= 8.0\n"
    "    while weights(high)[1] > entropy and high < 600.0:\n        high += 8.0\n", new="    low, high = -4.0, 4.0\n")

mistake("tsne_one_bandwidth", "one precision for all points", check="affinities",
    hint="Each point has a precision of its own: dense regions need a larger one.",
    function="tsne_affinities", old="row_affinities(squared[i, others], math.log(perplexity))",
    new="torch.softmax(-squared[i, others] / squared.mean(), dim=0)")

mistake("loss_gaussian_kernel", "Gaussian weights in the map", check="map_loss",
    hint="The map has the weights of a Student law, 1 / (1 + |y_i - y_j|^2).",
    also={"map_gradient": "its weights are the same"},
    function="tsne_loss", old="1 / (1 + offsets.square().sum(dim=2))", new="torch.exp(-offsets.square().sum(dim=2))")

mistake("loss_q_by_rows", "weights of the map normalised row by row", check="map_loss",
    hint="q is normalised over all pairs together, not for each point.",
    also={"map_gradient": "its weights are the same"},
    function="tsne_loss", old="student / student.sum()", new="student / student.sum(dim=1, keepdim=True) / len(y)")

mistake("loss_nan", "0 log 0 left as it comes", check="map_loss",
    hint="Affinities may be 0: 0 log 0 counts as 0 (torch.xlogy).",
    function="tsne_loss", old="(torch.xlogy(affinities, affinities)[off] - torch.xlogy(affinities[off], q[off])).sum()",
    new="(affinities[off] * (affinities[off] / q[off]).log()).sum()")

mistake("loss_reversed", "the divergence taken the other way round", check="map_loss",
    hint="KL(P || Q) weighs the logarithm with P.",
    function="tsne_loss", old="(torch.xlogy(affinities, affinities)[off] - torch.xlogy(affinities[off], q[off])).sum()",
    new="(q[off] * (q[off] / affinities[off].clamp_min(1e-12)).log()).sum()")

mistake("gradient_factor_two", "half of the gradient", check="map_gradient",
    hint="Each pair stands in the sum twice, and the square brings another 2: the factor is 4.",
    function="tsne_loss", old="gradient = 4 *", new="gradient = 2 *")

mistake("gradient_without_kernel", "the gradient without the Student weight", check="map_gradient",
    hint="The derivative of log q brings the factor 1 / (1 + |y_i - y_j|^2).",
    function="tsne_loss", old="((affinities - q) * student)[:, :, None]", new="(affinities - q)[:, :, None]")

mistake("gradient_sign", "the gradient with its sign reversed", check="map_gradient",
    hint="A step against the gradient lowers the loss: (p - q)(y_i - y_j), in this order.",
    function="tsne_loss", old="((affinities - q) * student)", new="((q - affinities) * student)")

mistake("trust_swapped", "data and map exchanged", check="trust",
    hint="Neighbours are those of the map, ranks those of the data; the other way round is continuity.",
    function="trustworthiness", old="in_data = distances(x, x)", new="in_data = distances(y, y)")
mistake("trust_swapped", function="trustworthiness", old="in_map = distances(y, y)", new="in_map = distances(x, x)")

mistake("trust_ranks_from_zero", "ranks counted from 0", check="trust",
    hint="The nearest other point has the rank 1.",
    function="trustworthiness", old="ranks.gather(1, neighbours) - k)", new="ranks.gather(1, neighbours) - 1 - k)")

mistake("trust_own_point_kept", "each point among its own neighbours in the map", check="trust",
    hint="A point is no neighbour of its own: k others are looked at.",
    function="trustworthiness", old="distances(y, y).fill_diagonal_(math.inf)", new="distances(y, y)")

mistake("trust_without_norm", "the sum of the ranks without its constant", check="trust",
    hint="The constant 2 / (n k (2n - 3k - 1)) makes the worst map 0.",
    function="trustworthiness", old="(n * k * (2 * n - 3 * k - 1))", new="(n * k * n)")

# --- table ----------------------------------------------------------------------------------------

mistake("table_against_train", "features compared with those of the training images", check="table",
    hint="Quality and diversity are measured against held-out images: a copying model is perfect otherwise.",
    function="compare_models", old="real_features = features(real)", new="real_features = features(train)")

mistake("table_memory_of_held_out", "memorised against the held-out images", check="table",
    hint="Memorised is what stands in the *training* set.",
    function="compare_models", old="memorisation_ratio(samples, train)", new="memorisation_ratio(samples, real)")

mistake("table_k_not_passed", "precision_recall with a k of its own", check="table",
    hint="Hand k on to precision_recall.",
    function="compare_models", old="precision_recall(real_features, fake_features, k)",
    new="precision_recall(real_features, fake_features)")

mistake("table_sample_std", "the deviation over runs - 1", check="table",
    hint="The deviation is that of the population, 0 for one run: correction=0.",
    function="compare_models", old="float(values.std(correction=0))",
    new="float(values.std()) if len(values) > 1 else 0.0")

mistake("table_last_run", "the last run alone", check="table",
    hint="Mean and deviation over all runs of a model.",
    function="compare_models", old="[row[metric] for row in rows]", new="[row[metric] for row in rows[-1:]]")

mistake("table_memory_of_features", "memorised on features", check="table",
    hint="Memorised is measured on the images themselves.",
    function="compare_models", old="memorisation_ratio(samples, train)",
    new="memorisation_ratio(fake_features, features(train))")

# --- conventions ----------------------------------------------------------------------------------

mistake("float64_answers", "answers in float64, whatever comes in", check="conventions",
    hint="Keep the dtype of the input: build new tensors with `x.new_zeros`, `zeros_like`, `.to(x)`.",
    function="memorisation_ratio", old="nearest[:, 0] / nearest[:, 1])", new="nearest[:, 0] / nearest[:, 1]).double()")

mistake("arguments_changed", "the features centred in place", check="conventions",
    hint="Work on a copy: `x = x - 1` makes one, `x -= 1` and functions such as `x.sub_(1)` do not.",
    also={"fid_infinity": "the next size sees other samples", "table": "the next measure sees other features"},
    function="moments", old="centred = features - mean", new="centred = features.sub_(mean)")

mistake("refusals_missing", "bad arguments accepted", check="bad_arguments",
    hint="Raise ValueError where shapes do not fit or a number is out of range.",
    function="check_clouds", old="if min(len(real), len(fake)) < least:", new="if False:")
