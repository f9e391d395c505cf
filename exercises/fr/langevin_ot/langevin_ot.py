# %% [markdown]
# # Dynamique de Langevin et transport optimal
#
# Deux manières de faire aller des points d'un nuage à un autre. La *dynamique de Langevin* suit le score
# $\nabla \log p$ et ajoute du bruit : d'où qu'elle parte, elle finit en $p$, mais peu lui importe quel
# point va où. Le *transport optimal* décide exactement cela : il apparie les points de deux nuages au
# moindre coût. Dans cet exercice vous écrivez les deux à partir de rien, et à la fin laissez l'un guider
# l'autre : un nuage qui se *métamorphose* en un autre.
#
# **Sources.** Diapositives du cours du module 5 sur le score, la diffusion et le transport optimal (S3) et
# les notes de cours sur le transport et le débruitage (S2). G. O. Roberts et R. L. Tweedie, *Exponential
# convergence of Langevin distributions and their discrete approximations* (1996). P. Vincent, *A connection
# between score matching and denoising autoencoders* (2011). Y. Song et S. Ermon, *Generative modeling by
# estimating gradients of the data distribution* (2019). M. Cuturi, *Sinkhorn distances: lightspeed
# computation of optimal transport* (2013). G. Peyré et M. Cuturi, *Computational optimal transport* (2019),
# chapitres 2 et 4. R. J. McCann, *A convexity principle for interacting gases* (1997).
#
# **Ce que vous faites.** Remplacez chaque `raise NotImplementedError` par votre code ; gardez les noms et
# les arguments. Des tenseurs en entrée, des tenseurs en sortie, avec le dtype et le périphérique de
# l'entrée. Rien n'est entraîné ici : chaque fonction tient en quelques lignes de mathématiques. Le fichier
# doit pouvoir être importé sans rien calculer.
#
# **Comment c'est jugé** (20 points). Chaque fonction est testée pour elle-même, en float64, sur des nombres
# tirés pour vous : scores (4,5 points), dynamique de Langevin (3,5), transport (6), applications et
# métamorphose (3), refus de mauvais arguments (0,5), conventions (0,5), quiz (2). Les chaînes sont jugées
# sur leur loi, jamais tirage par tirage, par des tests auxquels un échantillonneur correct échoue moins
# d'une fois sur 100 000. Ne fixez aucune graine.

# %%
from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

# %% [markdown]
# ## 1. Une densité dont le score est connu
#
# Le *score* d'une densité $p$ est le gradient de son logarithme en $x$, $s(x) = \nabla_x \log p(x)$. Il
# pointe là où croît $p$, et n'a pas besoin de la constante de normalisation. Notre banc d'essai est un
# mélange de $K$ gaussiennes isotropes de même étendue $\sigma$,
#
# $$p(x) = \sum_{k=1}^K w_k\, \mathcal N(x; m_k, \sigma^2 I), \qquad
# \mathcal N(x; m, \sigma^2 I) = (2\pi\sigma^2)^{-d/2} \exp\Big(-\frac{\|x - m\|^2}{2\sigma^2}\Big).$$
#
# En dérivant $\log p$ on obtient une moyenne des scores des composantes,
#
# $$\nabla \log p(x) = \sum_k r_k(x)\, \frac{m_k - x}{\sigma^2}, \qquad
# r_k(x) = \frac{w_k\, \mathcal N(x; m_k, \sigma^2 I)}{\sum_l w_l\, \mathcal N(x; m_l, \sigma^2 I)},$$
#
# pondérée par les *responsabilités* $r_k$ : la probabilité que $x$ vienne de la composante $k$.
#
# Loin de tous les modes, chaque $\mathcal N(x; m_k, \sigma^2 I)$ vaut 0 en virgule flottante, et le
# quotient 0/0. Travaillez avec des logarithmes : `torch.logsumexp` et `softmax` soustraient d'abord le plus
# grand terme.


