"""What is measured of an expert beside its own figures: offsets of held-out clips, and how good its rival is."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import torch

from diff2lip.checkpoint import load_expert
from diff2lip.expert_learner import ExpertLearner, held_figures
from diff2lip.expert_offset import MIN_FRAMES, REACH, expert_offset
from diff2lip.syncnet import Expert
from diff2lip.windows import Windows
from jobs.train_plan import TrainPlan
from pipelines.held_list import over_all_people
from pipelines.storage import read_table
from pipelines.stretch_index import BrokenRowError
from pipelines.training_windows import WindowConfig, WindowSource, as_crops

MOST_CLIPS = 48
RIVAL_LOSS = "rival_held_loss"
IN_SYNC = 1  # frame: nobody hears less


def beside(learner: ExpertLearner, windows: Windows, plan: TrainPlan) -> tuple[dict[str, float], dict[int, int]]:
    """Figures that stand beside those of `learner.measure`, and the offset histogram.

    The rival is the expert that this one would replace, on the same windows.
    """
    histogram = offset_histogram(learner.average, read_table(plan.held_uri), plan.held_windows)
    figures = offset_figures(histogram)
    if plan.rival is not None:
        rival = load_expert(Path(plan.rival)).to(windows.target.device)
        figures[RIVAL_LOSS] = held_figures(rival, windows)["held_loss"]
    return figures, histogram


def offset_histogram(expert: Expert, stretches: pa.Table, config: WindowConfig) -> dict[int, int]:
    """Clips by offset in frames, from -7 to 7.

    Args:
        expert: in eval mode.
        stretches: STRETCH rows that are held out; short ones are left out, and of many 48 over all people are taken.
        config: how windows are drawn; nothing is changed about the crops.
    """
    device, counts = next(expert.parameters()).device, Counter[int]()
    source = WindowSource(stretches, config)
    for index in over_all_people(stretches.to_pylist(), MIN_FRAMES, MOST_CLIPS):
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
