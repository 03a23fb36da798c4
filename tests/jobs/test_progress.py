"""Progress in a log is a line now and then; a message is never lost; quiet is quiet."""

import io

from rich.console import Console
from rich.progress import Progress

from jobs.progress import LINE_EVERY_S, PlainLog, ProgressBoard, several, shown_progress
from jobs.stage_progress import StageProgress
from jobs.tally import Tally
from pipelines.progress import Event


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def painted(frames: int = 24, **facts: object) -> Event:
    return Event(stage="paint", title="film", num_frames=frames, seconds=1.0, **facts)  # type: ignore[arg-type]


def test_a_log_speaks_at_first_then_seldom_then_at_the_end() -> None:
    lines: list[str] = []
    clock = Clock()
    log = PlainLog(lines.append, clock)
    log.expect("paint", 30)
    for _ in range(30):
        log(painted())
        clock.now += LINE_EVERY_S / 8

    assert len(lines) == 5
    assert lines[0].startswith("painting mouths: 1 of 30")
    assert "s to go" in lines[1]
    assert "30 of 30" in lines[-1]


def test_the_frame_rate_leaves_out_what_was_found_done() -> None:
    lines: list[str] = []
    clock = Clock()
    log = PlainLog(lines.append, clock)
    log(painted(frames=1000, cached=True))
    clock.now += LINE_EVERY_S
    log(painted(frames=110))  # 110 frames in the 11 s since the first event began

    assert "10.0 frames/s" in lines[-1]


def test_a_message_is_always_shown() -> None:
    lines: list[str] = []
    log = PlainLog(lines.append, Clock())
    for _ in range(3):
        log(painted(message="a worker died"))
    assert lines.count("film: a worker died\n") == 3


def test_the_board_counts_pieces_of_every_stage() -> None:
    sink = io.StringIO()
    with Progress(console=Console(file=sink)) as progress:
        board = ProgressBoard(progress)
        board.expect("paint", 2)
        board(painted())
        board(Event(stage="stitch", title="[bold]film", message="[/] no markup"))
    assert [(task.completed, task.total) for task in progress.tasks] == [(1, 2), (1, None)]
    assert "[/] no markup" in sink.getvalue()


def test_frames_of_a_shot_that_goes_on_count_at_once_and_once_only() -> None:
    lines: list[str] = []
    clock = Clock()
    log = PlainLog(lines.append, clock)
    log.expect("paint", 2, 100)
    log(painted(frames=20, partial=True))
    clock.now += LINE_EVERY_S
    log(painted(frames=20, partial=True))
    log(painted(frames=60))
    clock.now += LINE_EVERY_S
    log(painted(frames=40))

    assert [line.partition(",")[0] for line in lines] == [
        "painting mouths: 20 of 100 frames",
        "painting mouths: 40 of 100 frames",
        "painting mouths: 100 of 100 frames",
    ]


def test_the_time_to_go_follows_the_frames_that_are_left() -> None:
    counted = StageProgress(began=0.0, expected_frames=100)
    assert counted.remaining_s(10.0) is None
    counted.see(painted(frames=30, cached=True))
    counted.see(painted(frames=20, partial=True))
    assert counted.remaining_s(10.0) == 25.0  # 20 frames took 10 s, 50 are left


def test_the_time_to_go_does_not_count_pieces_that_were_found() -> None:
    counted = StageProgress(began=0.0, expected_pieces=100)
    counted.see(Event(stage="clips", title="found", num_pieces=50, cached=True))
    counted.see(Event(stage="clips", title="cut", num_pieces=10))
    assert (counted.done, counted.remaining_s(10.0)) == (60, 40.0)  # 10 pieces took 10 s, 40 are left


def test_quiet_shows_nothing(capfd: object) -> None:
    with shown_progress(quiet=True) as display:
        display.expect("paint", 1)
        display(painted(message="hello"))
    assert capfd.readouterr() == ("", "")  # type: ignore[attr-defined]


def test_a_tally_sums_by_film_and_over_films() -> None:
    tally = Tally()
    tell = several(tally)
    tell(painted())
    tell(painted(frames=5, partial=True))
    tell(painted(cached=True, peak_mib=700.0))
    tell(Event(stage="paint", title="other", num_frames=6, seconds=0.5, peak_mib=300.0))

    mine, all_films = tally.of_film("film", "")["paint"], tally.of_job()["paint"]
    assert (mine.done, mine.cached, mine.num_frames, mine.seconds) == (2, 1, 48, 2.0)
    assert (all_films.done, all_films.num_frames, all_films.seconds, all_films.peak_mib) == (3, 54, 2.5, 700.0)
