"""A claim of a benchmark: a figure, and whether it is as it must be."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """A figure, and whether it is as it must be."""

    about: str
    told: str
    holds: bool


def tell_claims(claims: Iterable[Claim]) -> bool:
    """Print every claim; whether all hold."""
    found = list(claims)
    for claim in found:
        print(f"{'holds' if claim.holds else 'FAILS'}: {claim.about}: {claim.told}")
    return all(claim.holds for claim in found)
