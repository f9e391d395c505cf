"""Functions that are handed to the student's."""

import math

import torch


def normal_log_prob(mean, std):
    """The log-density of independent normal numbers; constant 0 where a standard deviation is infinite."""

    def log_prob(x):
        if bool(std.isinf().any()):
            return x.new_zeros(len(x))
        z = (x - mean.to(x)) / std.to(x)
        return (-0.5 * z * z - std.to(x).log() - 0.5 * math.log(2 * math.pi)).sum(1)

    return log_prob


def affine(weight, bias):
    """Features that are affine in the image."""

    def features(x):
        return x @ weight.to(x).T + bias.to(x)

    return features


def softmax_of(weight, bias):
    """Probabilities: a softmax of affine scores."""

    def probabilities(x):
        return torch.softmax(x @ weight.to(x).T + bias.to(x), 1)

    return probabilities
