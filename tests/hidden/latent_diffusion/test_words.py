"""Prompts: which words they have, and the vectors that the table gives them."""

from __future__ import annotations

import itertools

import torch

from autograder.judge import check
from autograder.judge.verdicts import StudentError
from autograder.language import _

LETTERS = "abcdefghijklmnopqrstuvwxyz"
OTHERS = "éèçüœλ"
BETWEEN = (
    " ", ", ", "  ", "\n", "\t", "-", "_", " 3", "7 ", "! ", "?", "'", "’", " (", ") ", ". ", "/", "²", " — ", "×", "÷",
)  # fmt: skip


def draw_words(draw, n, letters=LETTERS):
    """n distinct words of two to six letters, and of some the beginning is a word too."""
    words = set()
    while len(words) < n:
        words.add("".join(draw.choice(letters) for _i in range(draw.integer(2, 6))))
    words = sorted(words)[:n]
    return draw.shuffle(dict.fromkeys([*words, words[0] + draw.choice(letters)]))


def in_any_case(draw, word):
    """The word, in capitals at times."""
    return draw.choice((word, word.upper(), word.capitalize(), word))


def draw_prompt(draw, words, n):
    """A prompt of n of these words, with anything but letters between them, before and after them."""
    parts = [draw.choice(("", "", *BETWEEN))]
    for _i in range(n):
        parts += [in_any_case(draw, draw.choice(words)), draw.choice(BETWEEN)]
    return "".join(parts)


def tokens_of(prompt, vocabulary):
    """What is right: the longest runs of letters, those that are known."""
    words = ["".join(run) for letters, run in itertools.groupby(prompt.lower(), str.isalpha) if letters]
    return [list(vocabulary).index(word) for word in words if word in vocabulary]


@check(points=1, covers=("tokens", "tokenize"))
def test_tokenize(student, expect, draw):
    """A prompt's tokens are the positions of its words: in order, repeated ones too, unknown ones left out."""
    known = draw_words(draw, draw.integer(5, 8), LETTERS + OTHERS)
    strange = [word for word in draw_words(draw, 6, LETTERS + OTHERS) if word not in known] + [known[0] + "zz"]
    prompts = [
        f"{known[1]} {known[0]} {known[1]}",  # what keeps a word once looks like nothing else here
        f"{known[0].capitalize()} {known[1].upper()}",  # nor does what keeps capitals
        draw_prompt(draw, known, 4),
        draw_prompt(draw, [known[1], known[1], known[2]], 5),
        draw_prompt(draw, known + strange, 7),
        draw_prompt(draw, known + strange, 7),
        draw_prompt(draw, strange, 3),
        f"{known[2]}×{known[0]} œ{known[1]} {known[3]}λ ÷{known[1]}",  # letters of no range of codes
        f"{known[0]}3{known[1]}_{known[2]}²{known[3]}",
        "",
        draw.choice(BETWEEN),
        " ".join(known[::-1]),
    ]
    for i, prompt in enumerate(prompts):
        vocabulary = tuple(known) if i % 2 else list(known)
        what = f"tokenize({prompt!r}, vocabulary)"
        right = tokens_of(prompt, known)
        found = expect.integers(student.tokenize(prompt, vocabulary), what)
        expect.true(
            len(found) == len(right),
            _("{what}: expected {n} tokens, got {got}.").format(what=what, n=len(right), got=len(found)),
            hint=_("Words are the longest runs of letters of the prompt in lower case; only known ones count."),
        )
        expect.true(
            found == right,
            _("{what}: these are not the positions of its words in the vocabulary, in the prompt's order.").format(
                what=what
            ),
        )


