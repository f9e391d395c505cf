"""Typical wrong versions of markov_quiz's functions, each with the hint a student gets for it."""

from autograder.authoring import mistake


@mistake(
    "joint_not_normalised",
    title="counts returned instead of joint probabilities",
    hint="A joint probability sums to 1 over the whole table: divide the counts by the number of pairs.",
    loses=("joint_values",),
)
def joint_probability(x, y):
    if x.shape != y.shape:
        raise ValueError("x and y must have the same length")
    values_x, values_y = x.unique(), y.unique()
    P = torch.stack([torch.stack([((x == a) & (y == b)).sum() for b in values_y]) for a in values_x])
    return values_x, values_y, P.double()


@mistake(
    "joint_is_conditional",
    title="joint table normalised row by row",
    hint="P(X, Y) sums to 1 over the whole table; a table whose rows each sum to 1 is P(Y | X).",
    loses=("joint_values",),
)
def joint_probability(x, y):
    if x.shape != y.shape:
        raise ValueError("x and y must have the same length")
    values_x, values_y = x.unique(), y.unique()
    P = torch.stack([torch.stack([((x == a) & (y == b)).double().sum() for b in values_y]) for a in values_x])
    return values_x, values_y, P / P.sum(1, keepdim=True)


@mistake(
    "conditional_is_joint",
    title="the joint table returned as the conditional one",
    hint="P(Y | X) = P(X, Y) / P(X): divide each row by its sum.",
    loses=("conditional_values",),
)
def conditional_probability(x, y):
    return joint_probability(x, y)


@mistake(
    "conditional_of_x",
    title="P(X | Y) returned instead of P(Y | X)",
    hint="P(Y | X) is a law over y for each x: each row sums to 1. Which axis do you divide by?",
    loses=("conditional_values",),
)
def conditional_probability(x, y):
    values_x, values_y, P = joint_probability(x, y)
    return values_x, values_y, P / P.sum(dim=0, keepdim=True)


@mistake(
    "values_as_they_come",
    title="values in order of first appearance instead of ascending",
    hint="The values come back sorted ascending, and the rows and columns of the table follow them.",
    loses=("values_sorted",),
)
def joint_probability(x, y):
    if x.shape != y.shape:
        raise ValueError("x and y must have the same length")
    values_x = x.new_tensor(list(dict.fromkeys(x.tolist())))
    values_y = y.new_tensor(list(dict.fromkeys(y.tolist())))
    P = torch.stack([torch.stack([((x == a) & (y == b)).double().mean() for b in values_y]) for a in values_x])
    return values_x, values_y, P


@mistake(
    "lengths_not_checked",
    title="x and y of different lengths accepted",
    hint="Pairs need a partner each: raise ValueError where x and y differ in length.",
    loses=("pairs_refused",),
)
def joint_probability(x, y):
    n = min(len(x), len(y))
    x, y = x[:n], y[:n]
    values_x, values_y = x.unique(), y.unique()
    P = torch.stack([torch.stack([((x == a) & (y == b)).double().mean() for b in values_y]) for a in values_x])
    return values_x, values_y, P


@mistake(
    "case_kept",
    title="capital letters kept",
    hint="A word at the start of a sentence is the same state as elsewhere: tokens are in lower case.",
    loses=("tokens_lower_case",),
)
def tokenize(sentence):
    return re.findall(r"\w+'?|[^\w\s]", sentence.replace("’", "'"))


@mistake(
    "punctuation_dropped",
    title='"." and "?" dropped',
    hint='"." and "?" are states of the chain: without them it never learns where a sentence ends.',
    loses=("tokens_punctuation",),
)
def tokenize(sentence):
    return re.findall(r"\w+'?", sentence.lower().replace("’", "'"))


@mistake(
    "punctuation_glued",
    title="punctuation left on the word before it",
    hint='"ici." is two tokens, "ici" and ".": the sign is a state of its own.',
    loses=("tokens_punctuation",),
)
def tokenize(sentence):
    return re.findall(r"[^\s']+'?", sentence.lower().replace("’", "'"))


