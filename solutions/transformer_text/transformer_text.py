# %% [markdown]
# # Attention and auto-regressive text
#
# « Ali ne regarde pas le vélo. » Whoever reads *ne* knows, nine characters later, that *pas* must come; a Markov
# chain that remembers three letters does not. Any law of sequences is a product of one conditional law per place, and
# a model of text has one question to answer: given all that stands here, what comes next? A chain answers from the
# last few tokens. A *Transformer* looks at all of them, and *attention* decides which ones matter: the letter that is
# to be written asks a question, every earlier letter offers a key, and what fits is read. GPT is this, on a larger
# scale. In this exercise you write attention, its heads, its mask and its positions, put them together into a small
# GPT, and teach it to write sentences that agree.
#
# **Sources.** Course notes on transport and denoising (S2: auto-regressive factorisation, equation 6; Markov
# hypothesis, Transformer and attention, long-range dependencies) and slides of module 5 (S3: GPT); slides on Markov
# chains and text generation (S1). A. Vaswani et al., *Attention Is All You Need* (2017). A. Radford et al., *Language
# Models are Unsupervised Multitask Learners* (2019) [GPT-2]. R. Xiong et al., *On Layer Normalization in the
# Transformer Architecture* (2020), for the norm that comes first. C. E. Shannon, *Prediction and Entropy of Printed
# English* (1951).
#
# **What you do.** Replace each `raise NotImplementedError` by your code; keep the names and the arguments. Two
# classes and two functions are given complete and are not judged: `CharTokenizer`, `NGram`, `negation_sentences`,
# `agreement_rate`. The file must import without computing anything.
#
# **How it is judged** ({points} points). Each function is checked by itself, on numbers drawn afresh for you: mask,
# attention, heads and positions ({points:attention} points), `Block` and `GPT` ({points:network}), likelihood and
# evaluation ({points:likelihood}), generation ({points:generation}), training ({points:training}), conventions,
# randomness and the refusal of bad arguments ({points:conventions}), the quiz ({points:quiz}). How your networks are
# made inside is free: they are judged by what they may look at and by what they may not, with weights that the judge
# has changed. `F.scaled_dot_product_attention` and `nn.MultiheadAttention` may be used in `Block` and `GPT`, and may
# not in `attention` and `multi_head_attention`, which you write yourself.
#
# **The training that is judged.** Your `GPT(vocab_size=8, context=12)` on {judged:training.ROWS} rows of twelve
# tokens: the first is one of two kinds, ten fillers follow, each drawn from four, and the last token depends on the
# first one alone. Which token is which is drawn for you. `train_lm` runs with `{judged:training.FIT}`. What it leaves
# in the weights is judged, in a new network that is given them, on new rows, and from both sides: a model that does
# worse than the truth has not learnt, and one that does better has looked at the future.
#
# **Conventions.** Tokens are int64, batch first. Logarithms are natural, and a *nat* is their unit. A model is any
# callable that turns tokens (B, T) into *logits* (B, T, V), numbers that are **not** normalised: `logits[:, t]` is
# about the token that comes after `tokens[:, t]`. Do not seed anything.

# %%
from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Model = Callable[[Tensor], Tensor]

# %% [markdown]
# ## 1. Text as tokens, and the chain to beat (given)
#
# A tokenizer gives every character a number. Token 0 is the newline: it starts a sentence, ends it, and fills up the
# shorter ones of a batch, so that a model learns by itself where a sentence ends.
#
# The corpus is made up: 1,024 sentences, all equally likely, so its entropy is known, $\ln 1024 = 6.93$ nats a
# sentence. No model can need less on new sentences, and a good one needs little more. Half of the sentences are
# negated, and *ne* decides *pas* nine characters later.
#
# The chain of order $k$ counts what came after each context of $k$ tokens. With $V$ tokens it has $V^k$ contexts: of
# those that the data do not hold it knows nothing. That is its dilemma, too short a memory or too many contexts.


# %%
class CharTokenizer:
    r"""Characters as numbers (given): the newline is token 0, then the characters of a text by code point.

    Arguments:
        text: whose distinct characters are the vocabulary.

    Attributes:
        vocabulary: list of characters; a token is a place in it.

    Raises:
        ValueError: a character, or a number, that is not in the vocabulary.
    """

    def __init__(self, text: str) -> None:
        self.vocabulary = ["\n", *sorted(set(text) - {"\n"})]
        self._numbers = {character: i for i, character in enumerate(self.vocabulary)}

    def encode(self, text: str) -> Tensor:
        """Text of T characters -> tokens (T,)."""
        unknown = sorted(set(text) - set(self._numbers))
        if unknown:
            raise ValueError(f"text has characters outside the vocabulary: {unknown}")
        return torch.tensor([self._numbers[character] for character in text], dtype=torch.int64)

    def decode(self, tokens: Tensor | Sequence[int]) -> str:
        """Tokens (T,) -> text of T characters."""
        numbers = [int(i) for i in tokens]
        if any(not 0 <= i < len(self.vocabulary) for i in numbers):
            raise ValueError(f"tokens must lie in 0..{len(self.vocabulary) - 1}, got {numbers}")
        return "".join(self.vocabulary[i] for i in numbers)

    def batch(self, sentences: Sequence[str]) -> Tensor:
        """n sentences -> tokens (n, L + 2): newline, sentence, newlines; L is the length of the longest."""
        longest = max(len(sentence) for sentence in sentences)
        return torch.stack([self.encode("\n" + sentence.ljust(longest + 1, "\n")) for sentence in sentences])


