# %% [markdown]
# # L'auto-encodeur variationnel : une densité dont on sait tirer
#
# Un auto-encodeur comprime, mais son espace latent a des trous : décodez un point où aucune image n'a été
# envoyée et vous obtenez du bruit. L'**auto-encodeur variationnel** (VAE) y remédie. C'est un modèle
# probabiliste, entraîné à maximiser une borne inférieure de la vraisemblance, et son espace latent est
# pressé vers une loi selon laquelle nous savons tirer.
#
# Vous écrirez un VAE 784-64-2-64-784 pour les chiffres de MNIST, l'entraînerez en moins d'une minute sur un
# CPU, tirerez de nouveaux chiffres, marcherez d'un chiffre à l'autre et mesurerez la finesse de la borne.
#
# ## Le modèle
#
# Une image $x \in [0, 1]^{784}$ (28 × 28 niveaux de gris, une ligne chacune) s'explique par un point latent
# $z \in \mathbb R^d$ :
#
# $$ z \sim p(z) = \mathcal N(0, I_d), \qquad
#    p_\theta(x \mid z) = \prod_{i=1}^{784} \pi_i^{x_i} (1 - \pi_i)^{1 - x_i},
#    \qquad \pi = \operatorname{sigmoid}(\ell), \quad \ell = \mathrm{decoder}_\theta(z). $$
#
# Le décodeur répond des **logits** $\ell$, des réels quelconques ; $\pi_i$ est la moyenne du pixel $i$. La
# vraisemblance $p_\theta(x) = \int p_\theta(x \mid z)\, p(z)\, dz$ n'a pas de forme explicite : pour
# presque tout $z$ l'intégrande est à peu près nulle. Un second réseau, l'**encodeur**, propose donc pour
# chaque image la région des $z$ qui importe :
#
# $$ q_\phi(z \mid x) = \mathcal N\!\left(\mu(x),\ \operatorname{diag}(\sigma^2(x))\right),
#    \qquad \log \sigma^2(x) = \texttt{logvar}(x). $$
#
# L'encodeur répond le logarithme de la *variance*, si bien que tout réel est permis. D'où
# $\sigma = \exp(\texttt{logvar} / 2)$.
#
# ## La borne inférieure de l'évidence (ELBO)
#
# L'inégalité de Jensen, appliquée au logarithme d'une espérance sous $q$ :
#
# $$ \log p_\theta(x) = \log \mathbb E_{q(z|x)}\!\left[\frac{p_\theta(x \mid z)\, p(z)}{q(z \mid x)}\right]
#    \ \ge\ \underbrace{\mathbb E_{q(z|x)}[\log p_\theta(x \mid z)]}_{\text{reconstruction}}
#    - \underbrace{\mathrm{KL}(q(z \mid x)\,\|\,p(z))}_{\text{price of the code}} = \mathrm{ELBO}(x). $$
#
# L'écart est $\mathrm{KL}(q(z \mid x) \,\|\, p(z \mid x)) \ge 0$ : la borne est atteinte là où l'encodeur
# trouve la vraie loi a posteriori. Avec un poids $\beta$ sur le second terme on parle de β-VAE ; β = 1 est
# la borne elle-même. Tous les logarithmes sont népériens : les valeurs sont en **nats par image**.
#
# Les deux termes sont faciles :
#
# - la divergence KL entre deux gaussiennes a une forme explicite,
#   $\displaystyle \mathrm{KL} = \tfrac12 \sum_{j=1}^d \left(\mu_j^2 + \sigma_j^2 - 1 - \log \sigma_j^2\right)$ ;
# - le terme de reconstruction s'estime avec un seul tirage de $z$ par image.
#
# ## L'astuce de reparamétrisation
#
# Un tirage $z \sim q_\phi(z \mid x)$ cache comment $z$ dépend de $\phi$. Écrit
# $z = \mu + \sigma \odot \varepsilon$ avec $\varepsilon \sim \mathcal N(0, I)$, l'aléa est une entrée et le
# gradient passe par $\mu$ et $\sigma$.
#
# ## Une borne plus fine
#
# Avec $k$ tirages indépendants $z_1, \dots, z_k \sim q(z \mid x)$,
#
# $$ \mathcal L_k(x) = \mathbb E\left[\log \frac1k \sum_{j=1}^k
#    \frac{p_\theta(x \mid z_j)\, p(z_j)}{q(z_j \mid x)}\right],
#    \qquad \mathrm{ELBO} = \mathcal L_1 \le \mathcal L_2 \le \dots \le \log p_\theta(x). $$
#
# Le logarithme est *à l'extérieur* de la moyenne ; la moyenne des log-poids serait encore l'ELBO, aussi
# grand que soit $k$.
#
# ## Sources
#
# - Diapositives du cours S3 (module 5 : ELBO, reparamétrisation, le réseau 784-64-2-64-784).
# - D. P. Kingma, M. Welling, *Auto-Encoding Variational Bayes*, ICLR 2014, arXiv:1312.6114 : ELBO, astuce,
#   forme explicite de la divergence KL (annexe B).
# - D. J. Rezende, S. Mohamed, D. Wierstra, *Stochastic Backpropagation*, ICML 2014, arXiv:1401.4082.
# - Y. Burda, R. Grosse, R. Salakhutdinov, *Importance Weighted Autoencoders*, ICLR 2016, arXiv:1509.00519.
# - I. Higgins et al., *β-VAE*, ICLR 2017.
#
# ## Ce que vous faites, et comment c'est jugé
#
# Écrivez ce qui vient après `# YOUR CODE HERE` ; gardez noms, arguments et formes. La plupart des points
# viennent de tests exacts, en float64, d'une seule fonction sur des nombres frais, chacune pour elle-même :
# une faute dans une fonction ne doit coûter que ses propres points. Puis un court entraînement avec les
# arguments par défaut montre que les parties vont ensemble : ELBO de chiffres que le modèle n'a pas vus,
# une loi a posteriori qui porte de l'information, des échantillons qui ressemblent à des chiffres sans en
# être des copies.
#
# - Des tenseurs en entrée, des tenseurs en sortie ; le dtype (float32 ou float64) et le périphérique de
#   l'entrée sont conservés. Le lot d'abord. Aucune fonction ne modifie les tenseurs qu'elle reçoit.
# - L'aléa est explicite : `eps` est employé tel quel, les autres tirages viennent de `generator` (`None` :
#   le générateur global de torch, dont rien ici ne fixe la graine).
# - De mauvais arguments (formes discordantes, effectif inférieur à 1) lèvent `ValueError` avec un message
#   qui nomme l'argument et ce qui a été reçu.

