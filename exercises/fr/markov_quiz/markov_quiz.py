# %% [markdown]
# # Compter, c'est apprendre : tables de probabilités et chaînes de Markov
#
# Le plus petit modèle génératif est une table de fréquences. Dans cet exercice vous estimez des
# probabilités en comptant, découpez des phrases en unités (tokens), apprenez quelle unité suit laquelle, et
# laissez la chaîne de Markov obtenue écrire ses propres phrases. Tout ce que les exercices suivants font
# avec des réseaux de neurones (une vraisemblance, un échantillonnage, une loi stationnaire) peut se
# calculer ici exactement.
#
# **Sources.** Diapositives du cours sur la modélisation générative, les chaînes de Markov et les
# auto-encodeurs (S1). A. A. Markov, *An example of statistical investigation of the text "Eugene Onegin"*
# (1913). C. E. Shannon, *A Mathematical Theory of Communication* (1948), section 3. J. R. Norris, *Markov
# Chains* (Cambridge, 1997), chapitre 1. D. Jurafsky et J. H. Martin, *Speech and Language Processing*,
# chapitre sur les modèles n-grammes.
#
# **Ce que vous faites.** Remplacez chaque `raise NotImplementedError` par votre code ; gardez les noms et
# les arguments. Employez des boucles ou du code vectorisé, à votre goût. Le fichier doit pouvoir être
# importé sans rien calculer.
#
# **Comment c'est jugé** (20 points). Chaque fonction est testée pour elle-même, sur des nombres tirés pour
# vous : tables (2 points), unités et vocabulaire (2,5), transitions (4,5), génération (3,5), vraisemblance
# (3), loi stationnaire (2), conventions (0,5), quiz (2). Les docstrings nomment les cas qui comptent :
# égalités, impasses, contextes jamais vus, limites de phrases, suites impossibles, chaînes périodiques. Les
# suites tirées sont jugées par un test du khi-deux sur leurs transitions, auquel un tirage correct échoue
# moins d'une fois sur 100 000.

# %%
from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

# %% [markdown]
# ## 1. Probabilités jointes et conditionnelles
#
# Étant donné $N$ couples $(x_i, y_i)$, la probabilité jointe empirique est
#
# $$P(X = a, Y = b) = \frac{1}{N} \sum_{i=1}^{N} \mathbb{1}[x_i = a]\,\mathbb{1}[y_i = b],$$
#
# et la formule de Bayes donne la probabilité conditionnelle,
# $P(Y = b \mid X = a) = P(X = a, Y = b) / P(X = a)$, où $P(X = a) = \sum_b P(X = a, Y = b)$.
#
# Un modèle *génératif* connaît $P(X, Y)$, un modèle *discriminatif* $P(Y \mid X)$ : du premier on tire
# toujours le second.
#
# Exemple du cours : les points $(1,0), (1,0), (2,0), (2,1)$ donnent
# $P(X, Y) = \begin{pmatrix} .5 & 0 \\ .25 & .25 \end{pmatrix}$ et
# $P(Y \mid X) = \begin{pmatrix} 1 & 0 \\ .5 & .5 \end{pmatrix}$ (lignes : $x = 1, 2$ ; colonnes :
# $y = 0, 1$).


