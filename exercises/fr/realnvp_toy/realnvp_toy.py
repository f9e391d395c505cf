# %% [markdown]
# # RealNVP sur un jeu de données jouet : une densité que l'on peut écrire
#
# Un auto-encodeur variationnel borne la vraisemblance des données, un GAN s'en passe. Un **flot
# normalisant** la calcule exactement. Dans cet exercice vous écrivez le flot RealNVP pour des points du
# plan, l'entraînez par maximum de vraisemblance sur deux demi-cercles entrelacés (« deux lunes ») et
# dessinez ses échantillons comme sa densité.
#
# Sources : diapositives du cours, module 5 (changement de variables, couplage affine, RealNVP) ; Dinh,
# Sohl-Dickstein et Bengio, *Density estimation using Real NVP*, ICLR 2017 (arXiv 1605.08803) ; Dinh,
# Krueger et Bengio, *NICE: Non-linear independent components estimation*, 2014 (arXiv 1410.8516) ;
# Papamakarios et al., *Normalizing flows for probabilistic modeling and inference*, JMLR 2021 (arXiv
# 1912.02762).
#
# Écrivez chaque fonction dont le corps manque. Les noms et les signatures sont fixés : les tests les
# appellent.

# %% [markdown]
# ## 1. Changement de variables
#
# Soit $f$ une application inversible et dérivable des données $x \in \mathbb{R}^d$ vers des latents
# $z = f(x)$, et supposons que les latents suivent la loi a priori $\mathcal{N}(0, I)$ de densité $p_Z$. Un
# petit volume autour de $x$ est dilaté de $|\det J_f(x)|$ avec $J_f(x) = \partial f / \partial x$, et la
# probabilité se conserve, donc
#
# $$\log p_X(x) = \log p_Z(f(x)) + \log |\det J_f(x)|, \qquad
# \log p_Z(z) = -\tfrac{1}{2} \sum_{i=1}^{d} z_i^2 - \tfrac{d}{2} \log 2\pi.$$
#
# Pour une composition $f = f_L \circ \dots \circ f_1$ les déterminants se multiplient, leurs logarithmes
# **s'ajoutent** donc, chacun pris à l'entrée de sa propre couche. L'inverse
# $x = f_1^{-1}(\dots f_L^{-1}(z))$ parcourt les couches **à rebours** ; comme
# $J_{f^{-1}}(z) = J_f(x)^{-1}$, son log-déterminant est l'opposé de celui de $f$ en $x = f^{-1}(z)$.
#
# En général un déterminant coûte $O(d^3)$. Les flots se construisent de couches pour lesquelles il coûte
# peu.

# %% [markdown]
# ## 2. Couplage affine
#
# Un masque binaire sépare les coordonnées en deux groupes. L'un, $x_a$, passe inchangé ; l'autre, $x_b$,
# est dilaté et décalé par des fonctions du premier :
#
# $$z_a = x_a, \qquad z_b = \sigma(x_a) \odot x_b + t(x_a).$$
#
# Les réseaux $\sigma$ et $t$ n'ont pas à être inversibles : étant donné $z$, on connaît $x_a = z_a$, donc
# aussi $\sigma(x_a)$ et $t(x_a)$, et $x_b = (z_b - t(x_a)) / \sigma(x_a)$. La jacobienne est triangulaire,
#
# $$J = \begin{pmatrix} I & 0 \\ \partial z_b / \partial x_a & \mathrm{diag}(\sigma(x_a)) \end{pmatrix},
# \qquad
# \log|\det J| = \sum_{i \in b} \log |\sigma_i(x_a)|,$$
#
# où la somme ne porte que sur les coordonnées **déplacées**. Pour tenir $\sigma$ loin de 0, l'article prend
# $\sigma = \exp(s)$ avec $s$ borné. Les diapositives écrivent la même couche avec une échelle littérale, et
# d'autres l'écrivent $z_b = (x_b - t) / \sigma$ ; tout cela est accepté ici (les tests vérifient des
# allers-retours et des jacobiennes, non une formule), du moment que $\sigma$ et $t$ dépendent des
# coordonnées inchangées et que le log-déterminant a son signe.
#
# Une couche de couplage laisse tranquille la moitié des coordonnées, un RealNVP alterne donc les rôles des
# deux groupes d'une couche à l'autre.