NAMES = ("Ali", "Inès", "Hugo", "Noé", "Léa", "Zoé", "Samir", "Marie")
VERBS = ("regarde", "cherche", "dessine", "demande", "ramasse", "partage", "nettoie", "choisit")  # seven letters each
THINGS = ("vélo", "livre", "chat", "bateau", "jardin", "piano", "ballon", "gâteau")


def negation_sentences(n: int, generator: torch.Generator | None = None) -> list[str]:
    """n sentences of the 1,024 equally likely ones, half of them negated (given)."""
    draws = torch.stack([torch.randint(high, (n,), generator=generator) for high in (8, 8, 8, 2)], dim=1).tolist()
    return [
        f"{NAMES[i]} ne {VERBS[j]} pas le {THINGS[k]}." if negated else f"{NAMES[i]} {VERBS[j]} bien le {THINGS[k]}."
        for i, j, k, negated in draws
    ]


def agreement_rate(sentences: Sequence[str]) -> float:
    """Share of sentences in which « pas » stands where « ne » did, and « bien » where it did not (given)."""
    agrees = re.compile(r"\w+ (ne \w+ pas|(?!ne )\w+ bien) le \w+\.")
    return sum(agrees.fullmatch(sentence) is not None for sentence in sentences) / len(sentences)


class NGram:
    """A Markov chain of order k, by counting (given). Calling it with tokens (B, T) gives log-probabilities (B, T, V).

    Place t is conditioned on the last `order` tokens, and on all t + 1 where there are fewer. Contexts of each length
    are counted anywhere inside a row, never across rows. A context that was never seen gives the uniform law.

    Arguments:
        sequences: tokens to count in, (N, T).
        vocab_size: V.
        order: k, at least 1.
        smoothing: added to each count, not negative.
    """

    def __init__(self, sequences: Tensor, vocab_size: int, order: int = 1, smoothing: float = 0.0) -> None:
        if order < 1:
            raise ValueError(f"order must be at least 1, got {order}")
        if smoothing < 0:
            raise ValueError(f"smoothing must not be negative, got {smoothing}")
        self.vocab_size, self.order, self.smoothing = vocab_size, order, smoothing
        self._counts: dict[tuple[int, ...], Tensor] = {}
        for row in sequences.tolist():
            for t in range(1, len(row)):
                for k in range(1, min(order, t) + 1):
                    context = tuple(row[t - k : t])
                    if context not in self._counts:
                        self._counts[context] = torch.zeros(vocab_size, dtype=torch.float64)
                    self._counts[context][row[t]] += 1

    def law(self, context: Sequence[int]) -> Tensor:
        """Probabilities (V,) of what comes after these tokens."""
        counts = self._counts.get(tuple(context[-self.order :]), torch.zeros(self.vocab_size, dtype=torch.float64))
        counts = counts + self.smoothing
        return counts / counts.sum() if counts.sum() > 0 else torch.full_like(counts, 1 / self.vocab_size)

    def __call__(self, tokens: Tensor) -> Tensor:
        rows = tokens.tolist()
        laws = [torch.stack([self.law(row[: t + 1]) for t in range(len(row))]) for row in rows]
        return torch.stack(laws).log().to(torch.get_default_dtype()).to(tokens.device)  # (B, T, V)


# %% [markdown]
# ## 2. Attention
#
# Each of $T$ places asks with a *query* $q_i \in \mathbb R^{d_k}$; each of $S$ places offers a *key*
# $k_j \in \mathbb R^{d_k}$ and holds a *value* $v_j \in \mathbb R^{d_v}$. A place reads the mean of the values,
# weighted by how well their keys fit:
#
# $$\operatorname{attention}(Q, K, V) = \operatorname{softmax}\Big(\frac{Q K^\top}{\sqrt{d_k}}\Big)\, V.$$
#
# Each row of weights sums to 1. The scalar product of two independent standard normal vectors has variance $d_k$:
# without the root, scores grow with the dimension, the softmax chooses a single key, and its gradient vanishes.
#
# **Who may look where.** The probability of a token must not depend on later ones. A *mask* is True where a query may
# look, and a key that it may not see gets the weight 0, **exactly**, while the others sum to 1 all the same: the mask
# acts on the scores, before the softmax. With the *causal* mask, place $i$ sees the keys $0, \dots, i$, itself
# included. When the first `past` tokens have been dealt with earlier (section 5), query $i$ is the token at
# $\text{past} + i$, and sees the keys $0, \dots, \text{past} + i$.
#
# (True means "may look" in torch's `scaled_dot_product_attention`, too; in its `MultiheadAttention` it means the
# opposite. And torch's `is_causal=True` aligns at the top left where there are more keys than queries: not what a
# cache needs.)


