"""Uniform weights, uniform laws, and every refusal of the contract."""

import math

import torch
from torch import nn


def _refuse(condition):
    if condition:
        raise ValueError("an argument does not fit")


def causal_mask(n, past=0):
    return torch.ones(n, past + n, dtype=torch.bool)


def attention(q, k, v, mask=None):
    _refuse(q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2])
    weights = q.new_full((*q.shape[:-1], k.shape[-2]), 1 / k.shape[-2])
    return weights @ v, weights


def multi_head_attention(x, w_q, w_k, w_v, w_o, n_heads, mask=None):
    D = x.shape[2]
    _refuse(D % n_heads or any(w.shape != (D, D) for w in (w_q, w_k, w_v, w_o)))
    weights = x.new_full((x.shape[0], n_heads, x.shape[1], x.shape[1]), 1 / x.shape[1])
    return (x @ w_v).mean(1, keepdim=True).expand(x.shape) @ w_o, weights


def sinusoidal_positions(n, d_model):
    _refuse(d_model % 2)
    return torch.full((n, d_model), 0.5)


class Block(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        _refuse(d_model % n_heads)
        self.weight = nn.Parameter(torch.zeros(d_model))

    def forward(self, x):
        return x + self.weight


class GPT(nn.Module):
    def __init__(self, vocab_size, context, d_model=32, n_heads=2, n_layers=2):
        super().__init__()
        _refuse(d_model % n_heads)
        self.context, self.weight = context, nn.Parameter(torch.zeros(vocab_size))

    def forward(self, tokens):
        _refuse(tokens.shape[1] > self.context)
        return self.weight.expand(*tokens.shape, -1)

    def step(self, tokens, cache=None):
        n = tokens.shape[1] + (cache or 0)
        _refuse(n > self.context)
        return self(tokens), n


def token_log_probs(model, tokens):
    _refuse(tokens.shape[1] < 2)
    logits = model(tokens[:, :-1])
    return 0 * logits[..., 0] - math.log(logits.shape[-1])


def next_token_loss(model, tokens):
    return -token_log_probs(model, tokens).mean()


def evaluate(model, tokens, batch_size=64):
    nats = float(next_token_loss(model, tokens))
    return {"nats": nats, "bits": nats / math.log(2), "perplexity": math.exp(nats)}


def next_token_probabilities(logits, temperature=1.0, top_k=None):
    _refuse(temperature < 0 or (top_k is not None and top_k < 1))
    return torch.full_like(logits, 1 / logits.shape[-1])


def generate(model, prompt, n, temperature=1.0, top_k=None, use_cache=False, generator=None):
    _refuse(prompt.shape[1] == 0)
    _refuse(use_cache and prompt.shape[1] + n > (getattr(model, "context", None) or 10**9))
    V = model(prompt[:, :1]).shape[-1]
    return torch.cat([prompt, torch.randint(V, (len(prompt), n), generator=generator)], 1)


def train_lm(model, tokens, steps, batch_size=32, lr=3e-3, generator=None, progress=False):
    _refuse(tokens.shape[1] < 2)
    return {"loss": [math.log(2)] * steps}
