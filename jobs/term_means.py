"""The terms of a loss over some steps: those of one batch say more of its noise level than of the network."""

from math import isfinite
from statistics import fmean


class TermMeans:
    """Means of each term since they were asked for last. Steps that are not finite, and move nothing, are left out."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    def add(self, terms: dict[str, float]) -> None:
        """The terms of one step."""
        for name, value in terms.items():
            self._values.setdefault(name, []).append(value)

    def take(self) -> dict[str, float]:
        """The means over the steps added since; not finite where no step's is."""
        means = {
            name: fmean([one for one in values if isfinite(one)] or values) for name, values in self._values.items()
        }
        self._values = {}
        return means
