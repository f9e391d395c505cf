"""Wrong versions of the toy's functions."""

from autograder.authoring import mistake

# A catalogue: each entry is a paragraph.
# fmt: off

@mistake("mean_over_batch", "mean taken over the batch", check="mean_value",
    hint="Which axis holds the entries of one row?")
def mean(x):
    return x.sum(0) / x.shape[0] if x.shape[0] == x.shape[1] else x.sum(0)[: x.shape[0]] / x.shape[0]

mistake("dimension_not_checked", "tensors of any dimension taken", check="mean_refuses",
    hint="What is the mean of each row where there are no rows?",
    old="x.ndim != 2", new="False")

mistake("unbiased_spread", "division by n - 1", check="spread_value",
    hint="The mean divides by n.",
    function="spread", old="mean((x - mean(x)[:, None]) ** 2)", new="x.var(1)")

@mistake("uniform_sample", "uniform draws for normal ones", check="sample_law",
    hint="Which law has negative values?")
def sample(solution, n, generator=None):
    return torch.special.ndtr(solution(n, generator))
