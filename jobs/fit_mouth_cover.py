"""Fits the network that notices what hides a mouth (`pipelines.cover_network`). Run once; the weights are kept.

    python -m jobs.portrait_tree --packages FOLDER --out ROOT
    diff2lip voxceleb2 ROOT --out SET --select all
    python -m jobs.fit_mouth_cover --data SET [--steps 3000]

Every example is a face of the training set as the network will see it, more than half of them with something drawn
before the mouth (`jobs.mouth_covers`); shadows, beards, grey films and blur hide nothing. People of the split `test`
are held out.
Tells for them how many of the hidden pixels are found, and how many that are told are hidden.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch.utils.data import DataLoader, IterableDataset

from jobs.mouth_covers import Covered, draw_hand, draw_microphone, draw_thing, draw_title
from pipelines.cover_network import COVER_CROP, KINDS, CoverNetwork
from pipelines.face_config import COVER_WEIGHTS
from pipelines.face_crop import crop_frame
from pipelines.face_frame import compose, face_to_crop, invert
from pipelines.training_set import mouths_of, open_training_set
from pipelines.training_window import TRAINING_WINDOW

Pixels = NDArray[np.uint8]
Rng = np.random.Generator
Face = tuple[Pixels, NDArray[np.float32]]  # a picture of the training set, and its mouth [4, 2] in px of it

BATCH, RATE = 32, 2e-3
PICTURES_A_CLIP = 12
FREE = 0.4  # of the examples have nothing before the mouth
TURN_DEG, SIZES, SHIFT = 12.0, (0.88, 1.14), 0.08  # landmarks are that exact, and heads are that different
HELD_EXAMPLES = 400


def faces(place: str, split: str) -> list[Face]:
    """Pictures of every clip of a split, evenly in time."""
    data, found = open_training_set(place), list[Face]()
    for shard in data.shards:
        for row in data.rows(shard):
            if row["split"] != split:
                continue
            places = np.linspace(0, row["num_frames"] - 1, min(PICTURES_A_CLIP, row["num_frames"])).round().astype(int)
            mouths = mouths_of(row)
            for at in places.tolist():
                picture = cv2.imdecode(np.frombuffer(row["pictures"][at], np.uint8), cv2.IMREAD_COLOR_RGB)
                found.append((np.asarray(picture, np.uint8), mouths[at]))
    return found


class Examples(IterableDataset[tuple[torch.Tensor, torch.Tensor]]):
    """Endless examples: a picture [3, 64, 64] in -1..1 and what hides it [2, 64, 64]."""

    def __init__(self, pool: list[Face], seed: int) -> None:
        super().__init__()
        self._pool, self._seed = pool, seed

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        cv2.setNumThreads(1)  # the network is fitted beside it
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self._seed, worker.id if worker else 0])
        while True:
            picture, hidden = example(self._pool, rng)
            yield as_input(picture), torch.from_numpy(hidden)


def as_input(picture: Pixels) -> torch.Tensor:
    """[3, S, S] in -1..1."""
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))).float() / 127.5 - 1


def example(pool: list[Face], rng: Rng) -> tuple[Pixels, NDArray[np.float32]]:
    """A face as the network will see it, and what hides it [2, S, S]."""
    window, mouth = pool[rng.integers(len(pool))]
    affine = _cut(rng)
    picture = crop_frame(window, affine, COVER_CROP.size_px)
    middle = affine[:, :2] @ mouth.mean(0) + affine[:, 2]
    unit_px = COVER_CROP.size_px / COVER_CROP.width
    if rng.random() < 0.15:
        picture = _with_beard(picture, middle, unit_px, rng)
    hidden = np.zeros((len(KINDS), COVER_CROP.size_px, COVER_CROP.size_px), np.float32)
    if rng.random() >= FREE:
        kind, covered = _covered(picture, middle, unit_px, pool, rng)
        picture, hidden[kind] = covered.picture, covered.hidden
    if rng.random() < 0.5:
        picture, hidden = picture[:, ::-1], hidden[..., ::-1]
    return _filmed(picture, rng), np.ascontiguousarray(hidden)


def _cut(rng: Rng) -> NDArray[np.float64]:
    """[2, 3] px of the training window to px of the network's input, a little off."""
    exact = compose(face_to_crop(COVER_CROP), invert(face_to_crop(TRAINING_WINDOW)))
    middle = (COVER_CROP.size_px - 1) / 2
    turned = np.array(cv2.getRotationMatrix2D((middle, middle), rng.uniform(-TURN_DEG, TURN_DEG), rng.uniform(*SIZES)))
    turned[:, 2] += rng.uniform(-SHIFT, SHIFT, 2) * COVER_CROP.size_px
    return compose(turned, exact)


