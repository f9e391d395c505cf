"""Typical wrong versions of markov_quiz's functions, each with the hint a student gets for it."""

import math

from autograder.authoring import mistake

# A catalogue: each entry is a paragraph.
# fmt: off

# --- tables of probabilities ----------------------------------------------------------------------

mistake("joint_not_normalised", "counts returned instead of joint probabilities", check="joint_values",
    hint="A joint probability sums to 1 over the whole table: divide the counts by the number of pairs.",
    old="counts.to(dtype) / len(x)", new="counts.to(dtype)")

mistake("joint_is_conditional", "joint table normalised row by row", check="joint_values",
    hint="P(X, Y) sums to 1 over the whole table; a table whose rows each sum to 1 is P(Y | X).",
    old="counts.to(dtype) / len(x)", new="counts.to(dtype) / counts.sum(dim=1, keepdim=True)")

mistake("conditional_is_joint", "the joint table returned as the conditional one", check="conditional_values",
    hint="P(Y | X) = P(X, Y) / P(X): divide each row by its sum.",
    old="P / P.sum(dim=1, keepdim=True)", new="P")

mistake("conditional_of_x", "P(X | Y) returned instead of P(Y | X)", check="conditional_values",
    hint="P(Y | X) is a law over y for each x: each row sums to 1. Which axis do you divide by?",
    old="P / P.sum(dim=1, keepdim=True)", new="P / P.sum(dim=0, keepdim=True)")

@mistake("values_as_they_come", "values in order of first appearance instead of ascending", check="values_sorted",
    hint="The values come back sorted ascending, and the rows and columns of the table follow them.")
def joint_probability(x, y):
    values_x, values_y = (v.new_tensor(list(dict.fromkeys(v.tolist()))) for v in (x, y))
    pairs = (x == values_x[:, None])[:, None] & (y == values_y[:, None])
    return values_x, values_y, pairs.double().mean(dim=2)

@mistake("lengths_not_checked", "x and y of different lengths accepted", check="refusals",
    hint="Pairs need a partner each: raise ValueError where x and y differ in length.")
def joint_probability(solution, x, y):
    n = min(len(x), len(y))
    return solution(x[:n], y[:n])

# --- tokens and states ----------------------------------------------------------------------------

mistake("case_kept", "capital letters kept", check="tokens_lower_case",
    hint="A word at the start of a sentence is the same state as elsewhere: tokens are in lower case.",
    old="sentence.lower()", new="sentence")

@mistake("accents_stripped", "accents taken off the letters", check="tokens_lower_case",
    hint="vélo and velo are two words: lower case changes capitals, and nothing else.",
    also={("tokens_punctuation", "tokens_elision", "vocabulary_order"): "the accents are missing there, too"})
def tokenize(solution, sentence):
    import unicodedata
    letters = unicodedata.normalize("NFD", sentence)
    return solution("".join(c for c in letters if not unicodedata.combining(c)))

mistake("punctuation_dropped", '"." and "?" dropped', check="tokens_punctuation",
    hint='"." and "?" are states of the chain: without them it never learns where a sentence ends.',
    old=r"|[^\w\s]", new="")

mistake("punctuation_glued", "punctuation left on the word before it", check="tokens_punctuation",
    hint='"ici." is two tokens, "ici" and ".": the sign is a state of its own.',
    old=r"\w+(?:-\w+)*'?|[^\w\s]", new=r"[^\s']+'?")

mistake("elision_not_cut", "elided words left in one piece", check="tokens_elision",
    hint='"d\'Ali" is two tokens, "d\'" and "ali": in one piece, it is not the Ali of other sentences.',
    old=r"\w+(?:-\w+)*'?", new=r"[\w']+")

mistake("apostrophe_is_a_token", "the apostrophe as a token of its own", check="tokens_elision",
    hint='The apostrophe stays with the word it ends: "d\'", "ali".',
    old=r"(?:-\w+)*'?", new=r"(?:-\w+)*")

mistake("apostrophe_dropped", "the apostrophe dropped", check="tokens_elision",
    hint='The apostrophe stays with the word it ends: "d\'", not "d".',
    old=r"(?:-\w+)*'?|[^\w\s]", new=r"(?:-\w+)*|[^\w\s']")

