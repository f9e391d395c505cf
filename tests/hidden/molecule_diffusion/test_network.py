"""The coordinate update, and what every EGNN must obey: its symmetries one by one, and that it looks at its input.

All networks are in float64, their weights moved away from their start (which may be zero).
"""

from __future__ import annotations

import torch
from scipy.spatial.transform import Rotation

from autograder.judge import check
from autograder.language import _

CLOSE = 1e-5  # of the size of the answers


@check(points=0.75, covers=("update", "coordinate_update"))
def test_coordinate_update(student, compare, draw):
    """Each atom moves along the lines to the others, by its own weights, over N - 1."""
    for B, N in ((draw.integer(2, 4), draw.integer(4, 6)), (3, 2), (1, 3)):
        x, weights = 2 * draw.normal(B, N, 3) + 1, draw.normal(B, N, N)
        right = x.clone()
        for i in range(N):
            for j in range(N):
                if i != j:
                    right[:, i] += (x[:, i] - x[:, j]) * weights[:, i, j, None] / (N - 1)
        what = f"coordinate_update(x ({B}, {N}, 3), weights ({B}, {N}, {N}))"
        compare(student.coordinate_update(x, weights), right, what)


class Scene:
    """A network and molecules to ask it about."""

    def __init__(self, student, probe, expect, draw, B=3, N=5, n_types=3, n_times=9):
        self.probe, self.expect, self.draw = probe, expect, draw
        sizes = {"n_types": n_types, "n_times": n_times, "hidden": 32, "n_layers": draw.integer(1, 3)}
        self.what = "EGNN(x, types, t)"
        network = expect.handle(student.EGNN(**sizes), "EGNN(...)")
        self.network = expect.handle(network.double(), "EGNN(...).double()")
        probe.perturb(self.network, 0.1, draw.seed())
        probe.mode(self.network, False)
        self.x, self.t = 1.2 * draw.normal(B, N, 3), draw.integers(0, n_times, B)
        self.types = torch.tensor(draw.shuffle([0, 1, 2, *draw.integers(0, n_types, N - 3).tolist()]))

    def ask(self, x=None, types=None, t=None):
        """The network's answer."""
        x, types, t = (
            own if given is None else given for own, given in ((self.x, x), (self.types, types), (self.t, t))
        )
        return self.expect.tensor(self.network(x, types, t), tuple(x.shape), self.what).double()

    def alive(self):
        """Its answer, and the size of it: it is neither zero nor affine in the positions."""
        answer = self.ask()
        size = float(answer.std())
        self.expect.true(size > 1e-9, _("{what}: the answer is zero.").format(what=self.what))
        way = self.draw.normal(*self.x.shape)
        bent = float((self.ask(self.x + way) + self.ask(self.x - way) - 2 * answer).abs().max())
        self.expect.true(
            bent > 1e-3 * size,
            _("{what}: the answer is linear in the positions.").format(what=self.what),
            hint=_("Weights are made from distances by a network with nonlinear layers."),
        )
        return answer, size

    def same(self, got, wanted, size, message, hint=None, mistake=None):
        """Whether two answers are equal up to rounding."""
        gap = float((got - wanted).abs().max())
        self.expect.true(gap < CLOSE * size, message.format(what=self.what), hint=hint, mistake=mistake)


@check(points=0.5, covers=("turns", "EGNN"))
def test_egnn_turns(student, probe, expect, draw):
    """Where the molecule is turned, the answer turns with it."""
    scene = Scene(student, probe, expect, draw)
    answer, size = scene.alive()
    for _k in range(2):
        rotation = torch.as_tensor(Rotation.random(random_state=draw.integer(0, 2**31)).as_matrix())
        scene.same(
            scene.ask(scene.x @ rotation.T), answer @ rotation.T, size,
            _("{what}: for a turned molecule the answer is not the turned answer."),
            hint=_("Directions come from differences of positions only; all else may see distances, not coordinates."),
        )  # fmt: skip


@check(points=0.25, covers=("mirror", "EGNN"))
def test_egnn_mirror(student, probe, expect, draw):
    """Where the molecule is mirrored, the answer is mirrored with it."""
    scene = Scene(student, probe, expect, draw)
    answer, size = scene.alive()
    axis = draw.normal(3)
    mirror = torch.eye(3, dtype=torch.float64) - 2 * torch.outer(axis, axis) / (axis @ axis)
    scene.same(
        scene.ask(scene.x @ mirror), answer @ mirror, size,
        _("{what}: for a mirrored molecule the answer is not the mirrored answer."),
        hint=_("Is there something in it that knows left from right, such as a cross product or a signed volume?"),
        mistake="handed_features",
    )  # fmt: skip


