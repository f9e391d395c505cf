# Differs: NumPy for masks, positions, attention and draws; torch's fast attention in the network; the cache is a tuple of one tensor; the loss of its own.

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def causal_mask(n, past=0):
    return torch.from_numpy(np.tri(n, n + past, past, dtype=bool))


def _same(answer, like):
    return torch.as_tensor(answer, dtype=like.dtype, device=like.device)


def attention(q, k, v, mask=None):
    if q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise ValueError("q, k, v")
    a, b, c = (y.detach().cpu().numpy() for y in (q, k, v))
    s = a @ np.swapaxes(b, -1, -2) / np.sqrt(a.shape[-1])
    if mask is not None:
        s = np.where(mask.cpu().numpy(), s, -np.inf)
    p = np.exp(s - s.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    return _same(p @ c, q), _same(p, q)


def multi_head_attention(x, w_q, w_k, w_v, w_o, n_heads, mask=None):
    B, T, D = x.shape
    if D % n_heads or not w_q.shape == w_k.shape == w_v.shape == w_o.shape == (D, D):
        raise ValueError("shapes")
    q, k, v = (torch.stack((x @ w).split(D // n_heads, -1), 1) for w in (w_q, w_k, w_v))
    o, p = attention(q, k, v, mask)
    return torch.cat(o.unbind(1), -1) @ w_o, p


def sinusoidal_positions(n, d_model):
    if d_model % 2:
        raise ValueError("d_model")
    angles = np.arange(n)[:, None] / np.power(10000.0, np.arange(0, d_model, 2) / d_model)
    table = np.zeros((n, d_model))
    table[:, ::2], table[:, 1::2] = np.sin(angles), np.cos(angles)
    return torch.from_numpy(table)


class Block(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        if d_model % n_heads:
            raise ValueError("n_heads")
        self.n_heads = n_heads
        self.read = nn.ModuleDict({"norm": nn.LayerNorm(d_model), "in": nn.Linear(d_model, 3 * d_model), "out": nn.Linear(d_model, d_model)})
        self.think = nn.Sequential(
            nn.LayerNorm(d_model), nn.Linear(d_model, 4 * d_model), nn.Tanh(), nn.Linear(4 * d_model, d_model)
        )

    def heads(self, x):
        B, T, D = x.shape
        return self.read["in"](self.read["norm"](x)).view(B, T, 3, self.n_heads, -1).permute(2, 0, 3, 1, 4)

    def run(self, x, old=None):
        q, k, v = self.heads(x)
        if old is not None:
            k, v = torch.cat((old[0], k), -2), torch.cat((old[1], v), -2)
        if old is None:
            o = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        elif q.shape[-2] == 1:
            o = F.scaled_dot_product_attention(q, k, v)
        else:
            o = F.scaled_dot_product_attention(q, k, v, causal_mask(q.shape[-2], old.shape[-2]).to(q.device))
        x = x + self.read["out"](o.transpose(1, 2).flatten(2))
        return x + self.think(x), torch.stack((k, v))

    def forward(self, x):
        return self.run(x)[0]


class GPT(nn.Module):
    def __init__(self, vocab_size, context, d_model=32, n_heads=2, n_layers=2):
        super().__init__()
        self.context, self.V = context, vocab_size
        self.embed = nn.Linear(vocab_size + context, d_model, bias=False)
        self.blocks = nn.ModuleList(Block(d_model, n_heads) for _ in range(n_layers))
        self.out = nn.Sequential(nn.LayerNorm(d_model), nn.Linear(d_model, vocab_size))

    def forward(self, tokens):
        return self.step(tokens)[0]

    def step(self, tokens, cache=None):
        past = 0 if cache is None else cache[0].shape[-2]
        t = tokens.shape[1]
        if past + t > self.context:
            raise ValueError("context")
        places = F.one_hot(torch.arange(past, past + t, device=tokens.device), self.context).expand(len(tokens), -1, -1)
        x = self.embed(torch.cat((F.one_hot(tokens, self.V), places), -1).to(self.embed.weight))
        kept = []
        for i, block in enumerate(self.blocks):
            x, both = block.run(x, None if cache is None else cache[i])
            kept.append(both)
        return self.out(x), torch.stack(kept)


def token_log_probs(model, tokens):
    if tokens.ndim != 2 or tokens.shape[1] < 2:
        raise ValueError("tokens")
    logits = model(tokens[:, :-1])
    chosen = torch.take_along_dim(logits, tokens[:, 1:].unsqueeze(-1), -1).squeeze(-1)
    return chosen - logits.logsumexp(-1)


def next_token_loss(model, tokens):
    if tokens.ndim != 2 or tokens.shape[1] < 2:
        raise ValueError("tokens")
    return F.nll_loss(model(tokens[:, :-1]).log_softmax(-1).flatten(0, 1), tokens[:, 1:].flatten())


def evaluate(model, tokens, batch_size=64):
    if tokens.ndim != 2 or tokens.shape[1] < 2:
        raise ValueError("tokens")
    rows = [token_log_probs(model, tokens[i : i + batch_size]).detach().cpu().numpy() for i in range(0, len(tokens), batch_size)]
    nats = np.float64(-np.concatenate(rows).astype(np.float64).mean())
    return {"nats": nats, "bits": nats / np.log(2), "perplexity": np.exp(nats)}


def next_token_probabilities(logits, temperature=1.0, top_k=None):
    if temperature < 0:
        raise ValueError("temperature")
    if top_k is not None and top_k < 1:
        raise ValueError("top_k")
    y = logits.detach().cpu().numpy()
    if temperature == 0:
        p = np.eye(y.shape[1])[y.argmax(1)]
    else:
        p = np.exp((y - y.max(1, keepdims=True)) / temperature)
        if top_k is not None and top_k < y.shape[1]:
            np.put_along_axis(p, np.argpartition(y, -top_k, 1)[:, :-top_k], 0.0, 1)
        p = p / p.sum(1, keepdims=True)
    return _same(p, logits)


def generate(model, prompt, n, temperature=1.0, top_k=None, use_cache=False, generator=None):
    if prompt.shape[1] == 0:
        raise ValueError("prompt")
    context = getattr(model, "context", None)
    if use_cache and context is not None and context < prompt.shape[1] + n:
        raise ValueError("context")
    text, cache = prompt.clone(), None
    uniform = torch.rand(n, len(prompt), generator=generator, dtype=torch.float64).numpy()
    for i in range(n):
        with torch.no_grad():
            if not use_cache:
                logits = model(text[:, -min(context or text.shape[1], text.shape[1]) :])
            else:
                logits, cache = model.step(text if cache is None else text[:, -1:], cache)
        p = next_token_probabilities(logits[:, -1], temperature, top_k).double().cpu().numpy()
        new = [int(np.searchsorted(row.cumsum() / row.sum(), u, side="right")) for row, u in zip(p, uniform[i])]
        text = torch.cat((text, torch.tensor(new, device=text.device)[:, None].clamp(max=p.shape[1] - 1)), 1)
    return text


def train_lm(model, tokens, steps, batch_size=32, lr=3e-3, generator=None, progress=False):
    if tokens.ndim != 2 or tokens.shape[1] < 2:
        raise ValueError("tokens")
    rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.0)
    history = {"loss": np.zeros(steps)}
    for i in range(steps):
        rows = torch.from_numpy(rng.choice(len(tokens), batch_size, replace=False))
        model.zero_grad()
        loss = next_token_loss(model, tokens[rows])
        loss.backward()
        optimiser.step()
        history["loss"][i] = loss.item()
    return {"loss": list(history["loss"])}
