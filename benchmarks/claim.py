"""A figure that is claimed, and whether it is as it must be."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """A figure, and whether it is as it must be."""

    about: str
    told: str
    holds: bool


def all_hold(claims: Sequence[Claim]) -> bool:
    """Print every claim; whether all hold."""
    for claim in claims:
        print(f"{'holds' if claim.holds else 'FAILS'}: {claim.about}: {claim.told}")
    return all(claim.holds for claim in claims)
