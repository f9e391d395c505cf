# Differs: nn.MultiheadAttention in the block, whose mask has the other meaning; the cache keeps what the attentions read; torch.distributions; DataLoader; warm-up, decay and clipping; one function behind the likelihoods.
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Categorical
from torch.utils.data import DataLoader, TensorDataset


def causal_mask(n, past=0):
    return ~torch.triu(torch.ones((n, past + n), dtype=torch.bool), 1 + past)


def attention(q, k, v, mask=None):
    if q.size(-1) != k.size(-1) or k.size(-2) != v.size(-2):
        raise ValueError("shapes")
    logits = torch.matmul(q, k.transpose(-1, -2)).div(q.size(-1) ** 0.5)
    if mask is not None:
        logits = torch.where(mask, logits, torch.full_like(logits, float("-inf")))
    p = F.softmax(logits, -1)
    return torch.matmul(p, v), p


def multi_head_attention(x, w_q, w_k, w_v, w_o, n_heads, mask=None):
    if x.dim() != 3 or any(w.shape != (x.size(2), x.size(2)) for w in (w_q, w_k, w_v, w_o)):
        raise ValueError("shapes")
    if x.size(2) % n_heads:
        raise ValueError("heads")

    def cut(y):
        return y.unflatten(-1, (n_heads, -1)).movedim(-2, 1)

    o, p = attention(cut(x @ w_q), cut(x @ w_k), cut(x @ w_v), mask)
    return o.movedim(1, -2).flatten(-2) @ w_o, p


def sinusoidal_positions(n, d_model):
    if d_model & 1:
        raise ValueError("odd")
    rates = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
    table = torch.empty(n, d_model)
    table[:, 0::2] = torch.sin(torch.arange(n).unsqueeze(1) * rates)
    table[:, 1::2] = torch.cos(torch.arange(n).unsqueeze(1) * rates)
    return table


class Block(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        if d_model % n_heads:
            raise ValueError("heads")
        self.ln1 = nn.LayerNorm(d_model)
        self.mha = nn.MultiheadAttention(d_model, n_heads, batch_first=True)
        self.ln2 = nn.LayerNorm(d_model)
        self.ff1 = nn.Linear(d_model, 4 * d_model)
        self.ff2 = nn.Linear(4 * d_model, d_model)

    def attend(self, x, before=None):
        y = self.ln1(x)
        seen = y if before is None else torch.cat((before, y), 1)
        hidden = ~causal_mask(y.size(1), seen.size(1) - y.size(1)).to(x.device)
        x = x + self.mha(y, seen, seen, attn_mask=hidden, need_weights=False)[0]
        return x + self.ff2(F.silu(self.ff1(self.ln2(x)))), seen

    def forward(self, x):
        return self.attend(x)[0]


class GPT(nn.Module):
    def __init__(self, vocab_size, context, d_model=32, n_heads=2, n_layers=2):
        super().__init__()
        self.context = context
        self.wte, self.wpe = nn.Embedding(vocab_size, d_model), nn.Embedding(context, d_model)
        self.blocks = nn.ModuleList([Block(d_model, n_heads) for _ in range(n_layers)])
        self.ln = nn.LayerNorm(d_model)
        self.bias = nn.Parameter(torch.zeros(vocab_size))
        for module in (self.wte, self.wpe):
            nn.init.normal_(module.weight, 0.0, 0.2)

    def _top(self, x):
        return self.ln(x) @ self.wte.weight.T + self.bias  # tied

    def forward(self, tokens):
        if tokens.size(1) > self.context:
            raise ValueError("context")
        x = self.wte(tokens) + self.wpe.weight[: tokens.size(1)]
        for block in self.blocks:
            x = block(x)
        return self._top(x)

    def step(self, tokens, cache=None):
        cache = [None] * len(self.blocks) if cache is None else cache
        past = 0 if cache[0] is None else cache[0].size(1)
        if past + tokens.size(1) > self.context:
            raise ValueError("context")
        x = self.wte(tokens) + self.wpe.weight[past : past + tokens.size(1)]
        out = []
        for block, before in zip(self.blocks, cache, strict=True):
            x, seen = block.attend(x, before)
            out.append(seen)
        return self._top(x), tuple(out)


def _losses(model, tokens):
    if tokens.size(1) < 2:
        raise ValueError("T < 2")
    return F.cross_entropy(model(tokens[:, :-1]).transpose(1, 2), tokens[:, 1:], reduction="none")


def token_log_probs(model, tokens):
    return -_losses(model, tokens)


def next_token_loss(model, tokens):
    return _losses(model, tokens).mean()


def evaluate(model, tokens, batch_size=64):
    with torch.inference_mode():
        chunks = [_losses(model, chunk).flatten() for chunk in torch.split(tokens, batch_size)]
    nats = torch.cat(chunks).double().mean()
    return {"nats": nats, "bits": nats / torch.log(torch.tensor(2.0, dtype=torch.float64)), "perplexity": nats.exp()}


def next_token_probabilities(logits, temperature=1.0, top_k=None):
    if temperature < 0 or (top_k is not None and top_k < 1):
        raise ValueError("temperature or top_k")
    if temperature == 0:
        return torch.zeros_like(logits).scatter_(1, logits.argmax(1, keepdim=True), 1.0)
    p = F.softmax(logits / temperature, 1)
    if top_k is not None:
        rank = p.argsort(1, descending=True).argsort(1)
        p = p * (rank < top_k)
    return p / p.sum(1, keepdim=True)


def generate(model, prompt, n, temperature=1.0, top_k=None, use_cache=False, generator=None):
    if not prompt.numel():
        raise ValueError("prompt")
    limit = getattr(model, "context", None)
    if use_cache and limit is not None and prompt.size(1) + n > limit:
        raise ValueError("context")
    with torch.no_grad():
        return _generate(model, prompt, n, temperature, top_k, use_cache, generator, limit)


def _generate(model, prompt, n, temperature, top_k, use_cache, generator, limit):
    pieces, new, cache = [prompt], prompt, None
    for _ in range(n):
        if use_cache:
            logits, cache = model.step(new, cache=cache)
        else:
            whole = torch.cat(pieces, 1)
            logits = model(whole[:, -limit:] if limit else whole)
        law = Categorical(probs=next_token_probabilities(logits[:, -1], temperature, top_k))
        new = torch.multinomial(law.probs, 1, replacement=True, generator=generator)
        pieces.append(new)
    return torch.cat(pieces, 1)


def _batches(tokens, batch_size, generator):
    whole = len(tokens) >= batch_size
    while True:
        loader = DataLoader(TensorDataset(tokens), batch_size, shuffle=True, drop_last=whole, generator=generator)
        for (rows,) in loader:
            yield rows


def train_lm(model, tokens, steps, batch_size=32, lr=3e-3, generator=None, progress=False):
    if tokens.size(1) < 2:
        raise ValueError("T < 2")
    model.train()
    opt = torch.optim.AdamW(model.parameters(), lr, betas=(0.9, 0.98), weight_decay=0.01)
    warm = max(1, steps // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        opt, lambda k: min((k + 1) / warm, 0.5 + 0.5 * math.cos(math.pi * k / steps) * 0.9 + 0.05)
    )
    history = {"loss": [], "lr": []}
    for _, rows in zip(range(steps), _batches(tokens, batch_size, generator)):
        opt.zero_grad(set_to_none=True)
        loss = next_token_loss(model, rows)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        schedule.step()
        history["loss"].append(loss.detach())
        history["lr"].append(schedule.get_last_lr()[0])
    return history
