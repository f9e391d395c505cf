"""What the two auto-encoders compute, whatever their layers are called: sizes, linear and curved parts."""

from __future__ import annotations

from itertools import pairwise

import torch

from autograder.judge import CheckFailed, check
from autograder.judge.layers import bends_at_points, ending
from autograder.language import _

from .harmless import expect_harmless

TRIES = 6  # of other weights, before a network is said to be constant: a narrow one of ReLU may be dead
FILLS = 30  # of other weights, before a layer without biases is said to give no negative numbers


def small(student, probe, draw, hidden=None):
    """A small Autoencoder in float64: handle, sizes."""
    D, own, d = draw.integer(9, 12), (draw.integer(7, 8), draw.integer(5, 6)), draw.integer(2, 3)
    return student.Autoencoder(D=D, hidden=hidden or own, d=d).double(), D, d


def moved(probe, draw, model, D, d):
    """The model with other weights: a few steps away from those that it was made with."""
    return probe.moved(model, draw.normal(32, D), draw.normal(32, d), draw.seed())


def expect_all_inputs(probe, expect, draw, models, name, n_in, what):
    """In one of the models at least, what comes out depends on every entry of what goes in."""
    reach = torch.zeros(n_in, dtype=torch.float64)
    for model in models:
        jacobian = probe.batch_jacobian(getattr(model, name), 3 * draw.normal(32, n_in))
        jacobian = expect.tensor(jacobian, (32, None, n_in), _("the Jacobian of {what}").format(what=what))
        reach = torch.maximum(reach, jacobian.abs().amax((0, 1)))
    expect.true(
        (reach > 1e-4 * reach.max()).all() and reach.max() > 1e-3,
        _("{what}: the answer does not depend on every entry of its input.").format(what=what),
    )


@check(points=0.25, covers=("affine", "LinearAutoencoder"))
def test_linear_affine(student, probe, compare, draw, expect):
    """Both halves of the linear auto-encoder are affine, with a code of size d."""
    D, d = draw.integer(6, 9), draw.integer(2, 4)
    model, other = (moved(probe, draw, student.LinearAutoencoder(D, d).double(), D, d) for _k in "ab")
    for name, n_in, n_out in (("encode", D, d), ("decode", d, D)):
        function = getattr(model, name)
        expect_all_inputs(probe, expect, draw, [model], name, n_in, f"LinearAutoencoder.{name}")
        try:
            expect_affine(expect, compare, draw, function, getattr(other, name), name, (n_in, n_out, d))
        except CheckFailed as failed:
            steps = torch.linspace(-5, 5, 1001, dtype=torch.float64)[:, None]
            values = expect.tensor(function(draw.normal(1, n_in) + steps * draw.normal(1, n_in)), (1001, n_out), name)
            failed.mistake = "linear_with_relu" if bends_at_points(values) else None
            raise


def expect_affine(expect, compare, draw, function, with_other_weights, name, sizes):
    """What comes out is an affine function of what goes in, of rank d, and the weights' doing; sizes: in, out, d."""
    n_in, n_out, d = sizes
    a, b, weights = draw.normal(6, n_in), 3 * draw.normal(6, n_in), draw.uniform(6, 1, low=-2.0, high=3.0)
    at_a = expect.tensor(function(a), (6, n_out), f"{name}(a)")
    at_b = expect.tensor(function(b), (6, n_out), f"{name}(b)")
    rank = int(torch.linalg.matrix_rank(at_a - at_b, rtol=1e-4))
    expect.true(rank == d, _("{name}: what comes out has rank {rank}, not {d}.").format(name=name, rank=rank, d=d))
    elsewhere = expect.tensor(with_other_weights(a), (6, n_out), f"{name}(a)")
    expect.true(
        (at_a - elsewhere).abs().max() > 1e-3,
        _("{name} is the same with other weights.").format(name=name),
    )
    right = weights * at_a + (1 - weights) * at_b
    what = _("{name} at w·a + (1 - w)·b, which an affine map sends to w·{name}(a) + (1 - w)·{name}(b)")
    compare(function(weights * a + (1 - weights) * b), right, what.format(name=name), rtol=1e-5, atol=1e-6)