# %%
def joint_probability(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Probabilité jointe empirique P(X, Y) de deux variables discrètes.

    Arguments :
        x, y : couples observés, chacun de forme (N,), N au moins 1, entiers ou flottants.

    Renvoie :
        values_x : les valeurs distinctes de x par ordre croissant, (n_x,), avec le dtype de x.
        values_y : les valeurs distinctes de y par ordre croissant, (n_y,), avec le dtype de y.
        P : P[i, j] = P(X = values_x[i], Y = values_y[j]), (n_x, n_y), flottante, de somme 1.

    Lève :
        ValueError : si x et y ne sont pas à une dimension, de même longueur, au moins 1.

    Source : diapositives du cours (S1), Bayes.
    """
    # YOUR CODE HERE
    raise NotImplementedError("joint_probability is not written yet")


def conditional_probability(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Probabilité conditionnelle empirique P(Y | X) de deux variables discrètes.

    Arguments :
        x, y : couples observés, chacun de forme (N,), N au moins 1, entiers ou flottants.

    Renvoie :
        values_x : les valeurs distinctes de x par ordre croissant, (n_x,), avec le dtype de x.
        values_y : les valeurs distinctes de y par ordre croissant, (n_y,), avec le dtype de y.
        P : P[i, j] = P(Y = values_y[j] | X = values_x[i]), (n_x, n_y), flottante, chaque ligne de somme 1.

    Lève :
        ValueError : si x et y ne sont pas à une dimension, de même longueur, au moins 1.

    Source : diapositives du cours (S1), formule de Bayes.
    """
    # YOUR CODE HERE
    raise NotImplementedError("conditional_probability is not written yet")


# %% [markdown]
# ## 2. Des phrases aux états
#
# Le corpus du cours a quatre phrases : « Ali est ici. » « Ali aime le bleu. » « Le vélo d'Ali est bleu. »
# « Qui est Ali ? » Ses unités sont les mots en minuscules et les signes "." et "?". Le français élide :
# "d'Ali" fait deux unités, "d'" (l'apostrophe reste avec ce qu'elle termine) et "ali". Les textes imprimés
# emploient l'apostrophe typographique ’ ; elle se lit '.
#
# Les états de la chaîne sont les unités distinctes. Dans le corpus du cours il y en a 11 : ali, est, ici,
# ., aime, le, bleu, vélo, d', qui, ?


# %%
def tokenize(sentence: str) -> list[str]:
    """Découpe une phrase française en unités (tokens).

    Minuscules ; un mot élidé garde son apostrophe et forme une unité ("d'Ali" -> "d'", "ali") ;
    l'apostrophe typographique se lit ' ; "." et "?" sont des unités, précédés ou non d'une espace.

    Arguments :
        sentence : un nombre quelconque de mots, lettres accentuées comprises.

    Renvoie :
        Les unités, dans l'ordre.

    Source : diapositives du cours (S1), génération de texte.
    """
    # YOUR CODE HERE
    raise NotImplementedError("tokenize is not written yet")


def vocabulary(sentences: Sequence[str]) -> list[str]:
    """Les états de la chaîne : unités distinctes de phrases brutes, dans l'ordre de leur première
    apparition.

    Arguments :
        sentences : phrases brutes (chaînes, pas encore découpées).

    Renvoie :
        Les unités distinctes, 11 pour le corpus du cours.

    Source : diapositives du cours (S1), génération de texte.
    """
    # YOUR CODE HERE
    raise NotImplementedError("vocabulary is not written yet")


# %% [markdown]
# ## 3. Transitions
#
# Une chaîne d'ordre $m$ oublie tout sauf les $m$ derniers états. Comptez combien de fois le contexte
# $(i_1, \dots, i_m)$, le plus ancien d'abord, est suivi de $j$, et normalisez sur l'état suivant, le
# dernier axe :
#
# $$\hat P(j \mid i_1, \dots, i_m) = \frac{C[i_1, \dots, i_m, j] + s}{\sum_k \left(C[i_1, \dots, i_m, k] +
# s\right)}.$$
#
# Avec $s = 0$ c'est l'estimation du maximum de vraisemblance ; $s > 0$ est le lissage additif (de Laplace).
# Un contexte jamais vu n'a pas d'estimation : sa ligne est nulle pour $s = 0$, et uniforme dès que $s > 0$.
# Les phrases sont des suites séparées : la dernière unité de l'une n'est *pas* suivie de la première de la
# suivante.
#
# Dans le corpus du cours, "ali" est suivi de "est" avec la probabilité 0,5, de "aime" 0,25 et de "?" 0,25.


# %%
def transition_counts(sequences: Sequence[Sequence[str]], states: Sequence[str], order: int = 1) -> Tensor:
    """Compte les transitions de toutes les suites.

    Arguments :
        sequences : listes d'états ; une liste de `order` états ou moins ne compte rien.
        states : les n états ; leurs positions sont les indices.
        order : longueur m du contexte, au moins 1.

    Renvoie :
        counts[i, ..., j, k] : combien de fois le contexte (i, ..., j), le plus ancien d'abord, est suivi
        de k à l'intérieur d'une suite. Forme (n,) * m + (n,), entiers ou flottants.

    Lève :
        ValueError : si une suite contient un état absent de `states`, ou si order est inférieur à 1.

    Source : diapositives du cours (S1), chaînes de Markov.
    """
    # YOUR CODE HERE
    raise NotImplementedError("transition_counts is not written yet")


def transition_matrix(counts: Tensor, smoothing: float = 0.0) -> Tensor:
    """Change les comptes en probabilités de l'état suivant.

    Arguments :
        counts : (n,) * m + (n,), état suivant en dernier, entiers ou flottants.
        smoothing : ajouté à chaque case avant la division, au moins 0.

    Renvoie :
        Des probabilités de même forme, flottantes (le dtype de comptes flottants est conservé). Le
        dernier axe a pour somme 1 ; un contexte jamais vu donne des zéros sans lissage, 1/n avec.

    Lève :
        ValueError : si smoothing est négatif.

    Source : diapositives du cours (S1), chaînes de Markov ; Jurafsky et Martin, modèles n-grammes.
    """
    # YOUR CODE HERE
    raise NotImplementedError("transition_matrix is not written yet")


# %% [markdown]
# ## 4. Engendrer
#
# À partir d'un départ, la chaîne continue soit avec l'état suivant le plus probable (toujours la même
# suite, bientôt une boucle), soit avec un état *tiré* selon $P(\cdot \mid \text{contexte})$. Quand la ligne
# du contexte est nulle, la phrase s'arrête là : un point n'est suivi de rien.


# %%
def context_of(start: int | Sequence[int], P: Tensor) -> list[int]:
    """Le départ comme liste d'indices : un seul à l'ordre 1 (un int convient), sinon `order`. Donnée."""
    path = [int(start)] if isinstance(start, int) else [int(i) for i in start]
    if len(path) != P.dim() - 1:
        raise ValueError(f"start must hold {P.dim() - 1} indices for this P, got {len(path)}")
    return path


def most_likely_sequence(start: int | Sequence[int], P: Tensor, length: int) -> list[int]:
    """Continue avec l'état suivant le plus probable, encore et encore.

    Arguments :
        start : indice du premier état à l'ordre 1, sinon les `order` premiers indices, le plus ancien
        d'abord.
        P : probabilités de transition, (n,) * order + (n,).
        length : nombre d'éléments voulus, départ compris, au moins `order`.

    Renvoie :
        Des indices, le départ d'abord ; le premier indice en cas d'égalité. Moins de `length` quand un
        contexte n'a pas de successeur (sa ligne est nulle).

    Source : diapositives du cours (S1), génération de texte.
    """
    # YOUR CODE HERE
    raise NotImplementedError("most_likely_sequence is not written yet")


def sample_sequence(
    start: int | Sequence[int], P: Tensor, length: int, generator: torch.Generator | None = None
) -> list[int]:
    """Continue avec un état suivant tiré selon ses probabilités, encore et encore.

    Arguments :
        start : indice du premier état à l'ordre 1, sinon les `order` premiers indices, le plus ancien
        d'abord.
        P : probabilités de transition, (n,) * order + (n,).
        length : nombre d'éléments voulus, départ compris, au moins `order`.
        generator : source d'aléa ; le générateur global de torch si c'est None.

    Renvoie :
        Des indices, le départ d'abord. Moins de `length` quand un contexte n'a pas de successeur (sa
        ligne est nulle).

    Source : diapositives du cours (S1), génération de texte ; Shannon (1948), section 3.
    """
    # YOUR CODE HERE
    raise NotImplementedError("sample_sequence is not written yet")


# %% [markdown]
# ## 5. Vraisemblance
#
# Sachant ses $m$ premiers états, une suite a la probabilité
# $\prod_{k > m} P(s_k \mid s_{k-m}, \dots, s_{k-1})$. Un produit de mille probabilités vaut zéro en virgule
# flottante, la somme de leurs logarithmes non :
#
# $$\log p(s) = \sum_{k > m} \log P(s_k \mid s_{k-m}, \dots, s_{k-1}) \quad \text{(natural logarithm,
# nats)}.$$
#
# Une seule transition de probabilité zéro la rend égale à $-\infty$ : la chaîne ne peut pas engendrer la
# suite.


# %%
def log_likelihood(sequence: Sequence[int], P: Tensor) -> float:
    """Log-probabilité d'une suite sachant ses `order` premiers états, en nats.

    Arguments :
        sequence : indices d'états, de longueur quelconque.
        P : probabilités de transition, (n,) * order + (n,).

    Renvoie :
        La somme de log P sur les transitions : -inf si l'une est impossible, 0.0 pour une suite de
        `order` états ou moins.

    Lève :
        ValueError : si un indice n'est pas dans 0..n-1 (même négatif).

    Source : diapositives du cours (S1), chaînes de Markov.
    """
    # YOUR CODE HERE
    raise NotImplementedError("log_likelihood is not written yet")


def can_generate(sequence: Sequence[int], P: Tensor) -> bool:
    """Dit si la chaîne, partie des `order` premiers états de la suite, peut continuer comme elle.

    Arguments :
        sequence : indices d'états, de longueur quelconque.
        P : probabilités de transition, (n,) * order + (n,).

    Renvoie :
        True si chaque transition a une probabilité positive ; True pour une suite de `order` états ou
        moins.

    Lève :
        ValueError : si un indice n'est pas dans 0..n-1 (même négatif).

    Source : diapositives du cours (S1), chaînes de Markov.
    """
    # YOUR CODE HERE
    raise NotImplementedError("can_generate is not written yet")


# %% [markdown]
# ## 6. Loi stationnaire
#
# Une loi $\pi$ sur les états est stationnaire si un pas de la chaîne la laisse telle quelle :
#
# $$\pi_j = \sum_i \pi_i P_{ij} \quad (\pi = \pi P), \qquad \pi_i \ge 0, \quad \sum_i \pi_i = 1.$$
#
# Si chaque état peut être atteint depuis tout autre (la chaîne est *irréductible*), il y en a exactement
# une, et c'est la part du temps qu'une longue marche passe dans chaque état. La chaîne peut être
# *périodique* (par exemple 0 → 1 → 0 → 1 ...) : alors $\pi_0 P^t$ ne converge pas, mais $\pi$ existe quand
# même. Dans une chaîne *réductible*, un état ne peut pas être atteint depuis un autre (deux classes qui ne
# se rencontrent jamais, ou un état quitté à jamais) : la question est refusée.


# %%
def stationary_distribution(P: Tensor) -> Tensor:
    """La loi stationnaire d'une chaîne irréductible d'ordre 1, périodique ou non.

    Arguments :
        P : probabilités de transition, (n, n), lignes de somme 1.

    Renvoie :
        pi tel que pi P = pi, positif, de somme 1 ; forme (n,), dtype de P.

    Lève :
        ValueError : si P n'est pas carrée, si une ligne est nulle, ou si la chaîne est réductible.

    Source : diapositives du cours (S1), chaînes de Markov ; Norris (1997), théorème 1.7.7.
    """
    # YOUR CODE HERE
    raise NotImplementedError("stationary_distribution is not written yet")


# %% [markdown]
# ## 7. Figures
#
# Données. À gauche de la première figure, la chaîne du corpus du cours, à droite les mots qu'elle écrit ;
# la seconde montre la part du temps qu'une marche passe dans chaque état se rapprocher de la loi
# stationnaire, comme $1/\sqrt{t}$.

# %%
CORPUS = ["Ali est ici.", "Ali aime le bleu.", "Le vélo d'Ali est bleu.", "Qui est Ali ?"]


def make_figures(folder: str | Path) -> list[Path]:
    """Dessine la chaîne du cours avec ses phrases, et la convergence d'une marche. Renvoie les fichiers
    écrits."""
    import matplotlib.pyplot as plt

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)

    states = vocabulary(CORPUS)
    P = transition_matrix(transition_counts([tokenize(sentence) for sentence in CORPUS], states))
    n = len(states)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.8), layout="constrained")
    image = left.imshow(P.numpy(), cmap="Blues", vmin=0, vmax=1)
    left.set_xticks(range(n), states, rotation=60)
    left.set_yticks(range(n), states)
    left.set(xlabel="next state", ylabel="state", title="Transition matrix of the course corpus")
    figure.colorbar(image, ax=left, shrink=0.8)
    right.axis("off")
    right.set_title("Sentences it writes, with their log-likelihood")
    for line, start in enumerate([states.index("ali"), states.index("le"), states.index("qui")] * 3):
        path = sample_sequence(start, P, 10, generator)
        text = " ".join(states[i] for i in path).replace("' ", "'")
        right.text(0, 0.93 - 0.11 * line, f"{text}   ({log_likelihood(path, P):.1f})", fontsize=9)
    chain = folder / "markov_chain.png"
    figure.savefig(chain, dpi=120)

    P = torch.tensor([[0.0, 0.9, 0.1], [0.3, 0.2, 0.5], [0.6, 0.2, 0.2]])
    pi = stationary_distribution(P)
    walk = torch.tensor(sample_sequence(0, P, 5000, generator))  # (5000,)
    visits = torch.nn.functional.one_hot(walk, 3).cumsum(0)  # (5000, 3)
    time = torch.arange(1, len(walk) + 1)
    figure, axis = plt.subplots(figsize=(6.5, 4), layout="constrained")
    for state, colour in enumerate(("tab:blue", "tab:orange", "tab:green")):
        axis.semilogx(time.numpy(), (visits[:, state] / time).numpy(), color=colour, label=f"state {state}")
        axis.axhline(float(pi[state]), color=colour, linestyle="--", linewidth=1)
    axis.set(xlabel="steps", ylabel="share of time", ylim=(0, 1))
    axis.set_title("A walk's share of time (solid) and the stationary law (dashed)")
    axis.legend()
    stationary = folder / "stationary_distribution.png"
    figure.savefig(stationary, dpi=120)
    return [chain, stationary]