# %%
def gaussian_mixture_log_prob(x: Tensor, means: Tensor, std: float, weights: Tensor) -> Tensor:
    r"""Log-densité d'un mélange de gaussiennes isotropes, normalisée, en nats.

    $\log p(x) = \log \sum_k w_k (2\pi\sigma^2)^{-d/2} \exp(-\|x - m_k\|^2 / 2\sigma^2)$

    Arguments :
        x : points, (B, d).
        means : centres des composantes, (K, d).
        std : l'étendue $\sigma > 0$ commune à toutes les composantes.
        weights : probabilités des composantes, (K,), positives, de somme 1.

    Renvoie :
        (B,) ; fini même là où la densité de chaque composante s'annule par dépassement.

    Lève :
        ValueError : si les dernières dimensions de x et means diffèrent, ou s'il n'y a pas un poids par
        moyenne.

    Source : diapositives du cours (S3), score.
    """
    # YOUR CODE HERE
    raise NotImplementedError("gaussian_mixture_log_prob is not written yet")


def gaussian_mixture_score(x: Tensor, means: Tensor, std: float, weights: Tensor) -> Tensor:
    r"""Score du mélange, $\nabla_x \log p(x) = \sum_k r_k(x) (m_k - x) / \sigma^2$.

    Arguments :
        x : points, (B, d).
        means : centres des composantes, (K, d).
        std : l'étendue $\sigma > 0$ commune à toutes les composantes.
        weights : probabilités des composantes, (K,), positives, de somme 1.

    Renvoie :
        (B, d) ; fini même loin de tous les modes.

    Lève :
        ValueError : si les dernières dimensions de x et means diffèrent, ou s'il n'y a pas un poids par
        moyenne.

    Source : diapositives du cours (S3), score.
    """
    # YOUR CODE HERE
    raise NotImplementedError("gaussian_mixture_score is not written yet")


# %% [markdown]
# ## 2. Dynamique de Langevin
#
# L'équation de Langevin $dX = \nabla \log p(X)\,dt + \sqrt 2\, dW$ a $p$ pour loi stationnaire. Discrétisée
# avec un pas $h$ (Euler-Maruyama),
#
# $$x_{k+1} = x_k + h\, s(x_k) + \sqrt{2h}\, \xi_k, \qquad \xi_k \sim \mathcal N(0, I).$$
#
# La dérive croît comme $h$ et le bruit comme $\sqrt h$, puisque la *variance* du bruit croît comme $h$.
#
# **Deux conventions.** Le cours écrit ce pas de deux manières : $x + \eta\, s + \sqrt{2\eta}\,\xi$, celle
# d'ici (`step` est $\eta$), et $x + \frac{\eta}{2} s + \sqrt{\eta}\,\xi$, qui est la même chaîne avec
# $\eta$ deux fois plus grand. Les mélanger (la dérive de l'une avec le bruit de l'autre) échantillonne
# $p^2$ ou $\sqrt p$, normalisé.
#
# **Un biais à connaître.** Pour $\mathcal N(0, 1)$ le pas s'écrit
# $x_{k+1} = (1 - h) x_k + \sqrt{2h}\,\xi_k$ : la variance se fixe là où $v = (1-h)^2 v + 2h$, en
# $1 / (1 - h/2)$ et non en 1. Il disparaît quand $h \to 0$ (ou avec un test de Metropolis, que nous
# laissons de côté).
#
# `langevin_sample` fait tourner de nombreuses chaînes à la fois, avec un nouveau bruit pour chaque chaîne,
# coordonnée et pas, et garde toute la trajectoire. La fonction de score peut être tout ce qui s'appelle :
# une formule, un réseau, une sonde.