@mistake(
    "elision_not_cut",
    title="elided words left in one piece",
    hint='"d\'Ali" is two tokens, "d\'" and "ali": in one piece, it is not the Ali of other sentences.',
    loses=("tokens_elision",),
)
def tokenize(sentence):
    return re.findall(r"[\w']+|[^\w\s]", sentence.lower().replace("’", "'"))


@mistake(
    "apostrophe_is_a_token",
    title="the apostrophe as a token of its own",
    hint='The apostrophe stays with the word it ends: "d\'", "ali".',
    loses=("tokens_elision",),
)
def tokenize(sentence):
    return re.findall(r"\w+|[^\w\s]", sentence.lower().replace("’", "'"))


@mistake(
    "apostrophe_dropped",
    title="the apostrophe dropped",
    hint='The apostrophe stays with the word it ends: "d\'", not "d".',
    loses=("tokens_elision",),
)
def tokenize(sentence):
    return re.findall(r"\w+|[.?]", sentence.lower())


@mistake(
    "typographic_apostrophe",
    title="the typographic apostrophe not read",
    hint="Printed texts write ’ (U+2019) where a keyboard writes ': both are the same sign.",
    loses=("tokens_typographic",),
)
def tokenize(sentence):
    return re.findall(r"\w+'?|[^\w\s]", sentence.lower())


@mistake(
    "vocabulary_sorted",
    title="states in alphabetical order",
    hint="The states come in the order in which they first appear in the corpus.",
    loses=("vocabulary_order",),
)
def vocabulary(sentences):
    return sorted({token for sentence in sentences for token in tokenize(sentence)})


@mistake(
    "vocabulary_repeats",
    title="repeated states",
    hint="A state is listed once, however often it appears.",
    loses=("vocabulary_order",),
)
def vocabulary(sentences):
    return [token for sentence in sentences for token in tokenize(sentence)]


@mistake(
    "vocabulary_not_tokenized",
    title="sentences cut at spaces only",
    hint="vocabulary takes raw sentences: cut them with tokenize.",
    loses=("vocabulary_order",),
)
def vocabulary(sentences):
    return list(dict.fromkeys(word for sentence in sentences for word in sentence.split()))


@mistake(
    "counts_across_borders",
    title="transitions counted from one sentence to the next",
    hint="The last token of a sentence is not followed by the first of the next: count inside each sequence.",
    loses=("counts_borders",),
)
def transition_counts(sequences, states, order=1):
    index = {state: i for i, state in enumerate(states)}
    if any(state not in index for sequence in sequences for state in sequence):
        raise ValueError("unknown state")
    path = [index[state] for sequence in sequences for state in sequence]
    counts = torch.zeros((len(states),) * (order + 1))
    for k in range(order, len(path)):
        counts[tuple(path[k - order : k + 1])] += 1
    return counts


@mistake(
    "first_transition_missed",
    title="the first transition of each sequence left out",
    hint="The first context is made of the states 0 to order - 1, and the state after it is already counted.",
    loses=("counts_order_1", "counts_higher_orders"),
)
def transition_counts(sequences, states, order=1):
    index = {state: i for i, state in enumerate(states)}
    if any(state not in index for sequence in sequences for state in sequence):
        raise ValueError("unknown state")
    counts = torch.zeros((len(states),) * (order + 1))
    for sequence in sequences:
        path = [index[state] for state in sequence]
        for k in range(order + 1, len(path)):
            counts[tuple(path[k - order : k + 1])] += 1
    return counts


@mistake(
    "last_transition_missed",
    title="the last transition of each sequence left out",
    hint="A sequence of L states has L - order transitions: is your loop one short?",
    loses=("counts_order_1", "counts_higher_orders"),
)
def transition_counts(sequences, states, order=1):
    index = {state: i for i, state in enumerate(states)}
    if any(state not in index for sequence in sequences for state in sequence):
        raise ValueError("unknown state")
    counts = torch.zeros((len(states),) * (order + 1))
    for sequence in sequences:
        path = [index[state] for state in sequence]
        for k in range(order, len(path) - 1):
            counts[tuple(path[k - order : k + 1])] += 1
    return counts