# %%
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PIXELS = 784  # 28 × 28, row by row


# %% [markdown]
# Deux fonctions sont données : un tirage normal centré réduit qui respecte `generator` et le périphérique,
# et une barre de progression.


# %%
def standard_normal(shape: Sequence[int], like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Tire selon N(0, 1) avec le dtype et le périphérique de `like` ; un générateur tire sur son propre
    périphérique."""
    device = like.device if generator is None else generator.device
    return torch.randn(*shape, dtype=like.dtype, device=device, generator=generator).to(like.device)


def with_progress(steps: Iterable[int], title: str, show: bool) -> Iterable[int]:
    """Laisse passer les pas, avec une barre de progression si `show` est vrai."""
    if not show:
        return steps
    from rich.progress import track

    return track(steps, description=title)


# %% [markdown]
# ## 1. Encodeur et décodeur
#
# Chacun a une couche cachée de `hidden` unités avec une ReLU (d'autres activations, ou plus de couches,
# sont les bienvenues ; les formes ne se négocient pas). L'encodeur finit par **deux** têtes affines sur les
# mêmes unités cachées : $\mu$ et $\log\sigma^2$ sont deux fonctions différentes de l'image. Le décodeur
# finit sans activation.


# %%
class Encoder(nn.Module):
    """La loi a posteriori approchée q(z | x) : d'une image à la moyenne et à la log-variance d'une
    gaussienne (S3).

    Arguments :
        latent_dim : d, le nombre de coordonnées latentes, au moins 1.
        hidden : le nombre d'unités cachées.
    """

    def __init__(self, latent_dim: int = 2, hidden: int = 64):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError("Encoder.__init__ is not written yet")

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encode des images.

        Arguments :
            x : images, de forme (B, 784), valeurs dans [0, 1].

        Renvoie :
            mu : (B, latent_dim) ; logvar = log σ² : (B, latent_dim), réels quelconques.

        Lève :
            ValueError : x n'est pas de forme (B, 784).
        """
        # YOUR CODE HERE
        raise NotImplementedError("Encoder.forward is not written yet")


# %%
class Decoder(nn.Module):
    """La vraisemblance p(x | z) : d'un point latent aux logits de 784 pixels de Bernoulli indépendants
    (S3).

    Arguments :
        latent_dim : d, le nombre de coordonnées latentes, au moins 1.
        hidden : le nombre d'unités cachées.
    """

    def __init__(self, latent_dim: int = 2, hidden: int = 64):
        super().__init__()
        # YOUR CODE HERE
        raise NotImplementedError("Decoder.__init__ is not written yet")

    def forward(self, z: Tensor) -> Tensor:
        """Décode des points latents.

        Arguments :
            z : points latents, de forme (B, latent_dim).

        Renvoie :
            logits : (B, 784), réels quelconques ; sigmoid(logits) sont les moyennes des pixels.

        Lève :
            ValueError : z n'est pas de forme (B, latent_dim).
        """
        # YOUR CODE HERE
        raise NotImplementedError("Decoder.forward is not written yet")


# %% [markdown]
# ## 2. La reparamétrisation


# %%
def reparameterize(mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    """Change un bruit en un tirage de q : z = μ + exp(logvar / 2) ⊙ ε (Kingma & Welling 2014, § 2.4).

    Arguments :
        mu : moyennes, (B, d).
        logvar : log-variances log σ², (B, d).
        eps : bruit, (B, d), employé tel quel.

    Renvoie :
        z : (B, d), dérivable par rapport à mu et logvar.

    Lève :
        ValueError : les trois formes diffèrent.
    """
    # YOUR CODE HERE
    raise NotImplementedError("reparameterize is not written yet")


# %% [markdown]
# ## 3. Les deux termes de l'ELBO
#
# Avec des logits, $\log \pi = -\operatorname{softplus}(-\ell)$ et
# $\log(1 - \pi) = -\operatorname{softplus}(\ell)$, donc
#
# $$ \log p(x \mid z) = \sum_{i=1}^{784} x_i \log \pi_i + (1 - x_i) \log (1 - \pi_i)
#    = \sum_{i=1}^{784} x_i \ell_i - \operatorname{softplus}(\ell_i). $$
#
# La dernière forme est finie pour tout logit, là où `log(sigmoid(l))` devient $-\infty$. La même formule
# sert pour des pixels gris $0 < x_i < 1$ (c'est alors l'opposé d'une entropie croisée). C'est une **somme**
# sur les pixels : avec leur moyenne, le terme KL pèserait 784 fois trop et le code latent s'éteindrait.


# %%
def kl_divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, I)) = ½ Σ_j (μ_j² + σ_j² - 1 - log σ_j²) (Kingma & Welling 2014, annexe B).

    Arguments :
        mu : moyennes, (B, d).
        logvar : log-variances log σ², (B, d).

    Renvoie :
        Divergences en nats, (B,), jamais négatives, nulles là où mu = 0 et logvar = 0.

    Lève :
        ValueError : formes de mu et logvar différentes.
    """
    # YOUR CODE HERE
    raise NotImplementedError("kl_divergence is not written yet")


def reconstruction_log_likelihood(logits: Tensor, x: Tensor) -> Tensor:
    """Log-vraisemblance de Bernoulli log p(x | z) = Σ_i x_i ℓ_i - softplus(ℓ_i), sommée sur les pixels
    (S3).

    Arguments :
        logits : logits ℓ des moyennes des pixels, (B, 784), réels quelconques.
        x : images, (B, 784), niveaux de gris dans [0, 1].

    Renvoie :
        Log-vraisemblances en nats, (B,), jamais positives et finies pour tous logits finis.

    Lève :
        ValueError : formes de logits et x différentes.
    """
    # YOUR CODE HERE
    raise NotImplementedError("reconstruction_log_likelihood is not written yet")


def elbo(x: Tensor, logits: Tensor, mu: Tensor, logvar: Tensor, beta: float = 1.0) -> Tensor:
    """Borne inférieure de l'évidence, un tirage par image : log p(x | z) - β KL(q(z | x) ‖ p(z)) (S3).

    Arguments :
        x : images, (B, 784), niveaux de gris dans [0, 1].
        logits : réponse du décodeur pour un tirage de z par image, (B, 784).
        mu, logvar : réponse de l'encodeur, (B, d) chacun.
        beta : poids de la divergence KL (Higgins et al. 2017) ; 1 est la borne elle-même.

    Renvoie :
        ELBO en nats, (B,) : à *maximiser*.

    Lève :
        ValueError : formes qui ne concordent pas.
    """
    # YOUR CODE HERE
    raise NotImplementedError("elbo is not written yet")


# %% [markdown]
# ## 4. Le modèle


# %%
class VAE(nn.Module):
    """Encodeur, reparamétrisation et décodeur en un seul module.

    Attributs :
        encoder : un `Encoder`. decoder : un `Decoder`. latent_dim : d.
    """

    def __init__(self, latent_dim: int = 2, hidden: int = 64):
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = Encoder(latent_dim=latent_dim, hidden=hidden)
        self.decoder = Decoder(latent_dim=latent_dim, hidden=hidden)

    def forward(self, x: Tensor, eps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode, tire avec le bruit donné, décode.

        Arguments :
            x : images, (B, 784), valeurs dans [0, 1].
            eps : bruit, (B, latent_dim), employé tel quel.

        Renvoie :
            logits : (B, 784) ; mu : (B, latent_dim) ; logvar : (B, latent_dim).

        Lève :
            ValueError : formes qui ne concordent pas.
        """
        # YOUR CODE HERE
        raise NotImplementedError("VAE.forward is not written yet")


