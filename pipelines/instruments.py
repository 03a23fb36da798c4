"""The networks that measure painted frames: those whose weights are on this machine, and why others are not."""

from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from diff2lip.checkpoint import load_judge
from diff2lip.frechet import load_backbone
from diff2lip.perceptual import PerceptualWeightsError, load_lpips, load_st_lpips
from diff2lip.syncnet import Judge
from pipelines.assets import list_assets
from pipelines.storage import file_digest

LPIPS, ST_LPIPS, FRECHET, LSE = "lpips_alex", "st_lpips_alex", "frechet_mobilenet_v2", "lse"
ST_LPIPS_ASSET, FRECHET_ASSET = "st-lpips-alexnet", "mobilenet-v2"


@dataclass(frozen=True, kw_only=True, slots=True)
class Instruments:
    """What measures. A measure without its network is not taken, and `missing` says why."""

    perceptual: dict[str, nn.Module] = field(default_factory=dict)  # by the name of the measure
    backbone: nn.Module | None = None  # of the Frechet distance
    judge: Judge | None = None  # of lip sync
    missing: dict[str, str] = field(default_factory=dict)  # measure -> what is lacking
    identity: tuple[str, ...] = ()  # what a result depends on: names, and the judge's digest


def load_instruments(judge: Path | None, device: torch.device) -> Instruments:
    """The instruments that can be had without fetching anything.

    Args:
        judge: an imported `syncnet_v2`, or none.
        device: where they run.

    Raises:
        CheckpointError: the judge's file holds something else.
    """
    missing: dict[str, str] = {}
    perceptual: dict[str, nn.Module] = {}
    try:
        perceptual[LPIPS] = load_lpips().to(device)
    except PerceptualWeightsError as error:
        missing[LPIPS] = str(error)
    for name, asset in ((ST_LPIPS, ST_LPIPS_ASSET), (FRECHET, FRECHET_ASSET)):
        if _present(asset) is None:
            missing[name] = f"its weights are not here: diff2lip assets fetch {asset}"
    if ST_LPIPS not in missing:
        perceptual[ST_LPIPS] = load_st_lpips(_known(ST_LPIPS_ASSET)).to(device)
    backbone = None if FRECHET in missing else load_backbone(_known(FRECHET_ASSET)).to(device)
    if judge is None:
        missing[LSE] = "no judge: give an imported syncnet_v2 with --judge"
    identity = (*sorted(perceptual), *([FRECHET] if backbone else []), *([file_digest(judge)] if judge else []))
    return Instruments(
        perceptual=perceptual,
        backbone=backbone,
        judge=load_judge(judge).to(device) if judge else None,
        missing=missing,
        identity=identity,
    )


def _present(name: str) -> Path | None:
    return next((asset.path for asset in list_assets() if asset.name == name and asset.present), None)


def _known(name: str) -> Path:
    path = _present(name)
    assert path is not None
    return path