@mistake(
    "short_sequence_refused",
    title="an error for sequences that are too short",
    hint="A sequence of `order` states or fewer is no fault: it counts nothing.",
    loses=("counts_borders",),
)
def transition_counts(sequences, states, order=1):
    index = {state: i for i, state in enumerate(states)}
    if any(state not in index for sequence in sequences for state in sequence):
        raise ValueError("unknown state")
    counts = torch.zeros((len(states),) * (order + 1))
    for sequence in sequences:
        if len(sequence) <= order:
            raise ValueError("sequence too short")
        path = [index[state] for state in sequence]
        for k in range(order, len(path)):
            counts[tuple(path[k - order : k + 1])] += 1
    return counts


@mistake(
    "context_reversed",
    title="context indexed newest first",
    hint="counts[i, j, k] is the count of i, then j, then k: the context stands oldest first.",
    loses=("counts_higher_orders",),
)
def transition_counts(sequences, states, order=1):
    index = {state: i for i, state in enumerate(states)}
    if any(state not in index for sequence in sequences for state in sequence):
        raise ValueError("unknown state")
    counts = torch.zeros((len(states),) * (order + 1))
    for sequence in sequences:
        path = [index[state] for state in sequence]
        for k in range(order, len(path)):
            counts[(*path[k - order : k][::-1], path[k])] += 1
    return counts


@mistake(
    "counts_transposed",
    title="the next state as first index",
    hint="counts[i, j] is how often j follows i: the context comes first, the next state last.",
    loses=("counts_order_1", "counts_higher_orders"),
)
def transition_counts(sequences, states, order=1):
    index = {state: i for i, state in enumerate(states)}
    if any(state not in index for sequence in sequences for state in sequence):
        raise ValueError("unknown state")
    counts = torch.zeros((len(states),) * (order + 1))
    for sequence in sequences:
        path = [index[state] for state in sequence]
        for k in range(order, len(path)):
            counts[(path[k], *path[k - order : k])] += 1
    return counts


@mistake(
    "order_ignored",
    title="the context shortened to one state",
    hint="At order 2 the context is the last two states, and the table has three axes.",
    loses=("counts_higher_orders", "counts_borders"),
)
def transition_counts(sequences, states, order=1):
    index = {state: i for i, state in enumerate(states)}
    if any(state not in index for sequence in sequences for state in sequence):
        raise ValueError("unknown state")
    counts = torch.zeros(len(states), len(states))
    for sequence in sequences:
        for k in range(1, len(sequence)):
            counts[index[sequence[k - 1]], index[sequence[k]]] += 1
    return counts


@mistake(
    "pairs_seen_once",
    title="transitions marked as seen instead of counted",
    hint="A transition that is seen three times counts three: add, do not assign.",
    loses=("counts_order_1", "counts_higher_orders"),
)
def transition_counts(sequences, states, order=1):
    index = {state: i for i, state in enumerate(states)}
    if any(state not in index for sequence in sequences for state in sequence):
        raise ValueError("unknown state")
    counts = torch.zeros((len(states),) * (order + 1))
    for sequence in sequences:
        path = [index[state] for state in sequence]
        for k in range(order, len(path)):
            counts[tuple(path[k - order : k + 1])] = 1
    return counts


@mistake(
    "unknown_state_skipped",
    title="states that are not in the list skipped",
    hint="Skipping an unknown state makes its neighbours follow each other: raise ValueError.",
    loses=("unknown_state_refused",),
)
def transition_counts(sequences, states, order=1):
    index = {state: i for i, state in enumerate(states)}
    counts = torch.zeros((len(states),) * (order + 1))
    for sequence in sequences:
        path = [index[state] for state in sequence if state in index]
        for k in range(order, len(path)):
            counts[tuple(path[k - order : k + 1])] += 1
    return counts


@mistake(
    "columns_normalised",
    title="columns normalised instead of rows",
    hint="P[i] is a law over the next state: each row sums to 1, the last axis.",
    loses=("matrix_order_1", "matrix_higher_orders", "matrix_smoothing"),
)
def transition_matrix(counts, smoothing=0.0):
    if not counts.is_floating_point():
        counts = counts.float()
    total = (counts + smoothing).sum(dim=0, keepdim=True)
    return torch.where(total > 0, (counts + smoothing) / total, torch.zeros_like(counts))