class Text:
    """A text encoder of the student's with a known table, some prompts, and their tokens."""

    def __init__(self, student, probe, expect, draw):
        self.vocabulary = draw_words(draw, draw.integer(5, 8))
        self.dim = draw.choice((8, 16, 24))
        self.what = "TextEncoder(vocabulary, dim)(prompts)"
        encoder = expect.handle(student.TextEncoder(self.vocabulary, dim=self.dim), "TextEncoder(vocabulary, dim)")
        self.encoder = expect.handle(encoder.double(), "TextEncoder(...).double()")
        self.table = draw.normal(len(self.vocabulary), self.dim)
        parts = expect.sequence(probe.table_of(self.encoder), 3, "TextEncoder(...).table")
        expect.tensor(parts[0], tuple(self.table.shape), "TextEncoder(vocabulary, dim).table")
        expect.true(
            parts[1] is True and parts[2] is True,
            _("TextEncoder: expected an nn.Module whose `table` is an nn.Parameter."),
        )
        probe.set_table(self.encoder, self.table)
        # Plain ones: which words a prompt has is judged by itself.
        one, two, three = draw.shuffle(self.vocabulary)[:3]
        self.prompts = [one, f"{one} {two} {one}", f"{two} {one}qq {three}", " ".join(draw.shuffle(self.vocabulary))]
        self.tokens = [tokens_of(prompt, self.vocabulary) for prompt in self.prompts]

    def own_tokens(self, student):
        """What the student's own tokenize makes of the prompts, where it finds most of what there is to find."""
        found, right = [], 0
        for prompt, tokens in zip(self.prompts, self.tokens, strict=True):
            try:
                own = student.tokenize(prompt, self.vocabulary)
            except StudentError:
                return None
            if not isinstance(own, list) or not all(type(i) is int and 0 <= i < len(self.table) for i in own):
                return None
            right += len(set(own) & set(tokens)) > 0
            found.append(own)
        return found if right > 2 else None

    def shares(self, tokens):
        """The share of each word in each prompt, (B, V)."""
        shares = self.table.new_zeros(len(tokens), len(self.table))
        for row, some in zip(shares, tokens, strict=True):
            for i in some:
                row[i] += 1 / len(some)
        return shares


@check(points=1, covers=("embedding", "TextEncoder"))
def test_embedding(student, probe, expect, compare, draw):
    """A prompt's vector is the mean of its words' rows in the table, and exactly zeros without a known word."""
    text = Text(student, probe, expect, draw)
    answer = expect.tensor(text.encoder(text.prompts), (len(text.prompts), text.dim), text.what)
    right = text.shares(text.tokens) @ text.table
    if not torch.allclose(answer, right, rtol=1e-6, atol=1e-8):
        own = text.own_tokens(student)
        if own is None or not torch.allclose(answer, text.shares(own) @ text.table, rtol=1e-6, atol=1e-8):
            compare(answer, right, text.what)
    empty = ["", "12 - 3", "", text.prompts[0]]
    answer = expect.tensor(
        text.encoder(empty), (4, text.dim), _("TextEncoder(...) on prompts without a known word"),
        hint=_("The mean of nothing is NaN: where a prompt has no known word its vector is zero."),
    )  # fmt: skip
    expect.true(
        bool((answer[:3] == 0).all()) and bool((answer[3] != 0).any()),
        _("TextEncoder: expected exactly zeros for prompts without a known word, and only for them."),
    )


@check(points=0.25, covers=("table", "TextEncoder"))
def test_table_gradient(student, probe, expect, draw):
    """The table learns: gradients reach the rows of a prompt's words, and no others."""
    text = Text(student, probe, expect, draw)
    used = draw.shuffle(text.vocabulary)[: draw.integer(2, 3)]
    prompts = [f"{used[0]} {used[1]}", used[-1]]
    weights = draw.uniform(2, text.dim, low=0.5, high=1.5)
    answer = probe.table_gradient(text.encoder, prompts, weights)
    what = _("the gradient by the table of {what}").format(what=text.what)
    expect.true(answer is not None, _("{what}: there is none.").format(what=what))
    gradient = expect.tensor(answer, tuple(text.table.shape), what)
    rows = torch.tensor([word in used for word in text.vocabulary])
    expect.true(
        bool((gradient[rows] > 0).all()) and bool((gradient[~rows] == 0).all()),
        _("{what}: it must reach the rows of the words in the prompts, all of them, and no others.").format(what=what),
    )
    fresh = expect.handle(student.TextEncoder(text.vocabulary), "TextEncoder(vocabulary)")
    default = expect.sequence(probe.table_of(fresh), 3, "TextEncoder(vocabulary).table")[0]
    expect.tensor(default, (len(text.vocabulary), 16), "TextEncoder(vocabulary).table")
