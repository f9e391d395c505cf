# %% [markdown]
# # Auto-encodeurs et analyse en composantes principales
#
# Un auto-encodeur fait passer des données par un code étroit et tente de les rebâtir. Si ses deux moitiés
# sont affines, on connaît explicitement ce qu'il peut faire de mieux : l'analyse en composantes principales
# (ACP). Avec des couches cachées il peut suivre des données courbes, et son code devient un petit espace où
# l'on peut comparer et mélanger des images : l'espace latent dans lequel les exercices suivants
# échantillonnent.
#
# **Sources.** Diapositives du cours sur la modélisation générative, les chaînes de Markov et les
# auto-encodeurs (S1). C. Eckart et G. Young, *The approximation of one matrix by another of lower rank*
# (1936). P. Baldi et K. Hornik, *Neural networks and principal component analysis: learning from examples
# without local minima* (1989). G. E. Hinton et R. R. Salakhutdinov, *Reducing the dimensionality of data
# with neural networks* (2006). Å. Björck et G. H. Golub, *Numerical methods for computing angles between
# linear subspaces* (1973).
#
# **Ce que vous faites.** Remplacez chaque `raise NotImplementedError` par votre code ; gardez les noms et
# les arguments. Tout optimiseur convient s'il atteint les pertes annoncées. Les lignes sont des exemples :
# les données ont la forme `(n, D)`. Aucune fonction ne modifie les tenseurs qu'elle reçoit.
#
# **Comment c'est jugé** (20 points). ACP, angles, perte et interpolation sont comparés à des calculs
# indépendants sur des données fraîchement tirées, en float64. Les réseaux sont jugés sur ce qu'ils font :
# quelles parties en sont linéaires, si l'entraînement voit chaque exemple une fois par époque, à quelle
# distance de l'optimum d'Eckart et Young parvient le réseau affine (un peu au-dessus, jamais au-dessous),
# et si l'autre bat l'ACP sur des chiffres qu'il n'a pas vus. Le quiz à la fin porte sur vos propres
# nombres.

# %%
from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

# %% [markdown]
# ## 1. Analyse en composantes principales
#
# Soit $\mu$ la moyenne des lignes de $X \in \mathbb{R}^{n \times D}$, et
# $C = \frac{1}{n} \sum_i (x_i - \mu)(x_i - \mu)^\top$ leur covariance, de valeurs propres
# $\lambda_1 \ge \dots \ge \lambda_D \ge 0$ et de vecteurs propres orthonormés $v_1, \dots, v_D$. L'ACP
# garde les $d$ premiers comme lignes de $V_d$ $(d, D)$ :
#
# $$z = V_d (x - \mu), \qquad \hat x = V_d^\top z + \mu.$$
#
# De toutes les applications affines passant par $d$ nombres, c'est celle dont l'erreur quadratique est la
# plus petite (Eckart et Young). Par entrée, elle vaut
#
# $$\frac{1}{nD} \sum_i \lVert x_i - \hat x_i \rVert^2 = \frac{1}{D} \sum_{i > d} \lambda_i,$$
#
# et la part de la variance qu'explique la composante $i$ est $\lambda_i / \sum_{j=1}^{D} \lambda_j$.
#
# La décomposition en valeurs singulières des données centrées, $X - \mu = U S V^\top$, donne la même chose
# sans former $C$ : les lignes de $V^\top$ sont les composantes, et $\lambda_i = S_i^2 / n$.


# %%
def pca_fit(x: Tensor, d: int) -> tuple[Tensor, Tensor]:
    """Moyenne et d premières composantes principales des lignes de x.

    Arguments :
        x : données, (n, D).
        d : nombre de composantes, 1 <= d <= min(n, D).

    Renvoie :
        mean : (D,), dans le dtype de x.
        components : (d, D), lignes orthonormées par variance décroissante (les signes sont libres), dans
        le dtype de x.

    Lève :
        ValueError : si d est inférieur à 1 ou supérieur à min(n, D).

    Source : diapositives du cours (S1) ; Eckart et Young (1936).
    """
    # YOUR CODE HERE
    raise NotImplementedError("pca_fit is not written yet")