mistake("typographic_apostrophe", "the typographic apostrophe not read", check="tokens_typographic",
    hint="Printed texts write ’ (U+2019) where a keyboard writes ': both are the same sign.",
    old='.replace("’", "\'")', new="")

mistake("vocabulary_sorted", "states in alphabetical order", check="vocabulary_order",
    hint="The states come in the order in which they first appear in the corpus.",
    old="list(dict.fromkeys(", new="sorted(set(")

mistake("vocabulary_repeats", "repeated states", check="vocabulary_order",
    hint="A state is listed once, however often it appears.",
    old="list(dict.fromkeys(", new="list((")

mistake("vocabulary_not_tokenized", "sentences cut at spaces only", check="vocabulary_order",
    hint="vocabulary takes raw sentences: cut them with tokenize.",
    old="tokenize(sentence)", new="sentence.split()")

@mistake("vocabulary_remembers", "states of earlier calls kept", check="vocabulary_order",
    hint="A list as default value, or one outside the function, is the same one in every call: make a new one.")
def vocabulary(sentences, states=[]):  # noqa: B006
    states += [token for sentence in sentences for token in tokenize(sentence)]
    states[:] = dict.fromkeys(states)
    return list(states)

# --- counts of transitions ------------------------------------------------------------------------

mistake("counts_across_borders", "transitions counted from one sentence to the next", check="counts_borders",
    hint="The last token of a sentence is not followed by the first of the next: count inside each sequence.",
    old="for sequence in sequences:", new="for sequence in [[state for part in sequences for state in part]]:")

mistake("first_transition_missed", "the first transition of each sequence left out", check="counts_order_1",
    hint="The first context is made of the states 0 to order - 1, and the state after it is already counted.",
    also={"counts_higher_orders": "left out at every order"},
    old="range(order, len(path))", new="range(order + 1, len(path))")

mistake("last_transition_missed", "the last transition of each sequence left out", check="counts_order_1",
    hint="A sequence of L states has L - order transitions: is your loop one short?",
    also={"counts_higher_orders": "left out at every order"},
    old="range(order, len(path))", new="range(order, len(path) - 1)")

@mistake("short_sequence_refused", "an error for sequences that are too short", check="counts_borders",
    hint="A sequence of `order` states or fewer is no fault: it counts nothing.")
def transition_counts(solution, sequences, states, order=1):
    if any(len(sequence) <= order for sequence in sequences):
        raise ValueError("sequence too short")
    return solution(sequences, states, order)

mistake("context_reversed", "context indexed newest first", check="counts_higher_orders",
    hint="counts[i, j, k] is the count of i, then j, then k: the context stands oldest first.",
    old="tuple(path[k - order : k + 1])", new="(*path[k - order : k][::-1], path[k])")

mistake("counts_transposed", "the next state as first index", check="counts_order_1",
    hint="counts[i, j] is how often j follows i: the context comes first, the next state last.",
    also={"counts_higher_orders": "the next state first at every order"},
    old="tuple(path[k - order : k + 1])", new="(path[k], *path[k - order : k])")

mistake("order_ignored", "the context shortened to one state", check="counts_higher_orders",
    hint="At order 2 the context is the last two states, and the table has three axes.",
    also={"counts_borders": "the table of a higher order has two axes there, too"},
    old="index = {state: i for i, state in enumerate(states)}",
    new="index, order = {state: i for i, state in enumerate(states)}, 1")

mistake("pairs_seen_once", "transitions marked as seen instead of counted", check="counts_order_1",
    hint="A transition that is seen three times counts three: add, do not assign.",
    also={"counts_higher_orders": "marked at every order"},
    old="k + 1])] += 1", new="k + 1])] = 1")

mistake("unknown_state_skipped", "states that are not in the list skipped", check="refusals",
    hint="Skipping an unknown state makes its neighbours follow each other: raise ValueError.",
    old="if state not in index:", new="if False:")
mistake("unknown_state_skipped",
    old="index[state] for state in sequence", new="index[state] for state in sequence if state in index")

# --- the transition matrix ------------------------------------------------------------------------

