"""Wrong versions of the toy's functions."""

from autograder.authoring import mistake


@mistake(
    "mean_over_batch",
    title="mean taken over the batch",
    hint="Which axis holds the entries of one row?",
    loses=("mean_value", "mean_refuses", "spread_value"),
)
def mean(x):
    return x.sum(0) / x.shape[0] if x.shape[0] == x.shape[1] else x.sum(0)[: x.shape[0]] / x.shape[0]


@mistake(
    "unbiased_spread",
    title="division by n - 1",
    hint="The mean divides by n.",
    loses=("spread_value",),
)
def spread(x):
    return x.var(1)


@mistake(
    "uniform_sample",
    title="uniform draws for normal ones",
    hint="Which law has negative values?",
    loses=("sample_law", "sample_spread"),
)
def sample(n, generator=None):
    return torch.rand(n, generator=generator)
