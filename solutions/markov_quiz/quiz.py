"""Quiz of markov_quiz: a small French corpus drawn for each student, four questions about it."""

from __future__ import annotations

import random
from itertools import pairwise

NAMES = ("Ali", "Inès", "Hugo", "Noé", "Léa", "Zoé", "Samir", "Marie")
THINGS = ("vélo", "livre", "chat", "bateau", "jardin", "piano")
# Said of people and of things alike, before and behind a verb: one form for all.
QUALITIES = ("immense", "brave", "fidèle", "paisible", "rapide", "logique")


def sentence(rng: random.Random, names: list[str], things: list[str], qualities: list[str]) -> list[str]:
    """Draw one sentence as the list of its tokens, with the case it is printed in."""
    name, thing, quality = rng.choice(names), rng.choice(things), rng.choice(qualities)
    of = "d'" if name[0] in "AIH" else "de"
    return rng.choice(
        [
            [name, "est", quality, "."],
            [name, "aime", "le", thing, "."],
            ["Le", thing, of, name, "est", quality, "."],
            ["Le", thing, quality, "est", "le", thing, of, name, "."],
            ["Qui", "aime", "le", thing, "?"],
            ["Où", "est", "le", thing, of, name, "?"],
        ]
    )


def printed(tokens: list[str]) -> str:
    """Write the tokens as a sentence: nothing after an apostrophe, nothing before a full stop."""
    return " ".join(tokens).replace("' ", "'").replace(" .", ".")


def personal(rng: random.Random) -> dict:
    """Draw the corpus, a word and one that follows it, two word sequences and a sentence."""
    while True:  # a few draws at most: most corpora have all that the questions need
        names, things, qualities = rng.sample(NAMES, 3), rng.sample(THINGS, 2), rng.sample(QUALITIES, 2)
        printable = [sentence(rng, names, things, qualities) for _ in range(7)]
        corpus = [[token.lower() for token in tokens] for tokens in printable]
        after: dict[str, list[str]] = {}
        for tokens in corpus:
            for a, b in pairwise(tokens):
                after.setdefault(a, []).append(b)
        words = sorted(after)
        runs = {tuple(t[i:j]) for t in corpus for i in range(len(t)) for j in range(i + 1, len(t) + 1)}

        def walk(n: int, after: dict = after, words: list = words, runs: set = runs) -> list[str] | None:
            # n words, each pair seen in the corpus, the whole never seen
            path = [rng.choice(words)]
            while len(path) < n and path[-1] in after:
                path.append(rng.choice(after[path[-1]]))
            return path if len(path) == n and path[-1] in after and tuple(path) not in runs else None

        def broken(n: int, after: dict = after, words: list = words) -> list[str] | None:
            # n words of the corpus, one pair of which was never seen
            path = [rng.choice(words) for _ in range(n)]
            where = rng.randrange(n - 1)
            for i in range(n - 1):
                if i != where and path[i] in after:
                    path[i + 1] = rng.choice(after[path[i]])
            unseen = [i for i in range(n - 1) if path[i + 1] not in after.get(path[i], ())]
            return path if unseen == [where] and all(p in after for p in path) else None

        lengths = rng.sample((4, 5, 6), 2)
        makers = [rng.choice((walk, broken)) for _ in lengths]
        first, second = (make(n) for make, n in zip(makers, lengths, strict=True))
        choices = [w for w in words if len(after[w]) >= 3 and len(set(after[w])) >= 2]
        open_ends = [t for t in printable if sum(len(set(after[w.lower()])) > 1 for w in t[:-1]) >= 2]
        if first is None or second is None or not choices or not open_ends:
            continue
        word = rng.choice(choices)
        return {
            "corpus": [printed(tokens) for tokens in printable],
            "word": word,
            "next": rng.choice(sorted(set(after[word]))),
            "first": first,
            "second": second,
            "sentence": printed(rng.choice(open_ends)),
        }


def questions(personal: dict) -> dict[str, str]:
    """Texts of the questions, with the type of each answer."""
    corpus = " ".join(f"« {text} »" for text in personal["corpus"])
    return {
        "model": (
            "A model is given a pair (x, y) and returns one number between 0 and 1, which it calls a "
            "probability. Nothing else is known of it. Is it 'generative' (it returns P(x, y)), "
            "'discriminative' (it returns P(y|x)), or can it not be known ('unknown')? "
            "Answer: one of these three strings."
        ),
        "generable": (
            f"Your corpus: {corpus} Take the chain of order 1 estimated from it without smoothing, one "
            "sequence per sentence. Started at their first word, which of the two word sequences "
            f"« {' '.join(personal['first'])} » (first) and « {' '.join(personal['second'])} » (second) "
            "can it generate? Answer: 'first', 'second', 'both' or 'neither'."
        ),
        "transition": (
            "Same corpus, same chain: what is the probability that the token after "
            f"« {personal['word']} » is « {personal['next']} »? Answer: a number, to 0.001."
        ),
        "log_likelihood": (
            "Same corpus, same chain: what is the log-likelihood, in nats, of the sentence "
            f"« {personal['sentence']} » given its first token? Answer: a number, to 0.01."
        ),
    }


### BEGIN SOLUTION
def answers(personal: dict) -> dict[str, dict]:
    """What is right, how near an answer has to be, and why."""
    import math
    import re
    from collections import Counter

    def tokens(text: str) -> list[str]:
        return re.findall(r"\w+'?|[.?]", text.lower())

    sentences = [tokens(text) for text in personal["corpus"]]
    pairs = Counter(pair for s in sentences for pair in pairwise(s))
    starts = Counter(a for s in sentences for a in s[:-1])
    able = [all(pair in pairs for pair in pairwise(s)) for s in (personal["first"], personal["second"])]
    generable = {
        (True, True): "both",
        (True, False): "first",
        (False, True): "second",
        (False, False): "neither",
    }
    word, following = personal["word"], personal["next"]
    line = tokens(personal["sentence"])
    likelihood = sum(math.log(pairs[a, b] / starts[a]) for a, b in pairwise(line))
    return {
        "model": {
            "title": "What a number between 0 and 1 says about the model that returned it.",
            "points": 0.5,
            "kind": "choice",
            "value": "unknown",
            "explanation": "Both kinds of model return numbers between 0 and 1. To know which it is, one has "
            "to see what sums to one: over y alone (discriminative) or over all pairs (generative).",
        },
        "generable": {
            "title": "Which of two unseen word sequences the chain can generate.",
            "points": 0.5,
            "kind": "choice",
            "value": generable[tuple(able)],
            "explanation": "A chain of order 1 generates exactly the sequences all of whose pairs of "
            "neighbours were seen, however long they are; one unseen pair makes a sequence impossible.",
        },
        "transition": {
            "title": "A transition probability of your own corpus.",
            "points": 0.5,
            "kind": "number",
            "value": pairs[word, following] / starts[word],
            "tolerance": 1e-3,
            "explanation": f'"{word}" is followed by some token {starts[word]} times, '
            f'{pairs[word, following]} times by "{following}".',
        },
        "log_likelihood": {
            "title": "The log-likelihood of a sentence of your own corpus.",
            "points": 0.5,
            "kind": "number",
            "value": likelihood,
            "tolerance": 1e-2,
            "explanation": "Sum of the logarithms of the probabilities of all the sentence's transitions.",
        },
    }


### END SOLUTION
