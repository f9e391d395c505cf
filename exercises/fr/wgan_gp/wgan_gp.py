# %% [markdown]
# # GAN de Wasserstein avec pénalité de gradient : deux réseaux, une distance
#
# Un **réseau antagoniste génératif** (GAN) apprend à tirer des échantillons sans jamais écrire de densité.
# Un *générateur* $G$ change du bruit en exemples ; un second réseau regarde des exemples vrais et engendrés
# et dit au générateur, par son gradient, dans quelle direction les déplacer. Dans le **GAN de Wasserstein**
# (WGAN) le second réseau est un *critique* : il ne répond pas à « vrai ou faux ? » mais estime à quelle
# distance la loi des faux se trouve de la loi des données.
#
# Vous écrirez les deux réseaux, leurs pertes, la pénalité de gradient qui garde le critique honnête, la
# boucle d'entraînement, et une mesure de l'**effondrement des modes**, et essaierez le tout sur un anneau
# de huit gaussiennes, en quelques secondes sur un CPU.
#
# ## Du jeu antagoniste à l'effondrement des modes
#
# Le premier GAN (Goodfellow et al. 2014) entraîne un discriminateur $D$ à valeurs dans $(0, 1)$ :
#
# $$ \min_G \max_D\ \mathbb E_{x \sim p_{\text{data}}}[\log D(x)]
#    + \mathbb E_{z \sim \mathcal N(0, I)}[\log(1 - D(G(z)))]. $$
#
# Pour le meilleur $D$ c'est, à des constantes près, la divergence de Jensen-Shannon entre la loi des
# données et la loi $p_G$ de $G(z)$. Quand les deux lois ont des supports disjoints, ce qui est la règle au
# début de l'entraînement, cette divergence vaut $\log 2$ quelle que soit la distance, et son gradient est
# nul : un discriminateur parfait n'enseigne rien. Et un générateur qui ne répond qu'une seule sorte
# convaincante d'exemples peut tromper $D$ un moment : les **modes** des données qu'il laisse de côté
# manquent dans ses échantillons. C'est l'*effondrement des modes*.
#
# ## La distance de Wasserstein et son critique
#
# La distance de Wasserstein-1 est la plus petite distance moyenne sur laquelle il faut porter de la masse
# pour changer une loi en l'autre. Elle décroît régulièrement quand les deux lois se rapprochent, même si
# leurs supports sont disjoints. La dualité de Kantorovich-Rubinstein l'écrit
#
# $$ W_1(p_{\text{data}}, p_G) = \max_{\|D\|_{\text{Lip}} \le 1}\ \mathbb E_{x \sim p_{\text{data}}}[D(x)]
#    - \mathbb E_{\tilde x \sim p_G}[D(\tilde x)]. $$
#
# Le critique $D$ est une fonction réelle quelconque dont la pente n'est nulle part supérieure à 1 : ses
# scores ne sont **pas** des probabilités, il finit donc sans sigmoïde. Il *maximise* la différence,
# c'est-à-dire qu'il minimise
#
# $$ L_{\text{critic}} = \mathbb E[D(\tilde x)] - \mathbb E[D(x)], \qquad
#    L_{\text{generator}} = -\,\mathbb E[D(\tilde x)]. $$
#
# ## La pénalité de gradient
#
# Comment garder la pente au-dessous de 1 ? Le meilleur critique a un gradient de norme 1 presque partout
# sur les droites entre les vrais exemples et les faux vers lesquels ils sont transportés. Gulrajani et al.
# (2017) tirent donc des points sur de telles droites,
#
# $$ \hat x = \varepsilon\, x + (1 - \varepsilon)\, \tilde x, \qquad \varepsilon \sim \mathcal U[0, 1]
#    \text{ drawn once per sample,} $$
#
# et ajoutent à la perte du critique, avec le poids $\lambda$ (`gp_weight`), la pénalité
#
# $$ P = \mathbb E_{\hat x}\left[\left(\|\nabla_{\hat x} D(\hat x)\|_2 - 1\right)^2\right]. $$
#
# La norme est celle du gradient d'**un seul exemple**, sur ses coordonnées ; la moyenne sur le lot vient en
# dernier. Pour cela, le score d'un exemple ne doit dépendre que de cet exemple : **pas de normalisation par
# lots dans le critique**.
#
# ## La boucle d'entraînement (algorithme 1 de Gulrajani et al. 2017)
#
# À chaque pas : `n_critic` fois, tirez un nouveau lot de données, un nouveau $z$ et un nouvel
# $\varepsilon$, et mettez à jour le critique avec le gradient de $L_{\text{critic}} + \lambda P$ ; puis
# tirez un nouveau $z$ et mettez à jour le générateur une fois avec le gradient de $L_{\text{generator}}$.
# Les deux emploient Adam avec les mêmes `lr` et `betas`. Dans les mises à jour du critique, les faux sont
# des données : ils sont détachés, pour qu'aucun gradient ne revienne dans le générateur.
#
# ## Sources
#
# - Diapositives du cours S3 (module 5 : perte antagoniste, effondrement des modes, GAN de Wasserstein,
#   pénalité de gradient).
# - I. Goodfellow et al., *Generative Adversarial Nets*, NeurIPS 2014, arXiv:1406.2661.
# - M. Arjovsky, S. Chintala, L. Bottou, *Wasserstein GAN*, ICML 2017, arXiv:1701.07875.
# - I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville, *Improved Training of Wasserstein GANs*,
#   NeurIPS 2017, arXiv:1704.00028.
#
# ## Ce que vous faites, et comment c'est jugé
#
# Écrivez ce qui vient après `# YOUR CODE HERE` ; gardez noms, arguments et formes. La plupart des points
# viennent de tests exacts d'une seule fonction sur des nombres frais : pertes, interpolés, pénalité sur des
# critiques dont on connaît le gradient sur le papier, et gradient de la pénalité elle-même par rapport aux
# poids du critique. La boucle d'entraînement est jugée en l'exécutant là où son résultat peut se calculer à
# la main (données constantes, générateur qui répond une constante, critique linéaire), en regardant ce
# qu'elle donne aux deux réseaux, et par deux courts entraînements sur l'anneau avec `n_critic=3`,
# `lr=2.5e-3`, `gp_weight=1`, `batch_size=64` et 300 pas : l'un avec de petits réseaux du correcteur,
# l'autre avec les vôtres. Tous deux demandent une boucle juste, et le vôtre des réseaux justes.
#
# - Des tenseurs en entrée, des tenseurs en sortie ; le dtype (float32 ou float64) et le périphérique de
#   l'entrée sont conservés. Le lot d'abord. Aucune fonction ne modifie les tenseurs qu'elle reçoit.
# - L'aléa est explicite : il vient de `generator_rng` (`None` : le générateur global de torch, dont rien
#   ici ne fixe la graine). Le nom évite la confusion avec `generator`, qui est ici un réseau.
# - De mauvais arguments (formes discordantes, effectif inférieur à 1, eps hors de [0, 1], rayon non
#   positif) lèvent `ValueError` avec un message qui nomme l'argument et ce qui a été reçu.

