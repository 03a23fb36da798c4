"""The offset histogram of an expert: how far from its picture it finds the sound of each held-out clip."""

from collections import Counter

import pyarrow as pa
import torch

from diff2lip.expert_offset import MIN_FRAMES, REACH, expert_offset
from diff2lip.syncnet import Expert
from pipelines.training_windows import BrokenRowError, WindowConfig, WindowSource, as_crops

MOST_CLIPS = 48
IN_SYNC = 1  # frame: nobody hears less


def offset_histogram(expert: Expert, stretches: pa.Table, config: WindowConfig) -> dict[int, int]:
    """Clips by offset in frames, from -7 to 7.

    Args:
        expert: in eval mode.
        stretches: STRETCH rows that are held out; short ones are left out, and all beyond the first 48.
        config: how windows are drawn; nothing is changed about the crops.
    """
    device, counts = next(expert.parameters()).device, Counter[int]()
    source = WindowSource(stretches, config)
    lengths = stretches.column("num_frames").to_pylist()
    for index in [index for index, length in enumerate(lengths) if length >= MIN_FRAMES][:MOST_CLIPS]:
        try:
            crops, sounds = source.whole(index)
        except BrokenRowError:
            continue
        frames = as_crops(torch.from_numpy(crops)).to(device)
        counts[expert_offset(expert, frames, torch.from_numpy(sounds).to(device))] += 1
    return {shift: counts[shift] for shift in range(-REACH, REACH + 1)}


def offset_figures(histogram: dict[int, int]) -> dict[str, float]:
    """Share of the clips that are found in sync, within a frame; nothing where no clip is long enough."""
    clips = sum(histogram.values())
    if not clips:
        return {}
    near = sum(count for shift, count in histogram.items() if abs(shift) <= IN_SYNC)
    return {"held_in_sync_share": near / clips, "held_offset_clips": float(clips)}