def is_constant(values, x):
    """Whether these are the same for all inputs, or the inputs themselves."""
    return bool((values - values[:1]).abs().max() <= 1e-3 * values.abs().max()) or torch.equal(values, x)


@check(points=0.25, covers=("composed", "LinearAutoencoder", "Autoencoder"))
def test_forward_composed(student, each, probe, compare, draw, expect):
    """forward is decode after encode, in both classes; neither changes its input nor seeds the global generator."""
    for name in ("LinearAutoencoder", "Autoencoder"):
        with each(name):
            for _k in range(TRIES):
                if name == "Autoencoder":
                    model, D, d = small(student, probe, draw)
                else:
                    D, d = draw.integer(6, 9), draw.integer(2, 4)
                    model = student.LinearAutoencoder(D, d).double()
                x = draw.normal(5, D)
                expect_same_twice(expect, model, x, name)
                model = moved(probe, draw, model, D, d)
                z = expect.tensor(model.encode(x), (5, d), f"{name}: encode(x)")
                right = expect.tensor(model.decode(z), (5, D), f"{name}: decode(encode(x))")
                constant = next((w for w, v in (("encode(x)", z), ("decode(z)", right)) if is_constant(v, x)), None)
                if constant is None:
                    break
            expect.true(
                constant is None,
                _("{name}: {what} is the same for all inputs, or its own input.").format(name=name, what=constant),
            )
            wrong = {"forward_is_code": z}
            compare(model(x), right, f"{name}: forward(x)", rtol=1e-5, atol=1e-6, mistakes=wrong)
            expect_harmless(probe, expect, f"{name}.forward", model, x)
            expect_harmless(probe, expect, f"{name}.decode", model.decode, z)
            sizes = {"hidden": (6, 5)} if name == "Autoencoder" else {}
            expect_harmless(probe, expect, name, getattr(student, name), D=D, d=d, **sizes)


def expect_same_twice(expect, model, x, name):
    """As it is made, a network gives one answer to one input. Estimates of norms may still change it a little."""
    one, again = (expect.tensor(model(x), None, f"{name}: forward(x)") for _k in "ab")  # shapes are judged below
    expect.true(
        one.shape == again.shape and (one.numel() == 0 or (one - again).abs().max() <= 0.2 * one.abs().max()),
        _("{name}: two calls with the same x give different answers.").format(name=name),
        hint=_("Nothing in the network is random: no dropout, no noise."),
    )


@check(points=0.5, covers=("sizes", "Autoencoder"))
def test_autoencoder_sizes(student, probe, draw, expect):
    """The layers have the sizes asked for, the decoder's mirror the encoder's, 784-1024-256-128 by default."""
    D, d = draw.integer(32, 36), draw.integer(2, 4)
    three = tuple(draw.integer(low, low + 3) for low in (15, 10, 5))
    two = (draw.integer(12, 16), draw.integer(26, 30))
    for sizes in ((D, *three, d), (D, *two, d), (D, draw.integer(6, 18), d), (784, 1024, 256, 128)):
        D, hidden, d = sizes[0], sizes[1:-1], sizes[-1]
        default = D == 784
        hidden = list(hidden) if len(hidden) == 2 else hidden  # a Sequence is either
        what = "Autoencoder()" if default else f"Autoencoder(D={D}, hidden={hidden}, d={d})"
        model = student.Autoencoder() if default else built(student, D, hidden, d)
        x = draw.uniform(3, D, dtype=torch.float32)
        code = model.encode(x)
        fixed = {}
        if getattr(code, "shape", (3, d)) != (3, d):  # what has the same size for another d has it for any
            other = student.Autoencoder(D=D, hidden=hidden, d=d + 1).encode(x)
            fixed = {"code_size_fixed": code.shape} if getattr(other, "shape", None) == code.shape else {}
        z = expect.tensor(code, (3, d), f"{what}: encode(x)", mistakes=fixed)
        expect.tensor(model.decode(z.float()), (3, D), f"{what}: decode(z)")
        expect.true((z - z[0]).abs().max() > 1e-5, _("{what}: the code is the same for all inputs.").format(what=what))
        shapes = probe.matrix_shapes(model)
        right = sorted(sorted(pair) for pair in pairwise(sizes))
        same_order = right + [sorted(pair) for pair in pairwise((d, *hidden, D))]
        expect.true(
            # each once where the decoder shares the encoder's weights
            isinstance(shapes, list)
            and sorted(map(str, shapes)) in (sorted(map(str, right * 2)), sorted(map(str, right))),
            _("{what}: expected weights between layers of {sizes} and back, got matrices of {shapes}.").format(
                what=what, sizes="-".join(map(str, sizes)), shapes=str(shapes)[:300]
            ),
            mistake="hidden_not_mirrored"
            if isinstance(shapes, list) and sorted(map(str, shapes)) == sorted(map(str, same_order))
            else None,
        )
        unused = probe.unused(model, 2 * draw.normal(16, D, dtype=torch.float32))
        expect.true(unused == [], _("{what}: some of its weights are not used by forward.").format(what=what))


