# Differs: loops over queries, heads and rows; RMS norm and ReLU; sinusoidal positions in the network; a cache of lists that grows in place; shuffled passes; draws by the inverse of the cumulated law.
import math

import torch
from torch import nn


def causal_mask(n, past=0):
    rows = []
    for i in range(n):
        rows.append([j <= past + i for j in range(past + n)])
    return torch.tensor(rows)


def one_query(q, keys, values, allowed):
    scores = []
    for j in range(keys.shape[0]):
        scores.append((q * keys[j]).sum() / keys.shape[1] ** 0.5)
    largest = max(float(s) for s, a in zip(scores, allowed) if a)
    shares = torch.stack([torch.exp(s - largest) if a else s * 0 for s, a in zip(scores, allowed)])
    shares = shares / shares.sum()
    return sum(shares[j] * values[j] for j in range(values.shape[0])), shares


def attention(q, k, v, mask=None):
    if q.shape[-1] != k.shape[-1]:
        raise ValueError("queries and keys have other sizes")
    if k.shape[-2] != v.shape[-2]:
        raise ValueError("as many values as keys are needed")
    T, S = q.shape[-2], k.shape[-2]
    lead = q.shape[:-2]
    allowed = torch.ones(*lead, T, S, dtype=torch.bool, device=q.device) if mask is None else mask.expand(*lead, T, S)
    qs, ks, vs = (y.reshape(-1, *y.shape[-2:]) for y in (q, k, v))
    allowed = allowed.reshape(-1, T, S).tolist()
    outputs, weights = [], []
    for b in range(len(qs)):
        for i in range(T):
            output, shares = one_query(qs[b, i], ks[b], vs[b], allowed[b][i])
            outputs.append(output)
            weights.append(shares)
    return torch.stack(outputs).reshape(*lead, T, v.shape[-1]), torch.stack(weights).reshape(*lead, T, S)


def multi_head_attention(x, w_q, w_k, w_v, w_o, n_heads, mask=None):
    B, T, D = x.shape
    if D % n_heads != 0:
        raise ValueError("n_heads must divide D")
    for w in (w_q, w_k, w_v, w_o):
        if tuple(w.shape) != (D, D):
            raise ValueError("weights must be (D, D)")
    d = D // n_heads
    mask = None if mask is None else mask.expand(B, n_heads, T, T)
    sides, maps = [], []
    for h in range(n_heads):
        part = slice(h * d, h * d + d)
        o, w = attention((x @ w_q)[..., part], (x @ w_k)[..., part], (x @ w_v)[..., part], None if mask is None else mask[:, h])
        sides.append(o)
        maps.append(w)
    return torch.cat(sides, dim=2) @ w_o, torch.stack(maps, dim=1)


def sinusoidal_positions(n, d_model):
    if d_model % 2 == 1:
        raise ValueError("d_model is odd")
    table = torch.zeros(n, d_model)
    for t in range(n):
        for i in range(d_model // 2):
            table[t, 2 * i] = math.sin(t / 10000 ** (2 * i / d_model))
            table[t, 2 * i + 1] = math.cos(t / 10000 ** (2 * i / d_model))
    return table


class RMS(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d))

    def forward(self, x):
        return self.gain * x / (x.pow(2).mean(-1, keepdim=True) + 1e-6).sqrt()