# %%
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

# %% [markdown]
# Trois fonctions sont données : des tirages qui respectent le générateur et le périphérique, et une barre
# de progression.


# %%
def standard_normal(shape: Sequence[int], like: Tensor, rng: torch.Generator | None) -> Tensor:
    """Tire selon N(0, 1) avec le dtype et le périphérique de `like` ; un générateur torch tire sur son
    propre périphérique."""
    device = like.device if rng is None else rng.device
    return torch.randn(*shape, dtype=like.dtype, device=device, generator=rng).to(like.device)


def uniform(shape: Sequence[int], like: Tensor, rng: torch.Generator | None) -> Tensor:
    """Tire selon U[0, 1) avec le dtype et le périphérique de `like` ; un générateur torch tire sur son
    propre périphérique."""
    device = like.device if rng is None else rng.device
    return torch.rand(*shape, dtype=like.dtype, device=device, generator=rng).to(like.device)


def with_progress(steps: Iterable[int], title: str, show: bool) -> Iterable[int]:
    """Laisse passer les pas, avec une barre de progression si `show` est vrai."""
    if not show:
        return steps
    from rich.progress import track

    return track(steps, description=title)


# %% [markdown]
# ## 1. Générateur et critique
#
# Deux ou trois couches cachées de 64 à 128 unités avec une ReLU suffisent largement pour des points du
# plan ; profondeur, largeur et activation sont à vous. Le générateur finit sans activation (l'anneau a des
# points hors de [-1, 1]), et le critique aussi (un score est un réel quelconque). Le critique répond un
# nombre par exemple, de forme `(B,)`, non `(B, 1)`.


