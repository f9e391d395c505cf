"""VAE, GAN, flow and diffusion on the same images, by the reference solutions: the sources' closing exercise.

    python docs/comparison.py [--runs 2]

trains, measures by `model_evaluation`'s reference, and writes docs/explanation/comparison.md, its numbers and its
picture. Some minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, pstdev
from types import ModuleType

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1]))
from autograder.course import find_exercise, load_config
from autograder.course.data import load_images
from autograder.course.sets import MNIST
from autograder.judge.reference import load_module
from autograder.reports.stamp import write_stamp

DOCS = Path(__file__).parent
PAGE = DOCS / "explanation" / "comparison.md"
NUMBERS = PAGE.with_suffix(".json")
PICTURE = DOCS / "pictures" / "comparison.png"
COURSE = load_config(DOCS.parent / "grading_config.yaml")
SAMPLES = 500
SHOWN = 32
LEVELS = 32  # of grey, for the flow
BEGIN, END = "<!-- made by docs/comparison.py -->\n", "<!-- end -->"
MEASURES = {  # of compare_models: its name -> column, decimals
    "fid": ("FID ↓", 2), "kid": ("KID ↓", 3), "inception_score": ("inception score ↑", 2),
    "precision": ("precision ↑", 2), "recall": ("recall ↑", 2), "density": ("density ↑", 2),
    "coverage": ("coverage ↑", 2), "memorised": ("memorised ↓", 3),
}  # fmt: skip


def reference(exercise: str) -> ModuleType:
    """The reference solution of an exercise."""
    path = find_exercise(COURSE, exercise).solution
    return load_module(f"compared_{exercise}", path.read_text(encoding="utf-8"), str(path))


def halved(images: Tensor) -> Tensor:
    """28 × 28 rows as 14 × 14 rows of block means."""
    return nn.functional.avg_pool2d(images.view(-1, 1, 28, 28), 2).view(-1, 196)


class Data:
    """MNIST's digits: 28 × 28 and 14 × 14 rows in [0, 1]; the split is the grader's."""

    def __init__(self) -> None:
        train, held = (load_images(COURSE, MNIST, split, None, 28) for split in ("train", "held_out"))
        self.large, self.labels = torch.from_numpy(train.images), torch.from_numpy(train.labels).long()
        self.held_large, self.held_labels = torch.from_numpy(held.images), torch.from_numpy(held.labels).long()
        self.small, self.held_small = halved(self.large), halved(self.held_large)
        self.name = train.data_set


def vae(data: Data, generator: torch.Generator) -> tuple[Callable[[int], Tensor], dict[str, float]]:
    """Trained on 28 × 28; its samples are reduced."""
    solution = reference("vae_mnist")
    model = solution.VAE(latent_dim=8, hidden=256)
    solution.train_vae(model, data.large, epochs=12, generator=generator)
    with torch.no_grad():
        bound = float(solution.importance_weighted_bound(model, data.held_large, 1, generator).mean())
    return lambda n: halved(solution.sample(model, n, generator)), {"bound": bound}


def gan(data: Data, generator: torch.Generator) -> tuple[Callable[[int], Tensor], dict[str, float]]:
    solution = reference("gan_collapse")
    networks = solution.Generator(hidden=256), solution.Discriminator(hidden=256)
    solution.train_gan(*networks, 2 * data.small - 1, steps=3000, generator_rng=generator)
    return lambda n: (solution.sample(networks[0], n, generator) + 1) / 2, {}


def flow(data: Data, generator: torch.Generator) -> tuple[Callable[[int], Tensor], dict[str, float]]:
    """On 16 × 16: the border is padding, of which the samples have none. They are drawn at temperature 0.8."""
    solution = reference("glow_digits")

    def pixels(rows: Tensor) -> Tensor:
        grey = (rows * LEVELS).floor().clamp_max(LEVELS - 1).long()
        return nn.functional.pad(grey.view(-1, 1, 14, 14), (1, 1, 1, 1))

    model = solution.Glow(channels=1, size=16, n_scales=2, n_steps=4, hidden=32)
    solution.train_glow(model, pixels(data.small), steps=1600, levels=LEVELS, generator=generator)
    held = pixels(data.held_small)
    model.eval()
    with torch.no_grad():
        noise = torch.rand(held.shape, generator=generator)
        bits = float(solution.bits_per_dimension(model, held, noise, LEVELS).mean())

    def sample(n: int) -> Tensor:
        drawn = solution.sample_images(model, n, LEVELS, temperature=0.8, generator=generator)[:, :, 1:-1, 1:-1]
        return (drawn.float() + 0.5).div(LEVELS).reshape(n, 196)

    return sample, {"bits": bits}


def diffusion(data: Data, generator: torch.Generator) -> tuple[Callable[[int], Tensor], dict[str, float]]:
    """On 16 × 16, padded as the flow's."""
    solution = reference("ddpm_unet")
    images = nn.functional.pad(2 * data.small.view(-1, 1, 14, 14) - 1, (1, 1, 1, 1), value=-1.0)
    schedule = solution.Diffusion(solution.linear_beta_schedule(64, 2e-3, 0.15).float())
    model = solution.UNet(base=32)
    solution.train_ddpm(model, schedule, images, steps=500, lr=1e-3, generator=generator)

    def sample(n: int) -> Tensor:
        with torch.no_grad():
            drawn = solution.sample(model, schedule, (n, 1, 16, 16), generator=generator)
        return ((drawn[:, :, 1:-1, 1:-1] + 1) / 2).clamp(0, 1).reshape(n, 196)

    return sample, {}


