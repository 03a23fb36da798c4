"""An expert finds a clip's sound where it lies: here one that was made to know what it hears and sees."""

import pytest
import torch
from torch import Tensor

from diff2lip.expert_offset import MIN_FRAMES, TooShortError, expert_offset
from diff2lip.syncnet import Expert, ExpertConfig

FRAMES = 40


class Knowing(Expert):
    """Both sides give a turn of the number that the picture shows and the sound holds."""

    def __init__(self) -> None:
        super().__init__(ExpertConfig(name="knowing", face_px=(32, 64), width=8))

    def embed_faces(self, faces: Tensor) -> Tensor:
        return _turn(2 * faces.mean((1, 2, 3)) - 1)  # it is shown crops in [0, 1]

    def embed_sound(self, mel: Tensor) -> Tensor:
        return _turn(mel.mean((1, 2, 3)))


def _turn(value: Tensor) -> Tensor:
    return torch.stack([value.cos(), value.sin()], 1)


@pytest.mark.parametrize("late", [-7, -3, 0, 1, 7])
def test_the_offset_is_the_number_of_frames_by_which_the_sound_is_late(late: int) -> None:
    said = torch.randn(FRAMES + 20, generator=torch.Generator().manual_seed(0))
    shown, heard = said[10 : 10 + FRAMES], said.unfold(0, 5, 1).mean(1)[10 - late : 10 - late + FRAMES]

    frames = shown[:, None, None, None].expand(-1, 3, 64, 64)
    sounds = heard[:, None, None].expand(-1, 80, 16)

    assert expert_offset(Knowing().eval(), frames, sounds) == late


def test_a_clip_too_short_to_be_shifted_is_refused() -> None:
    with pytest.raises(TooShortError, match="18 frames, 19 are needed"):
        expert_offset(Knowing().eval(), torch.zeros(MIN_FRAMES - 1, 3, 64, 64), torch.zeros(MIN_FRAMES - 1, 80, 16))