# %% [markdown]
# ## 3. Ce qu'il faut écrire, et comment c'est jugé
#
# | nom | ce que c'est |
# |---|---|
# | `AffineCoupling(dim, mask, hidden)` | une couche : `forward`, `inverse`, tous deux avec le log-déterminant |
# | `RealNVP(dim, n_layers, hidden)` | l'empilement : `forward`, `inverse`, `log_prob`, `sample` |
# | `nll(model, x)` | log-vraisemblance négative moyenne, en nats par exemple |
# | `train_flow(model, x, steps, ...)` | maximum de vraisemblance sur des mini-lots aléatoires |
# | `density_grid(model, low, high, n)` | la densité du modèle sur une grille carrée, pour la figure |
#
# `forward` va toujours des données au latent, `inverse` du latent aux données. La plupart des points
# viennent de tests exacts en float64 (`model.double()`) avec des poids fraîchement perturbés :
# allers-retours, log-déterminants face à la jacobienne trouvée par dérivation automatique, dans les deux
# sens, densité face à sa définition et à son intégrale. Les échantillons sont jugés statistiquement, et un
# court entraînement doit amener la vraisemblance de données jamais vues près de l'entropie des données et
# non *au-dessous* : aucun modèle ne bat l'entropie, un score qui le fait trahit donc un log-déterminant
# faux. De mauvais arguments lèvent `ValueError` avec un message qui nomme l'argument et ce qui a été reçu :
# un masque ou une dernière dimension qui ne convient pas, `n`, `steps` ou `batch_size` inférieur à 1.

# %%
from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn


def check_last_dimension(x: Tensor, dim: int, name: str = "x") -> None:
    """Lève ValueError sauf si `x` a la forme (B, dim). (Donnée.)"""
    if x.dim() != 2 or x.shape[-1] != dim:
        raise ValueError(f"{name} must have the shape (B, {dim}), got {tuple(x.shape)}")


def two_moons(n: int, noise: float = 0.1, generator: torch.Generator | None = None) -> Tensor:
    """Tire `n` points (n, 2) de deux demi-cercles entrelacés de rayon 1 avec un bruit gaussien. (Donnée.)

    Les deux lunes ont le même poids et l'angle est uniforme dans [0, π]. Au bruit 0,1, l'entropie de
    cette loi est d'environ 1,009 nat.
    """
    angle = math.pi * torch.rand(n, generator=generator)  # (n,)
    lower = torch.rand(n, generator=generator) < 0.5  # (n,)
    upper_moon = torch.stack([angle.cos(), angle.sin()], dim=1)  # (n, 2)
    lower_moon = torch.stack([1 - angle.cos(), 0.5 - angle.sin()], dim=1)  # (n, 2)
    points = torch.where(lower[:, None], lower_moon, upper_moon)
    return points + noise * torch.randn(n, 2, generator=generator)


# %% [markdown]
# ## 4. Une couche de couplage
#
# Gardez le masque comme tampon (`self.register_buffer`), pour qu'il suive le module vers un autre dtype ou
# périphérique sans être entraîné. Masquez la log-échelle avant de la sommer : les coordonnées qui passent
# inchangées ont $\sigma = 1$.


