"""All measures of a painted film, by name; each is defined in the file of its noun.

| measure | of | better |
|---|---|---|
| `psnr`, `ssim`, LPIPS or ST-LPIPS by `perceptual_distance` | pictures beside the truth | high, high, low |
| `frechet_distance` | all pictures beside all true ones | low |
| `lmd` | mouth landmarks beside the truth | low |
| `measure_lse`: LSE-D, LSE-C, offset | lips beside the sound | low, high, 0 |
| `leakage`, `bilabial_closure` | how far the mouth closes where it must | low, high |
| `flicker_ratio`, `seam_ratio`, `outside_change` | the patch beside its film | 1, 1, 0 |
"""

from diff2lip.frechet import frechet_distance, frechet_features, load_backbone
from diff2lip.landmark_distance import Alignment, lmd
from diff2lip.lse import Lse, lse_of, measure_lse
from diff2lip.mouth_motion import Phone, StillMouthError, bilabial_closure, leakage, opening_range
from diff2lip.patch_quality import flicker_ratio, luma, outside_change, seam_ratio
from diff2lip.perceptual import PerceptualWeightsError, load_lpips, load_st_lpips, perceptual_distance
from diff2lip.picture_likeness import psnr, ssim

__all__ = [
    "Alignment",
    "Lse",
    "PerceptualWeightsError",
    "Phone",
    "StillMouthError",
    "bilabial_closure",
    "flicker_ratio",
    "frechet_distance",
    "frechet_features",
    "leakage",
    "lmd",
    "load_backbone",
    "load_lpips",
    "load_st_lpips",
    "lse_of",
    "luma",
    "measure_lse",
    "opening_range",
    "outside_change",
    "perceptual_distance",
    "psnr",
    "seam_ratio",
    "ssim",
]
