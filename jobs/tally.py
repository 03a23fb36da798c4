"""What a job did, counted: seconds, frames and shots by film and stage."""

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.progress import Event


@dataclass(slots=True)
class StageCount:
    """One stage of one film."""

    done: int = 0  # pieces of work, cached ones too
    cached: int = 0
    num_frames: int = 0
    seconds: float = 0.0  # of work, summed over actors; more than the wall clock when several run
    peak_mib: float = 0.0  # the most memory that a process of the stage held


class Tally:
    """Counts finished pieces of work. It is a Listener."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], StageCount] = defaultdict(StageCount)

    def __call__(self, event: Event) -> None:
        if event.partial:
            return
        count = self._counts[event.title, event.language, event.stage]
        count.done += 1
        count.cached += event.cached
        count.num_frames += event.num_frames
        count.seconds += event.seconds
        count.peak_mib = max(count.peak_mib, event.peak_mib)

    def of_film(self, title: str, language: str) -> dict[str, StageCount]:
        """The stages of one film in one language, by name."""
        wanted = (title, language)
        return {stage: count for (*film, stage), count in self._counts.items() if tuple(film) == wanted}

    def table(self) -> list[dict[str, Any]]:
        """The stages of all films together as rows: stage, done, cached, num_frames, seconds, peak_mib."""
        return [{"stage": stage, **asdict(count)} for stage, count in self.of_job().items()]

    def of_job(self) -> dict[str, StageCount]:
        """The stages of all films together, by name."""
        total: dict[str, StageCount] = defaultdict(StageCount)
        for (*_, stage), count in self._counts.items():
            whole = total[stage]
            whole.done += count.done
            whole.cached += count.cached
            whole.num_frames += count.num_frames
            whole.seconds += count.seconds
            whole.peak_mib = max(whole.peak_mib, count.peak_mib)
        return dict(total)
