"""Typical wrong versions of transformer_text's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake

# A catalogue: each entry is a paragraph.
# fmt: off

# --- mask and attention ---------------------------------------------------------------------------

mistake("mask_looks_ahead", "causal mask that shows the next key", check="causal_mask",
    hint="Query i sees the keys 0..past + i: the next token is what it has to predict.",
    also={("block_causal", "gpt_causal", "gpt_step"): "the network that is built on the mask looks ahead as well"},
    old="tril(diagonal=past)", new="tril(diagonal=past + 1)")

mistake("mask_without_diagonal", "causal mask that hides the query's own key", check="causal_mask",
    hint="A query sees its own key, too; the first one would see nothing otherwise.",
    old="tril(diagonal=past)", new="tril(diagonal=past - 1)")

mistake("mask_forgets_past", "causal mask aligned at the top left where there are earlier keys", check="causal_mask",
    hint="With `past` earlier keys, query i stands at past + i: the diagonal moves to the right by `past`.",
    also={"gpt_step": "with a cache the new tokens see the first keys only"},
    old="tril(diagonal=past)", new="tril()")

mistake("no_scaling", "scores not divided by √d_k", check="attention_value",
    hint="The scores are Q Kᵀ / √d_k.",
    old=" / math.sqrt(q.shape[-1])", new="")

mistake("divided_by_d_k", "scores divided by d_k instead of its root", check="attention_value",
    hint="A scalar product of d_k independent terms has standard deviation √d_k: divide by the root.",
    old="/ math.sqrt(q.shape[-1])", new="/ q.shape[-1]")

mistake("divided_by_root_of_d_v", "scores divided by the root of d_v", check="attention_value",
    hint="The scores are scalar products of queries and keys, whose size is d_k, not that of the values.",
    old="math.sqrt(q.shape[-1])", new="math.sqrt(v.shape[-1])")

mistake("softmax_over_queries", "softmax over the queries instead of the keys", check="attention_value",
    hint="Each query spreads a weight of 1 over the keys: each row of (T, S) sums to 1, dim=-1.",
    also={("attention_masked", "attention_large", "heads_value"): "no row of weights sums to 1"},
    function="attention", old="torch.softmax(scores, dim=-1)", new="torch.softmax(scores, dim=-2)")

mistake("mask_after_softmax", "weights hidden after the softmax, so that rows do not sum to 1",
    check="attention_masked",
    hint="The mask acts on the scores, before the softmax: what is hidden must not take part in the sum.",
    also={"attention_large": "with a mask the rows of weights do not sum to 1"},
    function="attention", old="scores = scores.masked_fill(~mask, -math.inf)", new="pass")
mistake("mask_after_softmax",
    function="attention", old="    return weights @ v, weights",
    new="    weights = weights if mask is None else weights * mask\n    return weights @ v, weights")

mistake("masked_scores_zero", "hidden scores set to 0 instead of -inf", check="attention_masked",
    hint="exp(0) is 1: a score of 0 is a good one. Hidden scores are -inf.",
    also={"attention_large": "hidden keys get weights"},
    function="attention", old="-math.inf", new="0.0")

mistake("masked_scores_not_low_enough", "hidden scores set to a number instead of -inf", check="attention_masked",
    hint="The weight of what is hidden is exactly 0 for scores of any size: -inf, not -20.",
    also={"attention_large": "hidden keys win against low scores"},
    function="attention", old="-math.inf", new="-20.0")

mistake("masked_scores_minus_1e9", "hidden scores set to -10^9 instead of -inf", check="attention_large",
    hint="Beside scores lower than -10^9 that is a good one: hidden scores are -inf, for scores of any size.",
    function="attention", old="-math.inf", new="-1e9")

mistake("mask_meaning_inverted", "mask read as True where a query may not look", check="attention_masked",
    hint="True means may look: hide where the mask is False (torch's MultiheadAttention has it the other way round).",
    also={("attention_large", "heads_masked"): "what may be seen is hidden"},
    function="attention", old="~mask", new="mask")

mistake("softmax_overflows", "softmax that overflows for large scores", check="attention_large",
    hint="exp(1000) is inf, and inf / inf is NaN: subtract the largest score first, as torch.softmax does.",
    function="attention", old="torch.softmax(scores, dim=-1)", new="scores.exp() / scores.exp().sum(-1, keepdim=True)")

# --- heads and positions --------------------------------------------------------------------------

mistake("heads_without_transpose", "heads cut by a view to (B, H, T, d), which mixes places with dimensions",
    check="heads_value",
    hint="First view(B, T, H, d), then transpose(1, 2).",
    function="multi_head_attention", old="split_heads(x @ w, n_heads)",
    new="(x @ w).view(B, n_heads, T, D // n_heads)")

mistake("heads_merged_without_transpose", "heads put side by side without transposing back", check="heads_value",
    hint="(B, H, T, d) first becomes (B, T, H, d) again: transpose(1, 2), then reshape.",
    function="multi_head_attention", old="output.transpose(1, 2).reshape", new="output.reshape")

mistake("heads_interleaved", "heads that take every H-th column", check="heads_value",
    hint="Head h takes the columns h·d..(h+1)·d-1, one next to the other: view(B, T, H, d).",
    function="multi_head_attention", old="split_heads(x @ w, n_heads)",
    new="(x @ w).view(B, T, D // n_heads, n_heads).permute(0, 3, 1, 2)")

mistake("weights_transposed", "x Wᵀ instead of x W", check="heads_value",
    hint="The weights multiply from the right as they are: x @ w. (nn.Linear holds them transposed.)",
    function="multi_head_attention", old="x @ w, n_heads", new="x @ w.T, n_heads")
mistake("weights_transposed", function="multi_head_attention", old="@ w_o", new="@ w_o.T")

mistake("scaled_by_model_width", "scores of a head divided by √D instead of √d", check="heads_value",
    hint="The keys of a head have d = D / H dimensions: the root of d divides its scores.",
    function="multi_head_attention", old="attention(q, k, v, mask)",
    new="attention(q / math.sqrt(n_heads), k, v, mask)")

mistake("heads_not_mixed", "output without W_o", check="heads_value",
    hint="What the heads have read stands side by side; w_o then mixes it.",
    function="multi_head_attention", old=" @ w_o", new="")

mistake("heads_mask_ignored", "mask not used by multi_head_attention", check="heads_masked",
    hint="Hand the mask on to the attention of the heads.",
    function="multi_head_attention", old="attention(q, k, v, mask)", new="attention(q, k, v)")

mistake("positions_in_halves", "all sines first, then all cosines", check="positions",
    hint="Sine and cosine of one frequency stand side by side: columns 2i and 2i + 1.",
    old="torch.stack([angles.sin(), angles.cos()], dim=-1)", new="torch.cat([angles.sin(), angles.cos()], dim=-1)")

mistake("positions_from_one", "places counted from 1", check="positions",
    hint="t counts from 0: the first row is 0, 1, 0, 1, ...",
    old="torch.arange(n, dtype=torch.float64)[:, None]", new="torch.arange(1, n + 1, dtype=torch.float64)[:, None]")

mistake("positions_exponent_halved", "exponent i/D instead of 2i/D", check="positions",
    hint="The exponent is the column of the sine over D: 0, 2/D, 4/D, ...",
    old="/ d_model)", new="/ (2 * d_model))")

mistake("positions_exponent_doubled", "exponent 4i/D instead of 2i/D", check="positions",
    hint="The exponent is 2i / D, from 0 to just below 1.",
    old="/ d_model)", new="/ (d_model // 2))")

# --- networks -------------------------------------------------------------------------------------

mistake("post_norm", "norms outside of the sums", check="block_residual",
    hint="x + attention(norm(x)): the norm is on what the layer reads, and the sum stays as it is.",
    function="through", old="block.attention(block.norm_1(x), kept)", new="block.attention(x, kept)")
mistake("post_norm", function="through", old="x = x + read", new="x = block.norm_1(x + read)")
mistake("post_norm",
    function="through", old="x + block.mlp(block.norm_2(x))", new="block.norm_2(x + block.mlp(x))")

mistake("no_residual", "a block that replaces x instead of adding to it", check="block_residual",
    hint="Both sums keep x: x + attention(...), then x + MLP(...).",
    function="through", old="x = x + read", new="x = read")
mistake("no_residual", function="through", old="x + block.mlp(block.norm_2(x))", new="block.mlp(block.norm_2(x))")

mistake("no_norm", "a block without norms", check="block_residual",
    hint="Attention and MLP read norm(x): what they add does not grow with x.",
    function="through", old="block.norm_1(x)", new="x")
mistake("no_norm", function="through", old="block.norm_2(x)", new="x")

mistake("no_mlp", "a block without an MLP, or with one that does not bend", check="block_mlp",
    hint="Two linear layers without anything between them are one linear layer.",
    old="nn.GELU()", new="nn.Identity()")

mistake("block_not_causal", "attention without the causal mask", check="block_causal",
    hint="Without a mask each place sees the token that it has to predict.",
    also={"gpt_causal": "GPT is made of such blocks",
          "gpt_step": "token by token it cannot look ahead, in forward it does"},
    function="CausalAttention.forward", old="attn_mask=mask", new="attn_mask=mask | True")

mistake("attention_too_short", "attention that sees the last few keys only", check="block_causal",
    hint="Query i sees all the keys 0..past + i: what is far away may matter most.",
    also={("gpt_causal", "gpt_order", "gpt_step"): "GPT is made of such blocks, and the first token is out of sight"},
    function="CausalAttention.forward", old="attn_mask=mask",
    new="attn_mask=mask.triu(k.shape[2] - x.shape[1] - 1)")

mistake("uniform_attention", "a mean over the past in the place of attention", check="block_weighs",
    hint="The weights are a softmax of scores, and the scores come from queries and keys.",
    function="CausalAttention.forward", old="(q, k, v, attn_mask=mask)", new="(0 * q, k, v, attn_mask=mask)")

mistake("rows_mix", "rows of a batch that influence each other", check="gpt_causal",
    hint="Each row is a text of its own: no mean, norm or attention over the first axis.",
    function="GPT.step", old="        longer = []",
    new="        x = x + x.mean(dim=0, keepdim=True)\n        longer = []")

mistake("no_positions", "no positions added to the embeddings", check="gpt_order",
    hint="Attention sees a set: tell each token where it stands.",
    function="GPT.step", old=" + self.positions(here)", new=" + 0 * self.positions(here)")

mistake("cache_places_restart", "positions that start again at 0 in each step", check="gpt_step",
    hint="The new tokens stand behind those in the cache: at past, past + 1, ...",
    function="GPT.step", old="self.positions(here)", new="self.positions(here - past)")

mistake("cache_ignored", "a step that uses nothing of the cache", check="gpt_step",
    hint="The new token looks at the keys and values of all tokens before it, and stands behind them.",
    function="GPT.step", old="past = 0 if cache is None else cache[0][0].shape[2]", new="cache, past = None, 0",
    also={"bad_arguments": "nobody knows how many tokens there were before"})

mistake("cache_chunk_sees_ahead", "tokens of one chunk see each other without a mask", check="gpt_step",
    hint="In a chunk of several tokens each sees the cache and those up to itself: causal_mask(t, past).",
    function="CausalAttention.forward", old="attn_mask=mask", new="attn_mask=mask | (kept is not None)")

mistake("cache_chunk_one_place", "all tokens of a chunk put at one place", check="gpt_step",
    hint="The t new tokens stand one behind the other: at past, past + 1, ..., past + t - 1.",
    function="GPT.step", old="self.positions(here)", new="self.positions(here if cache is None else here[:1])")

@mistake("cache_is_the_text", "cache that holds the text and computes everything again", check="step_cost",
    hint="Keep keys and values of each layer: the new token alone goes through the network.")
class GPT(GPT):
    def step(self, tokens, cache=None):
        text = tokens if cache is None else torch.cat([cache, tokens], dim=1)
        return super().step(text)[0][:, -tokens.shape[1] :], text

mistake("too_many_tokens_accepted", "more tokens than the context not refused", check="bad_arguments",
    hint="Raise ValueError where there are more tokens in all than the context, in forward and in step.",
    function="check_context", old="if n > context:", new="if False:")

# --- likelihood -----------------------------------------------------------------------------------

mistake("targets_not_shifted", "each place asked for its own token", check="log_probs",
    hint="The logits at place t are about token t + 1: gather at tokens[:, 1:].",
    also={("loss_value", "nats"): "loss and evaluation are means of these log-probabilities"},
    function="token_log_probs", old="tokens[:, 1:, None]", new="tokens[:, :-1, None]")

mistake("logits_as_log_probs", "logits taken for log-probabilities", check="log_probs",
    hint="Logits are not normalised: log_softmax over the last axis first.",
    function="token_log_probs", old="torch.log_softmax(model(tokens[:, :-1]), dim=-1)", new="model(tokens[:, :-1])")

mistake("normalised_over_places", "probabilities that sum to 1 over the places instead of over the tokens",
    check="log_probs",
    hint="At each place the probabilities of the V tokens sum to 1: log_softmax over the last axis.",
    also={("loss_value", "nats"): "loss and evaluation are means of these log-probabilities"},
    function="token_log_probs", old="[:, :-1]), dim=-1)", new="[:, :-1]), dim=1)")

mistake("last_token_fed", "all tokens fed to the model, and the last answer thrown away", check="shift",
    hint="The model is given tokens[:, :-1]: a row of context + 1 tokens has context predictions.",
    function="token_log_probs", old="model(tokens[:, :-1])", new="model(tokens)[:, :-1]")

mistake("loss_is_sum", "sum over the tokens instead of their mean", check="loss_value",
    hint="The loss is a mean over all B (T - 1) predicted tokens.",
    function="next_token_loss", old=".mean()", new=".sum()")

mistake("loss_detached", "loss cut off from the model's weights", check="loss_gradient",
    hint="`detach`, `item`, `no_grad` or a new tensor end the graph: nothing can be learnt from this loss.",
    also={("train_updates", "generators", "shift"): "backward raises an error, so that nothing is trained"},
    function="next_token_loss", old=".mean()", new=".mean().detach()")

mistake("bits_multiplied", "nats times ln 2 instead of over it", check="units",
    hint="A bit is ln 2 = 0.69 nats: there are more bits than nats.",
    function="evaluate", old="nats / math.log(2)", new="nats * math.log(2)")

mistake("perplexity_base_mixed", "perplexity as 2 to the nats", check="units",
    hint="2 to the bits, or e to the nats: one base for both.",
    function="evaluate", old="math.exp(nats)", new="2**nats")

mistake("perplexity_by_rows", "the mean of the rows' perplexities", check="units",
    hint="The perplexity is exp of the mean over all tokens. A mean of exponentials is larger, and one badly predicted "
    "row rules it.",
    old="math.exp(nats)", new="float(torch.cat([(-token_log_probs(model, rows).double().mean(dim=1)).exp() for rows in "
    "tokens.split(batch_size)]).mean())")

mistake("mean_of_batch_means", "mean of the batches' means", check="nats",
    hint="Where the last batch is smaller its tokens count too much: add up, then divide once.",
    function="evaluate", old="nats = -total / (len(tokens) * (tokens.shape[1] - 1))",
    new="batches = tokens.split(batch_size)\n"
    "    nats = sum(float(-token_log_probs(model, rows).mean()) for rows in batches) / len(batches)")

# --- generation -----------------------------------------------------------------------------------

mistake("temperature_multiplies", "logits multiplied by the temperature", check="temperature",
    hint="A low temperature sharpens: logits are divided by it.",
    function="next_token_probabilities", old="logits / temperature", new="logits * temperature")

mistake("temperature_after_softmax", "probabilities divided by the temperature, instead of the logits",
    check="temperature",
    hint="Divided and normalised again, probabilities are what they were: divide the logits, then take the softmax.",
    function="next_token_probabilities", old="return torch.softmax(logits / temperature, dim=-1)",
    new="law = torch.softmax(logits, dim=-1) / temperature\n    return law / law.sum(dim=-1, keepdim=True)")

mistake("temperature_zero_divides", "division by a temperature of 0", check="greedy",
    hint="At temperature 0 the first largest logit is certain: a case of its own.",
    function="next_token_probabilities", old="if temperature == 0:", new="if False:")

mistake("top_k_keeps_one_more", "k + 1 tokens kept", check="top_k",
    hint="The k-th largest of sorted logits stands at index k - 1; topk(k) counts for you.",
    old="logits.topk(top_k, dim=-1)", new="logits.topk(top_k + 1, dim=-1)")

mistake("top_k_not_normalised", "probabilities of the k largest not normalised again", check="top_k",
    hint="What is left sums to less than 1: put -inf in the place of the others before the softmax.",
    function="next_token_probabilities",
    old="logits = torch.full_like(logits, -math.inf).scatter(-1, kept.indices, kept.values)",
    new="whole = torch.softmax(logits / temperature, dim=-1)\n"
    "        return torch.zeros_like(whole).scatter(-1, kept.indices, whole.gather(-1, kept.indices))")

mistake("top_k_of_the_first_row", "the k largest of the first row kept in every row", check="top_k",
    hint="Each row has its own k largest logits: topk with dim=-1 over the whole batch, then fill row by row.",
    old="logits.topk(top_k, dim=-1)", new="logits[:1].topk(top_k, dim=-1).indices.expand(len(logits), -1)")
mistake("top_k_of_the_first_row",
    old="kept.indices, kept.values", new="kept, logits.gather(-1, kept)")

mistake("options_ignored", "temperature and top_k not used by generate", check="generate_options",
    hint="Pass temperature and top_k on to next_token_probabilities.",
    function="generate", old="(logits[:, -1], temperature, top_k)", new="(logits[:, -1])")

mistake("cache_ignores_options", "temperature and top_k not used where there is a cache", check="generate_options",
    hint="The cache saves work and changes no law: the next token is drawn in one way, with the cache and without.",
    function="generate", old="(logits[:, -1], temperature, top_k)",
    new="(logits[:, -1], temperature, None if use_cache else top_k)")

mistake("always_the_likeliest", "the likeliest token each time instead of a draw", check="generate_law",
    hint="The next token is drawn from its law (torch.multinomial); only at temperature 0 is it the likeliest one.",
    also={"generators": "nothing is drawn at all"},
    function="generate", old="torch.multinomial(law.to(device), 1, generator=generator)",
    new="law.to(device).argmax(dim=-1, keepdim=True)")

mistake("crops_the_wrong_end", "the first tokens given to the model instead of the last", check="generate_window",
    hint="What fits in are the last `context` tokens: tokens[:, -context:].",
    function="generate", old="tokens[:, -context:]", new="tokens[:, :context]")

mistake("crops_one_too_many", "the last context - 1 tokens given to the model", check="generate_window",
    hint="The token to come takes no place in the model: it reads all of the last `context` tokens.",
    old="tokens[:, -context:]", new="tokens[:, -max(context - 1, 1) :]")

mistake("use_cache_ignored", "use_cache without effect", check="generate_cache",
    hint="With use_cache only `model.step` is called: with the prompt, then with the token drawn last.",
    function="generate", old="if use_cache:", new="if False:")

mistake("one_draw_for_all_rows", "one draw for all rows", check="generate_law",
    hint="Each row has its own law and its own draw: torch.multinomial of the whole (B, V).",
    function="generate", old="torch.multinomial(law.to(device), 1, generator=generator)",
    new="torch.multinomial(law[:1].to(device), 1, generator=generator).expand(len(law), 1)")

# --- training -------------------------------------------------------------------------------------

mistake("same_batch_every_step", "the same batch in every step", check="train_batches",
    hint="Draw rows in each step, or shuffle and go on where the last batch ended.",
    also={"generators": "nothing is drawn at all"},
    function="train_lm", old="rows = torch.randint(len(tokens), (batch_size,), generator=generator, device=device)",
    new="rows = torch.arange(batch_size, device=device)")

mistake("last_row_never_drawn", "the last row never drawn", check="train_batches",
    hint="torch.randint(n, ...) draws 0..n-1: the upper end is left out already, so n is the number of rows.",
    function="train_lm", old="torch.randint(len(tokens), ", new="torch.randint(len(tokens) - 1, ")

mistake("one_row_per_batch", "one row repeated through the whole batch", check="train_batches",
    hint="Draw batch_size rows for each step: a batch of one row says no more than that row.",
    function="train_lm", old="rows = torch.randint(len(tokens), (batch_size,), generator=generator, device=device)",
    new="rows = torch.randint(len(tokens), (1,), generator=generator, device=device).expand(batch_size)")

mistake("gradients_not_zeroed", "gradients that add up over the steps", check="train_updates",
    hint="optimiser.zero_grad() before each backward().",
    function="train_lm", old="optimiser.zero_grad()", new="pass")

mistake("weights_never_updated", "no step of the optimiser", check="train_updates",
    hint="optimiser.step() changes the weights; backward() alone does not.",
    also={"generators": "whatever the batches, the weights stay"},
    function="train_lm", old="optimiser.step()", new="pass")

mistake("learning_rate_ignored", "a learning rate of its own", check="train_updates",
    hint="The optimiser is given lr.",
    function="train_lm", old="lr=lr", new="lr=3e-3")

mistake("model_as_module", "a method called that a plain function does not have", check="any_callable",
    hint="A model may be a plain function, without eval() or parameters(): only call it.",
    function="evaluate", old="total = sum(", new="model.eval()\n    total = sum(")

# --- conventions ----------------------------------------------------------------------------------

mistake("arguments_changed", "arguments changed in place", check="conventions",
    hint="Make a copy: functions whose name ends in _ change what they are given.",
    function="next_token_probabilities", old="    if temperature == 0:",
    new="    logits.sub_(logits.max(dim=-1, keepdim=True).values)\n    if temperature == 0:")

mistake("global_seed", "the global generator seeded inside a function", check="generators",
    hint="Whoever calls decides on seeds: pass the generator on.",
    function="generate", old="    tokens, fed, cache = prompt, prompt, None",
    new="    torch.manual_seed(0)\n    tokens, fed, cache = prompt, prompt, None")