# %%
def langevin_step(x: Tensor, score: Tensor, step: float, noise: Tensor) -> Tensor:
    r"""Un pas de l'algorithme de Langevin non ajusté, $x + h s + \sqrt{2h}\,\xi$.

    Arguments :
        x : points courants, (B, d).
        score : le score en ces points (un tenseur, non une fonction), (B, d).
        step : $h > 0$.
        noise : nombres normaux centrés réduits, (B, d), employés tels quels.

    Renvoie :
        Points suivants, (B, d).

    Lève :
        ValueError : si les trois formes diffèrent.

    Source : diapositives du cours (S3), Langevin ; Roberts et Tweedie (1996).
    """
    # YOUR CODE HERE
    raise NotImplementedError("langevin_step is not written yet")


def langevin_sample(
    score_fn: Callable[[Tensor], Tensor],
    x0: Tensor,
    step: float,
    n_steps: int,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Fait tourner des chaînes de Langevin indépendantes, une par ligne de x0.

    Arguments :
        score_fn : de points (B, d) vers leurs scores (B, d) ; elle peut porter des gradients ou non.
        x0 : points de départ, (B, d).
        step : h > 0.
        n_steps : nombre de pas, au moins 1.
        generator : source du bruit ; le générateur global si c'est None. Rien ici n'en fixe la graine.

    Renvoie :
        La trajectoire (n_steps + 1, B, d), x0 d'abord, sans gradients.

    Lève :
        ValueError : si n_steps est inférieur à 1.

    Source : diapositives du cours (S3), Langevin.
    """
    # YOUR CODE HERE
    raise NotImplementedError("langevin_sample is not written yet")


# %% [markdown]
# ## 3. Apprendre un score à partir d'échantillons
#
# Là où l'on n'a pas de formule de $p$, un réseau peut apprendre le score des seules données. Floutez les
# données par du bruit, $\tilde x = x + \sigma \xi$. Sachant $x$, la loi de $\tilde x$ est gaussienne et son
# score est connu :
#
# $$\nabla_{\tilde x} \log \mathcal N(\tilde x; x, \sigma^2 I)
# = -\frac{\tilde x - x}{\sigma^2} = -\frac{\xi}{\sigma}.$$
#
# Vincent (2011) : la régression de cette cible sur $\tilde x$,
#
# $$L(\theta) = \mathbb E\, \Big\| s_\theta(x + \sigma\xi) + \frac{\xi}{\sigma} \Big\|^2,$$
#
# a pour solution le score de la densité *floutée*. Le signe moins dit ce qu'elle apprend : à pointer du
# bruit vers les données. C'est aussi la formule de Tweedie,
#
# $$\mathbb E[x \mid \tilde x] = \tilde x + \sigma^2\, \nabla \log p_\sigma(\tilde x).$$
#
# Ici la perte est la moyenne des différences au carré sur toutes les $B \cdot d$ entrées, sans autre poids.


# %%
def denoising_score_matching_loss(model: Callable[[Tensor], Tensor], x: Tensor, sigma: float, noise: Tensor) -> Tensor:
    r"""Débruitage pour apprendre le score : moyenne sur toutes les entrées de
    $(s_\theta(x + \sigma\xi) + \xi/\sigma)^2$.

    Arguments :
        model : de points (B, d) vers des scores (B, d).
        x : données propres, (B, d).
        sigma : étendue du flou, > 0.
        noise : nombres normaux centrés réduits $\xi$, (B, d), employés tels quels.

    Renvoie :
        Scalaire, dérivable par rapport aux paramètres du modèle.

    Lève :
        ValueError : si les formes de x et noise diffèrent.

    Source : notes du cours (S2), débruitage ; Vincent (2011).
    """
    # YOUR CODE HERE
    raise NotImplementedError("denoising_score_matching_loss is not written yet")


# %% [markdown]
# ## 4. Transport optimal avec entropie
#
# Deux nuages $x_1..x_n$ et $y_1..y_m$ portent des poids $a$ et $b$ de somme 1. Un *plan*
# $P \in \mathbb R_+^{n \times m}$ dit quelle part de $x_i$ va à $y_j$ ; ses lignes ont pour sommes $a$ et
# ses colonnes $b$. Avec le coût $C_{ij} = \|x_i - y_j\|_2^p$, le problème de Kantorovich et la distance de
# Wasserstein sont
#
# $$W_p^p = \min_P \sum_{ij} P_{ij} C_{ij}.$$
#
# C'est un programme linéaire. Cuturi (2013) ajoute une entropie,
#
# $$\min_P\; \sum_{ij} P_{ij} C_{ij} + \varepsilon \sum_{ij} P_{ij} (\log P_{ij} - 1),$$
#
# qui rend la solution unique et de la forme $P_{ij} = u_i\, e^{-C_{ij}/\varepsilon}\, v_j$.
#
# L'**algorithme de Sinkhorn** alterne : choisir $u$ pour que les lignes soient justes, puis $v$ pour que
# les colonnes le soient,
#
# $$u_i \leftarrow \frac{a_i}{\sum_j e^{-C_{ij}/\varepsilon} v_j}, \qquad
# v_j \leftarrow \frac{b_j}{\sum_i e^{-C_{ij}/\varepsilon} u_i}.$$
#
# Pour de petits $\varepsilon$ cela échoue : $e^{-C/\varepsilon}$ vaut 0 en virgule flottante dès que
# $C > 745\,\varepsilon$, et une ligne de zéros divise par zéro. Avec $\log u$ et $\log v$ les deux mêmes
# lignes sont
#
# $$\log u_i \leftarrow \log a_i - \operatorname{logsumexp}_j (\log v_j - C_{ij}/\varepsilon), \qquad
# \log v_j \leftarrow \log b_j - \operatorname{logsumexp}_i (\log u_i - C_{ij}/\varepsilon),$$
#
# et marchent pour tout $\varepsilon$. Attention à l'axe : $u$ a une entrée par ligne.
#
# $\varepsilon$ est *absolu* : il est comparé à $C$ tel quel, dans les unités du coût, sans division par son
# maximum. L'algorithme s'arrête quand les marges de $P$ sont justes,
# $\sum_i |(P 1)_i - a_i| + \sum_j |(P^\top 1)_j - b_j| \le$ `tolerance`, ou après `n_iterations` paires de
# mises à jour. De petits $\varepsilon$ convergent lentement : sur le carré unité, en
# $\varepsilon = 10^{-3}$, 1 000 itérations laissent une erreur de ligne proche de $10^{-2}$ ; prenez-en 20 000.
#
# La valeur à comparer à $W_p^p$ est le seul coût de transport $\sum P_{ij} C_{ij}$, sans l'entropie. Comme
# $P$ respecte les marges, il n'est jamais au-dessous de $W_p^p$, et y descend quand $\varepsilon \to 0$.
# Quand $\varepsilon \to \infty$ le plan oublie le coût, et il ne reste que l'entropie : quel est alors le
# plan ?


# %%
def cost_matrix(x: Tensor, y: Tensor, p: float = 2) -> Tensor:
    r"""Coûts $C_{ij} = \|x_i - y_j\|_2^p$ : la distance euclidienne, élevée à p.

    Arguments :
        x: (n, d).
        y: (m, d).
        p : puissance, au moins 1 ; en p = 2 la distance au carré.

    Renvoie :
        (n, m).

    Lève :
        ValueError : si les dernières dimensions de x et y diffèrent.

    Source : diapositives du cours (S3), transport optimal.
    """
    # YOUR CODE HERE
    raise NotImplementedError("cost_matrix is not written yet")


def sinkhorn(
    a: Tensor,
    b: Tensor,
    C: Tensor,
    epsilon: float,
    n_iterations: int = 1000,
    tolerance: float = 1e-9,
) -> Tensor:
    r"""Plan de moindre coût avec entropie, par l'algorithme de Sinkhorn sur les logarithmes.

    $\arg\min_P \sum_{ij} P_{ij} C_{ij} + \varepsilon \sum_{ij} P_{ij} (\log P_{ij} - 1)$ sous $P 1 = a$,
    $P^\top 1 = b$.

    Arguments :
        a : poids des lignes, (n,), positifs, de somme 1.
        b : poids des colonnes, (m,), positifs, de somme 1.
        C : coûts, (n, m).
        epsilon : poids de l'entropie, > 0, dans les unités de C.
        n_iterations : nombre maximal de paires de mises à jour, au moins 1.
        tolerance : s'arrêter dès que l'erreur L1 des marges passe au-dessous.

    Renvoie :
        Plan (n, m), positif ; ses lignes ont pour sommes a et ses colonnes b, à la tolérance près.

    Lève :
        ValueError : si C n'est pas (n, m), ou si n_iterations est inférieur à 1.

    Source : notes du cours (S2), transport ; Cuturi (2013) ; Peyré et Cuturi (2019), section 4.4.
    """
    # YOUR CODE HERE
    raise NotImplementedError("sinkhorn is not written yet")


def transport_cost(plan: Tensor, C: Tensor) -> Tensor:
    r"""Coût d'un plan, $\sum_{ij} P_{ij} C_{ij}$ : ni entropie, ni racine.

    Arguments :
        plan : (n, m).
        C : coûts, (n, m).

    Renvoie :
        Scalaire.

    Lève :
        ValueError : si les formes diffèrent.

    Source : diapositives du cours (S3), transport optimal.
    """
    # YOUR CODE HERE
    raise NotImplementedError("transport_cost is not written yet")


# %% [markdown]
# ## 5. Sur la droite
#
# En dimension un il n'y a rien à résoudre : le plan optimal garde l'ordre. Avec les fonctions quantiles
# $F^{-1}$ des deux échantillons,
#
# $$W_p = \Big( \int_0^1 |F_x^{-1}(q) - F_y^{-1}(q)|^p\, dq \Big)^{1/p}.$$
#
# Avec $n$ points chacun, cela apparie les valeurs triées. Avec $n \neq m$ les fonctions quantiles sont
# encore en escalier, avec des sauts en $i/n$ et en $j/m$ : entre deux sauts voisins les deux sont
# constantes, et l'intégrale est une somme finie. Ni couper le plus long échantillon ni interpoler ne la
# donne.


# %%
def wasserstein_1d(x: Tensor, y: Tensor, p: float = 1) -> Tensor:
    r"""Distance de Wasserstein de deux échantillons sur la droite, avec la racine.

    $W_p = (\int_0^1 |F_x^{-1}(q) - F_y^{-1}(q)|^p dq)^{1/p}$, tous les points d'un échantillon ayant le
    même poids.

    Arguments :
        x : (n,), dans un ordre quelconque.
        y : (m,), dans un ordre quelconque ; m peut différer de n.
        p : ordre, au moins 1.

    Renvoie :
        Scalaire, au moins 0.

    Lève :
        ValueError : si x ou y n'est pas à une dimension.

    Source : diapositives du cours (S3), transport optimal ; Peyré et Cuturi (2019), section 2.6.
    """
    # YOUR CODE HERE
    raise NotImplementedError("wasserstein_1d is not written yet")


# %% [markdown]
# ## 6. D'un plan à une application, d'une application à un film
#
# Un plan partage la masse d'un point. La *projection barycentrique* envoie le point à la moyenne de ses
# destinations,
#
# $$T(x_i) = \frac{\sum_j P_{ij}\, y_j}{\sum_j P_{ij}},$$
#
# où le dénominateur est $a_i$ : sans lui l'image se réduirait à 0 quand le nuage grandit. L'*interpolation
# de déplacement* de McCann fait ensuite avancer chaque point sur sa droite, $x_t = (1 - t)\, x + t\, T(x)$.
#
# **Métamorphose (morphing).** La dynamique de Langevin avec le score de la cible amène tout nuage à la
# cible, mais à son rythme et pas là où il faudrait : des chaînes tombées dans un mode ne le quittent guère.
# Ajoutez une attraction vers là où le transport envoie chaque point,
#
# $$x_{k+1} = x_k + h \big( s(x_k) + \lambda\, (T(x_k) - x_k) \big) + \sqrt{2h}\, \xi_k ,$$
#
# où $\lambda$ est l'argument `ot_weight`, avec des poids uniformes et $p = 2$. Que vous trouviez $T$ une
# seule fois, entre le premier nuage et la cible (chaque point garde alors sa destination), ou à nouveau
# depuis le nuage courant, est à vous. $\lambda = 0$ est Langevin simple. Gardez $h \lambda < 1$, sinon
# l'attraction dépasse le but.


# %%
def barycentric_projection(plan: Tensor, y: Tensor) -> Tensor:
    r"""Destination moyenne de chaque point, $T(x_i) = \sum_j P_{ij} y_j / \sum_j P_{ij}$.

    Arguments :
        plan : (n, m), chaque ligne de masse positive.
        y : points cibles, (m, d).

    Renvoie :
        (n, d).

    Lève :
        ValueError : si plan n'a pas une colonne par point de y.

    Source : notes du cours (S2), transport ; Peyré et Cuturi (2019), remarque 4.11.
    """
    # YOUR CODE HERE
    raise NotImplementedError("barycentric_projection is not written yet")


def displacement_interpolation(x: Tensor, x_mapped: Tensor, t: float) -> Tensor:
    """Points sur leur chemin droit, (1 - t) x + t T(x).

    Arguments :
        x: (n, d).
        x_mapped : destinations des mêmes points, (n, d).
        t : temps dans [0, 1] ; 0 donne x, 1 donne x_mapped.

    Renvoie :
        (n, d).

    Lève :
        ValueError : si les formes diffèrent, ou si t est hors de [0, 1].

    Source : diapositives du cours (S3), transport optimal ; McCann (1997).
    """
    # YOUR CODE HERE
    raise NotImplementedError("displacement_interpolation is not written yet")


def morph(
    x_source: Tensor,
    x_target: Tensor,
    score_fn: Callable[[Tensor], Tensor],
    n_steps: int,
    step: float,
    ot_weight: float,
    epsilon: float,
    generator: torch.Generator | None = None,
) -> Tensor:
    r"""Dynamique de Langevin avec une attraction le long du transport optimal, d'un nuage à un autre.

    Dérive $s(x) + \lambda (T(x) - x)$, bruit $\sqrt{2h}\,\xi$ ; T est la projection barycentrique du plan
    entropique (poids uniformes, p = 2) du premier nuage ou du nuage courant vers x_target.

    Arguments :
        x_source : premier nuage, (n, d).
        x_target : nuage cible, (m, d).
        score_fn : score de la loi de la cible, de (n, d) vers (n, d).
        n_steps : nombre de pas, au moins 1.
        step : h > 0.
        ot_weight : $\lambda \geq 0$, avec h λ < 1 ; 0 est Langevin simple.
        epsilon : poids de l'entropie dans le plan, > 0, dans les unités de la distance au carré.
        generator : source du bruit ; le générateur global si c'est None. Rien ici n'en fixe la graine.

    Renvoie :
        La trajectoire (n_steps + 1, n, d), x_source d'abord, sans gradients.

    Lève :
        ValueError : si les dernières dimensions des nuages diffèrent, ou si n_steps est inférieur à 1.

    Source : notes du cours (S2), transport ; diapositives du cours (S3), Langevin.
    """
    # YOUR CODE HERE
    raise NotImplementedError("morph is not written yet")


# %% [markdown]
# ## 7. Figures
#
# Donnée. La première figure montre le score du mélange, le même champ appris par débruitage, et des chaînes
# de Langevin qui trouvent l'anneau ; la deuxième des plans et des interpolations pour des $\varepsilon$
# décroissants ; la troisième un carré qui se métamorphose en anneau, avec transport et sans : regardez les
# chemins que prennent les points.

# %%
RING_ANGLES = torch.arange(8) * math.pi / 4
RING = 2 * torch.stack([RING_ANGLES.cos(), RING_ANGLES.sin()], dim=1)  # (8, 2)
RING_STD = 0.2
RING_WEIGHTS = torch.full((8,), 1 / 8)


def ring_score(x: Tensor) -> Tensor:
    """Score de huit gaussiennes sur un cercle de rayon 2."""
    return gaussian_mixture_score(x, RING.to(x), RING_STD, RING_WEIGHTS.to(x))


def _learned_score(data: Tensor, sigma: float, generator: torch.Generator) -> torch.nn.Module:
    layers = torch.nn.Linear(2, 64), torch.nn.SiLU(), torch.nn.Linear(64, 64), torch.nn.SiLU()
    model = torch.nn.Sequential(*layers, torch.nn.Linear(64, 2))
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(500):
        x = data[torch.randint(len(data), (256,), generator=generator)]
        noise = torch.randn(x.shape, generator=generator)
        optimiser.zero_grad()
        denoising_score_matching_loss(model, x, sigma, noise).backward()
        optimiser.step()
    return model


def _draw_scores(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    axis = torch.linspace(-3.2, 3.2, 17)
    grid = torch.cartesian_prod(axis, axis)  # (289, 2)
    data = RING[torch.randint(8, (2000,), generator=generator)]
    data = data + RING_STD * torch.randn(2000, 2, generator=generator)
    sigma = 0.3  # the learned score is that of the density blurred by sigma
    model = _learned_score(data, sigma, generator)
    with torch.no_grad():
        learned = model(grid)
    exact = gaussian_mixture_score(grid, RING, math.hypot(RING_STD, sigma), RING_WEIGHTS)
    start = 0.5 * torch.randn(400, 2, generator=generator)
    trajectory = langevin_sample(ring_score, start, 0.01, 300, generator)  # (301, 400, 2)

    figure, panels = plt.subplots(1, 3, figsize=(12.5, 4.3), layout="constrained")
    for panel, field, title in zip(
        panels, (exact, learned), (f"Score, blurred by {sigma}", "Learned from samples"), strict=False
    ):
        panel.quiver(*grid.T.numpy(), *field.T.numpy(), color="tab:blue", width=0.004)
        panel.scatter(*data[:400].T.numpy(), s=3, color="0.7", zorder=0)
        panel.set(title=title, aspect="equal")
    for chain in range(6):
        panels[2].plot(*trajectory[:, chain].T.numpy(), linewidth=0.6, alpha=0.8)
    panels[2].scatter(*trajectory[-1].T.numpy(), s=3, color="black")
    panels[2].set(title="Langevin: 400 chains after 300 steps, 6 ways", aspect="equal")
    path = folder / "langevin_scores.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _draw_plans(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    x = torch.rand(24, 2, generator=generator, dtype=torch.float64) * torch.tensor([0.6, 1.0]).double()
    angle = torch.rand(30, generator=generator, dtype=torch.float64) * 2 * math.pi
    y = torch.stack([1.6 + 0.5 * angle.cos(), 0.5 + 0.5 * angle.sin()], dim=1)
    a, b = torch.full((24,), 1 / 24).double(), torch.full((30,), 1 / 30).double()
    C = cost_matrix(x, y)
    figure, panels = plt.subplots(1, 3, figsize=(12.5, 2.8), layout="constrained")
    for panel, epsilon in zip(panels, (1.0, 0.05, 0.002), strict=True):
        plan = sinkhorn(a, b, C, epsilon, n_iterations=5000, tolerance=1e-7)
        for i, j in (plan > 0.001).nonzero().tolist():
            alpha = float(plan[i, j] * len(y))  # 1 where all that y_j gets comes from x_i
            panel.plot([x[i, 0], y[j, 0]], [x[i, 1], y[j, 1]], color="0.5", linewidth=0.8, alpha=min(alpha, 1.0))
        mapped = barycentric_projection(plan, y)
        for t, colour in zip((0.25, 0.5, 0.75), ("#6b9fd4", "#8f7fb8", "#c46a8a"), strict=True):
            panel.scatter(*displacement_interpolation(x, mapped, t).T.numpy(), s=8, color=colour)
        panel.scatter(*x.T.numpy(), s=18, color="tab:blue")
        panel.scatter(*y.T.numpy(), s=18, color="tab:red")
        cost = float(transport_cost(plan, C))
        panel.set(title=f"epsilon = {epsilon:g}: cost {cost:.3f}", aspect="equal")
    path = folder / "transport_plans.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _draw_morph(folder: Path, generator: torch.Generator) -> Path:
    import matplotlib.pyplot as plt

    n = 160
    source = torch.rand(n, 2, generator=generator) * 1.6 - torch.tensor([4.8, 0.8])
    target = RING.repeat(n // 8, 1) + RING_STD * torch.randn(n, 2, generator=generator)
    frames = [0, 5, 15, 80]
    figure, panels = plt.subplots(2, 5, figsize=(13, 4.4), layout="constrained", sharex=True, sharey=True)
    for row, ot_weight in zip(panels, (0.0, 40.0), strict=True):
        trajectory = morph(source, target, ring_score, 80, 0.01, ot_weight, 0.05, generator)  # (81, n, 2)
        for panel, k in zip(row, frames, strict=False):
            panel.scatter(*target.T.numpy(), s=4, color="0.8")
            panel.scatter(*trajectory[k].T.numpy(), s=6, color="tab:blue")
            panel.set(title=f"ot_weight {ot_weight:g}, step {k}", aspect="equal")
        for i in range(0, n, 6):
            row[4].plot(*trajectory[:, i].T.numpy(), linewidth=0.6)
        row[4].set(title="the ways", aspect="equal")
    path = folder / "morphing.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def make_figures(folder: str | Path) -> list[Path]:
    """Dessine scores et chaînes, plans pour trois epsilons, et un morph. Renvoie les fichiers écrits."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    return [draw(folder, generator) for draw in (_draw_scores, _draw_plans, _draw_morph)]


# %%
if __name__ == "__main__":
    make_figures("figures")

# %% [markdown]
# ## 8. Quiz
#
# Les questions ci-dessous portent sur vos propres nombres. Résolvez-les sur le papier ou avec vos
# fonctions ; puis mettez les réponses dans `ANSWERS`.

# %%
### BEGIN PERSONAL
PERSONAL = {
    "sigma": 1.5,
    "step": 0.35,
    "eta": 0.012,
    "x": [3, 10, 2, 1],
    "y": [2, 9, 4, 12],
    "a": [0.2, 0.4, 0.4],
    "b": [0.1, 0.7, 0.2],
    "entry": [2, 1],
}
QUIZ = {
    "variance": (
        "Votre langevin_sample tourne très longtemps avec le score exact de N(0, 1.5²) et step "
        "= 0.35. Avec quelle variance la chaîne finit-elle ? Ce n'est pas 1.5². Réponse : un "
        "nombre, à 0,001 près."
    ),
    "step": (
        "Un article écrit son échantillonneur x + (η/2)·score + sqrt(η)·bruit et emploie η = "
        "0.012. Quel `step` de votre langevin_step donne la même chaîne ? Réponse : un nombre, "
        "à six décimales."
    ),
    "distance": (
        "Deux échantillons sur une droite : x = [3, 10, 2, 1] et y = [2, 9, 4, 12], tous les "
        "poids valant 1/4. Quelle est leur distance de Wasserstein d'ordre 2, W_2, avec la "
        "racine ? Réponse : un nombre, à 0,001 près."
    ),
    "large_epsilon": (
        "Sinkhorn avec a = [0.2, 0.4, 0.4] et b = [0.1, 0.7, 0.2], coût quelconque : vers "
        "quelle valeur va l'entrée P[2, 1] du plan (indices à partir de 0) quand epsilon tend "
        "vers l'infini ? Réponse : un nombre, à 0,001 près."
    ),
}
### END PERSONAL
ANSWERS = {"variance": None, "step": None, "distance": None, "large_epsilon": None}
# YOUR CODE HERE