# %%
class AffineCoupling(nn.Module):
    """Une couche de couplage affine (Dinh et al. 2017, section 3.2).

    z = x là où la coordonnée passe inchangée, z = σ x + t là où elle est déplacée ; σ et t ne sont
    fonctions que des coordonnées inchangées. Toute échelle inversible convient, et z = (x - t) / σ aussi.

    Arguments :
        dim : nombre de coordonnées d.
        mask : tenseur flottant (dim,) de zéros et de uns. Une valeur marque les coordonnées qui passent
        inchangées, l'autre celles qui sont déplacées ; le choix est à vous.
        hidden : largeur des couches cachées du réseau qui calcule σ et t.

    Lève :
        ValueError : si `mask` n'a pas la forme (dim,), ou une entrée la forme (B, dim).
    """

    def __init__(self, dim: int, mask: Tensor, hidden: int = 64) -> None:
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError("AffineCoupling.__init__ is not written yet")

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Va des données au latent.

        Arguments :
            x : (B, dim).

        Renvoie :
            z (B, dim), et log|det ∂z/∂x| = Σ log|σ| sur les coordonnées déplacées, (B,).

        Lève :
            ValueError : si la dernière dimension de `x` n'est pas `dim`.
        """
        # YOUR CODE HERE
        raise NotImplementedError("AffineCoupling.forward is not written yet")

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Va du latent aux données : l'inverse exact de `forward`.

        Arguments :
            z : (B, dim).

        Renvoie :
            x (B, dim), et log|det ∂x/∂z| (B,) : l'opposé du log-déterminant de `forward` en x.

        Lève :
            ValueError : si la dernière dimension de `z` n'est pas `dim`.
        """
        # YOUR CODE HERE
        raise NotImplementedError("AffineCoupling.inverse is not written yet")


# %% [markdown]
# ## 5. Le flot
#
# `RealNVP` empile `n_layers` couches de couplage (au moins 2) dont les masques alternent, de sorte que
# chaque coordonnée est transformée. Son `forward` additionne les log-déterminants, son `inverse` défait
# d'abord la dernière couche. La densité est le changement de variables, et un échantillon est l'inverse
# d'un tirage de la loi a priori : $z \sim \mathcal{N}(0, I)$, $x = f^{-1}(z)$.


