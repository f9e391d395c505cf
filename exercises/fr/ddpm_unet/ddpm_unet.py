# %% [markdown]
# # Apprendre à enlever le bruit : un modèle de diffusion avec un U-Net
#
# Ajouter du bruit à une image est facile, et après assez de petits pas il ne reste rien de l'image. Un
# modèle de diffusion apprend à revenir : un réseau regarde une image bruitée et dit quel bruit a été
# ajouté. Partir de bruit pur et en enlever un peu à la fois *engendre* alors des images. Dans cet exercice
# vous construisez toute la chaîne : le calendrier de bruit, le processus direct, le U-Net, sa perte, et
# deux échantillonneurs (DDPM et DDIM).
#
# **Sources.** Diapositives du cours du module 5 sur la diffusion et le score (S3) ; notes du cours sur le
# débruitage (S2). J. Ho, A. Jain et P. Abbeel, *Denoising Diffusion Probabilistic Models* (2020) [DDPM]. A.
# Nichol et P. Dhariwal, *Improved Denoising Diffusion Probabilistic Models* (2021), pour le calendrier en
# cosinus. J. Song, C. Meng et S. Ermon, *Denoising Diffusion Implicit Models* (2021) [DDIM]. P. Vincent, *A
# Connection Between Score Matching and Denoising Autoencoders* (2011) et B. Efron, *Tweedie's Formula and
# Selection Bias* (2011), pour le score. O. Ronneberger, P. Fischer et T. Brox, *U-Net* (2015). A. Vaswani
# et al., *Attention Is All You Need* (2017), pour les sinusoïdes.
#
# **Ce que vous faites.** Remplacez chaque `raise NotImplementedError` par votre code ; gardez les noms et
# les arguments. Boucles ou code vectorisé, les deux conviennent. Le fichier doit pouvoir être importé sans
# rien calculer.
#
# **Conventions.** Les images sont `(B, C, H, W)`, le lot d'abord, mises à l'échelle [-1, 1] *par
# l'appelant* : aucune de vos fonctions ne change leur échelle. Le temps `t` compte de 0 à T-1 ; le `t` d'un
# lot est un tenseur `(B,)` d'entiers, un instant par image. Les résultats gardent le dtype et le
# périphérique de l'entrée, qui reste inchangée. Une fonction qui prend `noise` l'emploie tel quel ; une
# fonction qui tire prend un `generator`, et personne ne fixe la graine du générateur global.
#
# **Comment c'est jugé** (20 points). Presque tout est testé pour soi et exactement, sur des calendriers et
# des images fraîchement tirés : calendriers et tables 2,5 points, processus direct 2,5, plongement du temps
# et U-Net 2, perte 1,5, débruitage et score 1, un pas en arrière (DDPM et DDIM) 3,5, échantillonnages
# entiers 2 (avec un réseau qui connaît la bonne réponse, si bien que la loi de vos échantillons est connue
# exactement), entraînement 2 (ce que votre boucle montre au réseau ; la perte sur des chiffres jamais vus
# et les images après un court entraînement), conventions et erreurs 1. Le quiz à la fin porte sur vos
# propres nombres : 2.

