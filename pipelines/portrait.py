"""Talking portraits: a still of a face whose mouth is opened and widened by known amounts.

Everything happens in the mouth frame: origin halfway between the mouth corners, u along them, v across
(down for an upright face), both in units of the corner distance. The opening a in [0, 1] parts the lips
along the seam, the parabola through the lower inner lip that is zero at the corners; the width w in [-1, 1]
moves the corners. Only torch is used, so that mouths can be warped while a model trains.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

LOWER_DROP, UPPER_LIFT = 0.55, 0.10  # how far the lip edges go at a = 1, in mouth widths
WIDTH_GAIN = 0.22  # share by which the mouth is wider at w = 1
JAW_REACH, UPPER_REACH = 1.45, 0.30  # how far the shift reaches below and above the lips
JAW_SIGMA, JAW_ONSET = 0.90, 0.85  # the lip's profile becomes the jaw's, a Gaussian; a shorter onset folds the skin
ROUNDNESS = 0.65  # 1/2 makes the open mouth an ellipse, 1 a lens
CORNER_REACH, CORNER_ABOVE, CORNER_BELOW = 0.35, 0.45, 0.80  # where the pull of the corners ends
TEETH_SHARE, TEETH_HALF_WIDTH, TEETH_MIN_GAP = 0.32, 0.38, 0.12
TEETH_SHOW_GAP = 0.07  # lips of a still parted so far begin to show its own teeth
TEETH_LEVEL = 1.35  # brightness of the teeth over that of the skin around the mouth
CAVITY = (0.34, 0.10, 0.10)  # colour of the open mouth over the brightness of the skin: dark red
SOFT_EDGE_PX = 0.8


@dataclass(frozen=True, slots=True)
class MouthFrame:
    """Four points of the face mesh per image, [B, 2] each as (x, y) in image pixels, pixel centres at integers."""

    left: Tensor
    right: Tensor
    inner_top: Tensor
    inner_bottom: Tensor

    @classmethod
    def from_points(cls, points: Tensor) -> "MouthFrame":
        """From [B, 4, 2]: left corner, right corner, inner top, inner bottom (mesh points 78, 308, 13, 14)."""
        return cls(*points.unbind(1))

    @property
    def width(self) -> Tensor:
        """[B] distance of the corners in pixels."""
        distance: Tensor = (self.right - self.left).norm(dim=-1)
        return distance.clamp(min=1e-3)

    def axes(self) -> tuple[Tensor, Tensor, Tensor]:
        """Origin, u axis and v axis of the mouth frame: [B, 2] each; the axes are one mouth width long."""
        along = self.right - self.left
        across = torch.stack([-along[:, 1], along[:, 0]], -1)
        return (self.left + self.right) / 2, along, across

    def seam(self) -> Tensor:
        """[B] height of the seam's vertex in mouth widths: the lower lip, so that teeth that show stay above it."""
        origin, _, across = self.axes()
        height: Tensor = ((self.inner_bottom - origin) * across).sum(-1) / self.width**2
        return height

    def parted(self) -> Tensor:
        """[B] gap of the inner lips in the picture, in mouth widths."""
        gap: Tensor = (self.inner_bottom - self.inner_top).norm(dim=-1) / self.width
        return gap


def warp_mouth(images: Tensor, mouth: MouthFrame, opening: Tensor, width: Tensor) -> Tensor:
    """The same faces with their mouths at the given opening and width; (0, 0) gives the images back.

    A backward map, one resampling a picture. With p(u) = (1 - (u / hw)^2)^0.65 and hw = 0.5 (1 + 0.22 w) the lower
    lip edge goes down by 0.55 a p and the upper one up by 0.10 a p, in mouth widths; jaw and chin follow, and the
    gap is filled with a dark mouth and upper teeth.

    Args:
        images: [B, 3, H, W] in [0, 1], lips closed or nearly so.
        mouth: where the mouths are in them.
        opening: [B] in [0, 1].
        width: [B] in [-1, 1].

    Returns:
        [B, 3, H, W] in [0, 1].
    """
    u, v = _mouth_coordinates(images, mouth)
    a, w = opening.view(-1, 1, 1), width.view(-1, 1, 1)
    half_width = 0.5 * (1 + WIDTH_GAIN * w)
    profile = (1 - (u / half_width) ** 2).clamp(min=0) ** ROUNDNESS
    seam = mouth.seam().view(-1, 1, 1) * (1 - (u / half_width) ** 2).clamp(min=0)
    upper, lower = seam - UPPER_LIFT * a * profile, seam + LOWER_DROP * a * profile
    shift = torch.where(
        v > (upper + lower) / 2, _jaw_shift(u, v - lower, a, profile), _lip_shift(upper - v, a, profile)
    )
    carried = _resample(images, mouth, u - _corner_shift(u, v - seam, w), v - shift)
    return _fill_gap(carried, images, mouth, (u, v), (upper, lower))