def built(student, D, hidden, d):
    """An Autoencoder; where a list of sizes is refused that a tuple is not, it is told."""
    try:
        return student.Autoencoder(D=D, hidden=hidden, d=d)
    except CheckFailed as failed:
        if isinstance(hidden, list):
            student.Autoencoder(D=D, hidden=tuple(hidden), d=d)
            failed.mistake = "hidden_as_tuple_only"
            failed.hint = _("`hidden` is a Sequence: a tuple or a list.")
        raise


def biases_of(sizes):
    """How many biases the encoder and the decoder of these sizes have."""
    return sum(sizes[1:]) + sum(sizes[:-1])


@check(points=0.25, covers=("relu", "Autoencoder"))
def test_hidden_relu(student, probe, compare, draw, expect):
    """A ReLU follows every hidden layer of the encoder and of the decoder."""
    hidden = draw.integer(7, 8), draw.integer(5, 6)
    model, D, d = small(student, probe, draw, hidden)
    x, z = draw.normal(12, D), draw.normal(12, d)
    # Far below zero a ReLU passes nothing on: what comes out is the same for every input.
    numbers = probe.numbers_beside(model)
    # Where layers lack biases, nothing closes here.
    complete = isinstance(numbers, int) and numbers >= biases_of((D, *hidden, d))
    for name, points, size in (("encode", x, d), ("decode", z, D)) if complete else ():
        model = probe.fill(model, 1.0, -1000.0, draw.seed())
        out = expect.tensor(getattr(model, name)(points), (12, size), f"{name} with biases of -1000")
        expect_rows_alone(expect, getattr(model, name), points, out, name)
        what = _("{name}, with biases of -1000 that close every ReLU (expected the same for all inputs)")
        right = out[:1].expand(12, size)
        closed = torch.allclose(out, right, rtol=1e-6)
        kind = None if closed else passing(student, probe, expect, draw, model, name, x, z)
        compare(out, right, what.format(name=name), rtol=1e-6, mistakes={kind: out} if kind else {})
    # Without biases a network of ReLUs is positively homogeneous, and not linear.
    model = probe.fill(model, 1.0, 0.0, draw.seed())
    code = expect.tensor(model.encode(x), (12, d), "encode(x) with biases of 0")
    compare(
        model.encode(3 * x),
        3 * code,
        _("encode(3 x) with biases of 0 (expected 3 encode(x))"),
        rtol=1e-5,
        atol=1e-6,
        hint=_("relu(3 h) is 3 relu(h): tanh, a sigmoid or GELU have no such property."),
    )
    for name, points, size in (("encode", x, d), ("decode", z, D)):
        function = getattr(model, name)
        expect_rows_alone(expect, function, points, expect.tensor(function(points), (12, size), name), name)
        ends = [expect.tensor(function(s * points), (12, size), f"{name} with biases of 0") for s in (1, 0, -1)]
        bend = (ends[0] - 2 * ends[1] + ends[2]).abs().max()
        expect.true(
            bend > 1e-2 * max(float(end.abs().max()) for end in ends),
            _("{name} is linear: no nonlinearity between its layers.").format(name=name),
        )
    sizes = (D, *hidden, d)
    shapes = probe.matrix_shapes(model)
    if isinstance(shapes, list) and {str(s) for s in shapes} == {str(sorted(pair)) for pair in pairwise(sizes)}:
        each_relu(student, probe, compare, draw, expect, model, sizes)  # other sizes have a check of their own