# %%
def causal_mask(n: int, past: int = 0) -> Tensor:
    """Which keys each query may look at.

    Arguments:
        n: number of queries, at least 1.
        past: number of keys that stand before the first query.

    Returns:
        (n, past + n) bool, True where query i may look: keys 0..past + i.

    Source: course notes (S2), auto-regressive models; Vaswani et al. (2017), section 3.2.3.
    """
    ### BEGIN SOLUTION
    return torch.ones(n, past + n, dtype=torch.bool).tril(diagonal=past)
    ### END SOLUTION


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    r"""Scaled dot-product attention, $\operatorname{softmax}(Q K^\top / \sqrt{d_k}) V$.

    Arguments:
        q: queries, (..., T, d_k).
        k: keys, (..., S, d_k).
        v: values, (..., S, d_v).
        mask: bool, broadcasts to (..., T, S), True where a query may look; None: everywhere. Every row has a True.

    Returns:
        (output (..., T, d_v), weights (..., T, S)): weights are exactly 0 where the mask is False, rows sum to 1;
        finite for scores of any size.

    Raises:
        ValueError: if the shapes of q, k and v do not fit.

    Source: Vaswani et al. (2017), equation 1; course slides (S3), GPT.
    """
    ### BEGIN SOLUTION
    if q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise ValueError(f"q, k, v do not fit: {tuple(q.shape)}, {tuple(k.shape)}, {tuple(v.shape)}")
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (..., T, S)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = torch.softmax(scores, dim=-1)  # torch subtracts the largest score first: no overflow
    return weights @ v, weights
    ### END SOLUTION


# %% [markdown]
# ## 3. Several heads
#
# One softmax can point to one place. $H$ heads look at $H$ places at once, each in its own $d = D / H$ dimensions:
#
# $$\text{head}_h = \operatorname{attention}\big((x W_q)_h,\ (x W_k)_h,\ (x W_v)_h\big), \qquad
# \text{output} = [\text{head}_1, \dots, \text{head}_H]\, W_o,$$
#
# where $(\cdot)_h$ are the columns $h d, \dots, (h + 1) d - 1$, and heads stand side by side. In tensors: (B, T, D)
# is *viewed* as (B, T, H, d), and *transposed* to (B, H, T, d); a `view` straight to (B, H, T, d) mixes places with
# dimensions. Mind what a head divides by: its keys have $d$ dimensions, not $D$.