# %%
class RealNVP(nn.Module):
    """Un flot normalisant de couches de couplage affines à masques alternés (Dinh et al. 2017).

    Arguments :
        dim : nombre de coordonnées d.
        n_layers : nombre de couches de couplage, au moins 2 pour que chaque coordonnée soit transformée.
        hidden : largeur des couches cachées de chaque couche de couplage.
    """

    def __init__(self, dim: int = 2, n_layers: int = 6, hidden: int = 64) -> None:
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError("RealNVP.__init__ is not written yet")

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Va des données au latent par toutes les couches.

        Arguments :
            x : (B, dim).

        Renvoie :
            z (B, dim), et log|det ∂z/∂x| (B,), la somme sur les couches.

        Lève :
            ValueError : si la dernière dimension de `x` n'est pas `dim`.
        """
        # YOUR CODE HERE
        raise NotImplementedError("RealNVP.forward is not written yet")

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Va du latent aux données : l'inverse exact de `forward`.

        Arguments :
            z : (B, dim).

        Renvoie :
            x (B, dim), et log|det ∂x/∂z| (B,).

        Lève :
            ValueError : si la dernière dimension de `z` n'est pas `dim`.
        """
        # YOUR CODE HERE
        raise NotImplementedError("RealNVP.inverse is not written yet")

    def log_prob(self, x: Tensor) -> Tensor:
        """Log-densité du modèle, log N(f(x); 0, I) + log|det ∂f/∂x|, en nats.

        Arguments :
            x : (B, dim).

        Renvoie :
            (B,).

        Lève :
            ValueError : si la dernière dimension de `x` n'est pas `dim`.
        """
        # YOUR CODE HERE
        raise NotImplementedError("RealNVP.log_prob is not written yet")

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Tire `n` points indépendants du modèle : z ~ N(0, I), x = f⁻¹(z).

        Arguments :
            n : nombre de points, au moins 1.
            generator : source d'aléa ; None désigne le générateur global de torch.

        Renvoie :
            (n, dim), dans le dtype et sur le périphérique des paramètres.

        Lève :
            ValueError : si `n` est inférieur à 1.
        """
        # YOUR CODE HERE
        raise NotImplementedError("RealNVP.sample is not written yet")


# %% [markdown]
# ## 6. Maximum de vraisemblance
#
# L'entraînement minimise la log-vraisemblance négative moyenne sur des mini-lots,
#
# $$\mathrm{NLL} = -\frac{1}{B} \sum_{b=1}^{B} \log p_X(x_b),$$
#
# en nats par exemple. Son espérance est l'entropie des données plus la divergence
# $\mathrm{KL}(p_{\mathrm{data}} \,\|\, p_X) \ge 0$ : pour deux lunes de bruit 0,1 elle ne peut passer sous
# 1,009 ; la meilleure gaussienne atteint 1,908.


# %%
def nll(model: RealNVP, x: Tensor) -> Tensor:
    """Log-vraisemblance négative moyenne de `x` (B, dim).

    Renvoie un tenseur scalaire, en nats par exemple, dérivable par rapport aux poids de `model`. Lève
    ValueError si la dernière dimension de `x` n'est pas celle du modèle.
    """
    # YOUR CODE HERE
    raise NotImplementedError("nll is not written yet")


def train_flow(
    model: RealNVP,
    x: Tensor,
    steps: int,
    batch_size: int = 256,
    lr: float = 1e-3,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Entraîne `model` sur place par maximum de vraisemblance, une mise à jour de ses poids par pas.

    Arguments :
        model : un `RealNVP`.
        x : données (N, dim), telles quelles (rien n'est réduit).
        steps : nombre de mises à jour, au moins 1.
        batch_size : lignes de `x` tirées au hasard pour chaque mise à jour, au moins 1.
        lr : pas d'apprentissage (la référence emploie Adam).
        generator : source d'aléa des mini-lots ; None désigne le générateur global de torch.
        progress : afficher une barre de progression.

    Renvoie :
        {"nll": [...]}, un flottant par pas : la NLL du mini-lot du pas avant la mise à jour.

    Lève :
        ValueError : si `steps` ou `batch_size` est inférieur à 1, ou si la dernière dimension de `x`
        n'est pas celle du modèle.
    """
    # YOUR CODE HERE
    raise NotImplementedError("train_flow is not written yet")


# %% [markdown]
# ## 7. La densité sur une grille
#
# Un flot donne la valeur de sa densité en tout point : évaluez-la sur $n \times n$ points et dessinez-la.


# %%
def density_grid(model: RealNVP, low: float, high: float, n: int) -> tuple[Tensor, Tensor]:
    """La densité p(x) du modèle sur une grille régulière du carré [low, high]², pour un flot de dimension 2.

    Arguments :
        model : un `RealNVP` avec dim = 2.
        low, high : extrémités de la grille, les mêmes pour les deux coordonnées.
        n : points par côté, au moins 1 : nœuds de `low` à `high`, ou centres de n × n cases.

    Renvoie :
        points (n², 2), et la densité (non son logarithme) en chacun d'eux, (n²,), dans le même ordre.

    Lève :
        ValueError : si `n` est inférieur à 1.
    """
    # YOUR CODE HERE
    raise NotImplementedError("density_grid is not written yet")


# %% [markdown]
# ## 8. Figures (données)
#
# `make_figures` entraîne un flot sur deux lunes et dessine la courbe d'entraînement, les échantillons à
# côté des données, la densité, et les données vues de l'espace latent, qui devraient ressembler à un nuage
# normal centré réduit. Cela prend quelques secondes.


