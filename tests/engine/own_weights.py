"""Mistakes in networks that are not the bank's: other first weights, other layers, another architecture.

A student's network never equals the bank's. `with_own_weights` gives every network of a file other first weights and
activations, and an order of its parameters in which a check that sets them one by one gives others. `VARIANTS` are
mistakes in alternatives, whose networks were written differently: (mistake, alternative, text, text in its place).
"""

from __future__ import annotations

import ast

OWN = """
import types as _types

import torch as _torch


def _bias_first(layer):
    layer._parameters["weight"] = layer._parameters.pop("weight")


class _Linear(_torch.nn.Linear):
    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        _bias_first(self)

    def reset_parameters(self):
        _torch.nn.init.normal_(self.weight, std=0.9 / self.weight.shape[1] ** 0.5)
        if self.bias is not None:
            _torch.nn.init.normal_(self.bias, std=0.1)


class _LayerNorm(_torch.nn.LayerNorm):
    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        _bias_first(self)


class _Embedding(_torch.nn.Embedding):
    def reset_parameters(self):
        _torch.nn.init.uniform_(self.weight, -1.0, 1.0)


nn = _types.SimpleNamespace(**{
    **vars(_torch.nn), "Linear": _Linear, "LayerNorm": _LayerNorm, "Embedding": _Embedding,
    "SiLU": _torch.nn.Tanh, "GELU": _torch.nn.SiLU,
})
"""