# %% [markdown]
# ## 5. Entraînement
#
# Maximisez l'ELBO moyenne (β = 1) par montée de gradient stochastique : à chaque époque, visitez toutes les
# images une fois dans un nouvel ordre aléatoire, par lots de `batch_size`, **le dernier lot, plus petit,
# compris**. Pour chaque lot, tirez un bruit nouveau, calculez l'ELBO moyenne du lot et laissez Adam
# minimiser son opposée avec le pas d'apprentissage `lr`.
#
# Sur 8 000 chiffres, avec les valeurs par défaut, 20 époques portent l'ELBO de chiffres jamais vus à
# environ -170 nats (un décodeur qui ignore son code reste à -205, un modèle non entraîné part d'environ
# -545).


# %%
def train_vae(
    model: nn.Module,
    x: Tensor,
    epochs: int,
    batch_size: int = 128,
    lr: float = 1e-3,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Maximise l'ELBO moyenne des images avec Adam ; le modèle est modifié sur place.

    Arguments :
        model : un `VAE`.
        x : images d'entraînement, (n, 784), valeurs dans [0, 1], du dtype du modèle.
        epochs : passages sur les données, au moins 1.
        batch_size : images par mise à jour, au moins 1 ; le dernier lot d'une époque peut être plus petit
        et sert quand même.
        lr : pas d'apprentissage.
        generator : source des ordres et du bruit ; None désigne le générateur global de torch.
        progress : afficher une barre de progression.

    Renvoie :
        history : `history["elbo"]` contient un flottant par époque, l'ELBO moyenne par image en nats (β =
        1).

    Lève :
        ValueError : epochs ou batch_size inférieur à 1 ; x n'est pas de forme (n, 784) avec n ≥ 1.
    """
    # YOUR CODE HERE
    raise NotImplementedError("train_vae is not written yet")


# %% [markdown]
# ## 6. Échantillonner, interpoler, mesurer la borne
#
# Ces trois fonctions n'emploient que `model.encoder`, `model.decoder` et `model.latent_dim`, elles marchent
# donc avec tout modèle qui les a. Les images sont répondues comme **moyennes des pixels**
# $\operatorname{sigmoid}(\ell)$, non comme logits ni comme tirages à pile ou face.
#
# Pour la borne pondérée par importance avec $z_j = \mu + \sigma \odot \varepsilon_j$, les constantes
# $\log 2\pi$ s'annulent :
#
# $$ \log w_j = \log p(x \mid z_j) + \log p(z_j) - \log q(z_j \mid x)
#    = \log p(x \mid z_j) + \tfrac12 \sum_i \left(\varepsilon_{ji}^2 + \log\sigma_i^2 - z_{ji}^2\right). $$
#
# Employez log-sum-exp : les poids eux-mêmes sont de l'ordre de $e^{-500}$, trop petits pour un float32.


# %%
def sample(model: nn.Module, n: int, generator: torch.Generator | None = None) -> Tensor:
    """Tire de nouvelles images : z ~ N(0, I), puis les moyennes des pixels sigmoid(decoder(z)) (S3).

    Arguments :
        model : a `decoder` et `latent_dim`.
        n : nombre d'images, au moins 1.
        generator : source de z.

    Renvoie :
        Moyennes des pixels, (n, 784), dans [0, 1], détachées, du dtype du modèle.

    Lève :
        ValueError : n inférieur à 1.
    """
    # YOUR CODE HERE
    raise NotImplementedError("sample is not written yet")


def interpolate(model: nn.Module, z1: Tensor, z2: Tensor, steps: int) -> Tensor:
    """Décode des points régulièrement espacés sur le segment de z1 à z2.

    Arguments :
        model : a `decoder`.
        z1, z2 : les deux extrémités, (latent_dim,) chacune.
        steps : nombre d'images, extrémités comprises, au moins 1 (1 : z1 seul).

    Renvoie :
        Moyennes des pixels, (steps, 784), dans [0, 1] : la ligne 0 décode z1, la dernière ligne décode
        z2.

    Lève :
        ValueError : steps inférieur à 1 ; formes de z1 et z2 différentes.
    """
    # YOUR CODE HERE
    raise NotImplementedError("interpolate is not written yet")


def importance_weighted_bound(model: nn.Module, x: Tensor, k: int, generator: torch.Generator | None = None) -> Tensor:
    """Estime log p(x) par en dessous : log (1/k) Σ_j p(x | z_j) p(z_j) / q(z_j | x) avec z_j ~ q(z | x).

    C'est la borne des auto-encodeurs pondérés par importance (Burda et al. 2016, éq. 8). Sa moyenne croît
    avec k, de l'ELBO (k = 1) à log p(x).

    Arguments :
        model : a `encoder`, `decoder` et `latent_dim`.
        x : images, (B, 784), valeurs dans [0, 1].
        k : tirages par image, au moins 1 ; les tirages de deux images sont indépendants.
        generator : source des tirages.

    Renvoie :
        Bornes en nats, (B,).

    Lève :
        ValueError : k inférieur à 1.
    """
    # YOUR CODE HERE
    raise NotImplementedError("importance_weighted_bound is not written yet")


# %% [markdown]
# ## 7. Quiz
#
# Répondez dans `ANSWERS`, par des nombres ou des lettres ; les nombres des questions sont les vôtres.

# %%
### BEGIN PERSONAL
PERSONAL = {
    "mu": [-0.7, -1.2],
    "logvar": [-0.7, 0.1],
    "log_weights": [-95.4, -97.2, -98.1],
    "hidden": 200,
    "latent_dim": 8,
}
QUIZ = {
    "kl": (
        "Un encodeur répond mu = [-0.7, -1.2] et logvar = [-0.7, 0.1] pour une image. Combien "
        "vaut KL(q(z|x) ‖ N(0, I)), en nats ? [nombre, juste à 0,001 près]"
    ),
    "bound": (
        "Trois tirages de q(z|x) ont log p(x, z) - log q(z|x) = [-95.4, -97.2, -98.1]. Quelle "
        "est la borne pondérée par importance sur log p(x) avec ces k = 3 tirages, en nats ? "
        "[nombre, juste à 0,001 près]"
    ),
    "parameters": (
        "Combien de nombres entraînables a un VAE 784-200-8-200-784 dont toutes les couches "
        "sont affines avec biais, mu et logvar étant deux couches séparées sur les mêmes 200 "
        "unités cachées ? [entier]"
    ),
    "gap": (
        "De combien l'ELBO d'une image est-elle au-dessous de son log p(x) ? (a) de KL(q(z|x) "
        "‖ p(z)) ; (b) de KL(q(z|x) ‖ p(z|x)) ; (c) de KL(p(z|x) ‖ q(z|x)) ; (d) de l'erreur "
        "de reconstruction. [une lettre]"
    ),
}
### END PERSONAL
ANSWERS = {"kl": None, "bound": None, "parameters": None, "gap": None}
# YOUR CODE HERE

# %% [markdown]
# ## 8. Figures
#
# `make_figures` est donnée. Elle entraîne votre modèle sur des images jouets (des ellipses penchées à
# gauche ou à droite) et montre la courbe d'entraînement avec la borne pour plusieurs $k$, les moyennes a
# posteriori des deux sortes d'images, le plan décodé des points latents, des échantillons et une
# interpolation. Essayez aussi avec les vrais chiffres.


# %%
def toy_images(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Tire des ellipses penchées : images (n, 784) dans [0, 1] et leurs angles (n,) en radians."""
    axis = torch.linspace(-1.0, 1.0, 28)
    v, u = torch.meshgrid(axis, axis, indexing="ij")  # (28, 28) each, v downwards
    angle = (0.35 + 0.6 * torch.rand(n, generator=generator)) * (2 * torch.randint(2, (n,), generator=generator) - 1)
    width = 0.15 + 0.35 * torch.rand(n, generator=generator)
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    across = (u * cos + v * sin) / width[:, None, None]  # (n, 28, 28)
    along = (v * cos - u * sin) / 0.75
    radius = (across**2 + along**2).sqrt()
    return torch.sigmoid(12 * (1 - radius)).reshape(n, PIXELS), angle


