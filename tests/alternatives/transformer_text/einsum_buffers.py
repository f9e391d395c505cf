# Differs: einsum and log-domain attention; a gated MLP; a cache of preallocated buffers that is filled in place; Gumbel draws; forward and step written apart.
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import einsum, nn


def causal_mask(n, past=0):
    query, key = torch.arange(n) + past, torch.arange(n + past)
    return query.unsqueeze(1).ge(key)


def attention(q, k, v, mask=None):
    if k.shape[-1] != q.shape[-1] or v.shape[-2] != k.shape[-2]:
        raise ValueError(f"{q.shape}, {k.shape}, {v.shape}")
    s = einsum("...id,...jd->...ij", q * q.shape[-1] ** -0.5, k)
    if mask is not None:
        s = s + torch.zeros_like(s).masked_fill_(mask.logical_not(), -torch.inf)
    p = (s - torch.logsumexp(s, -1, keepdim=True)).exp()
    return einsum("...ij,...jd->...id", p, v), p


def multi_head_attention(x, w_q, w_k, w_v, w_o, n_heads, mask=None):
    D = x.shape[-1]
    if n_heads < 1 or D % n_heads:
        raise ValueError("n_heads")
    if not all(w.shape == (D, D) for w in (w_q, w_k, w_v, w_o)):
        raise ValueError("weights")
    q, k, v = (einsum("btd,dhe->bhte", x, w.reshape(D, n_heads, -1)) for w in (w_q, w_k, w_v))
    o, p = attention(q, k, v, mask)
    return einsum("bhte,hed->btd", o, w_o.reshape(n_heads, D // n_heads, D)), p


def sinusoidal_positions(n, d_model):
    if d_model % 2:
        raise ValueError("d_model")
    columns = torch.arange(d_model, dtype=torch.float64)
    angles = torch.arange(n, dtype=torch.float64).outer(10000.0 ** -(2 * (columns // 2) / d_model))
    return torch.sin(angles + (columns % 2) * torch.pi / 2)


@dataclass
class Buffers:
    keys: list
    values: list
    length: int = 0


class Block(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        if n_heads < 1 or d_model % n_heads:
            raise ValueError("n_heads")
        d = d_model // n_heads
        self.qkv = nn.Parameter(torch.randn(3, d_model, n_heads, d) * d_model**-0.5)
        self.o = nn.Parameter(torch.randn(n_heads, d, d_model) * d_model**-0.5)
        self.gate, self.up = nn.Linear(d_model, 3 * d_model), nn.Linear(d_model, 3 * d_model)
        self.down = nn.Linear(3 * d_model, d_model)
        self.gain = nn.Parameter(torch.ones(2, d_model))

    def norm(self, x, i):
        return F.layer_norm(x, x.shape[-1:]) * self.gain[i]

    def project(self, x):
        return einsum("btd,zdhe->zbhte", self.norm(x, 0), self.qkv)

    def finish(self, x, q, k, v, mask):
        s = einsum("bhie,bhje->bhij", q, k) * q.shape[-1] ** -0.5
        p = s.masked_fill(~mask, -torch.inf).softmax(-1)
        x = x + einsum("bhij,bhje,hed->bid", p, v, self.o)
        y = self.norm(x, 1)
        return x + self.down(F.gelu(self.gate(y)) * self.up(y))

    def forward(self, x):
        q, k, v = self.project(x)
        return self.finish(x, q, k, v, causal_mask(x.shape[1]).to(x.device))


class GPT(nn.Module):
    def __init__(self, vocab_size, context, d_model=32, n_heads=2, n_layers=2):
        super().__init__()
        self.context, self.n_heads = context, n_heads
        self.token = nn.Parameter(0.3 * torch.randn(vocab_size, d_model))
        self.place = nn.Parameter(torch.zeros(context, d_model))
        self.blocks = nn.Sequential(*[Block(d_model, n_heads) for _ in range(n_layers)])
        self.head = nn.Sequential(nn.LayerNorm(d_model), nn.Linear(d_model, vocab_size, bias=False))

    def forward(self, tokens):
        T = tokens.shape[1]
        if T > self.context:
            raise ValueError("T > context")
        return self.head(self.blocks(self.token[tokens] + self.place[:T]))

    def step(self, tokens, cache=None):
        B, t = tokens.shape
        if cache is None:
            d = self.token.shape[1] // self.n_heads
            empty = self.token.new_zeros(2, len(self.blocks), B, self.n_heads, self.context, d)
            cache = Buffers(list(empty[0]), list(empty[1]))
        start, end = cache.length, cache.length + t
        if end > self.context:
            raise ValueError("text > context")
        x = self.token[tokens] + self.place[start:end]
        mask = causal_mask(t, start).to(tokens.device)
        for i, block in enumerate(self.blocks):
            q, k, v = block.project(x)
            with torch.no_grad():
                cache.keys[i][:, :, start:end] = k
                cache.values[i][:, :, start:end] = v
            x = block.finish(x, q, cache.keys[i][:, :, :end], cache.values[i][:, :, :end], mask)
        cache.length = end
        return self.head(x), cache


def token_log_probs(model, tokens):
    if tokens.shape[-1] < 2:
        raise ValueError("T")
    given, wanted = tokens[:, :-1], tokens[:, 1:]
    log_probs = model(given).log_softmax(2)
    return (log_probs * F.one_hot(wanted, log_probs.shape[2])).sum(2)


def next_token_loss(model, tokens):
    return token_log_probs(model, tokens).sum().neg() / (tokens.shape[0] * (tokens.shape[1] - 1))


def evaluate(model, tokens, batch_size=64):
    if tokens.shape[-1] < 2:
        raise ValueError("T")
    total = count = 0
    with torch.no_grad():
        for rows in tokens.split(batch_size):
            total = total + next_token_loss(model, rows).item() * rows[:, 1:].numel()
            count += rows[:, 1:].numel()
    nats = torch.tensor(total / count, dtype=torch.float64)
    return {"nats": nats.numpy(), "bits": (nats / 0.6931471805599453).numpy(), "perplexity": nats.exp().numpy()}


def _law(logits, temperature, top_k):
    if temperature < 0:
        raise ValueError("temperature")
    if top_k is not None:
        if top_k < 1:
            raise ValueError("top_k")
        border = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]
        logits = logits.masked_fill(logits < border, -torch.inf)
    if temperature == 0:
        first = logits.eq(logits.amax(-1, keepdim=True)).to(torch.int8).argmax(-1, keepdim=True)
        return torch.full_like(logits, -torch.inf).scatter(-1, first, 0.0)
    return logits / temperature


def next_token_probabilities(logits, temperature=1.0, top_k=None):
    return _law(logits, temperature, top_k).softmax(-1)


@torch.no_grad()
def generate(model, prompt, n, temperature=1.0, top_k=None, use_cache=False, generator=None):
    B, T = prompt.shape
    if T == 0:
        raise ValueError("prompt")
    context = getattr(model, "context", None) or T + n
    if use_cache and T + n > context:
        raise ValueError("context")
    text = prompt.new_zeros(B, T + n)
    text[:, :T] = prompt
    cache, done = None, 0
    for i in range(T, T + n):
        if use_cache:
            logits, cache = model.step(text[:, done:i], cache)
            done = i
        else:
            logits = model(text[:, max(0, i - context) : i])
        u = torch.rand(B, logits.shape[-1], generator=generator, dtype=torch.float64).to(logits.device)
        noise = -torch.log(-torch.log(u.clamp(1e-300, 1 - 1e-16)))
        text[:, i] = (_law(logits[:, -1], temperature, top_k) + noise).argmax(-1)
    return text


def train_lm(model, tokens, steps, batch_size=32, lr=3e-3, generator=None, progress=False):
    if tokens.shape[-1] < 2:
        raise ValueError("T")
    parameters = [p for p in model.parameters() if p.requires_grad]
    adam, losses = torch.optim.Adam(parameters, lr=lr, betas=(0.9, 0.99)), torch.zeros(steps)
    for i in range(steps):
        chosen = (torch.rand(batch_size, generator=generator) * len(tokens)).long().clamp(max=len(tokens) - 1)
        loss = next_token_loss(model, tokens[chosen])
        for p, g in zip(parameters, torch.autograd.grad(loss, parameters)):
            p.grad = g
        adam.step()
        losses[i] = loss.detach()
    return {"loss": losses.tolist(), "steps": steps}