# %%
from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# %% [markdown]
# ## 1. Le calendrier de bruit
#
# Le processus direct est une chaîne de Markov qui contracte un peu l'image et ajoute un peu de bruit
# gaussien,
#
# $$q(x_t \mid x_{t-1}) = \mathcal N\big(\sqrt{1 - \beta_t}\; x_{t-1},\ \beta_t I\big),
# \qquad t = 0, \dots, T-1,$$
#
# où « $x_{-1}$ » est l'image propre $x_0$ de la littérature : ici $t$ est un *indice* dans le calendrier,
# et l'image que produit le pas $t$ s'appelle $x_t$. Avec $\alpha_t = 1 - \beta_t$ et
# $\bar\alpha_t = \prod_{s \le t} \alpha_s$, les pas se composent en un seul (section 2). Avant le premier
# pas rien ne s'est passé : $\bar\alpha_{-1} = 1$.
#
# Deux calendriers usuels :
#
# - **linéaire** (DDPM) : $\beta_0, \dots, \beta_{T-1}$ régulièrement espacés de $\beta_1 = 10^{-4}$ à
#   $\beta_T = 0.02$, extrémités comprises (les noms des arguments comptent à partir de 1, comme
#   l'article) ;
# - **cosinus** (Nichol et Dhariwal) : choisissez d'abord $\bar\alpha$,
#   $f(u) = \cos^2\!\left(\frac{u/T + s}{1 + s}\cdot\frac{\pi}{2}\right)$, $u = 0, \dots, T$, et prenez
#   $\beta_t = 1 - f(t + 1) / f(t)$, plafonné à 0,999 (le dernier vaudrait 1 et ne laisserait rien par quoi
#   diviser).
#
# La formule de Bayes donne le pas en arrière quand l'image propre est connue : $q(x_{t-1} \mid x_t, x_0)$
# est gaussienne de variance
#
# $$\tilde\beta_t = \beta_t\,\frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t}, \qquad \tilde\beta_0 = 0.$$
#
# C'est la `posterior_variance` que l'exercice emploie pour échantillonner. Les diapositives du cours
# ajoutent plutôt un bruit de variance $\beta_t$ : l'autre choix usuel, juste pour des données de variance
# 1, tandis que $\tilde\beta_t$ est juste pour une seule image. Les deux donnent de bons échantillons quand
# T est grand ; les tests attendent $\tilde\beta_t$.


# %%
def linear_beta_schedule(T: int, beta_1: float = 1e-4, beta_T: float = 0.02) -> Tensor:
    """Variances de bruit régulièrement espacées, de `beta_1` à `beta_T` compris.

    Arguments :
        T : nombre de pas, au moins 1.
        beta_1 : variance du premier pas, dans (0, 1).
        beta_T : variance du dernier pas, dans (0, 1).

    Renvoie :
        (T,), flottant.

    Lève :
        ValueError : si T < 1.

    Source : DDPM, section 4 ; diapositives du cours (S3).
    """
    # YOUR CODE HERE
    raise NotImplementedError("linear_beta_schedule is not written yet")


def cosine_beta_schedule(T: int, s: float = 0.008) -> Tensor:
    """Le calendrier en cosinus : β_t = min(1 - f(t+1)/f(t), 0.999) avec f(u) = cos²((u/T + s)/(1 + s) ·
    π/2).

    Arguments :
        T : nombre de pas, au moins 1.
        s : petit décalage, pour que les premiers pas ne soient pas trop petits.

    Renvoie :
        (T,), flottant, chacun au plus 0.999.

    Lève :
        ValueError : si T < 1.

    Source : Nichol et Dhariwal (2021), équation 17.
    """
    # YOUR CODE HERE
    raise NotImplementedError("cosine_beta_schedule is not written yet")


class Diffusion:
    """Les nombres d'un calendrier de bruit, calculés une fois.

    Arguments :
        betas : variances des pas en avant, (T,), chacune dans (0, 1).

    Attributs (tenseurs de forme (T,), dtype et périphérique de `betas`) :
        alphas: 1 - β_t.
        alpha_bars: ᾱ_t, the product of alphas[0], ..., alphas[t].
        posterior_variance: β_t (1 - ᾱ_{t-1}) / (1 - ᾱ_t), where ᾱ before the first step is 1; [0] is 0.

    Source : DDPM, équations 4 et 7 ; diapositives du cours (S3).
    """

    def __init__(self, betas: Tensor) -> None:
        # YOUR CODE HERE
        raise NotImplementedError("Diffusion.__init__ is not written yet")


