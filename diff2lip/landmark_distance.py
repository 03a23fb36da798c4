"""LMD: how far painted lips lie from where they should be."""

from enum import StrEnum

import torch
from torch import Tensor


class Alignment(StrEnum):
    """What is taken out before two sets of landmarks are compared."""

    TRANSLATION = "translation"  # as published: the two mean points are brought together
    SIMILARITY = "similarity"  # place, size and turn of the head: for two people, or two poses


def lmd(painted: Tensor, truth: Tensor, alignment: Alignment = Alignment.TRANSLATION) -> Tensor:
    """Landmark distance of each frame: the mean Euclidean distance of its points after alignment.

    Chen, Li, Maddox, Duan & Xu, "Lip Movements Generation at a Glance" (2018), section 4.2, whose alignment by the
    mean points is the default, so that figures stay comparable with published ones. It leaves the size and the turn
    of the head in: where the truth is another person (crossed pairs), `SIMILARITY` compares the shapes alone.

    Args:
        painted: [F, P, 2] mouth landmarks in px.
        truth: [F, P, 2] the same points of the true mouth.
        alignment: what is taken out.

    Returns:
        [F] float64 in px of the truth; a film's LMD is their mean.

    Raises:
        ValueError: the shapes differ, or hold no points.
    """
    if painted.shape != truth.shape or painted.ndim != 3 or painted.shape[-1] != 2 or not painted.shape[1]:
        raise ValueError(f"landmarks must be [F, P, 2] alike, got {list(painted.shape)} and {list(truth.shape)}")
    found, wanted = (points.double() - points.double().mean(1, keepdim=True) for points in (painted, truth))
    if alignment is Alignment.SIMILARITY:
        found = _turned_and_scaled(found, wanted)
    return (found - wanted).square().sum(-1).sqrt().mean(-1)


def _turned_and_scaled(found: Tensor, wanted: Tensor) -> Tensor:
    """Centred points [F, P, 2] turned and scaled onto the wanted ones, in the least squares.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns" (1991), Eq. 40-42.
    """
    u, singular, vt = torch.linalg.svd(wanted.mT @ found)
    signs = torch.ones_like(singular)
    signs[:, -1] = torch.det(u @ vt).sign()  # a turn, never a mirror image
    rotation = u @ (signs[:, :, None] * vt)
    spread = found.square().sum((1, 2)).clamp(min=torch.finfo(found.dtype).tiny)  # all points in one: nothing to scale
    scale = (singular * signs).sum(1) / spread
    return torch.as_tensor(scale[:, None, None] * found @ rotation.mT)
