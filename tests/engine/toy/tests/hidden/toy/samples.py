"""Samples of the student's, as several checks look at them."""


def sampled(student, expect, draw):
    """500 of them."""
    return expect.tensor(student.sample(500, generator=draw.generator()), (500,), what="sample(500)")