def pca_encode(x: Tensor, mean: Tensor, components: Tensor) -> Tensor:
    """Codes de x : coordonnées de x - mean le long des composantes.

    Arguments :
        x : données, (n, D).
        mean : (D,).
        components : lignes orthonormées, (d, D).

    Renvoie :
        Codes z, (n, d).

    Source : diapositives du cours (S1).
    """
    # YOUR CODE HERE
    raise NotImplementedError("pca_encode is not written yet")


def pca_decode(z: Tensor, mean: Tensor, components: Tensor) -> Tensor:
    """Points du sous-espace affine qui ont les codes z.

    Arguments :
        z : codes, (n, d).
        mean : (D,).
        components : lignes orthonormées, (d, D).

    Renvoie :
        Reconstructions, (n, D).

    Source : diapositives du cours (S1).
    """
    # YOUR CODE HERE
    raise NotImplementedError("pca_decode is not written yet")


def explained_variance_ratio(x: Tensor, d: int) -> Tensor:
    """Part de la variance totale le long de chacune des d premières composantes principales.

    Arguments :
        x : données, (n, D).
        d : nombre de composantes, 1 <= d <= min(n, D).

    Renvoie :
        Parts par ordre décroissant, chacune rapportée à la variance totale des D directions, (d,) ; leur
        somme est au plus 1.

    Lève :
        ValueError : si d est inférieur à 1 ou supérieur à min(n, D).

    Source : diapositives du cours (S1).
    """
    # YOUR CODE HERE
    raise NotImplementedError("explained_variance_ratio is not written yet")


# %% [markdown]
# ## 2. Auto-encodeurs
#
# Un auto-encodeur est une paire de réseaux, $z = E(x)$ et $\hat x = D(z)$, entraînés ensemble à minimiser
#
# $$L = \frac{1}{nD} \sum_{i=1}^{n} \sum_{k=1}^{D} (\hat x_{ik} - x_{ik})^2.$$
#
# - **Affine.** $E$ et $D$ sont affines. La perte n'a pas d'autre minimum local que le minimum global (Baldi
#   et Hornik, 1989) : l'entraînement atteint l'erreur de l'ACP, et les lignes du décodeur engendrent le
#   même espace que celles de l'ACP. Le code lui-même n'est déterminé qu'à une matrice inversible près ; ses
#   composantes, une à une, n'ont pas à l'être.
# - **Avec couches cachées.** Le réseau du cours est un perceptron multicouche : 784 → 1024 → 256 → 128 →
#   256 → 1024 → 784, une ReLU après chaque couche cachée, aucune après le code et aucune après la sortie
#   (une ReLU sur le code couperait la moitié de chaque axe, une ReLU sur la sortie le gradient de chaque
#   pixel noir).


# %%
class LinearAutoencoder(nn.Module):
    """Encodeur et décodeur affines, paramétrés librement.

    Arguments :
        D : taille des données.
        d : taille du code.

    Source : diapositives du cours (S1) ; Baldi et Hornik (1989).
    """

    def __init__(self, D: int, d: int) -> None:
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError("LinearAutoencoder.__init__ is not written yet")

    def encode(self, x: Tensor) -> Tensor:
        """Des données (B, D) aux codes (B, d)."""
        # YOUR CODE HERE
        raise NotImplementedError("LinearAutoencoder.encode is not written yet")

    def decode(self, z: Tensor) -> Tensor:
        """Des codes (B, d) aux reconstructions (B, D)."""
        # YOUR CODE HERE
        raise NotImplementedError("LinearAutoencoder.decode is not written yet")

    def forward(self, x: Tensor) -> Tensor:
        """Reconstructions de x, (B, D)."""
        # YOUR CODE HERE
        raise NotImplementedError("LinearAutoencoder.forward is not written yet")