mistake("columns_normalised", "columns normalised instead of rows", check="matrix_order_1",
    hint="P[i] is a law over the next state: each row sums to 1, the last axis.",
    also={("matrix_higher_orders", "matrix_unseen_zero", "matrix_smoothing"): "the wrong sums below in every matrix"},
    old="smoothed.sum(dim=-1, keepdim=True)", new="smoothed.sum(dim=0, keepdim=True)")

mistake("whole_table_normalised", "the whole table normalised to 1", check="matrix_order_1",
    hint="Each context has a law of its own: divide each row by its own sum.",
    also={("matrix_higher_orders", "matrix_unseen_zero", "matrix_smoothing"): "the wrong sum below in every matrix"},
    old="smoothed.sum(dim=-1, keepdim=True)", new="smoothed.sum()")

mistake("zero_rows_nan", "NaN for contexts that were never seen", check="matrix_unseen_zero",
    hint="0/0 is NaN. A context that was never seen gets a row of zeros without smoothing.",
    old="torch.where(total > 0, smoothed / total, torch.zeros_like(smoothed))", new="smoothed / total")

mistake("zero_rows_uniform", "the uniform law for contexts that were never seen, without smoothing",
    check="matrix_unseen_zero",
    hint="Without smoothing an unseen context has no estimate: zeros. The uniform law comes with smoothing.",
    old="torch.zeros_like(smoothed)", new="torch.full_like(smoothed, 1 / smoothed.shape[-1])")

mistake("integer_division", "integer division", check="matrix_order_1",
    hint="// rounds down, so that every probability below 1 becomes 0: divide with / in floating point.",
    also={("matrix_higher_orders", "matrix_unseen_zero", "matrix_smoothing"): "each probability below 1 becomes 0"},
    old="smoothed / total", new="smoothed // total")

mistake("smoothing_above_only", "smoothing added to the cell but not to the sum below", check="matrix_smoothing",
    hint="Each of the n cells grows by the smoothing, so the sum below grows by n times as much.",
    old="smoothed.sum(", new="counts.sum(")
mistake("smoothing_above_only",
    old="torch.zeros_like(smoothed)", new="smoothed")

mistake("smoothing_ignored", "smoothing ignored", check="matrix_smoothing",
    hint="Add smoothing to every cell before you divide.",
    old="counts + smoothing", new="counts")

@mistake("smoothing_of_probabilities", "smoothing added to the probabilities instead of the counts",
    check="matrix_smoothing",
    hint="Smoothing stands for transitions seen besides: add it to the counts, then divide. Added to probabilities "
    "it weighs the same however often a context was seen.")
def transition_matrix(solution, counts, smoothing=0.0):
    return solution(solution(counts), smoothing)

mistake("sums_clamped_to_1", "sums below 1 taken as 1", check="matrix_smoothing",
    hint="clamp(min=1) avoids 0/0, but with little smoothing a row that was never seen sums to less than 1.",
    old="torch.where(total > 0, smoothed / total, torch.zeros_like(smoothed))", new="smoothed / total.clamp(min=1)")

mistake("smoothing_of_seen_contexts", "no smoothing for contexts that were never seen", check="matrix_smoothing",
    hint="Smoothing is added to every cell: a context that was never seen then has the uniform law.",
    old="counts + smoothing", new="counts + smoothing * (counts.sum(dim=-1, keepdim=True) > 0)")

mistake("smoothing_below_once", "smoothing added once to the sum instead of once for each state",
    check="matrix_smoothing",
    hint="Each of the n cells grows by the smoothing, so the sum below grows by n times as much.",
    old="smoothed.sum(dim=-1, keepdim=True)", new="counts.sum(dim=-1, keepdim=True) + smoothing")

mistake("smoothing_of_unseen_only", "smoothing added only where nothing was seen", check="matrix_smoothing",
    hint="Smoothing is added to every cell, also to those that were seen.",
    old="counts + smoothing", new="counts + smoothing * (counts == 0)")

mistake("single_precision", "float64 counts and chains turned into float32", check="conventions",
    hint="The dtype of the input is kept: create tensors like the input, do not call .float().",
    old="counts + smoothing", new="counts.float() + smoothing")

@mistake("counts_changed", "smoothing added to the caller's counts", check="conventions",
    hint="`counts += smoothing` changes the tensor that the caller still has: write counts + smoothing.")
