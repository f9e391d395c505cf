"""The pages' colours: readable on both backgrounds, as WCAG 2 measures it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import autograder.reports

STYLE = (Path(autograder.reports.__file__).parent / "templates" / "page.css").read_text(encoding="utf-8")
LIGHT, DARK = re.findall(r":root \{(.*?)\}", STYLE, re.S)[:2]


def colours(block):
    return dict(re.findall(r"--(\w+): (#\w{6})", block))


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_measure():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#ffffff", "#777777") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("block", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["text", "soft", "link", "passed", "failed", "blocked", "error"])
def test_text_can_be_read(block, name):
    found = colours(block)
    for background in ("page", "card"):
        assert contrast(found[name], found[background]) >= 4.5, (name, background)


@pytest.mark.parametrize("block", [LIGHT, DARK], ids=["light", "dark"])
def test_bars_stand_out(block):
    found = colours(block)
    assert contrast(found["bar"], found["page"]) >= 3
    assert contrast(found["bar"], found["line"]) >= 3
