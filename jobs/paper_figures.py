"""What the paper reports, to be laid beside what is measured here.

Mukhopadhyay et al., "Diff2Lip: Audio Conditioned Diffusion Models for Lip-Synchronization" (WACV 2024), Table 2, the
rows of Diff2Lip: VoxCeleb2 over 4911 (reconstruction) and 4970 (cross) pairs, LRW over 25,000 and 28,000. FID is over
Inception-v3 features; landmark distances are over the points of face-alignment, in pixels of the data set's clips.
"""

from typing import NamedTuple

from pipelines.published_path import Mode

Figures = dict[str, float]
VOXCELEB2, LRW = "VoxCeleb2", "LRW"

PAPER_TABLE_2: dict[Mode, dict[str, Figures]] = {
    Mode.RECONSTRUCTION: {
        VOXCELEB2: {"fid": 2.46, "ssim": 0.53, "psnr_db": 18.09, "lmd_px": 3.04, "lse_c": 8.78, "lse_d": 5.93},
        LRW: {"fid": 2.62, "ssim": 0.67, "psnr_db": 20.62, "lmd_px": 2.17, "lse_c": 7.41, "lse_d": 6.21},
    },
    Mode.CROSS: {
        VOXCELEB2: {"fid": 4.53, "lmd_px": 4.82, "lse_c": 7.62, "lse_d": 6.73},
        LRW: {"fid": 2.54, "lmd_px": 3.93, "lse_c": 6.44, "lse_d": 6.97},
    },
}


class Measure(NamedTuple):
    """A measure of the summary."""

    name: str
    better: str


MEASURES = (
    Measure("fid", "lower"),
    Measure("frechet_mobilenet_v2", "lower"),
    Measure("psnr_db", "higher"),
    Measure("ssim", "higher"),
    Measure("lpips_alex", "lower"),
    Measure("st_lpips_alex", "lower"),
    Measure("lmd_px", "lower"),
    Measure("lse_c", "higher"),
    Measure("lse_d", "lower"),
    Measure("av_offset_ms", "near 0"),
    Measure("leakage", "lower"),
    Measure("bilabial_closure", "higher"),
    Measure("seam_ratio", "near 1"),
    Measure("flicker_ratio", "near 1"),
    Measure("outside_change", "0"),
)