def transition_matrix(solution, counts, smoothing=0.0):
    if counts.is_floating_point():
        counts += smoothing
        return solution(counts)
    return solution(counts, smoothing)

# --- sequences, most likely and drawn -------------------------------------------------------------

mistake("last_of_a_tie", "the last index on a tie", check="most_likely_tie",
    hint="Where two next states are equally probable, the first index wins.",
    old="nonzero()[0]", new="nonzero()[-1]")

mistake("most_likely_dead_end", "a sequence that goes on after a dead end", check="dead_ends",
    hint="The argmax of a row of zeros is 0: a context without successor ends the sequence.",
    function="most_likely_sequence", old="not row.sum() > 0", new="False")

mistake("most_likely_after_last_state", "only the last state looked at, whatever the order",
    check="most_likely_order_2",
    hint="At order 2 the row is P[i, j], with i and j the last two states, oldest first.",
    function="most_likely_sequence", old="order = len(path)",
    new="order, P = 1, P.reshape(-1, P.shape[-1], P.shape[-1]).sum(dim=0)")

mistake("start_changed", "the caller's start extended", check="conventions",
    hint="`path = start` is the same list, not a copy: list(start) makes one.",
    function="most_likely_sequence", old="path = context_of(start, P)",
    new="path = start if isinstance(start, list) else context_of(start, P)")

mistake("start_not_counted", "length counted without the start", check="most_likely_order_1",
    hint="The result has `length` items, the start among them.",
    also={("most_likely_order_2", "most_likely_tie"): "too long whatever the chain"},
    function="most_likely_sequence", old="len(path) < length", new="len(path) < length + order")

mistake("start_left_out", "a sequence without its start", check="most_likely_order_1",
    hint="The result begins with the start and has `length` items in all.",
    also={("most_likely_order_2", "most_likely_tie", "dead_ends"): "the start is missing whatever the chain"},
    function="most_likely_sequence", old="return path", new="return path[order:]")

mistake("argmax_for_sampling", "the most likely state taken instead of a drawn one", check="sampled_frequencies",
    hint="Draw the next state from its row (torch.multinomial); argmax always writes the same text.",
    old="torch.multinomial(row, 1, generator=generator)", new="row.argmax()")

mistake("uniform_sampling", "possible next states drawn with equal probability", check="sampled_frequencies",
    hint="How often does your sequence take each transition? The rows of P give the probabilities.",
    old="multinomial(row,", new="multinomial((row > 0).double(),")

mistake("softmax_of_probabilities", "softmax applied to probabilities", check="sampled_frequencies",
    hint="The rows of P are probabilities already: no softmax, or impossible transitions become possible.",
    also={"dead_ends": "impossible transitions lead past them"},
    old="multinomial(row,", new="multinomial(row.softmax(0),")

mistake("sampled_from_start_only", "every state drawn from the row of the start", check="sampled_frequencies",
    hint="After each draw the context moves on: the next row is the one of the state just drawn.",
    also={"dead_ends": "the start's row is never at its end"},
    function="sample_sequence", old="path[-order:]", new="path[:order]")

mistake("sampled_context_reversed", "the context read newest first when sampling", check="sampled_order_2",
    hint="P[i, j] is the law after i, then j: index P with the oldest state first.",
    function="sample_sequence", old="path[-order:]", new="path[-order:][::-1]")

mistake("sampled_context_kept", "a context in which only the newest state is replaced", check="sampled_order_2",
    hint="The context slides: the oldest state leaves it, and the drawn one comes in behind the others.",
    function="sample_sequence", old="path[-order:]", new="path[: order - 1] + path[-1:]")

mistake("fixed_seed", "a seed set inside the function", check="sampled_fresh",
    hint="Never seed inside a function: draw from the generator you are given, or from torch's global one.",
    function="sample_sequence", old="order = len(path)",
    new="order, generator = len(path), torch.Generator().manual_seed(0)")

mistake("generator_ignored", "the generator ignored", check="sampled_fresh",
    hint="Pass the generator on to every draw: with the same seed the same sequence must come.",
    old="row, 1, generator=generator", new="row, 1")

mistake("sampled_dead_end_restarts", "a uniform draw after a dead end", check="dead_ends",
    hint="A context without successor ends the sequence: the result is shorter than `length`.",
    function="sample_sequence", old="break", new="row = torch.ones_like(row)")