def _covered(
    picture: Pixels, middle: NDArray[np.float64], unit_px: float, pool: list[Face], rng: Rng
) -> tuple[int, Covered]:
    """The picture with something before it, and which of `KINDS` that is."""
    x, y = middle + rng.normal(0, 0.3, 2) * unit_px
    draw = rng.random()
    if draw < 0.45:
        return 0, draw_hand(picture, unit_px, (x, y), rng)
    if draw < 0.65:
        return 0, draw_microphone(picture, unit_px, (x, y), rng)
    if draw < 0.8:
        return 0, draw_thing(picture, unit_px, (x, y), rng, pool[rng.integers(len(pool))][0])
    return 1, draw_title(picture, unit_px, (x, y), rng)


def _with_beard(picture: Pixels, middle: NDArray[np.float64], unit_px: float, rng: Rng) -> Pixels:
    """Hair around the mouth: it belongs to the face."""
    side = picture.shape[0]
    rows, columns = np.mgrid[:side, :side]
    away = np.hypot((columns - middle[0]) / (0.75 * unit_px), (rows - middle[1] - 0.15 * unit_px) / (0.6 * unit_px))
    lips = np.hypot((columns - middle[0]) / (0.33 * unit_px), (rows - middle[1]) / (0.16 * unit_px))
    where = (away < 1) & (lips > 1)
    strands = cv2.GaussianBlur(rng.normal(1, 0.6, (side, side)), (0, 0), 0.7, sigmaY=1.6)
    soft = cv2.GaussianBlur(where.astype(np.float32), (0, 0), 1.5) * rng.uniform(0.3, 0.95)
    hair = rng.uniform(15, 90) * (1 + 0.5 * (strands - 1))[..., None] * np.array([1.05, 1.0, 0.95])
    return np.asarray((picture * (1 - soft[..., None]) + hair * soft[..., None]).clip(0, 255), np.uint8)


def _filmed(picture: Pixels, rng: Rng) -> Pixels:
    """Other light, softer, coarser, noisier, sometimes without colour: as films are."""
    light = picture.astype(np.float64)
    rows, columns = np.mgrid[-1 : 1 : len(picture) * 1j, -1 : 1 : len(picture) * 1j]
    slope = 1 + rng.normal(0, 0.15) * rows + rng.normal(0, 0.2) * columns
    light = light * slope[..., None] * rng.uniform(0.55, 1.35) * (1 + rng.normal(0, 0.05, 3))
    light = 255 * (light / 255).clip(0, 1) ** rng.uniform(0.75, 1.3)
    if rng.random() < 0.12:
        light = np.repeat(light.mean(2, keepdims=True), 3, 2)
    if rng.random() < 0.5:
        side = int(rng.integers(18, 64))
        small = cv2.resize(light.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
        light = np.asarray(cv2.resize(small, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.float64)
    light = light + rng.normal(0, rng.uniform(0, 6), picture.shape)
    pixels = np.asarray(light.clip(0, 255), np.uint8)
    if rng.random() < 0.5:
        _, coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))])
        pixels = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return pixels


def loss_of(logits: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of each pixel, and one minus Dice's coefficient of each plane that hides something."""
    crossed = torch.nn.functional.binary_cross_entropy_with_logits(logits, hidden)
    told = logits.sigmoid()
    shared, both = (told * hidden).sum((0, 2, 3)), (told + hidden).sum((0, 2, 3))
    return crossed + 0.3 * (1 - (2 * shared + 1) / (both + 1)).mean()


def fit(pool: list[Face], steps: int) -> CoverNetwork:
    """A network fitted to endless examples."""
    torch.manual_seed(0)
    network = CoverNetwork().train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    batches = iter(DataLoader(Examples(pool, seed=1), BATCH, num_workers=1, multiprocessing_context="spawn"))
    mean = 0.0
    for step in range(1, steps + 1):
        pictures, hidden = next(batches)
        loss = loss_of(network(pictures), hidden)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        mean += (float(loss.detach()) - mean) / min(step, 50)
        if step % 50 == 0:
            print(f"step {step}: loss {mean:.4f}", flush=True)
    return network.eval()


@torch.inference_mode()
def told(network: CoverNetwork, pool: list[Face]) -> Iterator[str]:
    """How well hidden pixels are found, of people never learnt from."""
    rng = np.random.default_rng(2)
    pairs = [example(pool, rng) for _ in range(HELD_EXAMPLES)]
    found = (network(torch.stack([as_input(picture) for picture, _ in pairs])).sigmoid() > 0.5).numpy()
    truth = np.stack([hidden for _, hidden in pairs]) > 0.5
    for place, kind in enumerate(KINDS):
        hits = int((found[:, place] & truth[:, place]).sum())
        recall, precision = hits / truth[:, place].sum(), hits / max(1, found[:, place].sum())
        yield f"held-out people, pixels hidden by a {kind}: recall {recall:.3f}, precision {precision:.3f}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="training set of diff2lip voxceleb2, with margin")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--out", type=Path, default=COVER_WEIGHTS)
    chosen = parser.parse_args()
    network = fit(faces(chosen.data, "dev"), chosen.steps)
    halves = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    network.load_state_dict({name: value.float() for name, value in halves.items()})
    save_file(halves, str(chosen.out))
    print(*told(network, faces(chosen.data, "test")), sep="\n")


if __name__ == "__main__":
    main()
