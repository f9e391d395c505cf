"""Where to put a limit between what correct solutions score and what known mistakes score.

Each population (the reference, every alternative, every mistake: one value per seed) gets a predictive
Student t law for its next value, on the raw scale or, where the values are nearer to normal there, on that of
their logarithms or their cube roots. Few seeds therefore give wide tails: a limit from five runs says so instead of
pretending.

The correct solutions share a scale, and their deviations are moderated: each is drawn towards that of the
others as far as they agree (Smyth, 2004, "Linear models and empirical Bayes methods", section 6). Twelve runs of
each of seven solutions then tell nearly as much of the spread as eighty of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from msgspec.structs import replace

from autograder.course.calibration import PlacedLimit, Spread
from autograder.statistics.arrays import Floats

FEWEST = 3
# A value that never varies (a deterministic training) still differs in its last digits between machines.
_RELATIVE_FLOOR = 1e-6


class Population(Spread, frozen=True):
    """Values of one solution over seeds, summed up, and the law of the next one."""

    degrees: float = 0.0  # always known here

    @classmethod
    def of(cls, sample: Sequence[float], scale: str | None = None) -> Population:
        values = np.asarray(sample, dtype=np.float64)
        scale = scale or _scale([values])
        scaled = _SCALES[scale](values)
        floor = _RELATIVE_FLOOR if scale == "log" else _RELATIVE_FLOOR * max(abs(float(scaled.mean())), 1e-6)
        deviation = max(float(scaled.std(ddof=1)), floor)
        lowest, highest = float(values.min()), float(values.max())
        return cls(len(values), float(scaled.mean()), deviation, scale, lowest, highest, len(values) - 1.0)

    def _standard(self, value: float) -> float:
        if self.scale == "log" and value <= 0:
            return -math.inf
        value = float(_SCALES[self.scale](np.asarray(value)))
        return (value - self.mean) / (self.deviation * math.sqrt(1.0 + 1.0 / self.n))

    def above(self, value: float) -> float:
        """Probability that the next value exceeds `value`."""
        from scipy.stats import t

        return float(t.sf(self._standard(value), self.degrees))

    def below(self, value: float) -> float:
        """Probability that the next value is smaller than `value`."""
        from scipy.stats import t

        return float(t.cdf(self._standard(value), self.degrees))

    def quantile(self, probability: float, upper: bool) -> float:
        """The value that the next one exceeds (`upper`) or falls below with this probability."""
        from scipy.stats import t

        step = float(t.isf(probability, self.degrees)) * self.deviation * math.sqrt(1.0 + 1.0 / self.n)
        scaled = self.mean + step if upper else self.mean - step
        if self.scale == "root":
            return scaled**3
        return math.exp(min(scaled, 700.0)) if self.scale == "log" else scaled


_SCALES: dict[str, Callable[[Floats], Floats]] = {"raw": lambda values: values, "log": np.log, "root": np.cbrt}
# Logarithms are taken unless cube roots are nearer to normal by this much, less what few values cannot tell (times
# n³). Where an error comes near 0 its logarithm has a long tail below, which says nothing of the largest errors: a law
# of that width would place a limit hundreds of times too high.
_CLEARLY = 0.004
_UNTOLD = 25.0


def _scale(populations: Sequence[Floats]) -> str:
    """The scale on which values of these populations are nearest to normal."""
    if min(values.min() for values in populations) <= 0:
        return "raw"
    n = sum(len(values) for values in populations)
    log, root = (
        sum(len(values) * _gain(values, _SCALES[scale]) for values in populations) / n for scale in ("log", "root")
    )
    if log <= 0:
        return "raw"
    return "log" if log >= root - _CLEARLY + _UNTOLD / n**3 else "root"


def _gain(values: Floats, scale: Callable[[Floats], Floats]) -> float:
    """How much nearer to normal they are on this scale, by the correlation with normal scores; negative: farther."""
    from scipy.stats import probplot

    if np.ptp(values) == 0:
        return 0.0
    raw, scaled = (probplot(sample)[1][2] for sample in (values, scale(values)))
    return float(scaled - raw)


def _correct_populations(good: Mapping[str, list[float]]) -> dict[str, Population]:
    """The correct solutions on one scale, with moderated deviations."""
    arrays = [np.asarray(sample, dtype=np.float64) for sample in good.values()]
    scale = _scale(arrays)
    populations = {name: Population.of(sample, scale) for name, sample in good.items()}
    return dict(zip(populations, _moderated(list(populations.values())), strict=True))


def _moderated(populations: list[Population]) -> list[Population]:
    """Deviations drawn towards their common one, by the moments of a scaled F law (Smyth, 2004, equation 10)."""
    from scipy.special import digamma, polygamma

    if len(populations) < 2:
        return populations
    degrees = np.asarray([p.degrees for p in populations])
    variances = np.asarray([p.deviation for p in populations]) ** 2
    e = np.log(variances) - digamma(degrees / 2) + np.log(degrees / 2)
    # What the sampling of the variances themselves explains of their spread is no reason to keep them apart.
    excess = float(e.var(ddof=1) - polygamma(1, degrees / 2).mean())
    if excess <= 0:
        prior, common = float(degrees.sum()), float((degrees * variances).sum() / degrees.sum())
        return [replace(p, deviation=math.sqrt(common), degrees=prior) for p in populations]
    prior = 2.0 * _trigamma_inverse(excess)
    common = math.exp(float(e.mean()) + float(digamma(prior / 2)) - math.log(prior / 2))
    return [
        replace(
            p,
            deviation=math.sqrt((prior * common + p.degrees * p.deviation**2) / (prior + p.degrees)),
            degrees=prior + p.degrees,
        )
        for p in populations
    ]


def _trigamma_inverse(value: float) -> float:
    from scipy.optimize import brentq
    from scipy.special import polygamma

    # trigamma(x) lies between 1/x and 1/x + 1/x^2.
    return float(brentq(lambda x: float(polygamma(1, x)) - value, 1e-8, 1.0 / value + math.sqrt(1.0 / value) + 1.0))


def _finite(sample: Sequence[float], name: str) -> list[float]:
    values = [float(value) for value in sample]
    if len(values) < FEWEST or not all(map(math.isfinite, values)):
        raise ValueError(f"good[{name!r}]: expected at least {FEWEST} finite values, got {values}")
    return values


def _upper_limit(
    good: list[Population], bad: list[Population], false_fail: float, false_pass: float, *, upper: bool
) -> float:
    """The limit above (`upper`) or below the correct populations, against the mistakes on that side."""
    outermost: Callable[[Iterable[float]], float] = max if upper else min
    nearest: Callable[[Iterable[float]], float] = min if upper else max
    fails, passes = (Population.above, Population.below) if upper else (Population.below, Population.above)
    safe = outermost(p.quantile(false_fail, upper) for p in good)
    if not bad or max(passes(p, safe) for p in bad) >= false_pass:
        return safe
    # There is room: go on from the safe limit towards the nearest mistake until both risks are equal.
    near, far = safe, nearest(p.quantile(0.5, not upper) for p in bad)
    for _ in range(100):
        middle = 0.5 * (near + far)
        if max(fails(p, middle) for p in good) > max(passes(p, middle) for p in bad):
            near = middle
        else:
            far = middle
    return near


def place_limit(
    good: Mapping[str, Sequence[float]],
    bad: Mapping[str, Sequence[float]],
    better: str,
    false_fail: float,
    *,
    false_pass: float = 0.01,
) -> PlacedLimit:
    """Place the limit of a quantity between correct solutions and known mistakes.

    False-fail rate: at most `false_fail` for the worst correct population, as its predictive t law has it
    (over repeated calibrations with n normal values each, the next value is refused with exactly that
    probability, on average); less where the mistakes are far off, since the limit then goes on to where both
    risks are equal. Smallest difference: a mistake is caught with probability 1 - `false_pass` when its
    values lie $(t_{n-1, 1 - false_fail} + t_{n-1, 1 - false_pass}) sqrt(1 + 1/n)$ standard deviations off:
    4.0 + 2.6 for n = 20 and the rates 5e-4 and 0.01, 9.4 + 4.1 for n = 5. `overlaps` says that one of them
    does not. Several correct populations have more degrees of freedom between them: 4.1 for six of 5 whose
    deviations agree.

    Args:
        good: population name (reference, each alternative) -> values over seeds, at least 3, finite.
        bad: mistake -> values; infinite and NaN ones are refused by any limit and left out.
        better: `lower`, `higher`, or `between` (the rate is then split between the two sides).
        false_fail: largest probability of refusing a correct solution.
        false_pass: aim for the probability of accepting a mistake; what was reached is in the result.

    Raises:
        ValueError: no good population, too few or infinite values, unknown `better`, rates outside (0, 0.5).
    """
    if better not in ("lower", "higher", "between"):
        raise ValueError(f"better: expected 'lower', 'higher' or 'between', got {better!r}")
    if not good:
        raise ValueError("good: expected at least one population")
    if not (0 < false_fail < 0.5 and 0 < false_pass < 0.5):
        got = f"{false_fail} and {false_pass}"
        raise ValueError(f"false_fail and false_pass: expected between 0 and 0.5, got {got}")
    goods = _correct_populations({name: _finite(sample, name) for name, sample in good.items()})
    bads: dict[str, Population | None] = {}
    for name, sample in bad.items():
        finite = [float(value) for value in sample if math.isfinite(value)]
        bads[name] = Population.of(finite) if len(finite) >= FEWEST else None
    caught = [p for p in bads.values() if p is not None]

    def raw(sample: Sequence[float]) -> tuple[float, float]:
        values = np.asarray([f for f in sample if math.isfinite(f)])
        mean = float(values.mean())
        return mean, max(float(values.std(ddof=1)), _RELATIVE_FLOOR * abs(mean), 1e-300)

    good_raw = [raw(sample) for sample in good.values()]
    bad_raw = [raw(bad[name]) for name, population in bads.items() if population is not None]
    centre = float(np.mean([mean for mean, _ in good_raw]))
    rate = false_fail / 2 if better == "between" else false_fail
    low = high = None
    if better in ("lower", "between"):
        side = [p for p, (m, _) in zip(caught, bad_raw, strict=True) if better == "lower" or m >= centre]
        high = _upper_limit(list(goods.values()), side, rate, false_pass, upper=True)
    if better in ("higher", "between"):
        side = [p for p, (m, _) in zip(caught, bad_raw, strict=True) if better == "higher" or m < centre]
        low = _upper_limit(list(goods.values()), side, rate, false_pass, upper=False)

    def refused(p: Population) -> float:
        return (0.0 if high is None else p.above(high)) + (0.0 if low is None else p.below(low))

    worst_pass = max((1.0 - refused(p) for p in caught), default=None) if caught else None
    separation = min((abs(m - g) / math.hypot(s, t) for m, s in bad_raw for g, t in good_raw), default=None)
    return PlacedLimit(
        better=better,  # type: ignore[arg-type]  # checked above
        low=low,
        high=high,
        false_fail=max(refused(p) for p in goods.values()),
        false_pass=None if worst_pass is None else max(worst_pass, 0.0),
        separation=separation,
        overlaps=worst_pass is not None and worst_pass > false_pass * (1.0 + 1e-9),
        good={**goods},
        bad={**bads},
    )
