"""The table of models: every measure over the runs of each."""

from __future__ import annotations

import torch

from autograder.judge import CheckFailed, check
from autograder.judge.answers import as_tensor
from autograder.judge.verdicts import StudentError
from autograder.language import _

METRICS = ("fid", "kid", "inception_score", "precision", "recall", "density", "coverage", "memorised")
TOLERANCE = 1e-6


def measures(functions, real, train, samples, features, probabilities, k):
    """All measures of one run, by these functions."""
    found = {
        "fid": functions.fid(features(real), features(samples)),
        "kid": functions.kernel_inception_distance(features(real), features(samples)),
        "inception_score": functions.inception_score(probabilities(samples))[0],
        **functions.precision_recall(features(real), features(samples), k=k),
        "memorised": (functions.memorisation_ratio(samples, train) < 1 / 3).double().mean(),
    }
    return {key: float(found[key]) for key in METRICS}


@check(points=0.75, kind="exact", covers=("table", "compare_models"))
def test_table(student, reference, probe, expect, draw):
    """Mean and population deviation of every measure over a model's runs, against held-out images."""
    d, f, k = 6, 3, 2
    weight, bias = draw.normal(f, d), draw.normal(f)
    scores = 2 * draw.normal(3, d), draw.normal(3)
    real, train = draw.normal(24, d), draw.normal(30, d)
    runs = {
        "copies": [torch.cat([train[:6] + 0.01 * draw.normal(6, d), draw.normal(6, d)]) for _run in range(2)],
        "wide": [1.6 * draw.normal(n, d) for n in (14, 11, 12)],
        "once": [0.5 * draw.normal(13, d) + 0.3],
    }
    what = "compare_models(runs, real, train, features, probabilities, k=2)"
    table = student.compare_models(runs, real, train, probe.affine(weight, bias), probe.softmax_of(*scores), k=k)

    def features(x):
        return x @ weight.T + bias

    def probabilities(x):
        return torch.softmax(x @ scores[0].T + scores[1], 1)

    expect.true(
        isinstance(table, dict) and all(isinstance(table.get(name), dict) for name in runs),
        _("{what}: expected a dict with the names of the models, each with a dict of measures.").format(what=what),
    )
    images, given = (real, train), (features, probabilities, k)
    for name, samples in runs.items():
        by_run = [measures(reference, real, train, x, features, probabilities, k) for x in samples]
        for metric in METRICS:
            expect.true(
                metric in table[name],
                _("{what}: model {name!r} has no {metric!r}.").format(what=what, name=name, metric=metric),
            )
            where = f'{what}["{name}"]["{metric}"]'
            pair = [expect.number(v, where) for v in expect.sequence(table[name][metric], 2, where)]
            right = is_table(pair, torch.tensor([row[metric] for row in by_run], dtype=torch.float64))
            shown = None
            if not right:
                own = own_values(student, expect, metric, runs, images, given)
                right = name in own and is_table(pair, own[name])
                shown = told(pair, metric, by_run, samples, images, given, reference)
            if shown == "table_memory_of_held_out" and not ratio_is_right(student, reference, samples[0], train):
                shown = None
            expect.true(
                right,
                _("{where}: this is not the mean and the population deviation over the runs.").format(where=where),
                hint=_("Features of the held-out images against those of the samples; memorised: the samples "
                       "themselves against the training images."),
                mistake=shown,
            )  # fmt: skip


def is_table(pair, values):
    """Whether these are the mean and the population deviation of the values."""
    mean, std = float(values.mean()), float(values.std(correction=0))
    return abs(pair[0] - mean) <= TOLERANCE * (1 + abs(mean)) and abs(pair[1] - std) <= 1e-5 * (1 + std)


def own_values(student, expect, metric, runs, images, given):
    """The same by the student's own measure, whose fault has cost its points; nothing where it does not vary."""
    (real, train), (features, probabilities, k) = images, given
    call = {
        "fid": lambda x: student.fid(features(real), features(x)),
        "kid": lambda x: student.kernel_inception_distance(features(real), features(x)),
        "inception_score": lambda x: expect.sequence(student.inception_score(probabilities(x)), 2)[0],
        "memorised": lambda x: (
            expect.tensor(student.memorisation_ratio(x, train), (len(x),), finite=False) < 1 / 3
        ).double().mean(),
    }.get(metric, lambda x: student.precision_recall(features(real), features(x), k=k)[metric])  # fmt: skip
    try:
        own = {name: [expect.number(call(x), metric) for x in samples] for name, samples in runs.items()}
    except (CheckFailed, StudentError, KeyError, TypeError):
        return {}
    every = torch.tensor([value for values in own.values() for value in values])
    return {name: torch.tensor(v, dtype=torch.float64) for name, v in own.items()} if float(every.std()) > 1e-3 else {}


def ratio_is_right(student, reference, samples, train):
    """Whether what "memorised" is made of is right: then it is the images that are not."""
    try:
        answer = as_tensor(student.memorisation_ratio(samples, train))
    except StudentError:
        return False
    right = reference.memorisation_ratio(samples, train)
    return answer is not None and answer.shape == right.shape and torch.allclose(answer.double(), right)


def told(pair, metric, by_run, samples, images, given, reference):
    """The known mistake that these two numbers show."""
    values = torch.tensor([row[metric] for row in by_run], dtype=torch.float64)
    if abs(pair[0] - float(values.mean())) <= 1e-6 * (1 + abs(pair[0])) and len(values) > 1 and float(values.std()) > 0:
        return "table_sample_std"
    real, train = images
    swapped = torch.tensor([measures(reference, train, real, x, *given)[metric] for x in samples], dtype=torch.float64)
    if abs(pair[0] - float(swapped.mean())) <= 1e-6 * (1 + abs(pair[0])):
        return "table_memory_of_held_out" if metric == "memorised" else "table_against_train"
    return None
