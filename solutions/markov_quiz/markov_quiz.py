# %% [markdown]
# # Counting is learning: probability tables and Markov chains
#
# The smallest generative model is a table of frequencies. In this exercise you estimate probabilities by
# counting, cut sentences into tokens, learn which token follows which, and let the resulting Markov chain
# write sentences of its own. Everything that later exercises do with neural networks (a likelihood, sampling,
# a stationary law) can be computed here exactly.
#
# **Sources.** Course slides on generative modelling, Markov chains and auto-encoders (S1). A. A. Markov, *An
# example of statistical investigation of the text "Eugene Onegin"* (1913). C. E. Shannon, *A Mathematical
# Theory of Communication* (1948), section 3. J. R. Norris, *Markov Chains* (Cambridge, 1997), chapter 1. D.
# Jurafsky and J. H. Martin, *Speech and Language Processing*, chapter on n-gram models.
#
# **What you do.** Replace each `raise NotImplementedError` by your code; keep the names and the arguments.
# Use loops or vectorised code as you like; leave what a function is given as it is. The file must import without
# computing anything.
#
# **How it is judged** ({points} points). Each function is checked by itself, on numbers drawn afresh for you:
# tables ({points:tables} points), tokens and vocabulary ({points:tokens}), transitions ({points:transitions}),
# generation ({points:generation}), likelihood ({points:likelihood}), stationary law ({points:stationary}), the
# conventions and the refusal of bad arguments ({points:conventions}; of a function only where its values are right),
# the quiz ({points:quiz}). The docstrings name the cases that count: ties, dead ends, contexts never seen, sentence
# borders, impossible sequences, periodic chains. Drawn sequences are judged by a chi-square test on their transitions,
# which a correct sampler fails less than once in 100,000 times.

# %%
from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

# %% [markdown]
# ## 1. Joint and conditional probabilities
#
# Given $N$ pairs $(x_i, y_i)$, the empirical joint probability is
#
# $$P(X = a, Y = b) = \frac{1}{N} \sum_{i=1}^{N} \mathbb{1}[x_i = a]\,\mathbb{1}[y_i = b],$$
#
# and the conditional one is by definition $P(Y = b \mid X = a) = P(X = a, Y = b) / P(X = a)$, where
# $P(X = a) = \sum_b P(X = a, Y = b)$. Written from the other side it is Bayes' rule,
# $P(Y \mid X) = P(X \mid Y)\,P(Y) / P(X)$.
#
# A *generative* model knows how data come about: $P(X \mid Y)$ and $P(Y)$, hence $P(X, Y)$. A *discriminative* one
# knows $P(Y \mid X)$ only: from the first one always gets the second.
#
# Example of the course: the points $(1,0), (1,0), (2,0), (2,1)$ give
# $P(X, Y) = \begin{pmatrix} .5 & 0 \\ .25 & .25 \end{pmatrix}$ and
# $P(Y \mid X) = \begin{pmatrix} 1 & 0 \\ .5 & .5 \end{pmatrix}$ (rows: $x = 1, 2$; columns: $y = 0, 1$).


