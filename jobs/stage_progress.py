"""How far one stage is: pieces and frames, done and expected, its pace and what is left."""

from collections import Counter
from dataclasses import dataclass, field

from pipelines.progress import Event

Piece = tuple[str, str, int | None]  # title, language, shot


@dataclass(slots=True)
class StageProgress:
    """Counts the events of one stage. Frames of a piece that goes on count at once, and once only."""

    began: float  # of a clock, in seconds
    pieces: int = 0
    expected_pieces: int = 0  # 0: not known
    frames: int = 0  # done or found done
    expected_frames: int = 0  # 0: not known
    worked_pieces: int = 0  # done in this run
    worked_frames: int = 0
    _open: Counter[Piece] = field(default_factory=Counter)  # frames that were told of pieces that go on

    def see(self, event: Event) -> None:
        """Count an event."""
        piece = (event.title, event.language, event.shot_index)
        fresh = event.num_frames
        if event.partial:
            self._open[piece] += fresh
        else:
            self.pieces += event.num_pieces
            self.worked_pieces += 0 if event.cached else event.num_pieces
            fresh = max(0, fresh - self._open.pop(piece, 0))
        self.frames += fresh
        self.worked_frames += 0 if event.cached else fresh

    @property
    def done(self) -> int:
        """Frames where it is known how many there will be, else pieces."""
        return min(self.frames, self.expected_frames) if self.expected_frames else self.pieces

    @property
    def expected(self) -> int:
        """In the unit of `done`; 0 when it is not known."""
        return self.expected_frames or self.expected_pieces

    @property
    def unit(self) -> str:
        """Of `done`, for people."""
        return " frames" if self.expected_frames else ""

    @property
    def finished(self) -> bool:
        """Whether nothing more is expected."""
        return self.pieces == self.expected_pieces if self.expected_pieces else self.done == self.expected

    def rate(self, now: float) -> float:
        """Frames a second since the stage began, without those found done."""
        return self.worked_frames / (now - self.began) if now > self.began else 0.0

    def remaining_s(self, now: float) -> float | None:
        """Seconds to go at this pace; None when that cannot be said."""
        left = self.expected - self.done
        worked = self.worked_frames if self.expected_frames else self.worked_pieces
        return (now - self.began) / worked * left if worked and left > 0 and now > self.began else None