class Block(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        if d_model % n_heads:
            raise ValueError("n_heads")
        self.heads, self.d = n_heads, d_model // n_heads
        self.first, self.second = RMS(d_model), RMS(d_model)
        self.q = nn.Linear(d_model, d_model, bias=False)
        self.k = nn.Linear(d_model, d_model, bias=False)
        self.v = nn.Linear(d_model, d_model, bias=False)
        self.o = nn.Linear(d_model, d_model, bias=False)
        self.up = nn.Linear(d_model, 2 * d_model)
        self.down = nn.Linear(2 * d_model, d_model)

    def extend(self, x, keys, values):
        y = self.first(x)
        keys.append(self.k(y))
        values.append(self.v(y))
        k, v, q = torch.cat(keys, 1), torch.cat(values, 1), self.q(y)
        past = k.shape[1] - x.shape[1]
        sides = []
        for h in range(self.heads):
            part = slice(h * self.d, (h + 1) * self.d)
            scores = q[..., part] @ k[..., part].mT / math.sqrt(self.d)
            later = torch.arange(k.shape[1], device=x.device) > past + torch.arange(x.shape[1], device=x.device)[:, None]
            scores = scores.masked_fill(later, float("-inf"))
            sides.append(scores.softmax(-1) @ v[..., part])
        x = x + self.o(torch.cat(sides, -1))
        return x + self.down(torch.relu(self.up(self.second(x))))

    def forward(self, x):
        return self.extend(x, [], [])


class GPT(nn.Module):
    def __init__(self, vocab_size, context, d_model=32, n_heads=2, n_layers=2):
        super().__init__()
        self.context = context
        self.table = nn.Embedding(vocab_size, d_model)
        self.register_buffer("places", sinusoidal_positions(context, d_model))
        self.layers = nn.ModuleList([Block(d_model, n_heads) for _ in range(n_layers)])
        self.last = RMS(d_model)
        self.out = nn.Linear(d_model, vocab_size)

    def forward(self, tokens):
        return self.step(tokens)[0]

    def step(self, tokens, cache=None):
        if cache is None:
            cache = {"n": 0, "layers": [([], []) for _ in self.layers]}
        n, t = cache["n"], tokens.shape[1]
        if n + t > self.context:
            raise ValueError("the text is longer than the context")
        x = self.table(tokens) + self.places[n : n + t]
        for layer, (keys, values) in zip(self.layers, cache["layers"]):
            x = layer.extend(x, keys, values)
        cache["n"] = n + t
        return self.out(self.last(x)), cache


def token_log_probs(model, tokens):
    B, T = tokens.shape
    if T < 2:
        raise ValueError("T < 2")
    logits = model(tokens[:, :-1])
    rows = []
    for b in range(B):
        rows.append(torch.stack([logits[b, t, tokens[b, t + 1]] - torch.logsumexp(logits[b, t], 0) for t in range(T - 1)]))
    return torch.stack(rows)


def next_token_loss(model, tokens):
    if tokens.shape[1] < 2:
        raise ValueError("T < 2")
    return torch.nn.functional.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())


def evaluate(model, tokens, batch_size=64):
    if tokens.shape[1] < 2:
        raise ValueError("T < 2")
    everything = []
    with torch.no_grad():
        for start in range(0, len(tokens), batch_size):
            everything += token_log_probs(model, tokens[start : start + batch_size]).flatten().tolist()
    nats = -math.fsum(everything) / len(everything)
    return {"nats": nats, "bits": nats * math.log2(math.e), "perplexity": math.e**nats}


def next_token_probabilities(logits, temperature=1.0, top_k=None):
    if temperature < 0:
        raise ValueError("temperature")
    if top_k is not None and top_k <= 0:
        raise ValueError("top_k")
    rows = []
    for row in logits:
        law = torch.zeros_like(row)
        if temperature == 0:
            law[max(range(len(row)), key=lambda i: (float(row[i]), -i))] = 1
        else:
            order = sorted(range(len(row)), key=lambda i: -float(row[i]))[: len(row) if top_k is None else top_k]
            shares = torch.exp((row[order] - row.max()) / temperature)
            law[order] = shares / shares.sum()
        rows.append(law)
    return torch.stack(rows)


def draw(law, generator):
    u = torch.rand(len(law), 1, generator=generator, dtype=torch.float64).to(law.device)
    return (law.double().cumsum(1) <= u * law.double().sum(1, keepdim=True)).sum(1, keepdim=True).clamp(max=law.shape[1] - 1)


def generate(model, prompt, n, temperature=1.0, top_k=None, use_cache=False, generator=None):
    if prompt.shape[1] < 1:
        raise ValueError("empty prompt")
    context = getattr(model, "context", None)
    if use_cache and context is not None and prompt.shape[1] + n > context:
        raise ValueError("too long for the cache")
    text = prompt.clone()
    cache = None
    with torch.no_grad():
        for i in range(n):
            if use_cache and i == 0:
                logits, cache = model.step(text)
            elif use_cache:
                logits, cache = model.step(text[:, -1:], cache)
            else:
                logits = model(text if context is None else text[:, max(0, text.shape[1] - context) :])
            law = next_token_probabilities(logits[:, -1, :], temperature, top_k)
            text = torch.cat([text, draw(law, generator)], 1)
    return text


def train_lm(model, tokens, steps, batch_size=32, lr=3e-3, generator=None, progress=False):
    if tokens.shape[1] < 2:
        raise ValueError("T < 2")
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    while len(losses) < steps:
        order = torch.randperm(len(tokens), generator=generator)
        for start in range(0, len(tokens) - batch_size + 1, batch_size):
            if len(losses) == steps:
                break
            optimiser.zero_grad()
            loss = next_token_loss(model, tokens[order[start : start + batch_size]])
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
    return {"loss": losses}
