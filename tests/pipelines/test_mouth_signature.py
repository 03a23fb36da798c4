"""A painted rectangle of a frame is told again by the means of its cells, of which small ones count less."""

import numpy as np
import pytest

from pipelines.media.coding import Coding
from pipelines.mouth_signature import rect_of, signed, unlike

CODING = Coding(bits=8, chroma_x=2, chroma_y=2, matrix=1, full_range=False)
SHIFT = 12  # codes


def frame(shift: int = 0) -> list[np.ndarray]:
    """Planes of a flat frame, the first of them `shift` brighter."""
    return [
        np.full(shape, code, np.uint8)
        for shape, code in zip(((64, 64), (32, 32), (32, 32)), (80 + shift, 110, 140), strict=True)
    ]


@pytest.mark.parametrize(("side", "weight"), [(32, 1.0), (8, 1.0), (4, 0.5), (2, 0.25)])
def test_the_mean_of_a_cell_counts_as_much_as_an_encoder_keeps_of_it(side: int, weight: float) -> None:
    """A cell of 64 samples counts whole, one of 16 half: so much farther noise moves its mean."""
    word = signed(frame(), [8, 8, side, side], CODING)

    assert unlike(word, frame(), CODING) == (0.0, 0.0)
    assert unlike(word, frame(SHIFT), CODING)[0] == pytest.approx(SHIFT * weight)
    assert rect_of(word) == [8, 8, side, side]