def _mouth_coordinates(images: Tensor, mouth: MouthFrame) -> tuple[Tensor, Tensor]:
    """(u, v) of every pixel: [B, H, W] each, in mouth widths."""
    height, width = images.shape[-2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=images.device, dtype=images.dtype),
        torch.arange(width, device=images.device, dtype=images.dtype),
        indexing="ij",
    )
    origin, along, across = (axis[:, :, None, None] for axis in mouth.axes())
    dx, dy = x - origin[:, 0], y - origin[:, 1]
    square = (mouth.width**2).view(-1, 1, 1)
    return (dx * along[:, 0] + dy * along[:, 1]) / square, (dx * across[:, 0] + dy * across[:, 1]) / square


def _jaw_shift(u: Tensor, below: Tensor, a: Tensor, profile: Tensor) -> Tensor:
    """How far down the pixel at `below` the lower lip edge came from above: lip, chin, then fading in the neck."""
    onset = (below / JAW_ONSET).clamp(0, 1)
    blend = onset * onset * (3 - 2 * onset)
    jaw = torch.exp(-((u / JAW_SIGMA) ** 2))
    return LOWER_DROP * a * (profile + blend * (jaw - profile)) * torch.exp(-((below.clamp(min=0) / JAW_REACH) ** 4))


def _lip_shift(above: Tensor, a: Tensor, profile: Tensor) -> Tensor:
    """The upper lip's small lift, gone before the nose; negative is up."""
    return -UPPER_LIFT * a * profile * torch.exp(-((above.clamp(min=0) / UPPER_REACH) ** 2))


def _corner_shift(u: Tensor, v: Tensor, w: Tensor) -> Tensor:
    """Sideways pull: linear up to the corners, then fading before it reaches nose and cheeks."""
    pull = (
        torch.sign(u) * (2 * u.abs()).clamp(max=1) * torch.exp(-(((u.abs() - 0.5).clamp(min=0) / CORNER_REACH) ** 2))
    )
    reach = torch.where(v < 0, CORNER_ABOVE, CORNER_BELOW)
    return 0.5 * WIDTH_GAIN * w * pull * torch.exp(-((v / reach) ** 2))


def _resample(images: Tensor, mouth: MouthFrame, u: Tensor, v: Tensor) -> Tensor:
    """The images at mouth coordinates: [B, 3, H, W]."""
    origin, along, across = (axis[:, None, None, :] for axis in mouth.axes())
    points = origin + u[..., None] * along + v[..., None] * across
    size = points.new_tensor([images.shape[-1] - 1, images.shape[-2] - 1])
    grid = 2 * points / size - 1
    return F.grid_sample(images, grid, mode="bicubic", padding_mode="border", align_corners=True).clamp(0, 1)


def _fill_gap(
    carried: Tensor, images: Tensor, mouth: MouthFrame, at: tuple[Tensor, Tensor], edges: tuple[Tensor, Tensor]
) -> Tensor:
    """The inside of the mouth painted between the lip edges, with a soft edge of `SOFT_EDGE_PX`."""
    (u, v), (upper, lower) = at, edges
    gap = lower - upper
    depth = ((v - upper) / gap.clamp(min=1e-4)).clamp(0, 1)
    softness = SOFT_EDGE_PX / mouth.width.view(-1, 1, 1)
    inside = (torch.minimum(v - upper, lower - v) / softness + 0.5).clamp(0, 1)
    inside = inside * (gap / (2 * softness)).clamp(0, 1)
    return torch.lerp(carried, _interior(images, mouth, (u, v), depth, gap), inside[:, None])


def _interior(images: Tensor, mouth: MouthFrame, at: tuple[Tensor, Tensor], depth: Tensor, gap: Tensor) -> Tensor:
    """Cavity and, unless the picture shows them itself, upper teeth, lit as the skin is: [B, 3, H, W]."""
    skin = _skin_level(images, *at)[:, None, None, None]
    cavity = images.new_tensor(CAVITY).view(1, 3, 1, 1) * skin * (1.15 - 0.75 * depth[:, None])
    arch = (1 - (at[0] / TEETH_HALF_WIDTH) ** 2).clamp(min=0)
    open_enough = ((gap.amax((1, 2), keepdim=True) - TEETH_MIN_GAP) / 0.06).clamp(0, 1)
    hidden = (2 - mouth.parted() / TEETH_SHOW_GAP).clamp(0, 1)[:, None, None]
    teeth = (
        hidden * open_enough * arch.sqrt().clamp(0, 1) * ((TEETH_SHARE * arch.sqrt() - depth) / 0.12 + 0.5).clamp(0, 1)
    )
    enamel = skin * TEETH_LEVEL * images.new_tensor([1.0, 0.96, 0.90]).view(1, 3, 1, 1) * (0.55 + 0.45 * arch[:, None])
    return torch.lerp(cavity, enamel.clamp(max=0.95), teeth[:, None])


def _skin_level(images: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """[B] mean brightness around the mouth."""
    weight = torch.exp(-(u**2 + v**2))
    return (images.mean(1) * weight).sum((1, 2)) / weight.sum((1, 2))