@mistake(
    "whole_table_normalised",
    title="the whole table normalised to 1",
    hint="Each context has a law of its own: divide each row by its own sum.",
    loses=("matrix_order_1", "matrix_higher_orders", "matrix_smoothing"),
)
def transition_matrix(counts, smoothing=0.0):
    if not counts.is_floating_point():
        counts = counts.float()
    return (counts + smoothing) / (counts + smoothing).sum()


@mistake(
    "zero_rows_nan",
    title="NaN for contexts that were never seen",
    hint="0/0 is NaN. A context that was never seen gets a row of zeros without smoothing.",
    loses=("matrix_unseen_zero",),
)
def transition_matrix(counts, smoothing=0.0):
    if not counts.is_floating_point():
        counts = counts.float()
    return (counts + smoothing) / (counts + smoothing).sum(dim=-1, keepdim=True)


@mistake(
    "zero_rows_uniform",
    title="the uniform law for contexts that were never seen, without smoothing",
    hint="Without smoothing an unseen context has no estimate: zeros. The uniform law comes with smoothing.",
    loses=("matrix_unseen_zero",),
)
def transition_matrix(counts, smoothing=0.0):
    if not counts.is_floating_point():
        counts = counts.float()
    total = (counts + smoothing).sum(dim=-1, keepdim=True)
    return torch.where(total > 0, (counts + smoothing) / total, torch.full_like(counts, 1 / counts.shape[-1]))


@mistake(
    "integer_division",
    title="integer division",
    hint="// rounds down, so that every probability below 1 becomes 0: divide with / in floating point.",
    loses=("matrix_order_1", "matrix_higher_orders", "matrix_unseen_zero", "matrix_smoothing"),
)
def transition_matrix(counts, smoothing=0.0):
    if not counts.is_floating_point():
        counts = counts.float()
    return (counts + smoothing) // (counts + smoothing).sum(dim=-1, keepdim=True).clamp(min=1e-12)


@mistake(
    "smoothing_above_only",
    title="smoothing added to the cell but not to the sum below",
    hint="Each of the n cells grows by the smoothing, so the sum below grows by n times as much.",
    loses=("matrix_smoothing",),
)
def transition_matrix(counts, smoothing=0.0):
    if not counts.is_floating_point():
        counts = counts.float()
    total = counts.sum(dim=-1, keepdim=True)
    return torch.where(total > 0, (counts + smoothing) / total, torch.full_like(counts, float(smoothing)))


@mistake(
    "smoothing_ignored",
    title="smoothing ignored",
    hint="Add smoothing to every cell before you divide.",
    loses=("matrix_smoothing",),
)
def transition_matrix(counts, smoothing=0.0):
    if not counts.is_floating_point():
        counts = counts.float()
    total = counts.sum(dim=-1, keepdim=True)
    return torch.where(total > 0, counts / total, torch.zeros_like(counts))


@mistake(
    "sums_clamped_to_1",
    title="sums below 1 taken as 1",
    hint="clamp(min=1) avoids 0/0, but with little smoothing a row that was never seen sums to less than 1.",
    loses=("matrix_smoothing",),
)
def transition_matrix(counts, smoothing=0.0):
    if not counts.is_floating_point():
        counts = counts.float()
    return (counts + smoothing) / (counts + smoothing).sum(dim=-1, keepdim=True).clamp(min=1)


@mistake(
    "smoothing_of_seen_contexts",
    title="no smoothing for contexts that were never seen",
    hint="Smoothing is added to every cell: a context that was never seen then has the uniform law.",
    loses=("matrix_smoothing",),
)
def transition_matrix(counts, smoothing=0.0):
    if not counts.is_floating_point():
        counts = counts.float()
    counts = counts + smoothing * (counts.sum(dim=-1, keepdim=True) > 0)
    total = counts.sum(dim=-1, keepdim=True)
    return torch.where(total > 0, counts / total, torch.zeros_like(counts))


@mistake(
    "smoothing_below_once",
    title="smoothing added once to the sum instead of once for each state",
    hint="Each of the n cells grows by the smoothing, so the sum below grows by n times as much.",
    loses=("matrix_smoothing",),
)
def transition_matrix(counts, smoothing=0.0):
    if not counts.is_floating_point():
        counts = counts.float()
    total = counts.sum(dim=-1, keepdim=True) + smoothing
    return torch.where(total > 0, (counts + smoothing) / total, torch.zeros_like(counts))


