"""PSNR and SSIM are those of scikit-image, picture by picture."""

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from diff2lip.metrics import psnr, ssim


def pictures(height: int = 40, width: int = 52) -> tuple[torch.Tensor, torch.Tensor]:
    """Three pictures with structure, and the same with noise of growing strength."""
    generator = np.random.default_rng(0)
    waves = np.sin(np.arange(height)[:, None] / 5) + np.cos(np.arange(width) / 7)
    truth = 127 + 50 * waves + generator.normal(0, 4, (3, 3, height, width))
    painted = truth + np.array([1, 8, 40])[:, None, None, None] * generator.standard_normal(truth.shape)
    return tuple(torch.from_numpy(values.clip(0, 255).astype(np.uint8)) for values in (painted, truth))  # type: ignore[return-value]


def test_psnr_is_that_of_scikit_image() -> None:
    painted, truth = pictures()

    found = psnr(painted, truth, 255)

    wanted = [
        peak_signal_noise_ratio(y.numpy(), x.numpy(), data_range=255) for x, y in zip(painted, truth, strict=True)
    ]
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-12)


@pytest.mark.parametrize("size", [(40, 52), (11, 11), (12, 31)])
def test_ssim_is_that_of_scikit_image_with_the_window_of_the_paper(size: tuple[int, int]) -> None:
    painted, truth = pictures(*size)

    found = ssim(painted, truth, 255)

    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "channel_axis": 0}
    pairs = zip(painted, truth, strict=True)
    wanted = [structural_similarity(x.numpy(), y.numpy(), data_range=255, **options) for x, y in pairs]
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-9)


def test_the_scale_of_the_pixels_does_not_matter_when_its_range_is_said() -> None:
    painted, truth = pictures()
    crops = [picture.double() / 127.5 - 1 for picture in (painted, truth)]

    np.testing.assert_allclose(psnr(*crops, 2), psnr(painted, truth, 255), rtol=1e-9)
    with_shift = ssim(painted.double() / 255, truth.double() / 255, 1)  # SSIM knows where zero is: only a scale
    np.testing.assert_allclose(with_shift, ssim(painted, truth, 255), rtol=1e-9)


def test_equal_pictures_are_infinitely_and_wholly_alike() -> None:
    _, truth = pictures()

    assert torch.isinf(psnr(truth, truth, 255)).all()
    np.testing.assert_allclose(ssim(truth, truth, 255), 1, rtol=1e-12)


def test_a_known_error_has_its_known_ratio() -> None:
    truth = torch.zeros(1, 3, 16, 16)

    assert float(psnr(truth + 0.1, truth, 1)) == pytest.approx(20, abs=1e-5)  # 10 log10(1 / 0.01)


def test_pictures_that_do_not_compare_are_refused() -> None:
    with pytest.raises(ValueError, match=r"alike, got \[1, 3, 16, 16\] and \[1, 3, 16, 17\]"):
        psnr(torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 17), 1)
    with pytest.raises(ValueError, match="windows of 11 px"):
        ssim(torch.zeros(1, 3, 10, 16), torch.zeros(1, 3, 10, 16), 1)