# %%
class Generator(nn.Module):
    """Le générateur G : d'un bruit latent à un exemple (S3).

    Arguments :
        latent_dim : nombre de coordonnées latentes, au moins 1.
        dim : nombre de coordonnées d'un exemple, au moins 1.

    Attributs :
        latent_dim : tel que donné ; `train_wgan_gp` et `sample` le lisent.
    """

    def __init__(self, latent_dim: int = 2, dim: int = 2):
        super().__init__()
        self.latent_dim = latent_dim
        # YOUR CODE HERE
        raise NotImplementedError("Generator.__init__ is not written yet")

    def forward(self, z: Tensor) -> Tensor:
        """Change un bruit en exemples.

        Arguments :
            z : points latents, de forme (B, latent_dim).

        Renvoie :
            x : exemples, de forme (B, dim), réels quelconques.

        Lève :
            ValueError : z n'est pas de forme (B, latent_dim).
        """
        # YOUR CODE HERE
        raise NotImplementedError("Generator.forward is not written yet")


# %%
class Critic(nn.Module):
    """Le critique D : d'un exemple à son score, un réel quelconque (Arjovsky et al. 2017) ; pas de
    normalisation par lots.

    Arguments :
        dim : nombre de coordonnées d'un exemple, au moins 1.
    """

    def __init__(self, dim: int = 2):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError("Critic.__init__ is not written yet")

    def forward(self, x: Tensor) -> Tensor:
        """Donne un score à des exemples.

        Arguments :
            x : exemples, de forme (B, dim).

        Renvoie :
            Scores, de forme (B,), chacun ne dépendant que de son exemple.

        Lève :
            ValueError : x n'est pas de forme (B, dim).
        """
        # YOUR CODE HERE
        raise NotImplementedError("Critic.forward is not written yet")


# %% [markdown]
# ## 2. Les deux pertes