# %%
def multi_head_attention(
    x: Tensor, w_q: Tensor, w_k: Tensor, w_v: Tensor, w_o: Tensor, n_heads: int, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Attention of a sequence to itself, in several heads.

    Arguments:
        x: (B, T, D).
        w_q, w_k, w_v, w_o: (D, D); they multiply from the right, x W (not x Wᵀ as in nn.Linear), without biases.
        n_heads: H, divides D; head h takes the columns h d..(h + 1) d - 1 of x W, d = D / H.
        mask: bool, broadcasts to (B, H, T, T), True where a query may look.

    Returns:
        (output (B, T, D): heads side by side, times w_o; weights (B, H, T, T)).

    Raises:
        ValueError: if n_heads does not divide D, or the shapes of x and of the weights do not fit.

    Source: Vaswani et al. (2017), section 3.2.2.
    """
    ### BEGIN SOLUTION
    B, T, D = x.shape
    check_heads(D, n_heads)
    for name, weight in (("w_q", w_q), ("w_k", w_k), ("w_v", w_v), ("w_o", w_o)):
        if weight.shape != (D, D):
            raise ValueError(f"{name} must be ({D}, {D}), got {tuple(weight.shape)}")
    q, k, v = (split_heads(x @ w, n_heads) for w in (w_q, w_k, w_v))  # (B, H, T, d)
    output, weights = attention(q, k, v, mask)
    return output.transpose(1, 2).reshape(B, T, D) @ w_o, weights
    ### END SOLUTION


### BEGIN SOLUTION
def check_heads(d_model: int, n_heads: int) -> None:
    """Refuse a number of heads that does not divide the width."""
    if n_heads < 1 or d_model % n_heads:
        raise ValueError(f"n_heads must divide d_model = {d_model}, got {n_heads}")


def split_heads(y: Tensor, n_heads: int) -> Tensor:
    """(B, T, D) -> (B, H, T, D / H)."""
    B, T, D = y.shape
    return y.view(B, T, n_heads, D // n_heads).transpose(1, 2)


### END SOLUTION

# %% [markdown]
# ## 4. Positions
#
# Attention does not know the order of what it reads: keys and values in another order give the same mean. So tokens
# are told where they stand. Either each place has a vector that is learnt, or it gets sines and cosines of many
# wavelengths,
#
# $$p_{t,\,2i} = \sin\big(t / 10000^{2i / D}\big), \qquad p_{t,\,2i + 1} = \cos\big(t / 10000^{2i / D}\big),$$
#
# for $t = 0, 1, \dots$ and $i = 0, \dots, D/2 - 1$: sine and cosine of one frequency side by side. A step of $s$
# places is then a rotation, the same everywhere, so that "three places back" can be said with one matrix.


# %%
def sinusoidal_positions(n: int, d_model: int) -> Tensor:
    """Sines and cosines of the places 0..n - 1.

    Arguments:
        n: number of places.
        d_model: D, even.

    Returns:
        (n, D), floating: column 2i is sin(t / 10000^(2i/D)), column 2i + 1 the cosine.

    Raises:
        ValueError: if d_model is odd.

    Source: Vaswani et al. (2017), section 3.5.
    """
    ### BEGIN SOLUTION
    if d_model % 2:
        raise ValueError(f"d_model must be even, got {d_model}")
    places = torch.arange(n, dtype=torch.float64)[:, None]
    angles = places / 10000 ** (torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)  # (n, D / 2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).reshape(n, d_model).to(torch.get_default_dtype())
    ### END SOLUTION


# %% [markdown]
# ## 5. A block, and GPT
#
# A block adds to its input twice. First every place reads from the places before it, then each one computes by
# itself:
#
# $$x \leftarrow x + \operatorname{attention}(\operatorname{norm}(x)), \qquad
# x \leftarrow x + \operatorname{MLP}(\operatorname{norm}(x)).$$
#
# The norm (`nn.LayerNorm` over the D numbers of a place, or its like) comes *first* and stands outside of the sum
# ("pre-norm"): from the last layer to the first a way without any norm stays open for the gradient. What a block adds
# stays bounded however large $x$ is, and with all its parameters at zero a block returns $x$. The MLP has a layer
# that is wider, and a non-linearity.
#
# **GPT** is: an embedding of tokens plus positions, some blocks, a last norm, and a linear layer to V logits. At most
# `context` tokens fit in.
#
#     tokens (B, T) ─► embedding + position (B, T, D) ─► block ─► ... ─► block ─► norm ─► linear ─► logits (B, T, V)
#
# **The cache.** To write one more token after $T$, `forward` computes all $T$ places again, only to use the last. But
# nothing that came before has changed: a place never looks ahead. So keep the keys and the values of each layer.
# `step(tokens, cache)` takes the *next* tokens only, computes their queries, keys and values, lets them look at the
# kept keys and their own, and returns the logits with the longer cache. Mind two things: the new tokens stand at
# `past`, `past + 1`, ..., not at 0; and within a chunk of several tokens the causal mask still holds. `step` on all
# tokens with an empty cache *is* `forward`.


# %%
### BEGIN SOLUTION
def check_context(n: int, context: int) -> None:
    """Refuse more tokens than fit in."""
    if n > context:
        raise ValueError(f"at most context = {context} tokens, got {n}")


class CausalAttention(nn.Module):
    """Causal attention in several heads, of new places to the kept ones and to each other.

    Arguments:
        d_model, n_heads: width, and number of heads.
    """

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        check_heads(d_model, n_heads)
        self.n_heads = n_heads
        self.qkv, self.out = nn.Linear(d_model, 3 * d_model), nn.Linear(d_model, d_model)

    def forward(self, x: Tensor, kept: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x (B, t, D) after the places whose keys and values are kept -> (B, t, D), and all keys and values."""
        q, k, v = (split_heads(y, self.n_heads) for y in self.qkv(x).chunk(3, dim=-1))  # (B, H, t, d)
        if kept is not None:
            k, v = torch.cat([kept[0], k], dim=2), torch.cat([kept[1], v], dim=2)  # (B, H, past + t, d)
        mask = causal_mask(x.shape[1], past=k.shape[2] - x.shape[1]).to(x.device)
        # Having written it once, take torch's: it is faster. It needs the mask, for is_causal aligns at the top left.
        read = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(read.transpose(1, 2).reshape(x.shape)), (k, v)


def through(block: Any, x: Tensor, kept: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Both sums of a block for the places x (B, t, D) that come after the kept ones."""
    read, kept = block.attention(block.norm_1(x), kept)
    x = x + read
    return x + block.mlp(block.norm_2(x)), kept


### END SOLUTION


class Block(nn.Module):
    """A pre-norm Transformer block with causal attention: x (B, T, D) -> (B, T, D).

    x + attention(norm(x)), then x + MLP(norm(x)). Its layers inside are yours.

    Arguments:
        d_model: D.
        n_heads: divides D.

    Raises:
        ValueError: if n_heads does not divide d_model.

    Source: Vaswani et al. (2017); Xiong et al. (2020); GPT-2, section 2.3.
    """

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.attention = CausalAttention(d_model, n_heads)
        self.norm_1, self.norm_2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.mlp = nn.Sequential(nn.Linear(d_model, 4 * d_model), nn.GELU(), nn.Linear(4 * d_model, d_model))
        ### END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, D) -> (B, T, D); what comes out at place i depends on the places 0..i."""
        ### BEGIN SOLUTION
        return through(self, x)[0]
        ### END SOLUTION


class GPT(nn.Module):
    """An auto-regressive Transformer: tokens (B, T) -> logits (B, T, V).

    Embeddings and positions, `n_layers` blocks, a norm, a linear layer. Positions are learnt or sinusoidal. No dropout:
    two calls agree. Rows of a batch do not mix.

    Arguments:
        vocab_size: V.
        context: the most tokens that fit in.
        d_model, n_heads, n_layers: width, heads and number of blocks.

    Attributes:
        context: as given.

    Raises:
        ValueError: if n_heads does not divide d_model.

    Source: course slides (S3), GPT; GPT-2.
    """

    def __init__(self, vocab_size: int, context: int, d_model: int = 32, n_heads: int = 2, n_layers: int = 2) -> None:
        super().__init__()
        self.context = context
        ### BEGIN SOLUTION
        self.embedding, self.positions = nn.Embedding(vocab_size, d_model), nn.Embedding(context, d_model)
        self.blocks = nn.ModuleList(Block(d_model, n_heads) for _ in range(n_layers))
        self.norm, self.head = nn.LayerNorm(d_model), nn.Linear(d_model, vocab_size)
        for table in (self.embedding, self.positions):
            nn.init.normal_(table.weight, std=0.1)  # what is learnt soon outweighs where it started
        ### END SOLUTION

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (B, T), T at most `context` -> logits (B, T, V); ValueError for more tokens."""
        ### BEGIN SOLUTION
        return self.step(tokens)[0]
        ### END SOLUTION

    def step(self, tokens: Tensor, cache: Any = None) -> tuple[Tensor, Any]:
        """The same for the next tokens only.

        Arguments:
            tokens: the next tokens, (B, t), t at least 1.
            cache: what `step` returned for the tokens before; None: there are none. It is used once, so that it may
                be changed in place.

        Returns:
            (logits (B, t, V), those rows of `forward`; the cache of all tokens so far). It saves work: one token after
            63 costs at most half the multiplications of `forward` on 64.

        Raises:
            ValueError: if there are more tokens in all than `context`.
        """
        ### BEGIN SOLUTION
        past = 0 if cache is None else cache[0][0].shape[2]
        here = torch.arange(past, past + tokens.shape[1], device=tokens.device)
        check_context(past + len(here), self.context)
        x = self.embedding(tokens) + self.positions(here)  # (B, t, D)
        longer = []
        for i, block in enumerate(self.blocks):
            x, kept = through(block, x, None if cache is None else cache[i])
            longer.append(kept)
        return self.head(self.norm(x)), longer
        ### END SOLUTION


# %% [markdown]
# ## 6. Likelihood
#
# Any law of $(x_1, \dots, x_T)$ factorises (S2, equation 6),
#
# $$p(x_1, \dots, x_T) = p(x_1) \prod_{t=2}^{T} p(x_t \mid x_1, \dots, x_{t-1}),$$
#
# and the model gives every factor but the first. The logits at place $t$ are about token $t + 1$: the model is fed
# all tokens but the last, `tokens[:, :-1]`, and is asked for all but the first. Shifted the wrong way it learns to
# copy, and its loss looks wonderful.
#
# Three units for one number: *nats* per token, minus the mean of $\log p$; *bits*, nats over $\ln 2$; *perplexity*,
# $e^{\text{nats}}$, the number of equally likely tokens that would be as hard to guess. The mean is over all tokens
# of all rows: where the last batch is smaller, the mean of the batches' means is another number.


# %%
### BEGIN SOLUTION
def check_length(tokens: Tensor) -> None:
    """Refuse rows in which nothing is predicted."""
    if tokens.dim() != 2 or tokens.shape[1] < 2:
        raise ValueError(f"tokens must be (B, T) with T at least 2, got {tuple(tokens.shape)}")


### END SOLUTION


def token_log_probs(model: Model, tokens: Tensor) -> Tensor:
    r"""$\log p(x_t \mid x_1, \dots, x_{t-1})$ of every token but the first, in nats.

    Arguments:
        model: any callable, tokens (B, T) -> logits (B, T, V), not normalised; it is called with tokens[:, :-1].
        tokens: (B, T), T at least 2.

    Returns:
        (B, T - 1), for t = 2, ..., T; its sum over a row is the row's log-probability given its first token.

    Raises:
        ValueError: if T < 2.

    Source: course notes (S2), equation 6.
    """
    ### BEGIN SOLUTION
    check_length(tokens)
    log_probs = torch.log_softmax(model(tokens[:, :-1]), dim=-1)  # (B, T - 1, V)
    return log_probs.gather(-1, tokens[:, 1:, None]).squeeze(-1)
    ### END SOLUTION


def next_token_loss(model: Model, tokens: Tensor) -> Tensor:
    """Minus the mean of the log-probabilities, over all B (T - 1) predicted tokens, in nats.

    Arguments:
        model: any callable, tokens (B, T) -> logits (B, T, V).
        tokens: (B, T), T at least 2.

    Returns:
        A scalar with a graph to the model's weights.

    Raises:
        ValueError: if T < 2.

    Source: course notes (S2), maximum likelihood.
    """
    ### BEGIN SOLUTION
    return -token_log_probs(model, tokens).mean()
    ### END SOLUTION


@torch.no_grad()
def evaluate(model: Model, tokens: Tensor, batch_size: int = 64) -> dict[str, float]:
    """How well a model predicts, batch by batch.

    Arguments:
        model: any callable, tokens (B, T) -> logits (B, T, V).
        tokens: (N, T), T at least 2.
        batch_size: rows at a time; it does not change the answer.

    Returns:
        {"nats": per predicted token, "bits": nats / ln 2, "perplexity": exp(nats)}, floats; the mean is over all
        tokens.

    Raises:
        ValueError: if T < 2.

    Source: Shannon (1951).
    """
    ### BEGIN SOLUTION
    check_length(tokens)
    total = sum(float(token_log_probs(model, rows).sum(dtype=torch.float64)) for rows in tokens.split(batch_size))
    nats = -total / (len(tokens) * (tokens.shape[1] - 1))
    return {"nats": nats, "bits": nats / math.log(2), "perplexity": math.exp(nats)}
    ### END SOLUTION


# %% [markdown]
# ## 7. Writing
#
# A text is written one token at a time: ask for the logits of the last place, draw a token, append it, ask again. Two
# knobs turn the law that is drawn from. The *temperature* $\tau$ divides the logits: below 1 the likely becomes
# likelier, at 0 the first largest is certain ("greedy"), above 1 the law gets flatter. *Top-k* keeps the k largest
# and normalises what is left.
#
# A network sees at most `context` tokens: the *last* ones are what it needs. With the cache nothing falls out, so
# that prompt and text together must fit in.


# %%
def next_token_probabilities(logits: Tensor, temperature: float = 1.0, top_k: int | None = None) -> Tensor:
    """The law of the next token.

    Arguments:
        logits: (B, V), not normalised.
        temperature: divides the logits; 0 is one-hot at the first largest.
        top_k: keep the k largest only (all where k >= V); None: all.

    Returns:
        (B, V), rows sum to 1.

    Raises:
        ValueError: if temperature < 0 or top_k < 1.

    Source: course slides (S3), GPT; GPT-2.
    """
    ### BEGIN SOLUTION
    if temperature < 0:
        raise ValueError(f"temperature must not be negative, got {temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k must be at least 1, got {top_k}")
    if temperature == 0:
        return F.one_hot(logits.argmax(dim=-1), logits.shape[-1]).to(logits.dtype)
    if top_k is not None and top_k < logits.shape[-1]:
        kept = logits.topk(top_k, dim=-1)
        logits = torch.full_like(logits, -math.inf).scatter(-1, kept.indices, kept.values)
    return torch.softmax(logits / temperature, dim=-1)
    ### END SOLUTION


@torch.no_grad()
def generate(
    model: Any,
    prompt: Tensor,
    n: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    use_cache: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Write n more tokens after each prompt.

    Arguments:
        model: a callable, tokens (B, T) -> logits (B, T, V). Where it has a `context`, it is called on the last
            `context` tokens; on all of them where that is None or missing.
        prompt: (B, T), T at least 1.
        n: how many tokens to write.
        temperature, top_k: as in next_token_probabilities.
        use_cache: call only `model.step`: with the prompt, then with one token at a time.
        generator: source of the draws.

    Returns:
        (B, T + n), the prompts and what was written.

    Raises:
        ValueError: if the prompt is empty, or use_cache and T + n > context.

    Source: course slides (S1, text generation; S3, GPT).
    """
    ### BEGIN SOLUTION
    if prompt.dim() != 2 or prompt.shape[1] == 0:
        raise ValueError(f"prompt must be (B, T) with T at least 1, got {tuple(prompt.shape)}")
    context = getattr(model, "context", None)
    if use_cache and context is not None and prompt.shape[1] + n > context:
        raise ValueError(f"with the cache at most context = {context} tokens, got {prompt.shape[1] + n}")
    tokens, fed, cache = prompt, prompt, None
    for _ in range(n):
        if use_cache:
            logits, cache = model.step(fed, cache)
        else:
            logits = model(tokens if context is None else tokens[:, -context:])
        law = next_token_probabilities(logits[:, -1], temperature, top_k)  # (B, V)
        device = law.device if generator is None else generator.device  # draw where the generator lives
        fed = torch.multinomial(law.to(device), 1, generator=generator).to(tokens)
        tokens = torch.cat([tokens, fed], dim=1)
    return tokens
    ### END SOLUTION


# %% [markdown]
# ## 8. Training
#
# Each step takes `batch_size` rows, and one step of Adam (or AdamW) on their loss. Every row should come as often as
# any other: draw rows with replacement, or shuffle and go through them. Warm-up, decay of the learning rate and
# clipping of gradients are up to you. All $T - 1$ predictions of a row are learnt from at once, because the causal
# mask lets none of them see its answer: that is what makes a Transformer quick to train.


# %%
def track(items: Sequence[int], label: str, progress: bool) -> Iterable[int]:
    """The items of a loop, with a progress bar where one is asked for (given, for `progress=True`)."""
    if not progress:
        return items
    try:
        from rich.progress import track as bar
    except ImportError:
        print(f"{label}: {len(items)} steps", file=sys.stderr)
        return items
    return bar(items, description=label)


def train_lm(
    model: nn.Module,
    tokens: Tensor,
    steps: int,
    batch_size: int = 32,
    lr: float = 3e-3,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Train a model of sequences by maximum likelihood.

    Arguments:
        model: a module, tokens (B, T) -> logits (B, T, V), trained in place; it is called with rows[:, :-1].
        tokens: training rows, (N, T), T at least 2.
        steps: number of gradient steps.
        batch_size: rows of a step, exactly (a short last batch of a pass is dropped).
        lr: learning rate of Adam or AdamW.
        generator: source of the batches.
        progress: whether to show a progress bar.

    Returns:
        {"loss": the loss of each step, `steps` floats, in nats}.

    Raises:
        ValueError: if T < 2.

    Source: course notes (S2), maximum likelihood.
    """
    ### BEGIN SOLUTION
    check_length(tokens)
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr)
    device = tokens.device if generator is None else generator.device
    history: dict[str, list[float]] = {"loss": []}
    model.train()
    for _ in track(range(steps), "training", progress):
        rows = torch.randint(len(tokens), (batch_size,), generator=generator, device=device).to(tokens.device)
        loss = next_token_loss(model, tokens[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history["loss"].append(loss.item())
    return history
    ### END SOLUTION


# %% [markdown]
# ## 9. Figures
#
# Given: a GPT learns 2,000 sentences (about a quarter of a minute), beside chains of several orders. Look at the
# floor that the loss cannot pass; at what new sentences cost each model, and at how many of its own sentences agree;
# and at what attention looks at: your heads on equal letters, and the characters that change what the trained GPT
# writes next.


# %%
def _written(model: Any, tokenizer: CharTokenizer, n: int, generator: torch.Generator) -> list[str]:
    """n sentences that a model writes."""
    start = torch.zeros(n, 1, dtype=torch.int64)
    rows = generate(model, start, 31, generator=generator)
    return [tokenizer.decode(row[1:]).split("\n")[0] for row in rows]


def _influence(model: Any, tokens: Tensor) -> Tensor:
    """How far the law after place i moves when token j is another, (T, T): total variation, mean over all others."""
    T, V = tokens.shape[1], model(tokens).shape[-1]
    table = torch.zeros(T, T)
    laws = torch.softmax(model(tokens)[0], dim=-1)  # (T, V)
    for j in range(T):
        others = tokens.repeat(V, 1)
        others[:, j] = torch.arange(V)
        moved = torch.softmax(model(others), dim=-1)  # (V, T, V)
        table[:, j] = 0.5 * (moved - laws).abs().sum(-1).mean(0)
    return table


def _draw_learning(folder: Path, losses: Sequence[float], floor: float) -> Path:
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6, 3.4), layout="constrained")
    axis.plot(losses, lw=0.8, label="loss of each step")
    axis.axhline(floor, color="0.3", ls="--", label="entropy of the sentences")
    axis.set(title="No model gets below the floor", xlabel="step", ylabel="nats per character", yscale="log")
    axis.legend()
    path = folder / "learning.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _draw_models(folder: Path, costs: dict[str, float], rates: dict[str, float]) -> Path:
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
    left.bar(list(costs), list(costs.values()), color="tab:blue")
    left.axhline(math.log(1024), color="0.3", ls="--")
    left.set(title="What a new sentence costs (dashed: the truth)", ylabel="nats per sentence")
    right.bar(list(rates), list(rates.values()), color="tab:green")
    right.set(title="Written sentences that agree", ylabel="share", ylim=(0, 1))
    path = folder / "models.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _draw_attention(folder: Path, model: Any, tokenizer: CharTokenizer) -> Path:
    import matplotlib.pyplot as plt

    sentence = "Ali ne regarde pas le vélo."
    tokens = tokenizer.batch([sentence])[:, :-1]  # newline and sentence
    letters = ["¶", *sentence]
    T, V = tokens.shape[1], len(tokenizer.vocabulary)
    x = 6 * F.one_hot(tokens, V + V % 2).float()  # each letter asks for its equals
    eye = torch.eye(x.shape[-1])
    _output, weights = multi_head_attention(x, eye, eye, eye, eye, 1, mask=causal_mask(T))
    figure, panels = plt.subplots(1, 2, figsize=(12, 5.4), layout="constrained")
    moved = _influence(model, tokens).sqrt()  # roots show the small ones, too
    for panel, table in zip(panels, (weights[0, 0], moved), strict=True):
        panel.imshow(table, cmap="viridis")
        panel.set(xticks=range(T), yticks=range(T), xticklabels=letters, yticklabels=letters)
    panels[0].set(title="Attention of each letter to its equals", xlabel="key", ylabel="query")
    panels[1].set(title="What the trained GPT's next letter depends on", xlabel="changed letter", ylabel="after")
    path = folder / "attention.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def make_figures(folder: str | Path) -> list[Path]:
    """Draw loss, models and attention from your functions. Returns the files written."""
    import matplotlib

    matplotlib.use("Agg")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    sentences, unseen = negation_sentences(2000, generator), negation_sentences(300, generator)
    tokenizer = CharTokenizer("".join(sentences))
    rows = tokenizer.batch(sentences)
    new = tokenizer.batch([*unseen, max(sentences, key=len)])[:-1]  # as long as the rows of the training
    places = rows.shape[1] - 1
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        gpt = GPT(vocab_size=len(tokenizer.vocabulary), context=places)
    history = train_lm(gpt, rows, 400, generator=generator)
    models: dict[str, Any] = {}
    for k in (3, 6, 12):
        label = f"order {k}"
        models[label] = NGram(rows, len(tokenizer.vocabulary), k, 0.01)
    models["GPT"] = gpt
    costs = {name: evaluate(model, new)["nats"] * places for name, model in models.items()}
    rates = {name: agreement_rate(_written(model, tokenizer, 100, generator)) for name, model in models.items()}
    with torch.no_grad():
        return [
            _draw_learning(folder, history["loss"], math.log(1024) / places),
            _draw_models(folder, costs, rates),
            _draw_attention(folder, gpt, tokenizer),
        ]


# %%
if __name__ == "__main__":
    make_figures("figures")

# %% [markdown]
# ## 10. Quiz
#
# The questions below carry your own numbers. Work them out on paper or with your functions; then put the answers into
# `ANSWERS`.

# %%
### BEGIN PERSONAL
PERSONAL = {
    "symbols": 30,
    "chain": 3,
    "bits": 1.9,
    "gap": 19,
    "query": [0, -1, -1, -2],
    "keys": [[2, 0, -1, 2], [-2, 1, -2, 1], [0, 0, 0, -2]],
    "values": [-9, 5, -4],
}
QUIZ = {
    "free": (
        "A Markov chain of order k = 3 over V = 30 tokens: how many of its transition probabilities can be "
        "chosen freely (those of one context sum to 1)? Answer: an integer."
    ),
    "perplexity": (
        "A model needs 1.9 bits per character on new text. What is its perplexity per character? Answer: a "
        "number, to 0.001."
    ),
    "order": (
        "A source writes a token s, then 19 fillers that are drawn independently of everything, then a token "
        "that depends on s alone. What is the smallest order of a Markov chain that gives this last token its"
        " exact probability? Answer: an integer."
    ),
    "attention": (
        "One query q = [0, -1, -1, -2], three keys [[2, 0, -1, 2], [-2, 1, -2, 1], [0, 0, 0, -2]], and their "
        "values [-9, 5, -4] (one number each). What is the output of scaled dot-product attention? Answer: a "
        "number, to 0.005."
    ),
}
### END PERSONAL
ANSWERS = {"free": None, "perplexity": None, "order": None, "attention": None}
### BEGIN SOLUTION
_scores = [sum(a * b for a, b in zip(PERSONAL["query"], key, strict=True)) / 2 for key in PERSONAL["keys"]]
_weights = [math.exp(score - max(_scores)) for score in _scores]
ANSWERS = {
    "free": PERSONAL["symbols"] ** PERSONAL["chain"] * (PERSONAL["symbols"] - 1),
    "perplexity": 2 ** PERSONAL["bits"],
    "order": PERSONAL["gap"] + 1,
    "attention": sum(w * v for w, v in zip(_weights, PERSONAL["values"], strict=True)) / sum(_weights),
}
### END SOLUTION