def expect_rows_alone(expect, function, points, out, name):
    """What comes out for a row does not depend on the other rows."""
    half = expect.tensor(function(points[:6]), (6, out.shape[1]), name)
    expect.true(
        torch.allclose(half, out[:6], rtol=1e-4, atol=1e-6 * float(out.abs().max())),
        _("{name}: what comes out for a sample changes with the other samples of its batch.").format(name=name),
        hint=_("No normalisation by the batch: the layers are linear, with a ReLU after each hidden one."),
    )


def passing(student, probe, expect, draw, model, name, x, z):
    """The mistake by which this half lets something through where every ReLU is closed; None where it isn't told.

    Straight with any biases: there is no activation. With one hidden layer, straight where it is closed and bent where
    it is not: its activation has a slope below 0.
    """
    if straight(expect, model, name, x, z) and straight(expect, probe.fill(model, 1.0, 0.0, draw.seed()), name, x, z):
        return "no_hidden_relu"
    one = student.Autoencoder(D=x.shape[1], hidden=(7,), d=z.shape[1]).double()
    one = probe.fill(one, 1.0, -1000.0, draw.seed())
    points = x if name == "encode" else z
    out = expect.tensor(getattr(one, name)(points), (12, None), name)
    leaks = straight(expect, one, name, x, z) and not torch.allclose(out, out[:1].expand(out.shape), rtol=1e-6)
    one = probe.fill(one, 1.0, 0.0, draw.seed())
    return "leaky_relu" if leaks and not straight(expect, one, name, x, z) else None


def straight(expect, model, name, x, z):
    """Whether this half sends the middle of two points to the middle of what it sends them to."""
    points = x if name == "encode" else z
    out = expect.tensor(getattr(model, name)(torch.cat([points, -points, 0 * points])), (36, None), name).chunk(3)
    return bool(torch.allclose(out[0] + out[1], 2 * out[2], rtol=1e-6, atol=1e-9 * float(out[0].abs().max())))


def each_relu(student, probe, compare, draw, expect, model, sizes):
    """One hidden layer after the other gets negative values from positive inputs: its ReLU passes nothing on.

    The weights are told by their shapes, as all sizes differ.
    """
    for name in ("encode", "decode"):
        way = sizes if name == "encode" else sizes[::-1]
        shapes = [sorted(pair) for pair in pairwise(way)]
        points = draw.uniform(12, way[0], low=0.5, high=2.0)
        # The layer after the one that is closed turns the sign, so that what should not come through does.
        for k, negative in ((1, [shapes[0], shapes[1]]), (2, [shapes[1]])):
            model = probe.sign(model, negative, draw.seed())
            out = expect.tensor(getattr(model, name)(points), (12, way[-1]), f"{name} with weights of given signs")
            what = _("{name}, with weights that make hidden layer {k} negative (expected the same for all inputs)")
            compare(
                out,
                out[:1].expand(12, way[-1]),
                what.format(name=name, k=k),
                rtol=1e-6,
                hint=_("Is there a ReLU after each hidden layer, not only after one?"),
                mistakes={"relu_after_first_only": out} if k == 2 else {},
            )


ENDINGS = {
    ("encode", "relu"): "relu_on_code",
    ("decode", "relu"): "relu_on_output",
    ("decode", "sigmoid"): "sigmoid_on_output",
}