class Autoencoder(nn.Module):
    """Perceptron multicouche D -> hidden -> d -> hidden renversé -> D.

    Une ReLU suit chaque couche cachée ; le code et la sortie sont linéaires. Chaque couche a des poids et
    des biais.

    Arguments :
        D : taille des données.
        hidden : tailles des couches cachées de l'encodeur, au moins une ; le décodeur en est le reflet.
        d : taille du code.

    Source : diapositives du cours (S1) ; Hinton et Salakhutdinov (2006).
    """

    def __init__(self, D: int = 784, hidden: Sequence[int] = (1024, 256), d: int = 128) -> None:
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError("Autoencoder.__init__ is not written yet")

    def encode(self, x: Tensor) -> Tensor:
        """Des données (B, D) aux codes (B, d)."""
        # YOUR CODE HERE
        raise NotImplementedError("Autoencoder.encode is not written yet")

    def decode(self, z: Tensor) -> Tensor:
        """Des codes (B, d) aux reconstructions (B, D)."""
        # YOUR CODE HERE
        raise NotImplementedError("Autoencoder.decode is not written yet")

    def forward(self, x: Tensor) -> Tensor:
        """Reconstructions de x, (B, D)."""
        # YOUR CODE HERE
        raise NotImplementedError("Autoencoder.forward is not written yet")


# %% [markdown]
# ## 3. Entraînement
#
# Une époque visite chaque exemple une fois, par mini-lots dans un ordre aléatoire. `len(x)` n'est pas
# forcément un multiple de la taille des lots : le dernier lot d'une époque est alors plus petit, et sert
# quand même. L'historique garde un nombre par époque, la perte moyenne d'entraînement de ses lots.


# %%
def progress_bar(steps: Iterable[int], show: bool) -> Iterable[int]:
    """Les mêmes pas, avec une barre de progression dans le terminal si `show` est vrai. Donnée."""
    if not show:
        return steps
    from rich.progress import track

    return track(steps, description="training")


def reconstruction_loss(x: Tensor, x_hat: Tensor) -> Tensor:
    """Erreur quadratique moyenne sur toutes les entrées.

    Arguments :
        x : données, (B, D).
        x_hat : reconstructions, (B, D).

    Renvoie :
        Un scalaire, de forme (), dérivable par rapport à x_hat.

    Lève :
        ValueError : si les formes diffèrent (la diffusion donnerait un nombre dénué de sens).

    Source : diapositives du cours (S1).
    """
    # YOUR CODE HERE
    raise NotImplementedError("reconstruction_loss is not written yet")