# %%
def make_figures(folder: str | Path, steps: int = 600) -> list[Path]:
    """Entraîne un flot sur deux lunes et enregistre ses figures dans `folder` ; renvoie leurs chemins."""
    import matplotlib.pyplot as plt

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    x = two_moons(4000, generator=generator)
    flow = RealNVP()
    history = train_flow(flow, x, steps=steps, lr=3e-3, generator=generator)
    with torch.no_grad():
        z, _ = flow(x)
    samples = flow.sample(2000, generator=generator)
    points, density = density_grid(flow, -2.5, 3.5, 150)

    curve, axis = plt.subplots(figsize=(6, 3.5), layout="constrained")
    axis.plot(history["nll"], color="tab:blue", linewidth=0.8, label="mini-batch")
    axis.axhline(1.009, color="black", linestyle="--", linewidth=1, label="entropy of the data")
    axis.set(xlabel="step", ylabel="negative log-likelihood [nats]", title="Training")
    axis.legend()

    panels, axes = plt.subplots(2, 2, figsize=(9, 8), layout="constrained")
    axes[0, 0].scatter(*x[:2000].T.cpu(), s=3, color="tab:gray")
    axes[0, 0].set_title("data")
    axes[0, 1].scatter(*samples.detach().T.cpu(), s=3, color="tab:blue")
    axes[0, 1].set_title("samples of the flow")
    first, second = points.detach().T.cpu()
    image = axes[1, 0].scatter(first, second, c=density.detach().cpu(), s=9, marker="s", linewidths=0, cmap="magma")
    axes[1, 0].set_title("density of the flow")
    panels.colorbar(image, ax=axes[1, 0])
    axes[1, 1].scatter(*z[:2000].T.cpu(), s=3, color="tab:orange")
    axes[1, 1].set_title("data in the latent space")
    for axis in axes.flat[:3]:
        axis.set(xlim=(-2.5, 3.5), ylim=(-2.5, 3.5), aspect="equal")
    axes[1, 1].set(xlim=(-4, 4), ylim=(-4, 4), aspect="equal")

    paths = [folder / "realnvp_training.png", folder / "realnvp_two_moons.png"]
    for figure, path in zip((curve, panels), paths, strict=True):
        figure.savefig(path, dpi=110)
        plt.close(figure)
    return paths


# %% [markdown]
# ## 9. Questions
#
# Remplissez `ANSWERS` avec les clés de `QUIZ`. Les nombres peuvent se calculer ici.

# %%
### BEGIN PERSONAL
PERSONAL = {"x1": 0.46, "x2": -1.05, "s": -0.62, "t": -0.82}
QUIZ = {
    "log_density": (
        "Un flot a une seule couche de couplage, z1 = x1 et z2 = exp(s) x2 + t, et la loi a "
        "priori N(0, I). En x = (0.46, -1.05), son réseau donne s = -0.62 et t = -0.82. "
        "Combien vaut log p(x), en nats ? (nombre, à 0,001 près)"
    ),
    "determinant": (
        "Pourquoi le log-déterminant d'une couche de couplage ne coûte-t-il que O(d), aussi "
        "grands que soient ses réseaux ? (a) les réseaux de l'échelle et du décalage sont "
        "inversibles ; (b) la jacobienne est triangulaire, puisque l'échelle et le décalage ne "
        "dépendent que des coordonnées inchangées ; (c) la jacobienne est orthogonale ; (d) le "
        "masque fait de la jacobienne l'identité. (choix : une lettre)"
    ),
    "below_entropy": (
        "Le flot d'un ami atteint une NLL de 0,4 nat sur des données jamais vues des deux "
        "lunes de cet exercice, dont l'entropie est 1,009 nat. Qu'en concluez-vous ? (a) le "
        "flot est meilleur que la vraie densité ; (b) il a appris par cœur les points "
        "d'entraînement ; (c) sa log-densité est mal calculée, par exemple le "
        "log-déterminant ; (d) il a été entraîné pendant trop peu de pas. (choix : une lettre)"
    ),
}
### END PERSONAL
ANSWERS = {"log_density": None, "determinant": None, "below_entropy": None}
# YOUR CODE HERE

# %% [markdown]
# ## 10. Exécutez-le
#
# Exécutez le fichier comme un script pour dessiner les figures dans le dossier `figures`.

# %%
if __name__ == "__main__":
    for path in make_figures("figures"):
        print(path)
