# Differs: as short as it gets; additive masks; norms without weights; the cache is a list of what each layer has read; no history but the losses.
import math

import torch
import torch.nn.functional as F
from torch import nn


def need(condition, what):
    if not condition:
        raise ValueError(what)


def causal_mask(n, past=0):
    return torch.tril(torch.ones(past + n, past + n)).bool()[past:]


def attention(q, k, v, mask=None):
    need(q.shape[-1] == k.shape[-1] and k.shape[-2] == v.shape[-2], "shapes")
    s = q @ k.mT / math.sqrt(k.shape[-1])
    w = (s if mask is None else s.masked_fill(mask == 0, -math.inf)).softmax(-1)
    return w @ v, w


def multi_head_attention(x, w_q, w_k, w_v, w_o, n_heads, mask=None):
    need(x.shape[-1] % n_heads == 0, "n_heads")
    need(all(w.shape == (x.shape[-1],) * 2 for w in (w_q, w_k, w_v, w_o)), "weights")
    q, k, v = [torch.stack((x @ w).chunk(n_heads, -1), 1) for w in (w_q, w_k, w_v)]
    o, w = attention(q, k, v, mask)
    return torch.cat(list(o.transpose(0, 1)), -1) @ w_o, w


def sinusoidal_positions(n, d_model):
    need(d_model % 2 == 0, "d_model")
    z = torch.arange(n)[:, None] * 1e4 ** (-torch.arange(0, d_model, 2) / d_model)
    return torch.view_as_real(torch.polar(torch.ones_like(z), math.pi / 2 - z)).flatten(1)  # cos(π/2 - z) = sin z


class Block(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        need(n_heads > 0 and d_model % n_heads == 0, "n_heads")
        self.h = n_heads
        self.a, self.b = nn.Linear(d_model, 3 * d_model), nn.Linear(d_model, d_model)
        self.c, self.d = nn.Linear(d_model, 4 * d_model), nn.Linear(4 * d_model, d_model)

    def go(self, x, y):
        q, k, v = [torch.stack(z.chunk(self.h, -1), 1) for z in self.a(y).chunk(3, -1)]
        o = F.scaled_dot_product_attention(
            q[:, :, -x.shape[1] :], k, v, attn_mask=causal_mask(x.shape[1], y.shape[1] - x.shape[1]).to(x.device)
        )
        x = x + self.b(torch.cat(o.unbind(1), -1))
        return x + self.d(F.silu(self.c(F.layer_norm(x, x.shape[-1:]))))

    def forward(self, x):
        return self.go(x, F.layer_norm(x, x.shape[-1:]))


class GPT(nn.Module):
    def __init__(self, vocab_size, context, d_model=32, n_heads=2, n_layers=2):
        super().__init__()
        self.context = context
        self.e, self.p = nn.Embedding(vocab_size, d_model), nn.Parameter(torch.randn(context, d_model) / 5)
        self.m = nn.ModuleList(Block(d_model, n_heads) for _ in range(n_layers))
        self.o = nn.Linear(d_model, vocab_size)

    def forward(self, tokens):
        need(tokens.shape[1] <= self.context, "context")
        x = self.e(tokens) + self.p[: tokens.shape[1]]
        for m in self.m:
            x = m(x)
        return self.o(F.layer_norm(x, x.shape[-1:]))

    def step(self, tokens, cache=None):
        n = 0 if cache is None else cache[0].shape[1]
        need(n + tokens.shape[1] <= self.context, "context")
        x, new = self.e(tokens) + self.p[n : n + tokens.shape[1]], []
        for i, m in enumerate(self.m):
            y = F.layer_norm(x, x.shape[-1:])
            new.append(y if cache is None else torch.cat([cache[i], y], 1))
            x = m.go(x, new[i])
        return self.o(F.layer_norm(x, x.shape[-1:])), new


def token_log_probs(model, tokens):
    need(tokens.shape[1] > 1, "T")
    return torch.distributions.Categorical(logits=model(tokens[:, :-1])).log_prob(tokens[:, 1:])


def next_token_loss(model, tokens):
    return -token_log_probs(model, tokens).mean()


def evaluate(model, tokens, batch_size=64):
    with torch.no_grad():
        nats = -float(torch.cat([token_log_probs(model, rows) for rows in tokens.split(batch_size)]).double().mean())
    return {"nats": nats, "bits": nats / math.log(2), "perplexity": 2 ** (nats / math.log(2))}


def next_token_probabilities(logits, temperature=1.0, top_k=None):
    need(temperature >= 0 and (top_k is None or top_k >= 1), "temperature or top_k")
    if temperature == 0:
        return torch.eye(logits.shape[1]).to(logits)[logits.max(1).indices]
    if top_k:
        logits = logits.where(logits >= logits.sort(1, descending=True)[0][:, :top_k][:, -1:], -math.inf)
    return (logits / temperature).softmax(1)


@torch.no_grad()
def generate(model, prompt, n, temperature=1.0, top_k=None, use_cache=False, generator=None):
    c = getattr(model, "context", None) or 10**9
    need(prompt.shape[1] > 0 and not (use_cache and prompt.shape[1] + n > c), "prompt")
    text, new, cache = prompt, prompt, None
    for _ in range(n):
        y, cache = model.step(new, cache) if use_cache else (model(text[:, -c:]), None)
        new = next_token_probabilities(y[:, -1], temperature, top_k).multinomial(1, generator=generator)
        text = torch.cat([text, new], 1)
    return text


def train_lm(model, tokens, steps, batch_size=32, lr=3e-3, generator=None, progress=False):
    need(tokens.shape[1] > 1, "T")
    opt, h = torch.optim.Adam(model.parameters(), lr), []
    for _ in range(steps):
        loss = next_token_loss(model, tokens[torch.randperm(len(tokens), generator=generator)[:batch_size]])
        opt.zero_grad()
        loss.backward()
        opt.step()
        h += [loss.item()]
    return {"loss": h}
