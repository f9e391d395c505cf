"""One judge for all banks of submissions: it collects an exercise's checks when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.engine.banks import Bank, a_judge, course


@pytest.fixture(scope="session")
def bank() -> Iterator[Callable[[str], Bank]]:
    """`bank("vae_mnist")`: what is known of an exercise, and a judge for it."""
    config = course()
    with a_judge(config) as judge:
        banks: dict[str, Bank] = {}
        yield lambda name: banks.setdefault(name, Bank(config, name, judge))