# %%
def joint_probability(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Empirical joint probability P(X, Y) of two discrete variables.

    Arguments:
        x, y: observed pairs, each of shape (N,), N at least 1, integer or floating.

    Returns:
        values_x: the distinct values of x in ascending order, (n_x,), with the dtype of x.
        values_y: the distinct values of y in ascending order, (n_y,), with the dtype of y.
        P: P[i, j] = P(X = values_x[i], Y = values_y[j]), (n_x, n_y), floating, sums to 1.

    Raises:
        ValueError: if x and y are not 1-D, of the same length, at least 1.

    Source: course slides (S1), Bayes.
    """
    ### BEGIN SOLUTION
    if x.dim() != 1 or x.shape != y.shape or len(x) == 0:
        raise ValueError(
            f"x and y must be (N,), of the same length, at least 1, got {tuple(x.shape)}, {tuple(y.shape)}"
        )
    values_x, rows = torch.unique(x, return_inverse=True)  # (n_x,), (N,)
    values_y, columns = torch.unique(y, return_inverse=True)  # (n_y,), (N,)
    n_x, n_y = len(values_x), len(values_y)
    counts = torch.bincount(rows * n_y + columns, minlength=n_x * n_y).reshape(n_x, n_y)
    dtype = x.dtype if x.is_floating_point() else torch.get_default_dtype()
    return values_x, values_y, counts.to(dtype) / len(x)
    ### END SOLUTION


def conditional_probability(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Empirical conditional probability P(Y | X) of two discrete variables.

    Arguments:
        x, y: observed pairs, each of shape (N,), N at least 1, integer or floating.

    Returns:
        values_x: the distinct values of x in ascending order, (n_x,), with the dtype of x.
        values_y: the distinct values of y in ascending order, (n_y,), with the dtype of y.
        P: P[i, j] = P(Y = values_y[j] | X = values_x[i]), (n_x, n_y), floating, each row sums to 1.

    Raises:
        ValueError: if x and y are not 1-D, of the same length, at least 1.

    Source: course slides (S1), Bayes' rule.
    """
    ### BEGIN SOLUTION
    values_x, values_y, P = joint_probability(x, y)
    return values_x, values_y, P / P.sum(dim=1, keepdim=True)  # P(X) > 0: each value of x was seen
    ### END SOLUTION


# %% [markdown]
# ## 2. From sentences to states
#
# The course corpus has four sentences: « Ali est ici. » « Ali aime le bleu. » « Le vélo d'Ali est bleu. »
# « Qui est Ali ? » Its tokens are words in lower case and the signs "." and "?". French elides: "d'Ali" is
# two tokens, "d'" (the apostrophe stays with what it ends) and "ali". Printed texts use the typographic
# apostrophe ’; it reads as '.
#
# The states of the chain are the distinct tokens. In the course corpus there are 11: ali, est, ici, ., aime,
# le, bleu, vélo, d', qui, ?


# %%
def tokenize(sentence: str) -> list[str]:
    """Cut a French sentence into tokens.

    Lower case; an elided word keeps its apostrophe and is a token of its own ("d'Ali" -> "d'", "ali"); the
    typographic apostrophe reads as '; "." and "?" are tokens, whether or not a space stands before them.

    Arguments:
        sentence: any number of words, letters with accents included.

    Returns:
        The tokens in order.

    Source: course slides (S1), text generation.
    """
    ### BEGIN SOLUTION
    return re.findall(r"\w+(?:-\w+)*'?|[^\w\s]", sentence.lower().replace("’", "'"))
    ### END SOLUTION


def vocabulary(sentences: Sequence[str]) -> list[str]:
    """The states of the chain: distinct tokens of raw sentences, in order of first appearance.

    Arguments:
        sentences: raw sentences (strings, not yet cut).

    Returns:
        The distinct tokens, 11 for the course corpus.

    Source: course slides (S1), text generation.
    """
    ### BEGIN SOLUTION
    return list(dict.fromkeys(token for sentence in sentences for token in tokenize(sentence)))
    ### END SOLUTION


# %% [markdown]
# ## 3. Transitions
#
# A chain of order $m$ forgets all but the last $m$ states; with $n$ states its table has $n^{m+1}$ entries,
# exponentially many in $m$. Count how often the context $(i_1, \dots, i_m)$, oldest first, is followed by $j$, and
# normalise over the next state, the last axis:
#
# $$\hat P(j \mid i_1, \dots, i_m) = \frac{C[i_1, \dots, i_m, j] + s}{\sum_k \left(C[i_1, \dots, i_m, k] +
# s\right)}.$$
#
# With $s = 0$ this is the maximum-likelihood estimate; $s > 0$ is additive (Laplace) smoothing. A context
# that was
# never seen has no estimate: its row is zero for $s = 0$, and uniform as soon as $s > 0$. Sentences are
# separate
# sequences: the last token of one is *not* followed by the first of the next.
#
# In the course corpus, "ali" is followed by "est" with probability 0.5, "aime" 0.25 and "?" 0.25.


# %%
def transition_counts(sequences: Sequence[Sequence[str]], states: Sequence[str], order: int = 1) -> Tensor:
    """Count the transitions of all sequences.

    Arguments:
        sequences: lists of states; one with `order` states or fewer counts nothing.
        states: the n states; their positions are the indices.
        order: length m of the context, at least 1.

    Returns:
        counts[i, ..., j, k]: how often the context (i, ..., j), oldest first, is followed by k inside one
        sequence. Shape (n,) * m + (n,), integer or floating.

    Raises:
        ValueError: if a sequence holds a state that is not in `states`, or if order is below 1.

    Source: course slides (S1), Markov chains.
    """
    ### BEGIN SOLUTION
    if order < 1:
        raise ValueError(f"order must be at least 1, got {order}")
    index = {state: i for i, state in enumerate(states)}
    counts = torch.zeros((len(states),) * (order + 1), dtype=torch.long)
    for sequence in sequences:
        for state in sequence:
            if state not in index:
                raise ValueError(f"sequences must be made of the given states, got {state!r}")
        path = [index[state] for state in sequence]
        for k in range(order, len(path)):
            counts[tuple(path[k - order : k + 1])] += 1
    return counts
    ### END SOLUTION


def transition_matrix(counts: Tensor, smoothing: float = 0.0) -> Tensor:
    """Turn counts into probabilities of the next state.

    Arguments:
        counts: (n,) * m + (n,), next state last, integer or floating.
        smoothing: added to every cell before the division, at least 0.

    Returns:
        Probabilities of the same shape, floating (the dtype of floating counts is kept). The last axis sums
        to 1; a context never seen gives zeros without smoothing, 1/n with it.

    Raises:
        ValueError: if smoothing is negative.

    Source: course slides (S1), Markov chains; Jurafsky and Martin, n-gram models.
    """
    ### BEGIN SOLUTION
    if smoothing < 0:
        raise ValueError(f"smoothing must be at least 0, got {smoothing}")
    if not counts.is_floating_point():
        counts = counts.to(torch.get_default_dtype())
    smoothed = counts + smoothing
    total = smoothed.sum(dim=-1, keepdim=True)  # (n,) * m + (1,)
    return torch.where(total > 0, smoothed / total, torch.zeros_like(smoothed))
    ### END SOLUTION


# %% [markdown]
# ## 4. Generating
#
# From a start the chain continues either with the most likely next state (always the same sequence, soon a
# loop) or with one *drawn* from $P(\cdot \mid \text{context})$. Where the row of the context is zero the
# sentence ends there: a full stop is followed by nothing.
#
# The most likely next state at every step does not make the most probable sequence: a state that is a little less
# likely now can lead to much likelier ones (on four states, 0.15 against 0.40). That sequence is found by dynamic
# programming (Viterbi).


# %%
def context_of(start: int | Sequence[int], P: Tensor) -> list[int]:
    """The start as a list of indices: one at order 1 (an int will do), `order` of them else. Given."""
    path = [int(start)] if isinstance(start, int) else [int(i) for i in start]
    if len(path) != P.dim() - 1:
        raise ValueError(f"start must hold {P.dim() - 1} indices for this P, got {len(path)}")
    return path


def most_likely_sequence(start: int | Sequence[int], P: Tensor, length: int) -> list[int]:
    """Continue with the most probable next state, again and again.

    Arguments:
        start: index of the first state at order 1, else the first `order` indices, oldest first.
        P: transition probabilities, (n,) * order + (n,).
        length: number of items wanted, the start included, at least `order`.

    Returns:
        Indices, the start first; the first index on a tie. Fewer than `length` where a context has no
        successor (its row is zero).

    Source: course slides (S1), text generation.
    """
    ### BEGIN SOLUTION
    path = context_of(start, P)
    order = len(path)
    while len(path) < length:
        row = P[tuple(path[-order:])]  # (n,)
        if not row.sum() > 0:
            break
        path.append(int((row == row.max()).nonzero()[0]))
    return path
    ### END SOLUTION


def sample_sequence(
    start: int | Sequence[int], P: Tensor, length: int, generator: torch.Generator | None = None
) -> list[int]:
    """Continue with a next state drawn from its probabilities, again and again.

    Arguments:
        start: index of the first state at order 1, else the first `order` indices, oldest first.
        P: transition probabilities, (n,) * order + (n,).
        length: number of items wanted, the start included, at least `order`.
        generator: source of randomness; torch's global one where it is None.

    Returns:
        Indices, the start first. Fewer than `length` where a context has no successor (its row is zero).

    Source: course slides (S1), text generation; Shannon (1948), section 3.
    """
    ### BEGIN SOLUTION
    path = context_of(start, P)
    order = len(path)
    P = P if generator is None else P.to(generator.device)  # a generator draws where it lives
    while len(path) < length:
        row = P[tuple(path[-order:])]  # (n,)
        if not row.sum() > 0:
            break
        path.append(int(torch.multinomial(row, 1, generator=generator)))
    return path
    ### END SOLUTION


# %% [markdown]
# ## 5. Likelihood
#
# Given its first $m$ states, a sequence has the probability
# $\prod_{k > m} P(s_k \mid s_{k-m}, \dots, s_{k-1})$. A product of a thousand probabilities is zero in
# floating point, the sum of their logarithms is not:
#
# $$\log p(s) = \sum_{k > m} \log P(s_k \mid s_{k-m}, \dots, s_{k-1}) \quad \text{(natural logarithm,
# nats)}.$$
#
# One transition of probability zero makes it $-\infty$: the chain cannot generate the sequence.


# %%
def log_likelihood(sequence: Sequence[int], P: Tensor) -> float:
    """Log-probability of a sequence given its first `order` states, in nats.

    Arguments:
        sequence: indices of states, any length.
        P: transition probabilities, (n,) * order + (n,).

    Returns:
        The sum of log P over the transitions: -inf where one is impossible, 0.0 for a sequence of `order`
        states or fewer.

    Raises:
        ValueError: if an index is not in 0..n-1 (negative ones included).

    Source: course slides (S1), Markov chains.
    """
    ### BEGIN SOLUTION
    n, order = P.shape[-1], P.dim() - 1
    if any(not 0 <= i < n for i in sequence):
        raise ValueError(f"sequence must hold indices from 0 to {n - 1}, got {list(sequence)}")
    if len(sequence) <= order:
        return 0.0
    windows = torch.tensor(sequence, device=P.device).unfold(0, order + 1, 1)  # (L - order, order + 1)
    return float(P[windows.unbind(1)].double().log().sum())
    ### END SOLUTION


def can_generate(sequence: Sequence[int], P: Tensor) -> bool:
    """Whether the chain, started with the sequence's first `order` states, can go on as the sequence does.

    Arguments:
        sequence: indices of states, any length.
        P: transition probabilities, (n,) * order + (n,).

    Returns:
        True if every transition has a positive probability; True for a sequence of `order` states or fewer.

    Raises:
        ValueError: if an index is not in 0..n-1 (negative ones included).

    Source: course slides (S1), Markov chains.
    """
    ### BEGIN SOLUTION
    n, order = P.shape[-1], P.dim() - 1
    if any(not 0 <= i < n for i in sequence):
        raise ValueError(f"sequence must hold indices from 0 to {n - 1}, got {list(sequence)}")
    return all(bool(P[tuple(sequence[k - order : k + 1])] > 0) for k in range(order, len(sequence)))
    ### END SOLUTION


# %% [markdown]
# ## 6. Stationary distribution
#
# A law $\pi$ over states is stationary if one step of the chain leaves it as it is:
#
# $$\pi_j = \sum_i \pi_i P_{ij} \quad (\pi = \pi P), \qquad \pi_i \ge 0, \quad \sum_i \pi_i = 1.$$
#
# If every state can be reached from every other (the chain is *irreducible*), there is exactly one, and it is
# the share of time a long walk spends in each state. The chain may be *periodic* (for example 0 → 1 → 0 → 1
# ...): then $\pi_0 P^t$ does not converge, but $\pi$ exists all the same. In a *reducible* chain some state
# cannot be reached from some other (two classes that never meet, or a state that is left for ever): the
# question is refused.


# %%
def stationary_distribution(P: Tensor) -> Tensor:
    """The stationary distribution of an irreducible chain of order 1, periodic or not.

    Arguments:
        P: transition probabilities, (n, n), rows sum to 1.

    Returns:
        pi with pi P = pi, positive, sum 1; shape (n,), dtype of P.

    Raises:
        ValueError: if P is not square, if a row is zero, or if the chain is reducible.

    Source: course slides (S1), Markov chains; Norris (1997), theorem 1.7.7.
    """
    ### BEGIN SOLUTION
    if P.dim() != 2 or P.shape[0] != P.shape[1]:
        raise ValueError(f"P must be (n, n), got {tuple(P.shape)}")
    n = len(P)
    if (P.sum(dim=1) <= 0).any():
        raise ValueError("P must have a successor for every state, got a row of zeros")
    reach = ((P > 0) | torch.eye(n, dtype=torch.bool, device=P.device)).double()  # (n, n)
    for _ in range(n.bit_length()):  # paths of length up to 1, 2, 4, ..., at least n
        reach = (reach @ reach > 0).double()
    if not reach.all():
        raise ValueError("P must be irreducible, got a chain in which some state cannot reach some other")
    # pi (P - I) = 0 has one redundant equation: the sum takes its place
    equations = P.double().T - torch.eye(n, dtype=torch.float64, device=P.device)  # (n, n)
    equations[-1] = 1
    right = torch.zeros(n, dtype=torch.float64, device=P.device)
    right[-1] = 1
    return torch.linalg.solve(equations, right).to(P.dtype)
    ### END SOLUTION


# %% [markdown]
# ## 7. Figures
#
# Given. On the left of the first figure the chain of the course corpus, on the right the words it writes; the
# second shows the share of time a walk spends in each state coming near the stationary distribution, as
# $1/\sqrt{t}$.

# %%
CORPUS = ["Ali est ici.", "Ali aime le bleu.", "Le vélo d'Ali est bleu.", "Qui est Ali ?"]


def make_figures(folder: str | Path) -> list[Path]:
    """Draw the course chain with its sentences, and a walk's convergence. Returns the files written."""
    import matplotlib.pyplot as plt

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)

    states = vocabulary(CORPUS)
    P = transition_matrix(transition_counts([tokenize(sentence) for sentence in CORPUS], states))
    n = len(states)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.8), layout="constrained")
    image = left.imshow(P.numpy(), cmap="Blues", vmin=0, vmax=1)
    left.set_xticks(range(n), states, rotation=60)
    left.set_yticks(range(n), states)
    left.set(xlabel="next state", ylabel="state", title="Transition matrix of the course corpus")
    figure.colorbar(image, ax=left, shrink=0.8)
    right.axis("off")
    right.set_title("Sentences it writes, with their log-likelihood")
    for line, start in enumerate([states.index("ali"), states.index("le"), states.index("qui")] * 3):
        path = sample_sequence(start, P, 10, generator)
        text = " ".join(states[i] for i in path).replace("' ", "'")
        right.text(0, 0.93 - 0.11 * line, f"{text}   ({log_likelihood(path, P):.1f})", fontsize=9)
    chain = folder / "markov_chain.png"
    figure.savefig(chain, dpi=120)

    P = torch.tensor([[0.0, 0.9, 0.1], [0.3, 0.2, 0.5], [0.6, 0.2, 0.2]])
    pi = stationary_distribution(P)
    walk = torch.tensor(sample_sequence(0, P, 5000, generator))  # (5000,)
    visits = torch.nn.functional.one_hot(walk, 3).cumsum(0)  # (5000, 3)
    time = torch.arange(1, len(walk) + 1)
    figure, axis = plt.subplots(figsize=(6.5, 4), layout="constrained")
    for state, colour in enumerate(("tab:blue", "tab:orange", "tab:green")):
        axis.semilogx(time.numpy(), (visits[:, state] / time).numpy(), color=colour, label=f"state {state}")
        axis.axhline(float(pi[state]), color=colour, linestyle="--", linewidth=1)
    axis.set(xlabel="steps", ylabel="share of time", ylim=(0, 1))
    axis.set_title("A walk's share of time (solid) and the stationary law (dashed)")
    axis.legend()
    stationary = folder / "stationary_distribution.png"
    figure.savefig(stationary, dpi=120)
    return [chain, stationary]