# %%
def critic_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Ce que minimise le critique, sans la pénalité : E[D(fake)] - E[D(real)] (Gulrajani et al. 2017, éq.
    3).

    Arguments :
        real_scores : les scores que donne le critique aux vrais exemples, (B,).
        fake_scores : ses scores pour les exemples engendrés, (B,).

    Renvoie :
        Scalaire. Son opposé est l'estimation par le critique de la distance de Wasserstein-1.
    """
    # YOUR CODE HERE
    raise NotImplementedError("critic_loss is not written yet")


def generator_loss(fake_scores: Tensor) -> Tensor:
    """Ce que minimise le générateur : -E[D(fake)] (Arjovsky et al. 2017).

    Arguments :
        fake_scores : les scores que donne le critique aux exemples engendrés, (B,).

    Renvoie :
        Scalaire.
    """
    # YOUR CODE HERE
    raise NotImplementedError("generator_loss is not written yet")


# %% [markdown]
# ## 3. La pénalité de gradient
#
# `torch.autograd.grad(scores, x_hat, ...)` donne le gradient des scores aux interpolés. Deux choses
# auxquelles penser :
#
# - `autograd.grad` veut un scalaire, ou des poids pour les scores. La *somme* des scores convient : comme
#   chaque score ne dépend que de sa propre ligne de $\hat x$, la ligne $i$ du gradient de la somme est
#   $\nabla D(\hat x_i)$.
# - La pénalité va elle-même être dérivée, par rapport aux poids du critique. Pour cela, le gradient doit
#   être calculé avec son propre graphe (`create_graph=True`).
#
# Là où le critique est plat, $\nabla D = 0$, la dérivée de la formule simple $\sqrt{\sum_j g_j^2}$ est
# $0/0$ = NaN, et un seul NaN gâche tous les poids. `Tensor.norm` y répond 0 ; une minuscule constante sous
# la racine est l'autre remède habituel.


# %%
def interpolates(real: Tensor, fake: Tensor, eps: Tensor) -> Tensor:
    """Points des droites entre vrais et faux exemples : ε·real + (1 - ε)·fake (Gulrajani et al. 2017).

    Arguments :
        real : vrais exemples, (B, dim).
        fake : exemples engendrés, (B, dim).
        eps : un nombre par exemple, (B, 1), dans [0, 1] ; 1 donne le vrai exemple.

    Renvoie :
        Points, (B, dim).

    Lève :
        ValueError : formes de real et fake différentes ; eps n'est pas de forme (B, 1) ou sort de [0, 1].
    """
    # YOUR CODE HERE
    raise NotImplementedError("interpolates is not written yet")


def gradient_penalty(critic: nn.Module, real: Tensor, fake: Tensor, eps: Tensor) -> Tensor:
    """Pénalité des pentes autres que 1, sans son poids : E[(‖∇D(x̂)‖₂ - 1)²] (Gulrajani et al. 2017, éq.
    3).

    Arguments :
        critic : envoie (B, dim) sur des scores (B,).
        real, fake, eps : comme dans `interpolates`, qui donne les points x̂.

    Renvoie :
        Scalaire, jamais négatif, dérivable par rapport aux poids du critique ; fini, de gradient fini, là
        où ∇D = 0.

    Lève :
        ValueError : comme dans `interpolates`.
    """
    # YOUR CODE HERE
    raise NotImplementedError("gradient_penalty is not written yet")


# %% [markdown]
# ## 4. Entraînement
#
# La boucle de l'algorithme 1. Le générateur et le critique peuvent être des modules quelconques : employez
# `generator.latent_dim` et rien d'autre de leur intérieur. Attention à qui appartient un gradient : le
# `backward` du générateur laisse aussi des gradients dans le critique, qui doivent avoir disparu avant la
# mise à jour suivante du critique.
#
# Les valeurs par défaut sont celles de l'article. Elles convergent lentement ; sur l'anneau, `gp_weight=1`,
# `lr=1e-3`, `batch_size=64` et 300 à 1 000 pas montrent davantage en moins de temps.


# %%
def train_wgan_gp(
    generator: nn.Module,
    critic: nn.Module,
    data: Tensor,
    steps: int,
    n_critic: int = 5,
    lr: float = 1e-4,
    betas: tuple[float, float] = (0.0, 0.9),
    gp_weight: float = 10.0,
    batch_size: int = 256,
    generator_rng: torch.Generator | None = None,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Entraîne les deux réseaux sur place avec Adam (Gulrajani et al. 2017, algorithme 1).

    Arguments :
        generator : envoie z (B, latent_dim) sur des exemples (B, dim) ; a `latent_dim`.
        critic : envoie des exemples (B, dim) sur des scores (B,).
        data : vrais exemples, (n, dim), du dtype des réseaux.
        steps : nombre de mises à jour du générateur, au moins 1.
        n_critic : mises à jour du critique avant chaque mise à jour du générateur, au moins 1, chacune
        sur un nouveau lot et un nouveau z.
        lr, betas : pas d'apprentissage et taux d'oubli d'Adam, pour les deux réseaux.
        gp_weight : λ, le poids de la pénalité de gradient.
        batch_size : exemples par mise à jour, au moins 1.
        generator_rng : source des lots, de z et de eps ; None désigne le générateur global de torch.
        progress : afficher une barre de progression.

    Renvoie :
        history : `history["critic_loss"]` (à la dernière mise à jour du critique du pas, sans la
        pénalité ; avec elle, ou moyennée sur les n_critic mises à jour, convient aussi) et
        `history["generator_loss"]`, un flottant par pas chacun.

    Lève :
        ValueError : steps, n_critic ou batch_size inférieur à 1.
    """
    # YOUR CODE HERE
    raise NotImplementedError("train_wgan_gp is not written yet")


# %% [markdown]
# ## 5. Échantillonner, et compter les modes
#
# Un générateur s'est effondré quand des modes entiers des données manquent dans ses échantillons. Là où les
# modes sont connus, comme sur l'anneau, cela peut se compter : autour de chaque centre se trouve une
# boule ; un mode est *couvert* quand au moins un échantillon tombe dans sa boule, et un échantillon est de
# *haute qualité* quand il tombe dans une boule quelconque. Les deux tirent dans des sens opposés : un
# générateur coincé dans un seul mode peut avoir une qualité de 1, un générateur qui répand ses échantillons
# partout couvre tous les modes.