mistake("most_likely_dead_end_order_2", "dead ends looked for at order 1 only", check="dead_ends",
    hint="At order 2 a context is two states: where its row is zero the sequence ends.",
    function="most_likely_sequence", old="not row.sum() > 0", new="order == 1 and not row.sum() > 0")

mistake("rare_states_dropped", "improbable next states never drawn", check="sampled_frequencies",
    hint="A state of probability 0.01 comes once in a hundred times: draw from the row as it is.",
    old="multinomial(row,", new="multinomial(row.where(row > 0.02, 0.0),")

mistake("generator_begun_again", "a new generator of the same seed in each call", check="sampled_fresh",
    hint="Draw from the generator that is given: it goes on, so that the next call gives another sequence.",
    function="sample_sequence", old="order = len(path)",
    new="order, generator = len(path), generator and torch.Generator().manual_seed(generator.initial_seed())")

@mistake("other_random_numbers", "random numbers that torch.manual_seed does not decide", check="sampled_fresh",
    hint="Without a generator, draw with torch and generator=None: that is torch's global generator.")
def sample_sequence(solution, start, P, length, generator=None):
    import random
    return solution(start, P, length, generator or torch.Generator().manual_seed(random.getrandbits(60)))

# --- likelihood -----------------------------------------------------------------------------------

@mistake("likelihood_of_zero_nan", "NaN where a transition has probability zero", check="likelihood_impossible",
    hint="0 · log 0 is NaN. Add log P only for the transitions that the sequence takes; log 0 is then -inf.")
def log_likelihood(sequence, P):
    order, counts = P.dim() - 1, torch.zeros_like(P)
    for k in range(order, len(sequence)):
        counts[tuple(sequence[k - order : k + 1])] += 1
    return float((counts * P.log()).sum()) if len(sequence) > order else 0.0

mistake("likelihood_clamped", "a large finite number instead of -inf", check="likelihood_impossible",
    hint="An impossible sequence has probability 0, and its logarithm is -inf: add no small constant to P.",
    old="P[windows.unbind(1)].double()", new="(P[windows.unbind(1)].double() + 1e-12)")

mistake("likelihood_floored", "small probabilities raised to a floor", check="likelihood_order_1",
    hint="A rare transition costs what it costs: log P, without clamp or floor.",
    also={"likelihood_order_2": "floored at every order"},
    old="P[windows.unbind(1)].double().log()",
    new="(lambda p: p.where((p == 0) | (p > 0.01), 0.01))(P[windows.unbind(1)].double()).log()")

mistake("likelihood_base_2", "logarithm to base 2", check="likelihood_order_1",
    hint="The likelihood is asked for in nats: take the natural logarithm.",
    also={"likelihood_order_2": "in bits at every order"},
    old=".log().sum()", new=".log2().sum()")

mistake("likelihood_negative", "negative log-likelihood", check="likelihood_order_1",
    hint="A log-likelihood is a sum of logarithms of probabilities: it is never positive.",
    also={("likelihood_order_2", "likelihood_impossible"): "the sign is wrong everywhere"},
    old="float(P[windows", new="-float(P[windows")

mistake("likelihood_of_the_start", "a probability of the first state added", check="likelihood_order_1",
    hint="The likelihood is conditioned on the first `order` states: their own probability is left out.",
    also={"likelihood_order_2": "added at every order"},
    old="float(P[windows", new="math.log(1 / n) + float(P[windows")

mistake("likelihood_averaged", "mean over the transitions instead of their sum", check="likelihood_order_1",
    hint="The log of a product is the sum of the logs; the mean is the log-likelihood per token.",
    also={("likelihood_order_2", "likelihood_long"): "divided by the length, however long"},
    old=".log().sum()", new=".log().mean()")

mistake("likelihood_underflow", "logarithm of the product", check="likelihood_long",
    hint="A product of a thousand probabilities is 0 in floating point: add the logarithms.",
    old=".log().sum()", new=".prod().log()")

mistake("short_not_checked", "indices of short sequences not looked at", check="refusals",
    hint="Look at the indices first, whatever the length: an index outside 0..n-1 is refused in any sequence.",
    function="log_likelihood", old="any(not 0", new="len(sequence) > order and any(not 0")