@mistake(
    "smoothing_of_unseen_only",
    title="smoothing added only where nothing was seen",
    hint="Smoothing is added to every cell, also to those that were seen.",
    loses=("matrix_smoothing",),
)
def transition_matrix(counts, smoothing=0.0):
    if not counts.is_floating_point():
        counts = counts.float()
    counts = counts + smoothing * (counts == 0)
    total = counts.sum(dim=-1, keepdim=True)
    return torch.where(total > 0, counts / total, torch.zeros_like(counts))


@mistake(
    "last_of_a_tie",
    title="the last index on a tie",
    hint="Where two next states are equally probable, the first index wins.",
    loses=("most_likely_tie",),
)
def most_likely_sequence(start, P, length):
    path = context_of(start, P)
    order = len(path)
    while len(path) < length and P[tuple(path[-order:])].sum() > 0:
        row = P[tuple(path[-order:])]
        path.append(int((row == row.max()).nonzero()[-1]))
    return path


@mistake(
    "most_likely_dead_end",
    title="a sequence that goes on after a dead end",
    hint="The argmax of a row of zeros is 0: a context without successor ends the sequence.",
    loses=("dead_ends",),
)
def most_likely_sequence(start, P, length):
    path = context_of(start, P)
    order = len(path)
    while len(path) < length:
        path.append(int(P[tuple(path[-order:])].argmax()))
    return path


@mistake(
    "most_likely_after_last_state",
    title="only the last state looked at, whatever the order",
    hint="At order 2 the row is P[i, j], with i and j the last two states, oldest first.",
    loses=("most_likely_order_2",),
)
def most_likely_sequence(start, P, length):
    path = context_of(start, P)
    P = P.reshape(-1, P.shape[-1], P.shape[-1]).sum(dim=0)
    while len(path) < length and P[path[-1]].sum() > 0:
        path.append(int(P[path[-1]].argmax()))
    return path


@mistake(
    "start_not_counted",
    title="length counted without the start",
    hint="The result has `length` items, the start among them.",
    loses=("most_likely_order_1", "most_likely_order_2", "most_likely_tie"),
)
def most_likely_sequence(start, P, length):
    path = context_of(start, P)
    order = len(path)
    for _ in range(length):
        if not P[tuple(path[-order:])].sum() > 0:
            break
        path.append(int(P[tuple(path[-order:])].argmax()))
    return path


@mistake(
    "start_left_out",
    title="a sequence without its start",
    hint="The result begins with the start and has `length` items in all.",
    loses=("most_likely_order_1", "most_likely_order_2", "most_likely_tie", "dead_ends"),
)
def most_likely_sequence(start, P, length):
    path = context_of(start, P)
    order = len(path)
    while len(path) < length and P[tuple(path[-order:])].sum() > 0:
        path.append(int(P[tuple(path[-order:])].argmax()))
    return path[order:]


@mistake(
    "argmax_for_sampling",
    title="the most likely state taken instead of a drawn one",
    hint="Draw the next state from its row (torch.multinomial); argmax always writes the same text.",
    loses=("sampled_frequencies", "sampled_order_2", "sampled_fresh"),
)
def sample_sequence(start, P, length, generator=None):
    return most_likely_sequence(start, P, length)


@mistake(
    "uniform_sampling",
    title="possible next states drawn with equal probability",
    hint="How often does your sequence take each transition? The rows of P give the probabilities.",
    loses=("sampled_frequencies", "sampled_order_2"),
)
def sample_sequence(start, P, length, generator=None):
    path = context_of(start, P)
    order = len(path)
    while len(path) < length and P[tuple(path[-order:])].sum() > 0:
        row = (P[tuple(path[-order:])] > 0).double()
        path.append(int(torch.multinomial(row, 1, generator=generator)))
    return path


