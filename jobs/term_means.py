"""The terms of a loss over some steps: those of one batch say more of its noise level than of the network."""


class TermMeans:
    """Means of each term since they were asked for last."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._steps = 0

    def add(self, terms: dict[str, float]) -> None:
        """The terms of one step."""
        self._steps += 1
        for name, value in terms.items():
            self._sums[name] = self._sums.get(name, 0.0) + value

    def take(self) -> dict[str, float]:
        """The means over the steps added since; at least one was."""
        means = {name: total / self._steps for name, total in self._sums.items()}
        self._sums, self._steps = {}, 0
        return means