VARIANTS: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "latent_diffusion": (
        ("drops_out", "loops", "return self.layers(", "return nn.Sequential(self.layers, nn.Dropout(0.2))("),
        (
            "drops_out",
            "with_classes",
            "self.leave(torch.relu(h))",
            "self.leave(nn.functional.dropout(torch.relu(h), 0.1))",
        ),
        (
            "batch_normalised",
            "sigmoids",
            "*layers, nn.Linear(hidden, latent_dim)",
            "*layers, nn.BatchNorm1d(hidden), nn.Linear(hidden, latent_dim)",
        ),
        (
            "batch_normalised",
            "embedding_bags",
            "nn.functional.silu(layer(h))",
            "nn.functional.silu(nn.functional.batch_norm(layer(h), None, None, training=True))",
        ),
        (
            "batch_normalised",
            "with_classes",
            "return self.leave(torch.relu(h))",
            "return self.leave((h - h.mean(0)) / (h.var(0, unbiased=False) + 1e-5) ** 0.5)",
        ),
        (
            "batch_normalised",
            "with_classes",
            "return self.leave(torch.relu(h))",
            "return self.leave((h - h.mean(0)) / h.std(0))",
        ),
        ("first_time_for_all", "loops", "share = t[:, None]", "share = t[:1, None].expand(len(t), 1)"),
        ("first_time_for_all", "embedding_bags", "self.times(t)", "self.times(t[:1]).expand(len(t), -1)"),
        ("time_ignored", "with_classes", "phases = (t.to(z_t)", "phases = (0 * t.to(z_t)"),
        ("condition_ignored", "loops", "torch.cat([z_t, c, share", "torch.cat([z_t, 0 * c, share"),
    ),
    "molecule_diffusion": (
        (
            "absolute_positions",
            "loops",
            "+ self.time(t).unsqueeze(1)",
            "+ self.time(t).unsqueeze(1) + x.sum(-1, keepdim=True)",
        ),
        ("distance_to_origin", "matrices", "+ t[:, None])", "+ t[:, None]) + x.norm(dim=-1, keepdim=True)"),
        (
            "places_embedded",
            "vector_features",
            "+ self.when[t][:, None]",
            "+ self.when[t][:, None] + torch.arange(N)[:, None].to(x) / N",
        ),
        (
            "handed_features",
            "numpy_inside",
            "return centre(y - x)",
            "return centre(y - x + torch.linalg.cross(centre(x), y - x))",
        ),
        ("types_ignored", "matrices", "types[None] * self.n_times", "0 * types[None] * self.n_times"),
        ("time_ignored", "loops", "self.time(t)", "self.time(0 * t)"),
        ("first_time_for_all", "numpy_inside", "self.times[t]", "self.times[t[:1].expand_as(t)]"),
        ("output_not_centred", "numpy_inside", "return centre(y - x)", "return y - x"),
        ("dropout_inside", "numpy_inside", "h = h + mix(", "h = F.dropout(h, 0.1, self.training) + mix("),
        ("batch_normalised", "loops", "self.final(ends(h))", "self.final(ends(h - h.mean(0)))"),
    ),
    "bridge_style": (
        ("time_ignored", "loops", "t = t[:, None].to(x)", "t = 0 * t[:, None].to(x)"),
        ("time_ignored", "one_layer", "angles = math.pi *", "angles = 0 *"),
        ("network_mixes_rows", "loops", "return self.last(h)", "return self.last(h - h.mean(0))"),
        ("network_mixes_rows", "classes", "nn.Linear(dim + 2, hidden), nn.SiLU()",
         "nn.Linear(dim + 2, hidden), nn.BatchNorm1d(hidden), nn.SiLU()"),
        (
            "hidden_ignored",
            "loops",
            "self.first = nn.Linear(dim + 1, hidden)",
            "hidden = 64\n        self.first = nn.Linear(dim + 1, hidden)",
        ),
    ),
    "ae_vs_pca": (
        (
            "linear_with_relu",
            "functional_lists",
            'return x @ self.affine["E"] + self.affine["e"]',
            'return (x @ self.affine["E"] + self.affine["e"]).clamp(min=0)',
        ),
        ("linear_with_relu", "tied_einsum", "return z @ self.W + self.b", "return torch.relu(z @ self.W + self.b)"),
        ("relu_on_code", "functional_lists", "if k != layers[-1]:", "if k < len(self.W) - 1:"),
        ("relu_on_code", "tied_einsum", "return self.run(x, 0, self.half)", "return self.run(x, 0, self.half).relu()"),
        ("relu_on_output", "tied_einsum", "if k != stop - 1:", "if k + 1 != self.half:"),
        (
            "sigmoid_on_output",
            "functional_lists",
            "return self._run(z, list(range(self.middle, 2 * self.middle)))",
            "return torch.sigmoid(self._run(z, list(range(self.middle, 2 * self.middle))))",
        ),
        ("no_hidden_relu", "functional_lists", "x = x.clamp(min=0)", "pass"),
        ("relu_after_first_only", "tied_einsum", "if k != stop - 1:", "if k == first:"),
        ("hidden_not_mirrored", "functional_lists", "[D, *hidden, d, *hidden[::-1], D]", "[D, *hidden, d, *hidden, D]"),
        ("hidden_not_mirrored", "tied_einsum", "[d] + self.hidden[::-1] + [D]", "[d] + self.hidden + [D]"),
        ("code_size_fixed", "functional_lists", "sizes = [D, *hidden, d,", "sizes = [D, *hidden, 64,"),
        (
            "code_squeezed",
            "tied_einsum",
            "return (x - self.b) @ self.W.T",
            "return ((x - self.b) @ self.W.T).squeeze(1)",
        ),
        (
            "code_squeezed",
            "functional_lists",
            "return self._run(x, list(range(self.middle)))",
            "return self._run(x, list(range(self.middle))).squeeze()",
        ),
    ),
    "gan_collapse": (
        ("sigmoid_generator", "loops", "return 2 * torch.sigmoid(2 * z) - 1", "return torch.sigmoid(2 * z)"),
        ("sigmoid_generator", "functional", "return torch.tanh(", "return torch.sigmoid("),
        (
            "unbounded_generator",
            "inlined",
            "return torch.tanh(self.head(self.body(z)))",
            "return self.head(self.body(z))",
        ),
        ("unbounded_generator", "shared_step", "return z.tanh()", "return z"),
        (
            "norm_always",
            "functional",
            "nn.BatchNorm1d(hidden) if batch_norm else nn.Identity()",
            "nn.BatchNorm1d(hidden)",
        ),
        ("norm_always", "shared_step", "BatchNorm if batch_norm else None", "BatchNorm"),
        (
            "norm_once",
            "loops",
            "[nn.BatchNorm1d(hidden), nn.BatchNorm1d(hidden)]",
            "[nn.BatchNorm1d(hidden), nn.Identity()]",
        ),
        (
            "sigmoid_discriminator",
            "loops",
            "return self.out(x).sum(1)",
            "return 0.5 + 0.5 * torch.tanh(self.out(x).sum(1))",
        ),
        ("sigmoid_discriminator", "inlined", ".reshape(len(x))", ".reshape(len(x)).sigmoid()"),
        (
            "batch_norm_in_discriminator",
            "shared_step",
            "hidden_layers(dim, hidden, None)",
            "hidden_layers(dim, hidden, nn.BatchNorm1d)",
        ),
        (
            "batch_norm_in_discriminator",
            "loops",
            "x = torch.maximum(x, 0.2 * x)",
            "x = torch.maximum(x, 0.2 * x)\n            x = (x - x.mean(0)) / (x.var(0) + 1e-5).sqrt()",
        ),
        ("logits_in_a_column", "inlined", ".reshape(len(x))", ""),
        ("logits_in_a_column", "loops", "return self.out(x).sum(1)", "return self.out(x)"),
    ),
    "transformer_text": (
        (
            "post_norm",
            "terse",
            "x = x + self.b(torch.cat(o.unbind(1), -1))\n"
            "        return x + self.d(F.silu(self.c(F.layer_norm(x, x.shape[-1:]))))",
            "x = F.layer_norm(x + self.b(torch.cat(o.unbind(1), -1)), x.shape[-1:])\n"
            "        return F.layer_norm(x + self.d(F.silu(self.c(x))), x.shape[-1:])",
        ),
        (
            "post_norm",
            "loops",
            "return x + self.down(torch.relu(self.up(self.second(x))))",
            "return self.second(x + self.down(torch.relu(self.up(x))))",
        ),
        ("no_residual", "loops", "x = x + self.o(", "x = self.o("),
        ("no_residual", "einsum_buffers", "return x + self.down(", "return self.down("),
        ("no_residual", "torch_modules", "return x + self.ff2(", "return self.ff2("),
        ("no_norm", "numpy_inside", 'self.read["in"](self.read["norm"](x))', 'self.read["in"](x)'),
        ("no_mlp", "loops", "torch.relu(self.up(self.second(x)))", "self.up(self.second(x))"),
        ("block_not_causal", "numpy_inside", "is_causal=True", "is_causal=False"),
        ("block_not_causal", "loops", 'scores = scores.masked_fill(later, float("-inf"))', "pass"),
        ("attention_too_short", "loops", "scores.masked_fill(later,", "scores.masked_fill(~(~later).triu(-2),"),
        ("attention_too_short", "einsum_buffers", "masked_fill(~mask,", "masked_fill(~mask.triu(-2),"),
        ("uniform_attention", "loops", "scores = q[", "scores = 0 * q["),
        (
            "uniform_attention",
            "einsum_buffers",
            "p = s.masked_fill(~mask, -torch.inf).softmax(-1)",
            "p = 0 * s + mask.to(s) / mask.sum(-1, keepdim=True)",
        ),
        ("rows_mix", "terse", "+ self.p[: tokens.shape[1]]", "+ self.e(tokens).mean(0)"),
        ("no_positions", "terse", "+ self.p[: tokens.shape[1]]", ""),
        ("cache_places_restart", "terse", "self.p[n : n + tokens.shape[1]]", "self.p[: tokens.shape[1]]"),
        ("cache_ignored", "terse", "n = 0 if cache is None else cache[0].shape[1]", "n, cache = 0, None"),
        (
            "cache_chunk_sees_ahead",
            "numpy_inside",
            "(q, k, v, causal_mask(q.shape[-2], old.shape[-2]).to(q.device))",
            "(q, k, v)",
        ),
    ),
    "wgan_gp": (
        ("batch_norm", "adamw", "nn.LayerNorm(128)", "nn.BatchNorm1d(128)"),
        ("batch_norm", "loops", "return h[:, 0]", "return ((h - h.mean(0)) / (h.std(0) + 1e-5))[:, 0]"),
        ("critic_sigmoid", "loops", "return h[:, 0]", "return torch.sigmoid(h[:, 0])"),
        ("critic_sigmoid", "elu_orthogonal", "return h.sum(1)", "return 1 / (1 + (-h.sum(1)).exp())"),
        ("critic_column", "numpy_epochs", ".squeeze(1)", ""),
        ("critic_column", "functional", "self.body(x).flatten()", "self.body(x)"),
        ("critic_squeezes_all", "numpy_epochs", ".squeeze(1)", ".squeeze()"),
        ("generator_tanh", "loops", "        return h\n", "        return h.tanh()\n"),
        ("generator_tanh", "functional", "return self.body(z)", "return self.body(z).sigmoid()"),
    ),
}


def with_own_weights(source: str) -> str:
    """A file whose networks are made of layers of its own: the imports come first, then the layers."""
    defined = (ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
    first = next(node for node in ast.parse(source).body if isinstance(node, defined))
    line = min([first.lineno, *(d.lineno for d in getattr(first, "decorator_list", []))]) - 1
    lines = source.split("\n")
    return "\n".join([*lines[:line], OWN, *lines[line:]])


def variant(source: str, old: str, new: str) -> str:
    """A file with a text of it, which stands there once, replaced."""
    assert source.count(old) == 1, f"{old!r} stands there {source.count(old)} times"
    return source.replace(old, new)