@mistake(
    "softmax_of_probabilities",
    title="softmax applied to probabilities",
    hint="The rows of P are probabilities already: no softmax, or impossible transitions become possible.",
    loses=("sampled_frequencies", "sampled_order_2", "dead_ends"),
)
def sample_sequence(start, P, length, generator=None):
    path = context_of(start, P)
    order = len(path)
    while len(path) < length and P[tuple(path[-order:])].sum() > 0:
        path.append(int(torch.multinomial(P[tuple(path[-order:])].softmax(0), 1, generator=generator)))
    return path


@mistake(
    "sampled_from_start_only",
    title="every state drawn from the row of the start",
    hint="After each draw the context moves on: the next row is the one of the state just drawn.",
    loses=("sampled_frequencies", "sampled_order_2", "dead_ends"),
)
def sample_sequence(start, P, length, generator=None):
    path = context_of(start, P)
    row = P[tuple(path)]
    if row.sum() > 0 and length > len(path):
        path += torch.multinomial(row, length - len(path), replacement=True, generator=generator).tolist()
    return path


@mistake(
    "sampled_context_reversed",
    title="the context read newest first when sampling",
    hint="P[i, j] is the law after i, then j: index P with the oldest state first.",
    loses=("sampled_order_2",),
)
def sample_sequence(start, P, length, generator=None):
    path = context_of(start, P)
    order = len(path)
    while len(path) < length and P[tuple(path[-order:][::-1])].sum() > 0:
        path.append(int(torch.multinomial(P[tuple(path[-order:][::-1])], 1, generator=generator)))
    return path


@mistake(
    "fixed_seed",
    title="a seed set inside the function",
    hint="Never seed inside a function: draw from the generator you are given, or from torch's global one.",
    loses=("sampled_fresh",),
)
def sample_sequence(start, P, length, generator=None):
    generator = torch.Generator().manual_seed(0)
    path = context_of(start, P)
    order = len(path)
    while len(path) < length and P[tuple(path[-order:])].sum() > 0:
        path.append(int(torch.multinomial(P[tuple(path[-order:])], 1, generator=generator)))
    return path


@mistake(
    "generator_ignored",
    title="the generator ignored",
    hint="Pass the generator on to every draw: with the same seed the same sequence must come.",
    loses=("sampled_fresh",),
)
def sample_sequence(start, P, length, generator=None):
    path = context_of(start, P)
    order = len(path)
    while len(path) < length and P[tuple(path[-order:])].sum() > 0:
        path.append(int(torch.multinomial(P[tuple(path[-order:])], 1)))
    return path


@mistake(
    "sampled_dead_end_restarts",
    title="a uniform draw after a dead end",
    hint="A context without successor ends the sequence: the result is shorter than `length`.",
    loses=("dead_ends",),
)
def sample_sequence(start, P, length, generator=None):
    path = context_of(start, P)
    order = len(path)
    while len(path) < length:
        row = P[tuple(path[-order:])]
        row = row if row.sum() > 0 else torch.ones_like(row)
        path.append(int(torch.multinomial(row, 1, generator=generator)))
    return path


@mistake(
    "likelihood_of_zero_nan",
    title="NaN where a transition has probability zero",
    hint="0 · log 0 is NaN. Add log P only for the transitions that the sequence takes; log 0 is then -inf.",
    loses=("likelihood_impossible",),
)
def log_likelihood(sequence, P):
    n, order = P.shape[-1], P.dim() - 1
    if any(not 0 <= i < n for i in sequence):
        raise ValueError("index out of range")
    counts = torch.zeros_like(P)
    for k in range(order, len(sequence)):
        counts[tuple(sequence[k - order : k + 1])] += 1
    return float((counts * P.log()).sum()) if len(sequence) > order else 0.0


@mistake(
    "likelihood_clamped",
    title="a large finite number instead of -inf",
    hint="An impossible sequence has probability 0, and its logarithm is -inf: add no small constant to P.",
    loses=("likelihood_impossible",),
)
def log_likelihood(sequence, P):
    n, order = P.shape[-1], P.dim() - 1
    if any(not 0 <= i < n for i in sequence):
        raise ValueError("index out of range")
    total = 0.0
    for k in range(order, len(sequence)):
        total += float((P[tuple(sequence[k - order : k + 1])].double() + 1e-12).log())
    return total