def train_autoencoder(
    model: nn.Module,
    x: Tensor,
    epochs: int,
    batch_size: int = 128,
    lr: float = 1e-3,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Entraîne un modèle à reconstruire x, sur place.

    Arguments :
        model : `LinearAutoencoder`, `Autoencoder` ou tout module avec `encode`, `decode` et `forward`.
        x : données d'entraînement, (n, D).
        epochs : passages sur les données, au moins 1.
        batch_size : exemples par mise à jour, au moins 1 ; le dernier lot d'une époque peut être plus
        petit.
        lr : pas d'apprentissage (le cours emploie Adam).
        generator : source de l'ordre des exemples ; le générateur global de torch si c'est None.
        progress : afficher une barre de progression.

    Renvoie :
        {"loss": [perte moyenne d'entraînement de chaque époque]}

    Lève :
        ValueError : si epochs ou batch_size est inférieur à 1.

    Source : diapositives du cours (S1).
    """
    # YOUR CODE HERE
    raise NotImplementedError("train_autoencoder is not written yet")


# %% [markdown]
# ## 4. Comparer des sous-espaces
#
# L'auto-encodeur affine a-t-il trouvé le sous-espace de l'ACP ? Ses lignes en sont une autre base ; on
# compare donc les espaces eux-mêmes, par leurs angles principaux. Avec des bases orthonormées $Q_A$ et
# $Q_B$ (en colonnes) des deux espaces des lignes, les cosinus des angles sont les valeurs singulières de
# $Q_A^\top Q_B$ :
#
# $$\cos \theta_i = \sigma_i(Q_A^\top Q_B), \qquad i = 1, \dots, \min(d_A, d_B).$$
#
# Tous les angles sont nuls si l'un des espaces contient l'autre. L'arrondi peut porter un cosinus au-dessus
# de 1.


# %%
def principal_angles(A: Tensor, B: Tensor) -> Tensor:
    """Angles principaux entre les espaces des lignes de A et de B.

    Arguments :
        A, B : lignes indépendantes, pas forcément orthonormées, (d_A, D) et (d_B, D).

    Renvoie :
        Angles en radians, de 0 à pi/2, dans un ordre quelconque, (min(d_A, d_B),).

    Lève :
        ValueError : si les lignes de A et de B ont des longueurs différentes.

    Source : Björck et Golub (1973).
    """
    # YOUR CODE HERE
    raise NotImplementedError("principal_angles is not written yet")


# %% [markdown]
# ## 5. Interpolation dans l'espace latent
#
# La moyenne de deux images montre les deux, à demi transparentes. La moyenne décodée de deux *codes* peut
# être une image entre les deux :
#
# $$x(\alpha) = D(\alpha z_1 + (1 - \alpha) z_2), \qquad z_1 = E(x_1), \quad z_2 = E(x_2).$$
#
# En $\alpha = 1$ c'est la reconstruction de $x_1$, en $\alpha = 0$ celle de $x_2$.


# %%
def interpolate(model: nn.Module, x1: Tensor, x2: Tensor, alphas: Sequence[float] | Tensor) -> Tensor:
    """Décode les points du segment entre deux codes.

    Arguments :
        model : un module avec `encode` et `decode`.
        x1, x2 : deux exemples, chacun (D,) ou (1, D).
        alphas : poids du code de x1, une liste ou un tenseur à une dimension.

    Renvoie :
        D(alpha z1 + (1 - alpha) z2) pour chaque alpha, (len(alphas), D).

    Source : diapositives du cours (S1), espace latent.
    """
    # YOUR CODE HERE
    raise NotImplementedError("interpolate is not written yet")


# %% [markdown]
# ## 6. Figures
#
# Données. Les données sont de petites images d'une tache claire qui peut se trouver n'importe où dans un
# carré : 144 pixels, mais deux degrés de liberté. La première figure compare des reconstructions par deux
# nombres, la seconde la moyenne de deux images et la moyenne décodée de leurs codes.


# %%
def spots(centres: Tensor, side: int = 12) -> Tensor:
    """Images d'une tache aux positions données de [-1, 1]², de (n, 2) à (n, side * side). Donnée."""
    grid = torch.linspace(-1, 1, side)
    columns = torch.exp(-((grid - centres[:, :1]) ** 2) / 0.08)  # (n, side)
    rows = torch.exp(-((grid - centres[:, 1:]) ** 2) / 0.08)  # (n, side)
    return (rows[:, :, None] * columns[:, None, :]).flatten(1)


def make_figures(folder: str | Path) -> list[Path]:
    """Dessine des reconstructions et une interpolation d'images jouets. Renvoie les fichiers écrits."""
    import matplotlib.pyplot as plt

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    x = spots(1.4 * torch.rand(1500, 2, generator=generator) - 0.7)  # (1500, 144)
    mean, components = pca_fit(x, 2)
    with torch.random.fork_rng():  # the networks' first weights come from the global generator
        torch.manual_seed(0)
        linear, model = LinearAutoencoder(144, 2), Autoencoder(144, (64, 32), 2)
    train_autoencoder(linear, x - mean, epochs=100, batch_size=100, lr=1e-2, generator=generator)
    history = train_autoencoder(model, x, epochs=100, batch_size=50, lr=2e-3, generator=generator)

    def show(rows: dict[str, Tensor], title: str, name: str, curve: Sequence[float] | None = None) -> Path:
        n = len(next(iter(rows.values())))
        figure, axes = plt.subplots(
            len(rows), n, figsize=(1.1 * n + 1.6, 1.25 * len(rows) + 0.5), layout="constrained", squeeze=False
        )
        for line, (label, images) in zip(axes, rows.items(), strict=True):
            line[0].set_ylabel(label, rotation=0, ha="right", va="center")
            for axis, image in zip(line, images, strict=True):
                axis.imshow(image.detach().reshape(12, 12).numpy(), cmap="gray", vmin=0, vmax=1)
                axis.set(xticks=[], yticks=[])
        figure.suptitle(title)
        figure.savefig(folder / name, dpi=120)
        return folder / name

    test = spots(1.4 * torch.rand(8, 2, generator=generator) - 0.7)
    errors = [reconstruction_loss(x, pca_decode(pca_encode(x, mean, components), mean, components)).item()]
    errors += [reconstruction_loss(x, linear(x - mean) + mean).item(), reconstruction_loss(x, model(x)).item()]
    reconstructions = {
        "data": test,
        f"PCA\n{errors[0]:.4f}": pca_decode(pca_encode(test, mean, components), mean, components),
        f"affine\n{errors[1]:.4f}": linear(test - mean) + mean,
        f"MLP\n{errors[2]:.4f}": model(test),
    }
    files = [show(reconstructions, "Through two numbers, with the mean squared error", "reconstructions.png")]
    alphas = torch.linspace(1, 0, 7)
    x1, x2 = spots(torch.tensor([[-0.6, -0.4]])), spots(torch.tensor([[0.6, 0.3]]))
    mixtures = {"pixels": alphas[:, None] * x1 + (1 - alphas[:, None]) * x2}
    mixtures["codes"] = interpolate(model, x1, x2, alphas)
    files.append(show(mixtures, "Between two images", "interpolation.png"))

    figure, axis = plt.subplots(figsize=(5.5, 3.4), layout="constrained")
    axis.semilogy(range(1, len(history["loss"]) + 1), history["loss"], label="MLP, d = 2")
    axis.axhline(errors[0], color="tab:orange", linestyle="--", label="PCA, d = 2")
    axis.set(xlabel="epoch", ylabel="mean squared error", title="Training loss")
    axis.legend()
    figure.savefig(folder / "training_loss.png", dpi=120)
    return [*files, folder / "training_loss.png"]


# %%
if __name__ == "__main__":
    make_figures("figures")

# %% [markdown]
# ## 7. Quiz
#
# Les questions ci-dessous portent sur vos propres nombres. Mettez les réponses dans `ANSWERS`.

# %%
### BEGIN PERSONAL
PERSONAL = {
    "variances": [7.2, 6.0, 5.3, 4.3, 2.8, 2.0, 1.3],
    "kept": 3,
    "share": 0.9,
    "D": 232,
    "hidden": [80, 22],
    "d": 8,
}
QUIZ = {
    "advantage": (
        "Quel est le principal avantage d'un auto-encodeur à couches cachées sur l'ACP avec un "
        "code de même taille ? Réponse : une des chaînes 'speed' (on le trouve plus vite), "
        "'capacity' (il peut suivre des données courbes), 'orthogonality' (ses codes sont "
        "décorrélés), 'uniqueness' (sa solution est unique)."
    ),
    "optimum": (
        "La covariance (1/n) de données centrées a les valeurs propres 7.2, 6.0, 5.3, 4.3, "
        "2.8, 2.0, 1.3. Quelle est la plus petite erreur quadratique moyenne sur toutes les "
        "entrées qu'un LinearAutoencoder avec d = 3 puisse atteindre sur ces données ? "
        "Réponse : un nombre, à 0,001 près."
    ),
    "components": (
        "Mêmes données : combien de composantes principales expliquent ensemble au moins 90 % "
        "de la variance ? Réponse : un nombre entier, le plus petit."
    ),
    "parameters": (
        "Combien de paramètres (poids et biais) a Autoencoder(D=232, hidden=(80, 22), d=8) ? "
        "Réponse : un nombre entier."
    ),
}
### END PERSONAL
ANSWERS = {"advantage": None, "optimum": None, "components": None, "parameters": None}
# YOUR CODE HERE
