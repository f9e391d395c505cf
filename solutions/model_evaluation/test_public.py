"""Public checks of model_evaluation: small examples that can be worked out by hand. They earn no points."""

from __future__ import annotations

import math

import torch

from autograder.judge import check


def numbers(values):
    return torch.tensor(values, dtype=torch.float64)


@check()
def test_public_likelihood(student, probe, compare):
    """A standard normal point, and the uniform density, which costs log2 of the levels."""
    eye = numbers([[1.0, 0.0], [0.0, 1.0]])
    got = student.gaussian_log_likelihood(numbers([[0.0, 0.0], [1.0, 0.0]]), numbers([0.0, 0.0]), eye)
    peak = -math.log(2 * math.pi)
    compare(got, numbers([peak, peak - 0.5]), "gaussian_log_likelihood([[0, 0], [1, 0]], [0, 0], I)")
    flat = probe.constant(numbers([0.0, 0.0]))
    x, noise = torch.tensor([[0, 7], [3, 4]]), numbers([[0.5, 0.5], [0.1, 0.9]])
    compare(
        student.bits_per_dim(flat, x, noise, levels=8), numbers([3.0, 3.0]), "bits_per_dim(uniform, x, noise, levels=8)"
    )


@check()
def test_public_frechet(student, compare):
    """Means 1 apart, deviations 1 and 3 in one dimension: 1 + (3 - 1)² = 5."""
    zero, one, var = numbers([0.0]), numbers([1.0]), numbers([[1.0]])
    compare(student.frechet_distance(zero, var, one, 9 * var), numbers(5.0), "frechet_distance([0], [[1]], [1], [[9]])")
    real, fake = numbers([[0.0], [2.0]]), numbers([[1.0], [3.0], [5.0]])
    right = 4 + (2 - math.sqrt(2)) ** 2  # means 1 and 3, deviations sqrt(2) and 2
    compare(student.fid(real, fake), numbers(right), "fid([[0], [2]], [[1], [3], [5]])")


@check()
def test_public_samples(student, compare, expect):
    """KID of four numbers, the score of sure and different rows, balls on a line."""
    real, fake = numbers([[0.0], [1.0]]), numbers([[1.0], [2.0]])
    # k(x, y) = (xy + 1)³: within 1 and 27, between 1, 1, 8 and 27.
    compare(student.kernel_inception_distance(real, fake), numbers(1 + 27 - 2 * 37 / 4), "kernel_inception_distance")
    mean, std = expect.sequence(student.inception_score(torch.eye(3, dtype=torch.float64)), 2, "inception_score(I)")
    compare(mean, numbers(3.0), "the mean of inception_score(I)")
    compare(std, numbers(0.0), "the std of inception_score(I)", atol=1e-7)
    real, fake = numbers([[0.0], [1.0], [10.0]]), numbers([[0.5], [20.0], [21.5]])
    found = student.precision_recall(real, fake, k=1)
    # Balls of the reals reach 1, 1 and 9 far, those of the fakes 19.5, 1.5 and 1.5.
    for key, right in {"precision": 1 / 3, "recall": 1.0, "density": 2 / 3, "coverage": 2 / 3}.items():
        what = f"precision_recall([[0], [1], [10]], [[0.5], [20], [21.5]], k=1)[{key!r}]"
        expect.true(isinstance(found, dict) and key in found, f"{what} is not there.")
        compare(found[key], numbers(right), what)


@check()
def test_public_memory(student, compare, expect):
    """A copy, a point in the middle, and one at a third; two models that draw the same."""
    train = numbers([[0.0], [4.0]])
    got = student.memorisation_ratio(numbers([[4.0], [2.0], [1.0]]), train)
    compare(got, numbers([0.0, 1.0, 1 / 3]), "memorisation_ratio([[4], [2], [1]], [[0], [4]])")
    a = numbers([[1.0, 0.0], [0.0, 1.0]])
    answer = expect.sequence(student.model_agreement(a, a, a, -a), 2, "model_agreement(a, a, a, -a)")
    compare(answer[0], numbers(1.0), "the agreement of model_agreement(a, a, a, -a)")
    compare(answer[1], numbers(0.5), "the memory of model_agreement(a, a, a, -a)")


@check()
def test_public_maps(student, compare, expect):
    """Four points in a square: affinities sum to 1, a map that is the data is trusted."""
    x = numbers([[0.0, 0.0], [1.0, 0.1], [0.1, 1.2], [1.3, 1.1], [3.0, 2.0]])
    p = expect.tensor(student.tsne_affinities(x, perplexity=2.0), (5, 5), "tsne_affinities(x, perplexity=2)")
    compare(p.sum(), numbers(1.0), "the sum of tsne_affinities(x, perplexity=2)")
    compare(p, p.T, "tsne_affinities(x, perplexity=2), transposed")
    half = numbers([[0.0, 0.5], [0.5, 0.0]])
    answer = expect.sequence(student.tsne_loss(half, numbers([[0.0], [1.0]])), 2, "tsne_loss of two points")
    compare(answer[0], numbers(0.0), "the loss of tsne_loss of two points")
    compare(answer[1], numbers([[0.0], [0.0]]), "the gradient of tsne_loss of two points")
    compare(student.trustworthiness(x, 2 * x, k=2), numbers(1.0), "trustworthiness(x, 2 x, k=2)")
