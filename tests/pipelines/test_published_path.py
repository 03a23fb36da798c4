"""The published path: which frames come out, what of them is painted, and what is given to the model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from diff2lip.config import CropConfig, Prediction, paper_model, small_model
from diff2lip.unet import UNet
from pipelines.face_config import DetectorConfig
from pipelines.face_detector import FaceDetector
from pipelines.face_mesh import FaceMesh
from pipelines.media.published_frames import published_frames
from pipelines.published_crops import NoFaceError
from pipelines.published_path import (
    CropChoice,
    Mode,
    PaintedFrame,
    PublishedConfig,
    PublishedPath,
    TooShortError,
    config_for,
    crop_of,
    published_noise,
    silent_windows,
)
from tests.portraits import talking_portrait
from tests.synthetic import FilmSpec, make_film
from tests.tiny_model import TINY

NUM_FRAMES, NUM_PAINTED = 9, 6  # of 0.36 s, 29 mel steps: the window of frame 5 ends at step 27
QUICK = DetectorConfig(min_side_px=192, max_side_px=192)
WHOLE_FACE = replace(
    TINY,
    crop=CropConfig(size_px=32, mask_top=0.5),
    prediction=Prediction.EPS,
    shared_noise=True,
    learned_variance=True,
)


@pytest.fixture(scope="module", name="clip")
def _clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = FilmSpec(num_frames=NUM_FRAMES, cuts=(), width_px=384, height_px=384)
    return talking_portrait(tmp_path_factory.mktemp("clip") / "face.mp4", spec).film.path


def tiny_path(crop: CropChoice = CropChoice.AUTO, **settings: object) -> PublishedPath:
    model = TINY if crop is CropChoice.OWN else WHOLE_FACE
    torch.manual_seed(0)
    denoiser = UNet(model).eval()
    for parameter in denoiser.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    sampler = replace(PublishedConfig().sampler, steps=2)
    config = replace(PublishedConfig(), crop=crop, sampler=sampler, **settings)  # type: ignore[arg-type]
    return PublishedPath(denoiser, config, FaceDetector(QUICK), FaceMesh())


def painted(path: PublishedPath, clip: Path, mode: Mode = Mode.CROSS) -> list[PaintedFrame]:
    return list(path.paint(path.windows(clip), clip, mode))


def test_the_noise_is_the_published_one() -> None:
    noise = published_noise(128, 7)

    first = [-0.820135, 0.395631, 0.898908, -1.388404, -0.166996, 0.285150]  # recorded from the published code
    np.testing.assert_allclose(noise[0].flatten()[:6], first, atol=1e-6)
    assert float(noise[0].mean()) == pytest.approx(-0.005778, abs=1e-6)
    assert not torch.equal(noise[0], noise[1])


def test_a_model_gets_the_crop_and_the_sampler_that_it_was_made_for() -> None:
    assert crop_of(paper_model(), CropChoice.AUTO) is CropChoice.FACE_BOX
    assert crop_of(small_model(), CropChoice.AUTO) is CropChoice.OWN
    assert crop_of(small_model(), CropChoice.VOXCELEB2) is CropChoice.VOXCELEB2
    assert (config_for(paper_model()).sampler.steps, config_for(paper_model()).sampler.guidance) == (25, 1)
    assert config_for(small_model()).sampler.steps < 25


def test_a_clip_is_painted_as_far_as_its_sound_has_windows(clip: Path) -> None:
    frames = painted(tiny_path(), clip)

    assert len(frames) == NUM_PAINTED
    for frame, source in zip(frames, published_frames(clip), strict=False):
        assert (frame.source == source).all()
        changed = (frame.painted != frame.source).any(-1)
        rows, columns = np.nonzero(frame.part > 0)
        box_height = 2 * (rows.max() - rows.min())
        outside = changed.copy()
        outside[max(0, rows.max() - box_height) :, columns.min() : columns.max() + 1] = False
        assert not outside.any()
        assert changed[frame.part == 1].mean() > 0.9


@pytest.mark.parametrize("crop", [CropChoice.AUTO, CropChoice.OWN])
def test_reconstruction_sees_the_first_frame_alone(clip: Path, crop: CropChoice) -> None:
    frames = painted(tiny_path(crop), clip, Mode.RECONSTRUCTION)

    first = next(published_frames(clip))
    assert len(frames) == NUM_PAINTED
    assert all((frame.source == first).all() for frame in frames)
    assert any((frame.painted != frames[0].painted).any() for frame in frames)  # the sound goes on


def test_our_own_crop_leaves_all_outside_its_mask(clip: Path) -> None:
    frames = painted(tiny_path(CropChoice.OWN), clip)

    assert len(frames) == NUM_PAINTED
    for frame in frames:
        assert (frame.painted[frame.part == 0] == frame.source[frame.part == 0]).all()
        assert (frame.painted != frame.source).any()
        assert ((frame.part > 0) & (frame.part < 1)).any()


def test_some_frames_are_painted_to_silence_too(clip: Path) -> None:
    frames = painted(tiny_path(hushed_every=2), clip)

    assert [frame.hushed is not None for frame in frames] == [True, False] * (NUM_PAINTED // 2)
    silent = tiny_path()
    quiet = list(silent.paint(silent_windows(NUM_PAINTED), clip, Mode.CROSS))
    for frame, other in zip(frames[::2], quiet[::2], strict=True):
        assert frame.hushed is not None
        # The same but for the order in which a batch of another size is summed up, and the truncation after it.
        assert np.abs(frame.hushed.astype(int) - other.painted).max() <= 1


def test_where_all_frames_show_the_first_one_it_alone_is_hushed(clip: Path) -> None:
    frames = painted(tiny_path(), clip, Mode.RECONSTRUCTION)

    assert [frame.hushed is not None for frame in frames] == [True] + [False] * (NUM_PAINTED - 1)
    assert all(frame.hushed is None for frame in painted(tiny_path(hushed_every=0), clip))


def test_the_fixed_crop_needs_no_face(tmp_path: Path) -> None:
    film = make_film(tmp_path / "nobody.mp4", FilmSpec(num_frames=12, cuts=(), width_px=224, height_px=224))

    frame = painted(tiny_path(CropChoice.VOXCELEB2), film.path)[0]

    changed = (frame.painted != frame.source).any(-1)
    assert not changed[158:].any()
    assert not changed[:, :50].any()
    assert not changed[:, 174:].any()
    assert changed[79:158, 50:174].mean() > 0.9


@pytest.mark.parametrize("crop", [CropChoice.AUTO, CropChoice.OWN])
def test_a_clip_without_a_face_ends_by_name(tmp_path: Path, crop: CropChoice) -> None:
    film = make_film(tmp_path / "nobody.mp4", FilmSpec(num_frames=12, cuts=()))

    with pytest.raises(NoFaceError, match="no face in"):
        painted(tiny_path(crop), film.path)


def test_a_sound_without_a_window_ends_by_name(tmp_path: Path) -> None:
    film = make_film(tmp_path / "short.mp4", FilmSpec(num_frames=3, cuts=()))

    with pytest.raises(TooShortError, match="no mel window"):
        tiny_path().windows(film.path)


def test_published_frames_lose_a_code_where_they_are_cut_to_whole_ones() -> None:
    greys = np.zeros((1, 32, 32, 3), np.uint8)
    greys[0, :8] = np.arange(256).reshape(8, 32, 1)  # above the mask: the model returns it as it was

    codes = tiny_path().paint_crops(greys, torch.zeros(1, 80, 16))

    lost = greys[0, :8, :, 0].astype(int) - codes[0, :8, :, 0]
    assert sorted(np.unique(lost)) == [0, 1]
    assert lost.sum() == 63  # of 256 levels, as recorded from the published code
    assert (tiny_path(CropChoice.OWN).paint_crops(greys, torch.zeros(1, 80, 16))[0, :8] == greys[0, :8]).all()