# %% [markdown]
# ## 2. Le processus direct
#
# Un pas est $x_t = \sqrt{\alpha_t}\,x_{t-1} + \sqrt{1 - \alpha_t}\,\varepsilon$. Une somme de gaussiennes
# indépendantes est gaussienne, on peut donc faire $t + 1$ pas d'un coup :
#
# $$x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1 - \bar\alpha_t}\,\varepsilon,
# \qquad \varepsilon \sim \mathcal N(0, I).$$
#
# Attention aux racines carrées : $\beta$, $1 - \bar\alpha$ sont des variances. Leur somme avec $\bar\alpha$
# vaut 1 : des données de variance 1 gardent la variance 1, la chaîne *préserve la variance*.
#
# Dans un lot, chaque image a son propre instant. `t` choisit un nombre par image, auquel il faut donner la
# forme `(B, 1, 1, 1)` pour multiplier des images `(B, C, H, W)`.


# %%
# YOUR CODE HERE


def q_sample(diffusion: Diffusion, x0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    """Saute des images propres à l'instant t : x_t = sqrt(ᾱ_t) x0 + sqrt(1 - ᾱ_t) noise.

    Arguments :
        diffusion : le calendrier.
        x0 : images propres, (B, C, H, W).
        t : instants, (B,) entiers dans 0..T-1, un par image.
        noise : normal centré réduit, de la forme de x0.

    Renvoie :
        x_t, de la forme et du dtype de x0.

    Lève :
        ValueError : si les formes ne concordent pas ou si un instant est négatif.

    Source : DDPM, équation 4 ; diapositives du cours (S3).
    """
    # YOUR CODE HERE
    raise NotImplementedError("q_sample is not written yet")


def q_step(diffusion: Diffusion, x_prev: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    """Un pas de la chaîne directe : x_t = sqrt(α_t) x_{t-1} + sqrt(1 - α_t) noise.

    Arguments :
        diffusion : le calendrier.
        x_prev : images avant le pas t, (B, C, H, W) ; les images propres pour t = 0.
        t : instants, (B,) entiers dans 0..T-1, un par image.
        noise : normal centré réduit, de la forme de x_prev.

    Renvoie :
        x_t, de la forme et du dtype de x_prev.

    Lève :
        ValueError : si les formes ne concordent pas ou si un instant est négatif.

    Source : DDPM, équation 2 ; diapositives du cours (S3).
    """
    # YOUR CODE HERE
    raise NotImplementedError("q_step is not written yet")


# %% [markdown]
# ## 3. Le réseau : un U-Net qui connaît le temps
#
# Le même réseau sert à tous les instants, il faut donc lui dire lequel : à quel point l'image est bruitée
# décide de l'aspect du bruit. Un nombre nu est une mauvaise entrée ; comme dans le Transformer, le temps
# est étalé sur des sinus et des cosinus,
#
# $$\big(\sin(\omega_k t),\ \cos(\omega_k t)\big)_k, \qquad \omega_k = 10000^{-k/(d/2)},
# \quad k = 0, \dots, d/2 - 1,$$
#
# des rapides pour distinguer les voisins, des lents pour distinguer le début de la fin. (Leur ordre et les
# fréquences exactes sont à vous.)
#
# Le **U-Net** prédit une image (le bruit) à partir d'une image. Un encodeur divise deux fois la résolution
# par deux, si bien que les couches les plus profondes voient tout le chiffre ; un décodeur la double deux
# fois. Ce qui se perd en descendant (où est exactement le bord, quel pixel était bruité) est transmis à
# chaque résolution par une *connexion directe* : la carte de l'encodeur est concaténée à celle du décodeur
# (ou ajoutée).
#
#     x ──► [base, H] ──────────── skip ──────────► [base, H] ──► noise
#              │ halve                                  ▲ double
#           [2 base, H/2] ──────── skip ────────► [2 base, H/2]
#              │ halve                                  ▲ double
#              └─────────► [4 base, H/4] ───────────────┘
#                        (each block is told t)
#
# Les couches intérieures sont à vous : blocs résiduels, simples convolutions, sous-échantillonnage ou pas,
# attention... Tous les côtés multiples de 4 doivent marcher, et des images non carrées aussi.


# %%
def time_embedding(t: Tensor, dim: int) -> Tensor:
    """Plongement sinusoïdal des instants.

    Arguments :
        t : instants, (B,) entiers, non négatifs.
        dim : taille du plongement, paire.

    Renvoie :
        (B, dim), flottant, valeurs dans [-1, 1] ; des instants distincts ont des lignes distinctes.

    Lève :
        ValueError : si dim est impair ou inférieur à 2.

    Source : Vaswani et al. (2017), section 3.5.
    """
    # YOUR CODE HERE
    raise NotImplementedError("time_embedding is not written yet")


# YOUR CODE HERE


class UNet(nn.Module):
    """Prédicteur de bruit ε(x_t, t) : un encodeur, un décodeur et des connexions directes entre eux, à
    qui l'on dit le temps.

    Arguments :
        channels : canaux des images.
        base : canaux à pleine résolution, un multiple de 8 (les tests emploient 16 et 32).

    Source : Ronneberger et al. (2015) ; DDPM, annexe B.
    """

    def __init__(self, channels: int = 1, base: int = 32) -> None:
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError("UNet.__init__ is not written yet")

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Prédit le bruit de x.

        Arguments :
            x : images bruitées, (B, C, H, W), H et W multiples de 4.
            t : instants, (B,) entiers, non négatifs, un par image.

        Renvoie :
            le bruit prédit, de la forme et du dtype de x.

        Lève :
            ValueError : si les formes ne conviennent pas ou si un instant est négatif.
        """
        # YOUR CODE HERE
        raise NotImplementedError("UNet.forward is not written yet")


# %% [markdown]
# ## 4. La perte
#
# La borne variationnelle de la chaîne se réduit, une fois ses poids abandonnés, à une régression : montrez
# au réseau une image bruitée et demandez le bruit,
#
# $$L = \mathbb E_{x_0,\,t,\,\varepsilon}
# \tfrac{1}{CHW}\,\big\| \varepsilon - \varepsilon_\theta(x_t, t) \big\|^2,
# \qquad x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1 - \bar\alpha_t}\,\varepsilon.$$
#
# Un réseau qui répond 0 a la perte 1 : tout ce qui est bien au-dessous a appris quelque chose.
#
# `model` est ici, et dans tout ce qui suit, un appelable quelconque `model(x, t)`, pas seulement votre
# U-Net.


# %%
def ddpm_loss(
    model: Callable[[Tensor, Tensor], Tensor], diffusion: Diffusion, x0: Tensor, t: Tensor, noise: Tensor
) -> Tensor:
    """Erreur quadratique moyenne sur le bruit, sur toutes les entrées du lot.

    Arguments :
        model : tout appelable (x_t, t) -> bruit prédit, de la forme de x_t.
        diffusion : le calendrier.
        x0 : images propres, (B, C, H, W).
        t : instants, (B,) entiers dans 0..T-1.
        noise : normal centré réduit, de la forme de x0.

    Renvoie :
        un scalaire (0-d) dérivable par rapport aux poids du modèle.

    Lève :
        ValueError : si les formes ne concordent pas ou si un instant est négatif.

    Source : DDPM, équation 14 ; diapositives du cours (S3).
    """
    # YOUR CODE HERE
    raise NotImplementedError("ddpm_loss is not written yet")


# %% [markdown]
# ## 5. Bruit, image débruitée et score sont une seule chose
#
# Qui connaît le bruit connaît l'image propre : résolvez la formule de la section 2 en $x_0$,
#
# $$\hat x_0 = \frac{x_t - \sqrt{1 - \bar\alpha_t}\,\varepsilon}{\sqrt{\bar\alpha_t}}.$$
#
# Et qui connaît la meilleure estimation du bruit connaît le **score** des données bruitées,
#
# $$\nabla_{x_t} \log p(x_t) = -\frac{\mathbb E[\varepsilon \mid x_t]}{\sqrt{1 - \bar\alpha_t}},$$
#
# parce que $p(x_t \mid x_0)$ est gaussienne autour de $\sqrt{\bar\alpha_t}\,x_0$ avec la variance
# $\sigma^2 = 1 - \bar\alpha_t$. Mises l'une dans l'autre, les deux formules sont celle de **Tweedie** du
# cours, $\mathbb E[\sqrt{\bar\alpha_t}\,x_0 \mid x_t] = x_t + \sigma^2\,\nabla \log p(x_t)$ : débruiter,
# c'est un pas le long du score.


# %%
def predict_x0(diffusion: Diffusion, x_t: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    """L'image propre qui va avec une image bruitée et son bruit : (x_t - sqrt(1 - ᾱ_t) noise) /
    sqrt(ᾱ_t).

    Arguments :
        diffusion : le calendrier.
        x_t : images bruitées, (B, C, H, W).
        t : instants, (B,) entiers dans 0..T-1.
        noise : le bruit qu'elles contiennent, connu ou prédit, de la forme de x_t.

    Renvoie :
        x0, de la forme et du dtype de x_t ; non ramené à [-1, 1].

    Lève :
        ValueError : si les formes ne concordent pas ou si un instant est négatif.

    Source : DDPM, équation 15.
    """
    # YOUR CODE HERE
    raise NotImplementedError("predict_x0 is not written yet")


def score_from_noise(diffusion: Diffusion, noise: Tensor, t: Tensor) -> Tensor:
    """Le score ∇ log p(x_t) qui va avec un bruit prédit : -noise / sqrt(1 - ᾱ_t).

    Arguments :
        diffusion : le calendrier.
        noise : bruit prédit, (B, C, H, W).
        t : instants, (B,) entiers dans 0..T-1.

    Renvoie :
        le score, de la forme et du dtype de noise.

    Lève :
        ValueError : si les formes ne concordent pas ou si un instant est négatif.

    Source : Vincent (2011) ; notes du cours sur le débruitage (S2) : x̂ = x_t + σ² ∇log p, σ² = 1 - ᾱ_t.
    """
    # YOUR CODE HERE
    raise NotImplementedError("score_from_noise is not written yet")


# %% [markdown]
# ## 6. Revenir en arrière
#
# **DDPM** (échantillonnage ancestral). Remplacez le $x_0$ inconnu dans $q(x_{t-1} \mid x_t, x_0)$ par
# l'estimation du réseau ; il reste
#
# $$x_{t-1} = \frac{1}{\sqrt{\alpha_t}} \Big( x_t - \frac{1 - \alpha_t}{\sqrt{1 - \bar\alpha_t}}\,
# \varepsilon_\theta(x_t, t) \Big) + \sqrt{\tilde\beta_t}\, z, \qquad z \sim \mathcal N(0, I).$$
#
# Le dernier pas, $t = 0$, donne l'image elle-même : la moyenne, pas de bruit.
#
# **DDIM**. Un bruit moins aléatoire, ou aucun, et de plus grandes enjambées : de $t$ à tout instant
# antérieur $t'$,
#
# $$x_{t'} = \sqrt{\bar\alpha_{t'}}\,\hat x_0
# + \sqrt{1 - \bar\alpha_{t'} - \sigma^2}\;\varepsilon_\theta(x_t, t) + \sigma z, \qquad
# \sigma = \eta\,\sqrt{\frac{1 - \bar\alpha_{t'}}{1 - \bar\alpha_t}}\,
# \sqrt{1 - \frac{\bar\alpha_t}{\bar\alpha_{t'}}}.$$
#
# $t' = -1$ désigne l'image propre, où $\bar\alpha = 1$ (attention : en Python `alpha_bars[-1]` est le
# *dernier*). Avec $\eta = 0$ le chemin est déterministe ; avec $\eta = 1$ et $t' = t - 1$ c'est le pas de
# DDPM.
#
# Un échantillonnage entier part de $x \sim \mathcal N(0, I)$ et fait soit les T pas ancestraux T-1, ..., 0,
# soit `steps` < T pas DDIM avec $\eta = 0$ à des instants répartis en descendant depuis le bout bruité du
# calendrier ; le dernier pas va à $t' = -1$.


# %%
def track(items: Sequence[int], label: str, progress: bool) -> Iterable[int]:
    """Les éléments d'une boucle, avec une barre de progression si on la demande (donnée, pour
    `progress=True`)."""
    if not progress:
        return items
    try:
        from rich.progress import track as bar
    except ImportError:
        print(f"{label}: {len(items)} steps", file=sys.stderr)
        return items
    return bar(items, description=label)


# YOUR CODE HERE


def p_sample_step(
    model: Callable[[Tensor, Tensor], Tensor], diffusion: Diffusion, x_t: Tensor, t: int, noise: Tensor
) -> Tensor:
    """Un pas ancestral en arrière, de x_t à x_{t-1}.

    Arguments :
        model : tout appelable (x_t, instants) -> bruit prédit ; il reçoit les instants comme un tenseur
        d'entiers (B,).
        diffusion : le calendrier.
        x_t : images bruitées, (B, C, H, W).
        t : l'instant de toutes les images, 0..T-1.
        noise : normal centré réduit, de la forme de x_t ; non employé en t = 0.

    Renvoie :
        x_{t-1}, de la forme et du dtype de x_t : moyenne comme ci-dessus, variance
        posterior_variance[t] ; en t = 0 la moyenne seule.

    Lève :
        ValueError : si les formes ne concordent pas ou si t n'est pas dans 0..T-1.

    Source : DDPM, algorithme 2 ; diapositives du cours (S3).
    """
    # YOUR CODE HERE
    raise NotImplementedError("p_sample_step is not written yet")


def ddim_step(
    model: Callable[[Tensor, Tensor], Tensor],
    diffusion: Diffusion,
    x_t: Tensor,
    t: int,
    t_prev: int,
    eta: float = 0.0,
    noise: Tensor | None = None,
) -> Tensor:
    """Un pas DDIM en arrière, de l'instant t à un instant antérieur t_prev.

    Arguments :
        model : tout appelable (x_t, instants) -> bruit prédit ; il reçoit les instants comme un tenseur
        d'entiers (B,).
        diffusion : le calendrier.
        x_t : images bruitées, (B, C, H, W).
        t : l'instant de toutes les images, 0..T-1.
        t_prev : où aller, -1 <= t_prev < t ; -1 est l'image propre, où ᾱ vaut 1.
        eta : 0 est déterministe (noise n'est pas employé), 1 aussi aléatoire que DDPM.
        noise : normal centré réduit, de la forme de x_t ; nécessaire quand eta > 0.

    Renvoie :
        x à l'instant t_prev, de la forme et du dtype de x_t.

    Lève :
        ValueError : si t ou t_prev est hors limites, ou si eta > 0 vient sans noise.

    Source : DDIM, équations 12 et 16.
    """
    # YOUR CODE HERE
    raise NotImplementedError("ddim_step is not written yet")


@torch.no_grad()
def sample(
    model: Callable[[Tensor, Tensor], Tensor],
    diffusion: Diffusion,
    shape: Sequence[int],
    steps: int | None = None,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> Tensor:
    """Engendre des images à partir de bruit.

    Arguments :
        model : tout appelable (x_t, instants) -> bruit prédit.
        diffusion : le calendrier, T pas.
        shape : forme des images à faire, (B, C, H, W).
        steps : None (ou T) pour T pas ancestraux ; moins pour autant de pas DDIM déterministes à des
        instants répartis sur le calendrier.
        generator : source de tout le bruit ; l'ordre des tirages est à vous.
        progress : s'il faut afficher une barre de progression.

    Renvoie :
        x0 de cette forme, détaché ; sans changement d'échelle.

    Lève :
        ValueError : si steps n'est pas dans 1..T.

    Source : DDPM, algorithme 2 ; DDIM, section 4.2.
    """
    # YOUR CODE HERE
    raise NotImplementedError("sample is not written yet")


# %% [markdown]
# ## 7. Entraînement
#
# Chaque pas tire un lot d'images, *un instant par image* uniformément dans 0..T-1, un bruit nouveau, et
# fait un pas de gradient sur la perte. Adam avec un petit pas d'apprentissage est le choix usuel.


# %%
def train_ddpm(
    model: nn.Module,
    diffusion: Diffusion,
    x: Tensor,
    steps: int,
    batch_size: int = 64,
    lr: float = 2e-4,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Entraîne un prédicteur de bruit.

    Arguments :
        model : un module avec forward(x_t, t), entraîné sur place.
        diffusion : le calendrier, T pas.
        x : images d'entraînement, (N, C, H, W), dans [-1, 1].
        steps : nombre de pas de gradient, au moins 1.
        batch_size : images par pas, au moins 1.
        lr : pas d'apprentissage.
        generator : source des lots, des instants et du bruit.
        progress : s'il faut afficher une barre de progression.

    Renvoie :
        {"loss": la perte de chaque pas, `steps` flottants}.

    Lève :
        ValueError : si steps ou batch_size est inférieur à 1.

    Source : DDPM, algorithme 1 ; diapositives du cours (S3).
    """
    # YOUR CODE HERE
    raise NotImplementedError("train_ddpm is not written yet")


# %% [markdown]
# ## 8. Figures
#
# Donnée : elle dessine les deux calendriers, le processus direct, la perte d'un petit U-Net entraîné sur
# des formes dessinées, ce qu'il fait d'images bruitées, et de nouvelles formes des deux échantillonneurs.
# Exécutez-la, gardez les figures dans votre notebook, et regardez : les échantillons ressemblent-ils à des
# disques, des barres et des croix ?


# %%
def toy_images(n: int, generator: torch.Generator) -> Tensor:
    """Disques, barres et croix en des lieux aléatoires : (n, 1, 16, 16) dans [-1, 1]."""
    y, x = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    centres = 5.0 + 5.0 * torch.rand(n, 2, generator=generator)
    dy, dx = y - centres[:, 0, None, None], x - centres[:, 1, None, None]  # (n, 16, 16)
    disc = ((dy**2 + dx**2).sqrt() - 3.5).clamp(-1, 1)
    bar = torch.maximum(dy.abs() - 1.5, dx.abs() - 4.5).clamp(-1, 1)
    cross = torch.minimum(bar, torch.maximum(dx.abs() - 1.5, dy.abs() - 4.5)).clamp(-1, 1)
    kind = torch.randint(3, (n, 1, 1), generator=generator)
    return -torch.where(kind == 0, disc, torch.where(kind == 1, bar, cross))[:, None]


def make_figures(folder: str | Path) -> list[Path]:
    """Dessine les figures de l'exercice avec vos fonctions (environ une demi-minute) et renvoie les
    fichiers."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []

    def save(figure: Any, name: str) -> None:
        files.append(folder / f"{name}.png")
        figure.savefig(files[-1], dpi=120, bbox_inches="tight")
        plt.close(figure)

    def show(axes: Sequence[Any], images: Tensor, titles: Sequence[str] | None = None) -> None:
        for i, (axis, image) in enumerate(zip(axes, images, strict=True)):
            axis.imshow(image[0].numpy(), cmap="gray", vmin=-1, vmax=1)
            axis.set_axis_off()
            if titles is not None:
                axis.set_title(titles[i], fontsize=8)

    # 1. How fast the two schedules destroy the signal.
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained")
    for name, betas in (("linear", linear_beta_schedule(1000)), ("cosine", cosine_beta_schedule(1000))):
        schedule = Diffusion(betas)
        left.plot(schedule.alpha_bars.sqrt().numpy(), label=name)
        right.semilogy(betas.numpy(), label=f"{name}: β")
        right.semilogy(schedule.posterior_variance[1:].numpy(), "--", lw=1, label=f"{name}: posterior variance")
    left.set(xlabel="t", ylabel="√ᾱ: what is left of the image")
    right.set(xlabel="t", ylabel="variance of a step")
    left.legend()
    right.legend(fontsize=7)
    save(figure, "schedules")

    # 2. One image on its way to noise.
    generator = torch.Generator().manual_seed(0)
    T = 100
    # Few steps need larger betas. Not the cosine here: its last ᾱ of 1e-7 blows up a small network's errors.
    diffusion = Diffusion(linear_beta_schedule(T, beta_1=1e-3, beta_T=0.1))
    images = toy_images(512, generator)
    times = torch.tensor([0, 20, 40, 60, 80, 99])
    noise = torch.randn(6, 1, 16, 16, generator=generator)
    noisy = q_sample(diffusion, images[:1].expand(6, -1, -1, -1), times, noise)
    figure, axes = plt.subplots(1, 6, figsize=(8, 1.6))
    show(axes, noisy, [f"t = {t}" for t in times.tolist()])
    save(figure, "forward")

    # 3. Training, and what the network makes of noisy images.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = UNet(channels=1, base=16)
    history = train_ddpm(model, diffusion, images, steps=400, batch_size=32, lr=2e-3, generator=generator)
    model.eval()
    figure, axis = plt.subplots(figsize=(5, 2.8))
    axis.plot(history["loss"], lw=0.7)
    axis.set(xlabel="step", ylabel="loss", yscale="log", title="error on the noise (an answer of 0 gives 1)")
    save(figure, "loss")
    with torch.no_grad():
        denoised = predict_x0(diffusion, noisy, times, model(noisy, times))
    figure, axes = plt.subplots(2, 6, figsize=(8, 2.8))
    show(axes[0], noisy, [f"t = {t}" for t in times.tolist()])
    show(axes[1], denoised)
    figure.suptitle("noisy images and the network's guess of the clean one", fontsize=9)
    save(figure, "denoised")

    # 4. New images.
    figure, axes = plt.subplots(2, 8, figsize=(8, 2.2))
    show(axes[0], sample(model, diffusion, (8, 1, 16, 16), generator=generator))
    show(axes[1], sample(model, diffusion, (8, 1, 16, 16), steps=20, generator=generator))
    figure.suptitle(f"samples: {T} ancestral steps (top), 20 DDIM steps (bottom)", fontsize=9)
    save(figure, "samples")
    return files


# %% [markdown]
# ## 9. Quiz
#
# Les nombres ci-dessous ne sont qu'à vous. Remplacez chaque `None` par votre réponse.

# %%
### BEGIN PERSONAL
PERSONAL = {"betas": [0.06, 0.13, 0.32, 0.39], "t": 2, "x_t": 1.6, "noise": -0.9, "width": 16}
QUIZ = {
    "variance": (
        "Une chaîne a T = 4 pas (t = 0, 1, 2, 3) avec betas = [0.06, 0.13, 0.32, 0.39]. "
        "Combien vaut posterior_variance[2], la variance de q(x_{t-1} | x_t, x_0) ? [nombre, "
        "juste à 0,0001 près]"
    ),
    "denoised": (
        "Dans la même chaîne, un pixel vaut x_t = 1.6 en t = 2 et le réseau répond le bruit "
        "-0.9. Combien vaut le pixel de x̂_0, l'image débruitée ? [nombre, juste à 0,001 près]"
    ),
    "score": (
        "Dans la même chaîne, combien vaut ∇ log p(x_t) en ce pixel et en t = 2, selon le "
        "réseau ? [nombre, juste à 0,001 près]"
    ),
    "skips": (
        "Le décodeur d'un U-Net agrandit une carte de 32 canaux à la taille d'une carte de "
        "l'encodeur de 16 canaux et concatène les deux. Une convolution 3×3 avec biais donne "
        "ensuite 16 canaux. Combien de paramètres a cette convolution ? [entier]"
    ),
}
### END PERSONAL
ANSWERS = {"variance": None, "denoised": None, "score": None, "skips": None}
# YOUR CODE HERE