# %%
if __name__ == "__main__":
    make_figures("figures")

# %% [markdown]
# ## 8. Quiz
#
# The questions below carry your own corpus. Use your functions to answer; then put the answers into
# `ANSWERS`.

# %%
### BEGIN PERSONAL
PERSONAL = {
    "corpus": [
        "Le vélo logique est le vélo de Marie.",
        "Où est le chat d'Ali ?",
        "Marie est logique.",
        "Le chat brave est le chat de Samir.",
        "Samir est logique.",
        "Qui aime le vélo ?",
        "Ali est brave.",
    ],
    "word": "chat",
    "next": "d'",
    "first": ["de", "samir", "chat", "de", "samir"],
    "second": ["vélo", "de", "samir", "est"],
    "sentence": "Le chat brave est le chat de Samir.",
}
QUIZ = {
    "model": (
        "A model is given a pair (x, y) and returns one number between 0 and 1, which it calls "
        "a probability. Nothing else is known of it. Is it 'generative' (it returns P(x, y)), "
        "'discriminative' (it returns P(y|x)), or can it not be known ('unknown')? Answer: one "
        "of these three strings."
    ),
    "generable": (
        "Your corpus: « Le vélo logique est le vélo de Marie. » « Où est le chat d'Ali ? » « "
        "Marie est logique. » « Le chat brave est le chat de Samir. » « Samir est logique. » « "
        "Qui aime le vélo ? » « Ali est brave. » Take the chain of order 1 estimated from it "
        "without smoothing, one sequence per sentence. Started at their first word, which of "
        "the two word sequences « de samir chat de samir » (first) and « vélo de samir est » "
        "(second) can it generate? Answer: 'first', 'second', 'both' or 'neither'."
    ),
    "transition": (
        "Same corpus, same chain: what is the probability that the token after « chat » is « "
        "d' »? Answer: a number, to 0.001."
    ),
    "log_likelihood": (
        "Same corpus, same chain: what is the log-likelihood, in nats, of the sentence « Le "
        "chat brave est le chat de Samir. » given its first token? Answer: a number, to 0.01."
    ),
}
### END PERSONAL
ANSWERS = {"model": None, "generable": None, "transition": None, "log_likelihood": None}
### BEGIN SOLUTION
_sentences = [tokenize(sentence) for sentence in PERSONAL["corpus"]]
_states = vocabulary(PERSONAL["corpus"])
_P = transition_matrix(transition_counts(_sentences, _states))
_able = [can_generate([_states.index(word) for word in PERSONAL[which]], _P) for which in ("first", "second")]
ANSWERS = {
    "model": "unknown",
    "generable": {(1, 1): "both", (1, 0): "first", (0, 1): "second", (0, 0): "neither"}[tuple(_able)],
    "transition": float(_P[_states.index(PERSONAL["word"]), _states.index(PERSONAL["next"])]),
    "log_likelihood": log_likelihood([_states.index(word) for word in tokenize(PERSONAL["sentence"])], _P),
}
### END SOLUTION