def make_figures(folder: str | Path) -> list[Path]:
    """Entraîne sur des images jouets et enregistre quatre figures dans `folder` ; renvoie leurs chemins.
    Prend environ dix secondes."""
    from matplotlib.figure import Figure

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    x, angle = toy_images(3000, generator)
    model = VAE(latent_dim=2, hidden=64)
    history = train_vae(model, x, epochs=30, generator=generator)
    saved = []

    def save(figure: Figure, name: str) -> None:
        figure.savefig(folder / name, dpi=110, bbox_inches="tight")
        saved.append(folder / name)
        if "ipykernel" in sys.modules:  # in a notebook the figure is shown as well
            from IPython.display import display

            display(figure)

    def show(axes, image: Tensor, title: str) -> None:
        axes.imshow(image.detach(), cmap="gray_r", vmin=0, vmax=1)
        axes.set_title(title)
        axes.set_axis_off()

    figure = Figure(figsize=(9, 3.2))
    left, right = figure.subplots(1, 2)
    left.plot(range(1, len(history["elbo"]) + 1), history["elbo"])
    left.set(xlabel="epoch", ylabel="ELBO (nats per image)", title="Training")
    counts = [1, 2, 5, 10, 20, 50]
    with torch.no_grad():
        bounds = [importance_weighted_bound(model, x[:500], k, generator).mean().item() for k in counts]
    right.semilogx(counts, bounds, "o-")
    right.set(xlabel="draws per image k", ylabel="bound (nats per image)", title="Importance-weighted bound")
    figure.tight_layout()
    save(figure, "elbo.png")

    figure = Figure(figsize=(5, 4))
    axes = figure.subplots()
    with torch.no_grad():
        mu, _ = model.encoder(x)  # (n, 2)
    points = axes.scatter(mu[:, 0], mu[:, 1], c=angle, cmap="coolwarm", s=4)
    figure.colorbar(points, label="angle of the ellipse (radians)")
    axes.set(xlabel="$z_1$", ylabel="$z_2$", title="Posterior means", aspect="equal")
    save(figure, "latent_space.png")

    # A grid of quantiles of N(0, 1): every cell has the same prior probability.
    side = 15
    quantiles = torch.special.ndtri((torch.arange(side) + 0.5) / side)
    grid = torch.cartesian_prod(quantiles.flip(0), quantiles).flip(1)  # (side², 2): z_2 falls along rows
    with torch.no_grad():
        images = torch.sigmoid(model.decoder(grid)).reshape(side, side, 28, 28)
    figure = Figure(figsize=(5, 5))
    show(figure.subplots(), images.permute(0, 2, 1, 3).reshape(side * 28, side * 28), "Decoded latent plane")
    save(figure, "latent_plane.png")

    figure = Figure(figsize=(9, 2.6))
    top, bottom = figure.subplots(2, 1)
    drawn = sample(model, 10, generator=generator)  # (10, 784)
    show(top, drawn.reshape(10, 28, 28).permute(1, 0, 2).reshape(28, 280), "Samples")
    line = interpolate(model, mu[angle.argmin()], mu[angle.argmax()], steps=10)
    show(bottom, line.reshape(10, 28, 28).permute(1, 0, 2).reshape(28, 280), "Interpolation")
    save(figure, "samples.png")
    return saved


# %%
if __name__ == "__main__":
    make_figures("figures")
