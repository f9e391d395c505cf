"""Names and answers of another kind than the contract's: the student's loss, told in words, never a fault of ours."""

from __future__ import annotations

import pytest

KINDS = ["5", "None", "'encode'", "torch.ones(3)", "[1]", "{'a': 1}", "(1, 2)", "True", "torch.eye(2).to_sparse()",
         "torch.float64", "torch.Generator()", "numpy.ones(2)", "1 << 5000", "{1, 2}"]  # fmt: skip


def outcomes(result):
    return {check["id"]: check["outcome"] for check in result["checks"]}


@pytest.mark.parametrize("kind", KINDS)
def test_a_variable_in_a_functions_place(bench, kind):
    """`mean = mean(x)` at the end of a notebook."""
    result = bench.grade(f"{bench.solution}\nimport numpy\nmean = {kind}\nLine = {kind}\nsample = {kind}\n")
    found = outcomes(result)
    assert "error" not in found.values(), result["checks"]
    assert found["mean_value"] == found["mean_refuses"] == found["line"] == found["sample_law"] == "failed"
    messages = {check["id"]: check["message"] for check in result["checks"]}
    assert "`mean` should be a function or a class" in messages["mean_value"]
    assert "`Line` should be a function or a class" in messages["line"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_in_an_objects_place(bench, kind):
    result = bench.grade(f"{bench.solution}\nimport numpy\ndef Line(): return {kind}\n", ("line",))
    assert outcomes(result) == {"line": "failed"}
    assert "Line(...): expected an object of your class, got" in result["checks"][0]["message"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_in_a_methods_place(bench, kind):
    attribute = f"{bench.solution}\nimport numpy\nLine.double = property(lambda self: {kind})\n"
    method = f"{bench.solution}\nimport numpy\nLine.double = lambda self: {kind}\n"
    for source in (attribute, method):
        result = bench.grade(source, ("line",))
        assert outcomes(result) == {"line": "failed"}, result["checks"][0]["message"]
        assert "no function" in result["checks"][0]["message"]


@pytest.mark.parametrize("kind", ["> 0", ".cfloat()", ".half()", ".numpy()"])
def test_samples_of_another_type(bench, kind):
    """Checks compute with what `expect.tensor` gives: subtraction of booleans would be an error of ours."""
    source = f"{bench.solution}\ndef sample(n, generator=None): return torch.randn(n, generator=generator){kind}\n"
    source += "class Line(Line):\n    def forward(self, x): return super().forward(x) > 0\n"
    result = bench.grade(source, ("sample_law", "sample_spread", "line"))
    assert "error" not in outcomes(result).values(), result["checks"]
    assert outcomes(result)["line"] == "failed"
