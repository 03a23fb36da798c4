"""A warped mouth opens by what was asked, and nothing else of the face moves."""

import numpy as np
import pytest
import torch
from torch import Tensor

from pipelines.face_frame import mouth_opening
from pipelines.portrait import LOWER_DROP, UPPER_LIFT, MouthFrame, warp_mouth
from tests.portraits import MOUTH_PX, face_tensor, spoken_face

RAMP_MOUTH = ((44.0, 60.0), (84.0, 60.0), (64.0, 60.0), (64.0, 60.0))


def ramps(size_px: int = 128) -> Tensor:
    """[1, 3, S, S] whose red tells the column and whose green the row a pixel came from."""
    line = torch.arange(size_px) / (size_px - 1)
    column, row = line.expand(size_px, -1), line[:, None].expand(-1, size_px)
    return torch.stack([column, row, torch.full_like(row, 0.5)])[None]


def warped(image: Tensor, points: tuple[tuple[float, float], ...], opening: float, width: float = 0.0) -> Tensor:
    mouth = MouthFrame.from_points(torch.tensor([points]))
    return warp_mouth(image, mouth, torch.tensor([opening]), torch.tensor([width]))


def test_a_closed_mouth_stays_as_it_is() -> None:
    assert (warped(face_tensor(), MOUTH_PX, 0.0) - face_tensor()).abs().max() < 1 / 255


def test_the_lower_lip_goes_down_by_its_share_of_the_mouth_width() -> None:
    # Just under the lower lip edge, at 60 + 0.55 * 40 = 82, lies the skin that was at the seam, row 60.
    came_from = warped(ramps(), RAMP_MOUTH, 1.0)[0, 1, 84, 64] * 127
    assert came_from == pytest.approx(60 + 84 - (60 + LOWER_DROP * 40), abs=1.0)


def test_the_upper_lip_hardly_moves() -> None:
    came_from = warped(ramps(), RAMP_MOUTH, 1.0)[0, 1, 54, 64] * 127
    assert came_from == pytest.approx(54 + UPPER_LIFT * 40, abs=1.0)


def test_the_chin_follows_the_lip() -> None:
    came_from = warped(ramps(), RAMP_MOUTH, 1.0)[0, 1, 110, 64] * 127
    assert 110 - LOWER_DROP * 40 < came_from < 110 - 0.4 * LOWER_DROP * 40


def test_skin_is_never_folded() -> None:
    rows = warped(ramps(), RAMP_MOUTH, 1.0, -1.0)[0, 1] * 127
    outside_the_gap = [column for column in range(128) if abs(column - 64) > 18]
    assert (rows[1:, outside_the_gap] - rows[:-1, outside_the_gap]).min() > -0.05


def test_pixels_far_from_the_mouth_are_unchanged() -> None:
    change = (warped(face_tensor(), MOUTH_PX, 0.9, 0.8) - face_tensor()).abs()[0].amax(0)
    assert change[:150].max() < 2 / 255  # eyes and brow


def test_what_lies_two_mouth_widths_aside_moves_less_than_a_fifth_of_a_pixel() -> None:
    image, middle = ramps(256), tuple((x + 64, y + 40) for x, y in RAMP_MOUTH)
    moved = (warped(image, middle, 1.0, 1.0) - image).abs()[0].amax(0) * 255
    assert max(moved[:, :48].max(), moved[:, -48:].max()) < 0.2


def test_width_moves_the_corners_apart() -> None:
    line = warped(ramps(), RAMP_MOUTH, 0.0, 1.0)[0, 0, 60] * 127
    assert line[88] == pytest.approx(84, abs=1.0)  # the right corner went from 84 to 64 + 20 * 1.22
    assert line[40] == pytest.approx(44, abs=1.0)


def test_each_face_of_a_batch_gets_its_own_mouth() -> None:
    images = face_tensor().expand(2, -1, -1, -1)
    mouth = MouthFrame.from_points(torch.tensor([MOUTH_PX, MOUTH_PX]))
    both = warp_mouth(images, mouth, torch.tensor([0.0, 0.7]), torch.zeros(2))
    assert torch.allclose(both[:1], warped(face_tensor(), MOUTH_PX, 0.0), atol=1e-4)
    assert torch.allclose(both[1:], warped(face_tensor(), MOUTH_PX, 0.7), atol=1e-4)


def test_a_turned_head_opens_along_its_own_axis() -> None:
    turned = warped(ramps().rot90(1, (2, 3)), tuple((y, 127 - x) for x, y in RAMP_MOUTH), 0.8)
    assert torch.allclose(turned.rot90(-1, (2, 3)), warped(ramps(), RAMP_MOUTH, 0.8), atol=0.02)


@pytest.mark.assets
def test_the_face_mesh_sees_the_mouth_open_as_asked() -> None:
    from pipelines.face_detector import FaceDetector
    from pipelines.face_mesh import FaceMesh

    def measured(opening: float) -> float:
        picture = spoken_face(opening)
        face = FaceDetector().detect(picture[None])[0][0]
        return mouth_opening(FaceMesh().found(picture, face.box, face.points[:2]).landmarks)

    # She smiles with a gap of 0.2 already; beyond 0.6 the mouth is wider open than any the mesh can follow.
    openings = [measured(opening) for opening in (0.0, 0.2, 0.4, 0.6)]
    assert (np.diff(openings) > 0.03).all()