@mistake(
    "likelihood_base_2",
    title="logarithm to base 2",
    hint="The likelihood is asked for in nats: take the natural logarithm.",
    loses=("likelihood_order_1", "likelihood_order_2"),
)
def log_likelihood(sequence, P):
    n, order = P.shape[-1], P.dim() - 1
    if any(not 0 <= i < n for i in sequence):
        raise ValueError("index out of range")
    windows = [tuple(sequence[k - order : k + 1]) for k in range(order, len(sequence))]
    return sum((float(P[window].double().log2()) for window in windows), 0.0)


@mistake(
    "likelihood_negative",
    title="negative log-likelihood",
    hint="A log-likelihood is a sum of logarithms of probabilities: it is never positive.",
    loses=("likelihood_order_1", "likelihood_order_2", "likelihood_impossible"),
)
def log_likelihood(sequence, P):
    n, order = P.shape[-1], P.dim() - 1
    if any(not 0 <= i < n for i in sequence):
        raise ValueError("index out of range")
    windows = [tuple(sequence[k - order : k + 1]) for k in range(order, len(sequence))]
    return sum((-float(P[window].double().log()) for window in windows), 0.0)


@mistake(
    "likelihood_of_the_start",
    title="a probability of the first state added",
    hint="The likelihood is conditioned on the first `order` states: their own probability is left out.",
    loses=("likelihood_order_1", "likelihood_order_2"),
)
def log_likelihood(sequence, P):
    n, order = P.shape[-1], P.dim() - 1
    if any(not 0 <= i < n for i in sequence):
        raise ValueError("index out of range")
    windows = [tuple(sequence[k - order : k + 1]) for k in range(order, len(sequence))]
    return sum((float(P[window].double().log()) for window in windows), float(torch.tensor(1.0 / n).log()))


@mistake(
    "likelihood_averaged",
    title="mean over the transitions instead of their sum",
    hint="The log of a product is the sum of the logs; the mean is the log-likelihood per token.",
    loses=("likelihood_order_1", "likelihood_order_2", "likelihood_long"),
)
def log_likelihood(sequence, P):
    n, order = P.shape[-1], P.dim() - 1
    if any(not 0 <= i < n for i in sequence):
        raise ValueError("index out of range")
    windows = [tuple(sequence[k - order : k + 1]) for k in range(order, len(sequence))]
    return sum(float(P[window].double().log()) for window in windows) / len(windows) if windows else 0.0


@mistake(
    "likelihood_underflow",
    title="logarithm of the product",
    hint="A product of a thousand probabilities is 0 in floating point: add the logarithms.",
    loses=("likelihood_long",),
)
def log_likelihood(sequence, P):
    n, order = P.shape[-1], P.dim() - 1
    if any(not 0 <= i < n for i in sequence):
        raise ValueError("index out of range")
    product = 1.0
    for k in range(order, len(sequence)):
        product *= float(P[tuple(sequence[k - order : k + 1])])
    return float(torch.tensor(product).double().log())


@mistake(
    "likelihood_negative_index",
    title="negative indices accepted",
    hint="P[-1] is the last state to Python, and no state to the chain: refuse indices outside 0..n-1.",
    loses=("index_refused",),
)
def log_likelihood(sequence, P):
    n, order = P.shape[-1], P.dim() - 1
    if any(i >= n for i in sequence):
        raise ValueError("index out of range")
    windows = [tuple(sequence[k - order : k + 1]) for k in range(order, len(sequence))]
    return sum((float(P[window].double().log()) for window in windows), 0.0)


@mistake(
    "generate_known_states",
    title="every sequence of known states called possible",
    hint="Knowing all the words is not enough: every transition needs a positive probability.",
    loses=("generate_answers",),
)
def can_generate(sequence, P):
    n = P.shape[-1]
    if any(not 0 <= i < n for i in sequence):
        raise ValueError("index out of range")
    return True


@mistake(
    "generate_product",
    title="possible judged by the product of probabilities",
    hint="The product of many probabilities is 0 in floating point: look at each transition.",
    loses=("generate_answers",),
)
def can_generate(sequence, P):
    n, order = P.shape[-1], P.dim() - 1
    if any(not 0 <= i < n for i in sequence):
        raise ValueError("index out of range")
    product = 1.0
    for k in range(order, len(sequence)):
        product *= float(P[tuple(sequence[k - order : k + 1])])
    return product > 0


