"""How a film writes a colour as samples: depth, chroma grid, matrix and range."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.media.ordinary_screen import filmed, is_ordinary
from pipelines.media.siting import Siting, halved

Floats = NDArray[np.float32]
UNTAGGED = 2

# Share of red and blue in luma, by AVCOL_SPC number (ITU-T H.273, Table 4).
LUMA_WEIGHTS = {
    1: (0.2126, 0.0722),  # BT.709
    4: (0.30, 0.11),  # FCC
    5: (0.299, 0.114),  # BT.601, 625 lines
    6: (0.299, 0.114),  # BT.601, 525 lines
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Coding:
    """What the samples of a frame mean."""

    bits: int
    chroma_x: int  # luma columns per chroma column: 1 or 2
    chroma_y: int  # luma rows per chroma row: 1 or 2
    matrix: int  # AVCOL_SPC number, decided for untagged films
    full_range: bool
    transfer: int = UNTAGGED  # AVCOL_TRC number; PQ and HLG are told from the others
    primaries: int = UNTAGGED  # AVCOL_PRI number; BT.2020 is told from the others
    siting: Siting = Siting.LEFT  # of chroma; frames by themselves do not tell

    @property
    def max_code(self) -> int:
        return (1 << self.bits) - 1

    @property
    def luma_scale(self) -> float:
        """Codes between black and white."""
        return float(self.max_code) if self.full_range else 219.0 * (1 << (self.bits - 8))

    @property
    def chroma_scale(self) -> float:
        """Codes between the strongest colours of a chroma axis."""
        return float(self.max_code) if self.full_range else 224.0 * (1 << (self.bits - 8))

    @property
    def is_ordinary(self) -> bool:
        """Whether the film's RGB is what an ordinary screen shows, and the models see."""
        return is_ordinary(self.transfer, self.primaries)

    def yuv(self, rgb: Floats) -> Floats:
        """[H, W, 3] RGB in [0, 255], as the models see it, as unrounded codes of Y, Cb and Cr, [H, W, 3].

        Of a film that is not shown as it is, by its own R'G'B' (`ordinary_screen`).

        ITU-T H.273, Eq. 28-30 (R', G', B' to E'Y, E'PB, E'PR) and 20-25 (range).
        """
        red_share, blue_share = LUMA_WEIGHTS.get(self.matrix, LUMA_WEIGHTS[1])
        unit = rgb / np.float32(255)
        if not self.is_ordinary:
            unit = filmed(unit, self.transfer, self.primaries)
        luma = unit @ np.array([red_share, 1 - red_share - blue_share, blue_share], np.float32)
        blue = (unit[..., 2] - luma) / np.float32(2 * (1 - blue_share))
        red = (unit[..., 0] - luma) / np.float32(2 * (1 - red_share))
        black = 0 if self.full_range else 16 << (self.bits - 8)
        grey = np.float32(1 << (self.bits - 1))
        scale = np.float32(self.chroma_scale)
        return np.stack([black + luma * np.float32(self.luma_scale), grey + blue * scale, grey + red * scale], -1)

    def at_chroma(self, samples: Floats) -> Floats:
        """[H, W] values of the luma grid, filtered down to the places of the chroma samples."""
        grid = halved(samples.T, self.siting.column).T if self.chroma_x == 2 else samples
        return np.asarray(halved(grid, self.siting.row) if self.chroma_y == 2 else grid, np.float32)