MODELS = {"VAE": vae, "GAN": gan, "flow (Glow)": flow, "diffusion (DDPM)": diffusion}


def classifier(data: Data, generator: torch.Generator) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """Features (n, 64) and probabilities (n, 10) of 14 × 14 rows, by a small network that has learnt the classes."""
    torch.manual_seed(0)
    inner, outer = nn.Sequential(nn.Linear(196, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()), nn.Linear(64, 10)
    optimiser = torch.optim.Adam([*inner.parameters(), *outer.parameters()], lr=1e-3)
    for _ in range(1500):
        rows = torch.randint(len(data.small), (128,), generator=generator)
        loss = nn.functional.cross_entropy(outer(inner(data.small[rows])), data.labels[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return (
        lambda x: inner(x.float()).detach().double(),
        lambda x: outer(inner(x.float())).softmax(-1).detach().double(),
    )


def measure(runs: int) -> dict[str, object]:
    """Train every model so many times, and compare them; the samples of the first run are drawn."""
    data = Data()
    features, probabilities = classifier(data, torch.Generator().manual_seed(1))
    samples: dict[str, list[Tensor]] = {}
    others: dict[str, dict[str, list[float]]] = {}
    for name, train in MODELS.items():
        for run in range(runs):
            generator = torch.Generator().manual_seed(run)
            torch.manual_seed(run)
            started = time.process_time()
            draw, found = train(data, generator)
            trained = time.process_time()
            drawn = draw(SAMPLES)
            found |= {"training": trained - started, "sampling": time.process_time() - trained}
            samples.setdefault(name, []).append(drawn.double())
            for key, value in found.items():
                others.setdefault(name, {}).setdefault(key, []).append(value)
            print(f"{name}, run {run + 1} of {runs}: {trained - started:.0f} s", flush=True)
    evaluation = reference("model_evaluation")
    table = evaluation.compare_models(
        {**samples, "held-out images": [data.held_small[SAMPLES:].double()]},
        data.held_small[:SAMPLES].double(), data.small.double(), features, probabilities,
    )  # fmt: skip
    draw_picture({name: of_runs[0][:SHOWN] for name, of_runs in samples.items()} | {"data": data.held_small[:SHOWN]})
    return {"data": data.name, "runs": runs, "models": table, "others": others}


def draw_picture(rows: dict[str, Tensor]) -> None:
    """Samples of the first run, the models below each other."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(len(rows), figsize=(9, 1.6 * len(rows)), layout="constrained")
    for axis, (name, images) in zip(axes, rows.items(), strict=True):
        tiles = images.view(2, -1, 14, 14).permute(0, 2, 1, 3).reshape(28, -1)
        axis.imshow(tiles, cmap="gray_r", vmin=0, vmax=1)
        axis.set_title(name, loc="left", fontsize=10)
        axis.set_axis_off()
    figure.savefig(PICTURE, dpi=110)


def page(numbers: dict[str, object]) -> str:
    """The table, from the numbers that are kept beside the page."""
    models, others = numbers["models"], numbers["others"]
    assert isinstance(models, dict)
    assert isinstance(others, dict)
    heads = ["", *(name for name, _digits in MEASURES.values()), "bits per dimension", "VAE's bound, nats",
             "training, s", f"{SAMPLES:,} samples, s"]  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for name, measured in models.items():
        cells = [
            f"{measured[key][0]:.{digits}f} ± {measured[key][1]:.{digits}f}" for key, (_, digits) in MEASURES.items()
        ]
        for key, digits in (("bits", 2), ("bound", 1), ("training", 0), ("sampling", 2)):
            values = others.get(name, {}).get(key)
            cells.append(f"{mean(values):.{digits}f} ± {pstdev(values):.{digits}f}" if values else "–")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def write_page(numbers: dict[str, object]) -> str:
    """The page with its table as the numbers have it."""
    text = PAGE.read_text(encoding="utf-8")
    before, _begin, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{page(numbers)}\n{END}{rest.partition(END)[2]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=2, help="trainings of each model")
    numbers = measure(parser.parse_args().runs)
    NUMBERS.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(write_page(numbers), encoding="utf-8")
    write_stamp(PICTURE, numbers)


if __name__ == "__main__":
    main()