mistake("likelihood_negative_index", "negative indices accepted", check="refusals",
    hint="P[-1] is the last state to Python, and no state to the chain: refuse indices outside 0..n-1.",
    function="log_likelihood", old="not 0 <= i < n", new="i >= n")

mistake("generate_threshold", "improbable transitions called impossible", check="generate_answers",
    hint="Possible is whatever has a positive probability, however small: compare with 0.",
    old="1])] > 0)", new="1])] > 1e-3)")

@mistake("generate_known_states", "every sequence of known states called possible", check="generate_answers",
    hint="Knowing all the words is not enough: every transition needs a positive probability.")
def can_generate(sequence, P):
    return True

mistake("generate_product", "possible judged by the product of probabilities", check="generate_answers",
    hint="The product of many probabilities is 0 in floating point: look at each transition.",
    old="all(bool(P[tuple(sequence[k - order : k + 1])] > 0) for",
    new="0 < math.prod(float(P[tuple(sequence[k - order : k + 1])]) for")

mistake("generate_last_transition", "the last transition left out", check="generate_answers",
    hint="A sequence of L states has L - order transitions: is your loop one short?",
    old="range(order, len(sequence))", new="range(order, len(sequence) - 1)")

# --- the stationary distribution ------------------------------------------------------------------

mistake("stationary_of_transpose", "right eigenvector instead of the left one", check="stationary_values",
    hint="pi P = pi is about the rows of P: P pi = pi has the constant vector as solution, for every P.",
    also={"stationary_periodic": "the constant vector for every P"},
    old="torch.linalg.solve(equations, right)", new="torch.full_like(right, 1 / n)")

mistake("stationary_sign", "pi (P + I) = 0 solved instead of pi (P - I) = 0", check="stationary_values",
    hint="pi P = pi says pi (P - I) = 0. Check the answer: is pi P what you get back?",
    also={"stationary_periodic": "other equations for every chain"},
    old="P.double().T - torch.eye", new="P.double().T + torch.eye")

mistake("stationary_equation_kept", "the redundant equation kept and a needed one replaced", check="stationary_values",
    hint="The sum of pi takes the place of a whole equation (a row of the transposed P - I), not of an unknown.",
    also={"stationary_periodic": "other equations for every chain"},
    old="equations[-1] = 1", new="equations[:, -1] = 1")

mistake("stationary_not_normalised", "stationary vector of length 1 instead of sum 1", check="stationary_values",
    hint="Eigenvectors come back with Euclidean norm 1 and any sign: a law is positive and sums to 1.",
    also={"stationary_periodic": "it does not sum to 1 there, either"},
    old="torch.linalg.solve(equations, right)",
    new="torch.nn.functional.normalize(torch.linalg.solve(equations, right), dim=0)")

mistake("stationary_rare_refused", "chains with rare transitions refused", check="stationary_values",
    hint="A state that is hardly ever reached can be reached: compare with 0, not with a tolerance.",
    old="((P > 0) |", new="((P > 0.01) |")

mistake("stationary_by_powers", "powers of P, which do not converge for a periodic chain", check="stationary_periodic",
    hint="For 0 → 1 → 0 → 1 the powers of P alternate for ever. Solve pi P = pi instead.",
    old="torch.linalg.solve(equations, right)", new="torch.linalg.matrix_power(P.double(), 100_000)[0]")

mistake("stationary_periodic_refused", "periodic chains refused", check="stationary_periodic",
    hint="Periodic is not reducible: each state reaches each other, if not at the same time. Add up the powers of P.",
    old="((P > 0) | torch.eye(n, dtype=torch.bool, device=P.device))", new="(P > 0)")
mistake("stationary_periodic_refused",
    old="range(n.bit_length())", new="range(2 * n.bit_length())")

mistake("stationary_reducible_accepted", "reducible chains accepted", check="refusals",
    hint="Where a state cannot be reached from another the question is refused: raise ValueError.",
    old="if not reach.all():", new="if False:")
mistake("stationary_reducible_accepted",
    old="torch.linalg.solve(equations, right)", new="(torch.linalg.pinv(equations) @ right)")
