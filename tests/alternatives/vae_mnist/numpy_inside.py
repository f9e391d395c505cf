# NumPy for what needs no gradient, a history of batch means, float answers from 0-d arrays, warm-up of beta, dropout.
import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus


class Encoder(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.fc1 = nn.Linear(784, hidden)
        self.drop = nn.Dropout(0.02)
        self.fc2 = nn.Linear(hidden, hidden)
        self.fc31 = nn.Linear(hidden, latent_dim)
        self.fc32 = nn.Linear(hidden, latent_dim)

    def forward(self, x):
        h = torch.relu(self.fc1(x.view(-1, 784)))
        h = nn.functional.leaky_relu(self.fc2(self.drop(h)))
        return self.fc31(h), self.fc32(h)


class Decoder(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.fc1 = nn.Linear(latent_dim, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.fc3 = nn.Linear(hidden, 784)

    def forward(self, z):
        h = nn.functional.elu(self.fc1(z))
        return self.fc3(torch.relu(self.fc2(h)))


def reparameterize(mu, logvar, eps):
    if not (mu.shape == logvar.shape and logvar.shape == eps.shape):
        raise ValueError("mu, logvar, eps: different shapes")
    return eps * torch.sqrt(torch.exp(logvar)) + mu


def kl_divergence(mu, logvar):
    if mu.shape != logvar.shape:
        raise ValueError("mu, logvar: different shapes")
    return -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1)


def reconstruction_log_likelihood(logits, x):
    if logits.shape != x.shape:
        raise ValueError("logits, x: different shapes")
    return -torch.sum(x * softplus(-logits) + (1 - x) * softplus(logits), dim=1)


def elbo(x, logits, mu, logvar, beta=1.0):
    if x.shape[0] != mu.shape[0]:
        raise ValueError("x, mu: different numbers of rows")
    return reconstruction_log_likelihood(logits, x) - beta * kl_divergence(mu, logvar)


class VAE(nn.Module):
    def __init__(self, latent_dim=2, hidden=64):
        super().__init__()
        self.encoder = Encoder(latent_dim=latent_dim, hidden=hidden)
        self.decoder = Decoder(latent_dim=latent_dim, hidden=hidden)
        self.latent_dim = latent_dim

    def encode(self, x):
        return self.encoder(x)

    def decode(self, z):
        return self.decoder(z)

    def forward(self, x, eps):
        mu, logvar = self.encode(x)
        z = reparameterize(mu, logvar, eps)
        return self.decode(z), mu, logvar


def train_vae(model, x, epochs, batch_size=128, lr=1e-3, generator=None, progress=False):
    if epochs < 1:
        raise ValueError("epochs < 1")
    if batch_size < 1:
        raise ValueError("batch_size < 1")
    model.train()
    optimizer = torch.optim.NAdam(model.parameters(), lr=lr)
    means = []
    for epoch in range(epochs):
        beta = (
            min(1.0, (epoch + 1) / 3) if epochs > 5 else 1.0
        )  # warm-up of the KL term; the history has beta = 1
        batch_means = []
        for rows in torch.randperm(x.size(0), generator=generator).split(batch_size):
            xb = x[rows]
            eps = torch.randn((xb.size(0), model.latent_dim), generator=generator, dtype=xb.dtype).to(xb)
            logits, mu, logvar = model(xb, eps)
            loss = -elbo(xb, logits, mu, logvar, beta=beta).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                batch_means.append(elbo(xb, logits, mu, logvar).mean().item())
        means.append(float(np.mean(batch_means)))
    model.eval()
    return {"elbo": means}


def _sigmoid(logits):
    return 0.5 * (1.0 + np.tanh(0.5 * logits))


def sample(model, n, generator=None):
    if n < 1:
        raise ValueError("n < 1")
    like = next(model.parameters())
    z = torch.randn((n, model.latent_dim), generator=generator, dtype=like.dtype).to(like)
    return torch.from_numpy(_sigmoid(model.decoder(z).detach().cpu().numpy())).to(like)


def interpolate(model, z1, z2, steps):
    if steps < 1:
        raise ValueError("steps < 1")
    a, b = z1.cpu().numpy(), z2.cpu().numpy()
    z = np.linspace(a, b, steps).astype(a.dtype)
    return torch.from_numpy(_sigmoid(model.decoder(torch.from_numpy(z).to(z1)).detach().cpu().numpy()))


def importance_weighted_bound(model, x, k, generator=None):
    if k < 1:
        raise ValueError("k < 1")
    with torch.no_grad():
        mu, logvar = model.encoder(x)
        log_w = np.empty((len(x), k), dtype=mu.cpu().numpy().dtype)
        for j in range(k):
            eps = torch.randn(mu.shape, generator=generator, dtype=mu.dtype).to(mu)
            z = reparameterize(mu, logvar, eps)
            log_p = reconstruction_log_likelihood(model.decoder(z), x)
            ratio = -0.5 * (z**2).sum(1) + 0.5 * (eps**2 + logvar).sum(1)
            log_w[:, j] = (log_p + ratio).cpu().numpy()
    top = log_w.max(1, keepdims=True)
    return torch.from_numpy(top[:, 0] + np.log(np.exp(log_w - top).mean(1)))