# %%
if __name__ == "__main__":
    make_figures("figures")

# %% [markdown]
# ## 8. Quiz
#
# Les questions ci-dessous portent sur votre propre corpus. Servez-vous de vos fonctions pour répondre ;
# puis mettez les réponses dans `ANSWERS`.

# %%
### BEGIN PERSONAL
PERSONAL = {
    "corpus": [
        "Le vélo loin est le vélo de Marie.",
        "Où est le chat d'Ali ?",
        "Marie est loin.",
        "Le chat bleu est le chat de Samir.",
        "Samir est loin.",
        "Qui aime le vélo ?",
        "Ali est bleu.",
    ],
    "word": "chat",
    "next": "d'",
    "first": ["de", "samir", "chat", "de", "samir"],
    "second": ["vélo", "de", "samir", "est"],
    "sentence": "Le chat bleu est le chat de Samir.",
}
QUIZ = {
    "model": (
        "Un modèle reçoit un couple (x, y) et renvoie un nombre entre 0 et 1, qu'il appelle "
        "une probabilité. On n'en sait rien d'autre. Est-il 'generative' (génératif : il "
        "renvoie P(x, y)), 'discriminative' (discriminatif : il renvoie P(y|x)), ou ne peut-on "
        "pas le savoir ('unknown') ? Réponse : une de ces trois chaînes."
    ),
    "generable": (
        "Votre corpus : « Le vélo loin est le vélo de Marie. » « Où est le chat d'Ali ? » « "
        "Marie est loin. » « Le chat bleu est le chat de Samir. » « Samir est loin. » « Qui "
        "aime le vélo ? » « Ali est bleu. » Prenez la chaîne d'ordre 1 qu'on en estime sans "
        "lissage, une séquence par phrase. Partant de leur premier mot, laquelle des deux "
        "suites de mots « de samir chat de samir » (first) et « vélo de samir est » (second) "
        "peut-elle engendrer ? Réponse : 'first' (la première), 'second' (la seconde), 'both' "
        "(les deux) ou 'neither' (aucune)."
    ),
    "transition": (
        "Même corpus, même chaîne : quelle est la probabilité que le mot qui suit « chat » "
        "soit « d' » ? Réponse : un nombre, à 0,001 près."
    ),
    "log_likelihood": (
        "Même corpus, même chaîne : quelle est la log-vraisemblance, en nats, de la phrase "
        "« Le chat bleu est le chat de Samir. » sachant son premier mot ? Réponse : un nombre, "
        "à 0,01 près."
    ),
}
### END PERSONAL
ANSWERS = {"model": None, "generable": None, "transition": None, "log_likelihood": None}
# YOUR CODE HERE
