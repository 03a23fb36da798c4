"""How fast mouths are painted where a dub would run; `rate_meter.py` measures it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PaintRate:
    """What painting takes."""

    device: str  # "cpu" or the name of a GPU
    seconds_per_frame: float  # of one actor
    actors: int  # that paint side by side

    def seconds(self, frames: int) -> float:
        """How long all actors together paint so many frames."""
        return frames * self.seconds_per_frame / self.actors