def open_ended(student, probe, draw, expect, name):
    """Small weights and biases of ±1000: whatever the hidden layers do, a linear output is about ±1000."""
    model, D, d = small(student, probe, draw)
    points, size = (draw.normal(6, D), d) if name == "encode" else (draw.normal(6, d), D)
    models = [student.Autoencoder(D=D, hidden=(16, 12), d=d).double() for _k in "abc"]
    models = [moved(probe, draw, model, D, d) for model in models]
    expect_all_inputs(probe, expect, draw, models, name, points.shape[1], f"Autoencoder.{name}")
    model = probe.fill(model, 0.0, 1000.0, draw.seed())
    if (expect.tensor(getattr(model, name)(points), (6, size), name) == 0).all():
        return expect_both_signs(probe, expect, draw, model, name, points)  # there are none
    out = {}
    for bias in (1000.0, -1000.0):
        model = probe.fill(model, 1e-4, bias, draw.seed())
        out[bias] = expect.tensor(getattr(model, name)(points), (6, size), f"{name} with biases of {bias:g}")
    end = ending(torch.cat(list(out.values())))
    for bias, values in out.items():
        expect.true(
            (values / bias > 0.5).all(),
            _("{name}, with biases of {bias:g}: expected values near {bias:g}, got {low:.4g} to {high:.4g}.").format(
                name=name, bias=bias, low=float(values.min()), high=float(values.max())
            ),
            mistake=ENDINGS.get((name, end)),
        )


def expect_both_signs(probe, expect, draw, model, name, points):
    """A last layer without biases: what comes out of a linear one is as large as its input, of either sign."""
    low, high = 0.0, 0.0
    for _k in range(FILLS):
        model = probe.fill(model, 1.0, 1000.0, draw.seed())
        out = expect.tensor(getattr(model, name)(points), (6, None), name)
        low, high = min(low, float(out.min())), max(high, float(out.max()))
    expect.true(
        low < -5 and high > 5,
        _("{name}, with large weights: expected large values of both signs, got {low:.4g} to {high:.4g}.").format(
            name=name, low=low, high=high
        ),
    )


@check(points=0.25, covers=("code", "Autoencoder"))
def test_code_linear(student, probe, draw, expect):
    """The code is linear: nothing follows its layer."""
    open_ended(student, probe, draw, expect, "encode")


@check(points=0.25, covers=("output", "Autoencoder"))
def test_output_linear(student, probe, draw, expect):
    """The output is linear: nothing follows its layer."""
    open_ended(student, probe, draw, expect, "decode")


SINGLE = {
    "LinearAutoencoder": ("linear_affine",),
    "Autoencoder": ("hidden_relu", "output_linear"),
    "pca_fit": ("pca_subspace",),
    "pca_encode": ("pca_encode",),
    "pca_decode": ("pca_decode",),
}


@check(points=0.5, covers=("single", *SINGLE), substance=SINGLE)
def test_single_row(student, each, draw, expect):
    """A batch of one sample keeps its axis, and so does a code of one number."""
    D, x = 7, draw.normal(6, 7)
    with each("LinearAutoencoder"):
        expect_single(student.LinearAutoencoder(D, 1).double(), "LinearAutoencoder", x, expect)
    with each("Autoencoder"):
        expect_single(student.Autoencoder(D=D, hidden=(8, 5), d=1).double(), "Autoencoder", x, expect)
    with each("pca_fit"):
        mean, components = expect.sequence(student.pca_fit(x, 1), 2, "pca_fit(x, d=1)")
        expect.tensor(mean, (D,), _("the mean of {what}").format(what="pca_fit(x, d=1)"))
        expect.tensor(components, (1, D), _("the components of {what}").format(what="pca_fit(x, d=1)"))
    row = x[1:2] / x[1:2].norm()
    with each("pca_encode"):
        expect.tensor(student.pca_encode(x[:1], x[0], row), (1, 1), _("pca_encode of one sample with d = 1"))
    with each("pca_decode"):
        expect.tensor(student.pca_decode(x[:1, :1], x[0], row), (1, D), _("pca_decode of one code with d = 1"))


def expect_single(model, name, x, expect):
    """Codes and reconstructions of one sample, and of several with a code of one number."""
    for n in (1, 4):
        code = model.encode(x[:n])
        squeezed = {"code_squeezed": code.shape} if getattr(code, "shape", None) in ((), (n,)) else {}
        z = expect.tensor(code, (n, 1), f"{name}.encode(x of shape {(n, x.shape[1])}), d=1", mistakes=squeezed)
        expect.tensor(model.decode(z), tuple(x[:n].shape), f"{name}.decode(z of shape {(n, 1)})")