@check(points=0.5, covers=("shifts", "EGNN"))
def test_egnn_shifts(student, probe, expect, draw):
    """A shift of the molecule changes nothing, and the answer has zero mean over the atoms."""
    scene = Scene(student, probe, expect, draw)
    answer, size = scene.alive()
    scene.same(
        answer.mean(1), torch.zeros(len(answer), 3), size,
        _("{what}: the mean of the answer over the atoms is not zero."),
        hint=_("The noise has zero mean: so must its prediction. Subtract the mean at the end."),
        mistake="output_not_centred",
    )  # fmt: skip
    shift = 2 + draw.normal(len(scene.x), 1, 3)
    moved = scene.ask(scene.x + shift)
    rotation = torch.as_tensor(Rotation.random(random_state=draw.integer(0, 2**31)).as_matrix())
    turns = float((scene.ask(scene.x @ rotation.T) - answer @ rotation.T).abs().max()) < CLOSE * size
    scene.same(
        moved, answer, 10 * size, _("{what}: for a shifted molecule the answer is another one."),
        hint=_("Only differences of positions may enter, not the positions, nor their distance from the origin."),
        mistake="distance_to_origin" if turns else "absolute_positions",
    )  # fmt: skip


@check(points=0.5, covers=("atoms", "EGNN"))
def test_egnn_atoms(student, probe, expect, draw):
    """Where the atoms are numbered otherwise, with their types, the arrows are numbered likewise."""
    scene = Scene(student, probe, expect, draw)
    answer, size = scene.alive()
    N = len(scene.types)
    for order in (torch.arange(N).roll(1), torch.tensor(draw.shuffle(range(N)))):
        scene.same(
            scene.ask(scene.x[:, order], scene.types[order]), answer[:, order], size,
            _("{what}: with the atoms in another order the answer is not in that order."),
            hint=_("Every atom is treated alike: nothing may depend on its place in the list."),
            mistake="places_embedded",
        )  # fmt: skip


@check(points=0.5, covers=("told", "EGNN"))
def test_egnn_told(student, probe, expect, draw):
    """The answer depends on the molecule's own time, on the types, and on where the other atoms are."""
    scene = Scene(student, probe, expect, draw)
    scene.alive()
    x, times = scene.x[:1].repeat(3, 1, 1), torch.tensor(draw.shuffle([0, draw.integer(2, 6), 8]))
    at_once = torch.stack([scene.ask(t=time.repeat(3)) for time in times])
    size = float(at_once.std())
    gaps = [float((at_once[i] - at_once[i - 1]).abs().max()) for i in range(3)]
    expect.true(
        min(gaps) > 1e-4 * size,
        _("{what}: the same molecule gets the same answer at two times.").format(what=scene.what),
        hint=_("Is the time used in `forward`?"),
        mistake="time_ignored",
    )
    together = scene.ask(x, t=times)
    scene.same(
        scene.ask(x, t=times), together, size,
        _("{what}: the same molecules get another answer at the second call."),
    )  # fmt: skip
    alone = torch.cat([scene.ask(x[:1], t=times[i : i + 1]) for i in range(3)])
    apart = torch.cat([scene.ask(scene.x[i : i + 1], t=times[:1]) for i in range(3)])
    # Where molecules of one time influence each other, another answer says nothing about times: that has its check.
    if float((at_once[0] - apart).abs().max()) < CLOSE * size:
        of_the_first = float((together - alone[:1]).abs().max()) < CLOSE * size
        scene.same(
            together, alone, size, _("{what}: a molecule's answer is not that of its own time."),
            hint=_("t holds one time per molecule: `times(t)[:, None]` has the shape (B, 1, hidden)."),
            mistake="first_time_for_all" if of_the_first else None,
        )  # fmt: skip
    other = (scene.types + draw.integer(1, 2)) % 3
    expect.true(
        float((scene.ask(x, other, times) - together).abs().max()) > 1e-4 * size,
        _("{what}: with other types the answer is the same.").format(what=scene.what),
        mistake="types_ignored",
    )
    # The last two atoms move apart, the mean stays: what the first two answer must change, and not alike.
    moved = x.clone()
    way = draw.normal(3)
    moved[:, -1] += way
    moved[:, -2] -= way
    change = scene.ask(moved, t=times) - together
    expect.true(
        float((change[:, 0] - change[:, 1]).abs().max()) > 1e-4 * size,
        _("{what}: an atom's answer does not depend on the other atoms.").format(what=scene.what),
    )


@check(points=0.5, covers=("alone", "EGNN"))
def test_egnn_alone(student, probe, expect, draw):
    """Each molecule is answered by itself, and twice the same, in training mode too; any number of atoms works."""
    scene = Scene(student, probe, expect, draw, B=4)
    scene.alive()
    scene.t = scene.t[:1].repeat(4)  # whether each has its own time has another check
    for training in (False, True):
        probe.mode(scene.network, training)
        answer = scene.ask()
        size = float(answer.std())
        scene.same(
            scene.ask(), answer, size, _("{what}: the same molecules get another answer at the second call."),
            hint=_("No dropout: every weight counts in every call."), mistake="dropout_inside",
        )  # fmt: skip
        for i in (0, 3):
            scene.same(
                scene.ask(scene.x[i : i + 1], t=scene.t[i : i + 1]), answer[i : i + 1], size,
                _("{what}: a molecule's answer depends on the other molecules of the batch."),
                hint=_("No batch normalisation, and no mean over the batch."), mistake="batch_normalised",
            )  # fmt: skip
    for N in (2, draw.integer(6, 8)):
        x = draw.normal(2, N, 3)
        answer = scene.ask(x, draw.integers(0, 3, N), scene.t[:2])
        expect.true(float(answer.std()) > 0, _("{what}: the answer is zero.").format(what=scene.what))