# %%
def sample(generator: nn.Module, n: int, generator_rng: torch.Generator | None = None) -> Tensor:
    """Tire des échantillons G(z), z ~ N(0, I) (S3).

    Arguments :
        generator : envoie z (B, latent_dim) sur des exemples (B, dim) ; a `latent_dim`.
        n : nombre d'échantillons, au moins 1.
        generator_rng : source de z ; None désigne le générateur global de torch.

    Renvoie :
        Échantillons, (n, dim), détachés, du dtype du générateur.

    Lève :
        ValueError : n inférieur à 1.
    """
    # YOUR CODE HERE
    raise NotImplementedError("sample is not written yet")


def mode_coverage(samples: Tensor, centres: Tensor, radius: float) -> tuple[int, float]:
    """Compte les modes que les échantillons atteignent, et les échantillons qui atteignent un mode.

    Arguments :
        samples : (n, dim).
        centres : les modes, (K, dim).
        radius : rayon de la boule autour de chaque centre (euclidienne, surface comprise), positif. Les
        boules sont supposées disjointes.

    Renvoie :
        covered : nombre de centres avec au moins un échantillon dans le rayon, de 0 à K.
        high_quality : part des échantillons dans le rayon d'un centre quelconque, dans [0, 1].

    Lève :
        ValueError : radius non positif ; samples et centres diffèrent par leur dernière dimension.
    """
    # YOUR CODE HERE
    raise NotImplementedError("mode_coverage is not written yet")


# %% [markdown]
# ## 6. Quiz
#
# Répondez dans `ANSWERS`, par des nombres ou des lettres ; les nombres des questions sont les vôtres.

# %%
### BEGIN PERSONAL
PERSONAL = {
    "real_scores": [2.4, -0.2, 2.5, 1.5],
    "fake_scores": [-1.4, -1.0, -2.4, -3.0],
    "gradient_norms": [0.9, 1.2, 1.7, 1.0],
    "gp_weight": 6,
    "real_points": [-3, 3, -2],
    "fake_points": [-1, 3, -6],
}
QUIZ = {
    "critic_objective": (
        "Un critique donne à un lot de quatre vrais exemples les scores [2.4, -0.2, 2.5, 1.5] "
        "et à quatre faux les scores [-1.4, -1.0, -2.4, -3.0] ; aux quatre interpolés, son "
        "gradient a les normes [0.9, 1.2, 1.7, 1.0]. Avec gp_weight = 6, que minimise "
        "l'optimiseur du critique pour ce lot : perte du critique plus pénalité pondérée ? "
        "[nombre, juste à 0,001 près]"
    ),
    "wasserstein": (
        "Les données sont trois points de la droite, [-3, 3, -2], avec probabilité 1/3 "
        "chacun ; le générateur répond [-1, 3, -6] avec probabilité 1/3 chacun. Quelle est la "
        "distance de Wasserstein-1 entre les deux lois ? [nombre, juste à 0,001 près]"
    ),
    "saturation": (
        "Les données sont en 0, un générateur en θ ≠ 0 (masses ponctuelles sur la droite). "
        "Quand θ va vers 0 sans l'atteindre, qu'est-ce qui est vrai ? (a) la divergence de "
        "Jensen-Shannon et la distance de Wasserstein-1 décroissent toutes deux avec |θ| ; (b) "
        "la divergence de Jensen-Shannon décroît, la distance de Wasserstein-1 reste ; (c) la "
        "divergence de Jensen-Shannon reste à log 2, la distance de Wasserstein-1 décroît ; "
        "(d) les deux restent. [une lettre]"
    ),
    "normalisation": (
        "Quelle couche ne doit pas se trouver dans un critique entraîné avec la pénalité de "
        "gradient ? (a) la normalisation par couche ; (b) la normalisation par lots ; (c) "
        "LeakyReLU ; (d) une couche linéaire sans biais. [une lettre]"
    ),
}
### END PERSONAL
ANSWERS = {"critic_objective": None, "wasserstein": None, "saturation": None, "normalisation": None}
# YOUR CODE HERE

