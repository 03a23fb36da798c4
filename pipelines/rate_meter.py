"""How fast mouths are painted where the dub would run: measured there, once for a model, its settings and a device."""

import os
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import ray
import torch

from pipelines.dub import DubConfig
from pipelines.paint import Painter
from pipelines.paint_rate import PaintRate
from pipelines.run_stage import pool_here
from pipelines.storage import ObjectStore, content_key

VERSION = 1
BATCHES = 2  # are timed, after one that warms up


def paint_rate(config: DubConfig) -> PaintRate:
    """Measure on a worker that has what an actor of the painting stage has; Ray must be running."""
    pool = pool_here(config.placed("paint"))
    remote = ray.remote(num_cpus=pool.cpus, num_gpus=pool.gpus)(measured_rate)
    device, seconds = ray.get(remote.remote(config))
    return PaintRate(device=device, seconds_per_frame=seconds, actors=pool.actors)


def measured_rate(config: DubConfig) -> tuple[str, float]:
    """Device and seconds a frame of this process; found in storage where they were measured before."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    facts = {"model": config.model_digest, "sampler": asdict(config.sampler), "threads": config.threads}
    key = content_key("paint-rate", VERSION, facts | {"device": device, "host_cpus": os.cpu_count()})
    store = ObjectStore(config.store_uri)
    if not store.has(key):
        store.put_json(key, {"seconds_per_frame": _timed(config)})
    return device, float(store.get_json(key)["seconds_per_frame"])


def _timed(config: DubConfig) -> float:
    """Seconds a frame; what the pictures show does not matter."""
    size, count = config.crop.size_px, config.sampler.frames_per_batch
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        painter = Painter(Path(config.model_path), config.sampler, ObjectStore(folder), config.threads)
        begin = 0.0
        for number in range(BATCHES + 1):
            crops = [rng.integers(0, 255, (size, size, 3), np.uint8).tobytes() for _ in range(count)]
            painter.paint(crops, crops, torch.zeros(count, 80, 16), ("rate", number, 0))
            begin = begin or time.monotonic()
        return (time.monotonic() - begin) / (BATCHES * count)