@mistake(
    "generate_last_transition",
    title="the last transition left out",
    hint="A sequence of L states has L - order transitions: is your loop one short?",
    loses=("generate_answers",),
)
def can_generate(sequence, P):
    n, order = P.shape[-1], P.dim() - 1
    if any(not 0 <= i < n for i in sequence):
        raise ValueError("index out of range")
    return all(bool(P[tuple(sequence[k - order : k + 1])] > 0) for k in range(order, len(sequence) - 1))


@mistake(
    "stationary_of_transpose",
    title="right eigenvector instead of the left one",
    hint="pi P = pi is about the rows of P: P pi = pi has the constant vector as solution, for every P.",
    loses=("stationary_values", "stationary_periodic"),
)
def stationary_distribution(P):
    reach = torch.linalg.matrix_power(P.double() + torch.eye(len(P), dtype=torch.float64), len(P))
    if not (reach > 0).all() or (P.sum(1) <= 0).any():
        raise ValueError("P must be irreducible")
    return torch.full_like(P[0], 1 / len(P))


@mistake(
    "stationary_not_normalised",
    title="stationary vector of length 1 instead of sum 1",
    hint="Eigenvectors come back with Euclidean norm 1 and any sign: a law is positive and sums to 1.",
    loses=("stationary_values", "stationary_periodic"),
)
def stationary_distribution(P):
    reach = torch.linalg.matrix_power(P.double() + torch.eye(len(P), dtype=torch.float64), len(P))
    if not (reach > 0).all() or (P.sum(1) <= 0).any():
        raise ValueError("P must be irreducible")
    _, _, v = torch.linalg.svd(P.double().T - torch.eye(len(P), dtype=torch.float64))
    return v[-1].abs().to(P.dtype)


@mistake(
    "stationary_by_powers",
    title="powers of P, which do not converge for a periodic chain",
    hint="For 0 → 1 → 0 → 1 the powers of P alternate for ever. Solve pi P = pi instead.",
    loses=("stationary_periodic",),
)
def stationary_distribution(P):
    reach = torch.linalg.matrix_power(P.double() + torch.eye(len(P), dtype=torch.float64), len(P))
    if not (reach > 0).all() or (P.sum(1) <= 0).any():
        raise ValueError("P must be irreducible")
    return torch.linalg.matrix_power(P.double(), 100_000)[0].to(P.dtype)


@mistake(
    "stationary_periodic_refused",
    title="periodic chains refused",
    hint="Periodic is not reducible: each state reaches each other, if not at the same time. Add up the powers of P.",
    loses=("stationary_periodic",),
)
def stationary_distribution(P):
    n = len(P)
    if not (torch.linalg.matrix_power((P > 0).double(), n * n) > 0).all() or (P.sum(1) <= 0).any():
        raise ValueError("P must be irreducible")
    equations = torch.cat([P.double().T - torch.eye(n).double(), torch.ones(1, n).double()])
    right = torch.zeros(n + 1, dtype=torch.float64)
    right[-1] = 1
    return (torch.linalg.pinv(equations) @ right).to(P.dtype)


@mistake(
    "stationary_reducible_accepted",
    title="reducible chains accepted",
    hint="Where a state cannot be reached from another the question is refused: raise ValueError.",
    loses=("stationary_refused",),
)
def stationary_distribution(P):
    n = len(P)
    equations = torch.cat([P.double().T - torch.eye(n).double(), torch.ones(1, n).double()])
    right = torch.zeros(n + 1, dtype=torch.float64)
    right[-1] = 1
    return (torch.linalg.pinv(equations) @ right).to(P.dtype)


@mistake(
    "single_precision",
    title="float64 counts and chains turned into float32",
    hint="The dtype of the input is kept: create tensors like the input, do not call .float().",
    loses=("conventions",),
)
def transition_matrix(counts, smoothing=0.0):
    counts = counts.float()
    total = (counts + smoothing).sum(dim=-1, keepdim=True)
    return torch.where(total > 0, (counts + smoothing) / total, torch.zeros_like(counts))