# %% [markdown]
# ## 7. Figures
#
# `make_figures` est donnée. Elle entraîne vos réseaux sur l'anneau et montre les échantillons à trois
# moments, le paysage du critique avec les deux pertes, et ce que la couverture des modes dit de votre
# générateur et d'un générateur effondré.


# %%
def ring(n: int, radius: float = 2.0, std: float = 0.05, rng: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """Tire selon huit gaussiennes sur un cercle : points (n, 2) et les centres (8, 2)."""
    angles = torch.arange(8) * (2 * math.pi / 8)
    centres = radius * torch.stack([angles.cos(), angles.sin()], dim=1)  # (8, 2)
    modes = torch.randint(8, (n,), generator=rng)
    return centres[modes] + std * torch.randn(n, 2, generator=rng), centres


def make_figures(folder: str | Path) -> list[Path]:
    """Entraîne sur l'anneau et enregistre trois figures dans `folder` ; renvoie leurs chemins. Prend
    environ dix secondes."""
    from matplotlib.figure import Figure

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = torch.Generator().manual_seed(0)
    data, centres = ring(4000, rng=rng)
    generator, critic = Generator(latent_dim=2, dim=2), Critic(dim=2)
    saved = []

    def save(figure: Figure, name: str) -> None:
        figure.savefig(folder / name, dpi=110, bbox_inches="tight")
        saved.append(folder / name)
        if "ipykernel" in sys.modules:  # in a notebook the figure is shown as well
            from IPython.display import display

            display(figure)

    def show(axes, points: Tensor, title: str) -> None:
        axes.scatter(*data[:1000].T, s=3, c="0.8", label="data")
        axes.scatter(*points.T, s=3, c="tab:red", label="generated")
        axes.set(title=title, xlim=(-3, 3), ylim=(-3, 3), aspect="equal")

    moments, history = [(0, sample(generator, 1000, rng))], {"critic_loss": [], "generator_loss": []}
    for steps in (60, 540):
        part = train_wgan_gp(generator, critic, data, steps, lr=1e-3, gp_weight=1.0, batch_size=64, generator_rng=rng)
        for key in history:
            history[key] += part[key]
        moments.append((len(history["critic_loss"]), sample(generator, 1000, rng)))

    figure = Figure(figsize=(10, 3.6))
    panels = figure.subplots(1, 3)
    for axes, (step, points) in zip(panels, moments, strict=True):
        show(axes, points, f"after {step} steps")
    panels[0].legend(loc="upper right", fontsize="small", markerscale=2)
    figure.tight_layout()
    save(figure, "samples.png")

    figure = Figure(figsize=(10, 3.8))
    left, right = figure.subplots(1, 2)
    axis = torch.linspace(-3.0, 3.0, 80)
    grid = torch.cartesian_prod(axis, axis)  # (6400, 2): x varies slowest
    with torch.no_grad():
        scores = critic(grid).reshape(80, 80).T
    landscape = left.contourf(axis, axis, scores, levels=20, cmap="viridis")
    figure.colorbar(landscape, label="score D(x)")
    left.scatter(*centres.T, marker="x", c="white")
    left.set(title="Critic after training", aspect="equal")
    right.plot([-loss for loss in history["critic_loss"]], label="estimate of the distance: - critic loss")
    right.plot(history["generator_loss"], label="generator loss", alpha=0.7)
    right.set(xlabel="step", title="Losses")
    right.legend()
    figure.tight_layout()
    save(figure, "critic.png")

    collapsed = centres[0] + 0.1 * torch.randn(1000, 2, generator=rng)
    figure = Figure(figsize=(7, 3.8))
    clouds = {"yours": moments[-1][1], "collapsed": collapsed}
    for axes, (name, points) in zip(figure.subplots(1, 2), clouds.items(), strict=True):
        covered, high_quality = mode_coverage(points, centres, radius=0.25)
        show(axes, points, f"{name}: {covered} of 8 modes,\nhigh quality {high_quality:.2f}")
    figure.tight_layout()
    save(figure, "modes.png")
    return saved


# %%
if __name__ == "__main__":
    make_figures("figures")
