"""Random right solutions of transformer_text: masks, heads, blocks, caches, draws and loops that its contract leaves free."""

from __future__ import annotations

import random

HEAD = '''
"""A right solution, drawn at random."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def need(condition, what):
    if not condition:
        raise ValueError(what)
'''


def source(rng: random.Random) -> str:
    """The text of one of them."""
    parts = [
        HEAD,
        _attention(rng),
        _positions(rng),
        _norm(rng),
        _block(rng),
        _network(rng),
        _likelihood(rng),
        _writing(rng),
        _training(rng),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _attention(rng: random.Random) -> str:
    mask = rng.choice((
        "torch.ones(n, n + past, dtype=torch.bool).tril(past)",
        "torch.arange(n + past)[None] <= (past + torch.arange(n))[:, None]",
        "torch.tensor([[j - i <= past for j in range(past + n)] for i in range(n)])",
        "torch.triu(torch.ones(n, n + past), past + 1) == 0",
        "torch.cat([torch.ones(n, past).bool(), torch.ones(n, n).bool().tril()], 1)",
    ))  # fmt: skip
    scores = rng.choice((
        "q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])",
        "(q / q.shape[-1] ** 0.5) @ k.mT",
        'torch.einsum("...td,...sd->...ts", q, k) * k.shape[-1] ** -0.5',
        "(q[..., :, None, :] * k[..., None, :, :]).sum(-1) / q.shape[-1] ** 0.5",
    ))  # fmt: skip
    hide = rng.choice((
        "scores.masked_fill(~mask, -math.inf)", "torch.where(mask, scores, -math.inf)",
        "scores + torch.zeros_like(scores).masked_fill(~mask, -math.inf)",
    ))  # fmt: skip
    weights = rng.choice((
        "scores.softmax(-1)", "F.softmax(scores, dim=-1)", "torch.exp(scores - scores.logsumexp(-1, keepdim=True))",
        "torch.exp(scores.log_softmax(-1))",
    ))  # fmt: skip
    cut = rng.choice((
        "y.reshape(*y.shape[:2], n_heads, -1).transpose(1, 2)",
        "y.unflatten(2, (n_heads, y.shape[2] // n_heads)).permute(0, 2, 1, 3)",
        "torch.stack(y.chunk(n_heads, -1), 1)",
    ))  # fmt: skip
    join = rng.choice((
        "o.transpose(1, 2).reshape(x.shape)", "torch.cat(o.unbind(1), -1)", "o.permute(0, 2, 1, 3).flatten(2)",
    ))  # fmt: skip
    return f"""
def causal_mask(n, past=0):
    return {mask}


def attention(q, k, v, mask=None):
    need(q.shape[-1] == k.shape[-1] and k.shape[-2] == v.shape[-2], "shapes of q, k, v")
    scores = {scores}
    if mask is not None:
        scores = {hide}
    weights = {weights}
    return {rng.choice(("weights @ v", "torch.matmul(weights, v)", 'torch.einsum("...ts,...sd->...td", weights, v)'))}, weights


def cut(y, n_heads):
    return {cut}


def multi_head_attention(x, w_q, w_k, w_v, w_o, n_heads, mask=None):
    need(n_heads > 0 and x.shape[-1] % n_heads == 0, "n_heads")
    need(all(w.shape == (x.shape[-1], x.shape[-1]) for w in (w_q, w_k, w_v, w_o)), "weights")
    o, weights = attention(cut(x @ w_q, n_heads), cut(x @ w_k, n_heads), cut(x @ w_v, n_heads), mask)
    return {join} @ w_o, weights
"""


def _positions(rng: random.Random) -> str:
    body = rng.choice((
        "angles = torch.arange(n)[:, None] / 10000 ** (torch.arange(0, d_model, 2) / d_model)\n"
        "    return torch.stack([angles.sin(), angles.cos()], 2).flatten(1)",
        "table = torch.zeros(n, d_model)\n"
        "    rates = torch.exp(-math.log(10000.0) * torch.arange(0, d_model, 2) / d_model)\n"
        "    table[:, ::2], table[:, 1::2] = (torch.outer(torch.arange(n).float(), rates)).sin(), "
        "torch.outer(torch.arange(n).float(), rates).cos()\n"
        "    return table",
        "rows = [[(math.cos if j % 2 else math.sin)(t / 10000 ** ((j - j % 2) / d_model)) for j in range(d_model)] "
        "for t in range(n)]\n"
        "    return torch.tensor(rows, dtype=torch.float64)",
    ))  # fmt: skip
    return f"""
def sinusoidal_positions(n, d_model):
    need(d_model % 2 == 0, "d_model")
    {body}
"""


def _norm(rng: random.Random) -> str:
    return rng.choice((
        "def norm(d):\n    return nn.LayerNorm(d)",
        "def norm(d):\n    return nn.LayerNorm(d, elementwise_affine=False)",
        """
class norm(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d))

    def forward(self, x):
        return self.gain * x * (x.square().mean(-1, keepdim=True) + 1e-5).rsqrt()
""",
        """
class norm(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.gain, self.bias = nn.Parameter(torch.ones(d)), nn.Parameter(torch.zeros(d))

    def forward(self, x):
        y = x - x.mean(-1, keepdim=True)
        return self.gain * y / (y.var(-1, keepdim=True, unbiased=False) + 1e-5).sqrt() + self.bias
""",
    ))  # fmt: skip


def _block(rng: random.Random) -> str:
    wide, bias = rng.choice((2, 3, 4)), rng.choice(("True", "False"))
    act = rng.choice(("F.gelu", "F.relu", "F.silu", "torch.tanh", "F.leaky_relu"))
    mlp = rng.choice((f"self.down({act}(self.up(y)))", f"self.down({act}(self.up(y)) * self.gate(y))"))
    read = rng.choice((
        "F.scaled_dot_product_attention(q, k, v, attn_mask=mask)", "attention(q, k, v, mask)[0]",
        "((q @ k.mT / q.shape[-1] ** 0.5).masked_fill(~mask, -math.inf)).softmax(-1) @ v",
    ))  # fmt: skip
    return f"""
class Block(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        need(n_heads > 0 and d_model % n_heads == 0, "n_heads")
        self.n_heads, self.one, self.two = n_heads, norm(d_model), norm(d_model)
        self.q, self.k, self.v, self.o = (nn.Linear(d_model, d_model, bias={bias}) for _ in range(4))
        self.up, self.gate = nn.Linear(d_model, {wide} * d_model), nn.Linear(d_model, {wide} * d_model)
        self.down = nn.Linear({wide} * d_model, d_model)

    def think(self, y):
        return {mlp}

    def step(self, x, kept=None):
        y = self.one(x)
        q, k, v = cut(self.q(y), self.n_heads), cut(self.k(y), self.n_heads), cut(self.v(y), self.n_heads)
        if kept is not None:
            k, v = torch.cat([kept[0], k], 2), torch.cat([kept[1], v], 2)
        mask = causal_mask(x.shape[1], k.shape[2] - x.shape[1]).to(x.device)
        o = {read}
        x = x + self.o(torch.cat(o.unbind(1), -1))
        return x + self.think(self.two(x)), (k, v)

    def forward(self, x):
        return self.step(x)[0]
"""


def _network(rng: random.Random) -> str:
    place, at = rng.choice((
        ("self.place = nn.Embedding(context, d_model)", "self.place(torch.arange(past, end, device=tokens.device))"),
        ("self.place = nn.Parameter(0.3 * torch.randn(context, d_model))", "self.place[past:end]"),
        ('self.register_buffer("place", sinusoidal_positions(context, d_model).float())', "self.place[past:end]"),
    ))  # fmt: skip
    start = rng.choice(("pass", "nn.init.normal_(self.token.weight, std=0.3)"))
    head = rng.choice(("nn.Linear(d_model, vocab_size)", "nn.Linear(d_model, vocab_size, bias=False)"))
    forward = rng.choice((
        "return self.step(tokens)[0]",
        "need(tokens.shape[1] <= self.context, 'context')\n"
        "        past, end = 0, tokens.shape[1]\n"
        f"        x = self.token(tokens) + {at}\n"
        "        for block in self.blocks:\n"
        "            x = block(x)\n"
        "        return self.head(self.norm(x))",
    ))  # fmt: skip
    return f"""
class GPT(nn.Module):
    def __init__(self, vocab_size, context, d_model=32, n_heads=2, n_layers=2):
        super().__init__()
        self.context = context
        self.token = nn.Embedding(vocab_size, d_model)
        {place}
        self.blocks = nn.ModuleList([Block(d_model, n_heads) for _ in range(n_layers)])
        self.norm, self.head = norm(d_model), {head}
        {start}

    def forward(self, tokens):
        {forward}

    def step(self, tokens, cache=None):
        past = 0 if cache is None else cache[0]
        end = past + tokens.shape[1]
        need(end <= self.context, "context")
        x = self.token(tokens) + {at}
        kept = []
        for i, block in enumerate(self.blocks):
            x, both = block.step(x, None if cache is None else cache[1][i])
            kept.append(both)
        return self.head(self.norm(x)), (end, kept)
"""


def _likelihood(rng: random.Random) -> str:
    logs = rng.choice((
        "model(tokens[:, :-1]).log_softmax(-1).gather(2, tokens[:, 1:, None])[..., 0]",
        '-F.cross_entropy(model(tokens[:, :-1]).transpose(1, 2), tokens[:, 1:], reduction="none")',
        "torch.distributions.Categorical(logits=model(tokens[:, :-1])).log_prob(tokens[:, 1:])",
    ))  # fmt: skip
    loss = rng.choice((
        "-token_log_probs(model, tokens).mean()",
        "F.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].reshape(-1))",
        "token_log_probs(model, tokens).sum() / -(tokens.shape[0] * (tokens.shape[1] - 1))",
    ))  # fmt: skip
    total = rng.choice((
        "total = sum(float(token_log_probs(model, part).double().sum()) for part in tokens.split(batch_size))\n"
        "    nats = -total / tokens[:, 1:].numel()",
        "parts = [token_log_probs(model, tokens[i : i + batch_size]) for i in range(0, len(tokens), batch_size)]\n"
        "    nats = -float(torch.cat(parts).double().mean())",
        "nats = sum(float(next_token_loss(model, part)) * len(part) for part in tokens.split(batch_size)) / len(tokens)",
    ))  # fmt: skip
    numbers = rng.choice((
        '{"nats": nats, "bits": nats / math.log(2), "perplexity": math.exp(nats)}',
        '{"perplexity": torch.tensor(nats).double().exp(), "bits": nats * math.log2(math.e), "nats": nats}',
    ))  # fmt: skip
    return f"""
def token_log_probs(model, tokens):
    need(tokens.shape[1] >= 2, "T")
    return {logs}


def next_token_loss(model, tokens):
    need(tokens.shape[1] >= 2, "T")
    return {loss}


@torch.no_grad()
def evaluate(model, tokens, batch_size=64):
    need(tokens.shape[1] >= 2, "T")
    {total}
    return {numbers}
"""


def _writing(rng: random.Random) -> str:
    kept = rng.choice((
        "logits = logits.masked_fill(logits < logits.topk(top_k)[0][:, -1:], -math.inf)",
        "logits = torch.full_like(logits, -math.inf).scatter(1, logits.topk(top_k)[1], logits.topk(top_k)[0])",
        "logits = logits.where(logits.argsort(1, descending=True).argsort(1) < top_k, -math.inf)",
    ))  # fmt: skip
    drawn = rng.choice((
        "torch.multinomial(law, 1, generator=generator)",
        "(law.double() / -torch.log(torch.rand(law.shape, generator=generator, dtype=torch.float64).clamp(1e-300))).argmax(1)[:, None]",
        "(law.double().cumsum(1) <= torch.rand(len(law), 1, generator=generator, dtype=torch.float64)).sum(1, keepdim=True)"
        ".clamp(max=law.shape[1] - 1)",
    ))  # fmt: skip
    return f"""
def next_token_probabilities(logits, temperature=1.0, top_k=None):
    need(temperature >= 0, "temperature")
    need(top_k is None or top_k >= 1, "top_k")
    if temperature == 0:
        return F.one_hot(logits.argmax(1), logits.shape[1]).to(logits)
    if top_k is not None and top_k < logits.shape[1]:
        {kept}
    return {rng.choice(("(logits / temperature).softmax(1)", "torch.exp((logits / temperature).log_softmax(1))"))}


@torch.no_grad()
def generate(model, prompt, n, temperature=1.0, top_k=None, use_cache=False, generator=None):
    need(prompt.shape[1] >= 1, "prompt")
    context = getattr(model, "context", None)
    need(not use_cache or context is None or prompt.shape[1] + n <= context, "context")
    text, cache = prompt, None
    for i in range(n):
        if use_cache:
            logits, cache = model.step(text[:, -1:] if i else text, cache)
        else:
            logits = model(text[:, -context:] if context is not None else text)
        law = next_token_probabilities(logits[:, -1], temperature, top_k)
        text = torch.cat([text, {drawn}], 1)
    return text
"""


def _training(rng: random.Random) -> str:
    rows = rng.choice((
        "tokens[torch.randint(len(tokens), (batch_size,), generator=generator)]",
        "tokens[torch.randperm(len(tokens), generator=generator)[:batch_size]]",
        "next(batches)",
    ))  # fmt: skip
    adam = rng.choice(("torch.optim.Adam(model.parameters(), lr=lr)", "torch.optim.AdamW(model.parameters(), lr=lr)",
                       "torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.99), weight_decay=0.1)"))  # fmt: skip
    clip = rng.choice(("pass", "nn.utils.clip_grad_norm_(model.parameters(), 1.0)"))
    rate = rng.choice(("pass", "opt.param_groups[0]['lr'] = lr * min(1.0, (i + 1) / 10)"))
    return f"""
def passes(tokens, batch_size, generator):
    while True:
        for part in torch.randperm(len(tokens), generator=generator).split(batch_size):
            if len(part) == batch_size:
                yield tokens[part]


def train_lm(model, tokens, steps, batch_size=32, lr=3e-3, generator=None, progress=False):
    need(tokens.shape[1] >= 2, "T")
    opt = {adam}
    batches, losses = passes(tokens, batch_size, generator), []
    model.train()
    for i in range(steps):
        {rate}
        loss = next_token_loss(model, {rows})
        opt.zero_grad()
        loss.backward()
        {clip}
        opt.step()
        losses.append({rng.choice(("loss.item()", "float(loss.detach())", "loss.detach()"))})
    return {{"loss": losses}}
"""
