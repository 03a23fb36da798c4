"""How well lag and drift that were put in are found, and how fast a dub is made ready; exit 1 if a claim fails.

    python -m benchmarks.align [--cases 200] [--first 0] [--minutes 10 100] [--films]

Cases: soundtracks of a minute, made of chance, that share music and effects at a level of chance under different
voices; the mix is late or early by up to 2 s, and in time, at a rate with a name, or at any rate within 4.2 %. What is
told as sure must be right within 1 ms and 20 ppm. Then a sheet of a line every six seconds over so many minutes is
placed, and a stem in stereo as long is listened to (decoded, its loudness and peaks measured, its speech found), each
in a process of its own: how much faster than it plays, and the most memory that was held. 100 minutes must go 20 times
as fast at least, and hold at most 1.15 times as much as the shortest. With --films, films of ten minutes with music in
a part of them must be found, and films of a minute whose music is a loop must not be sure.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.claim import Claim, all_hold
from pipelines.conform_fit import NAMED_RATES, fit_conform
from pipelines.cue_sheet import cue_lines, sheet_digest
from pipelines.media.sound import read_mono, write_wav
from pipelines.media.wave64 import write_wave64
from pipelines.placed_take import TakeConfig
from pipelines.sound_check import measure_sound
from pipelines.speech import SpeechConfig, find_speech, stored_speech
from pipelines.stage import Row
from pipelines.storage import ObjectStore
from pipelines.stored_sound import stored_sound
from pipelines.takes import PlaceTakes
from schemas.film import FILM
from schemas.line import STEM_RATE_HZ
from schemas.timing import ANALYSIS_RATE_HZ
from tests.shared_sound import Floats, laid, music, speech

TAKE = Path(__file__).parents[1] / "jobs" / "demo_takes" / "lecturer.ogg"
CASE_S, MAX_LAG_S = 60.0, 2.0
MAX_LAG_ERROR_S, MAX_RATE_ERROR = 1e-3, 20e-6
LONG_MINUTES, LEAST_FASTER, MAX_MEMORY_RATIO = 100, 20.0, 1.15
MUSIC_SHARES, FILMS_A_SHARE, FILM_S = (0.5, 0.3, 0.15), 4, 600.0
LOOPS = 15

Found = dict[str, float | bool]
Took = dict[str, float]
LINE_EVERY_S, TAKE_S = 6, 3.0


def random_case(seed: int) -> Found:
    """One soundtrack and mix, and what was found of them."""
    rng = np.random.default_rng(seed)
    level = float(10 ** rng.uniform(-1.2, 0))
    shared = level * music(rng, CASE_S)
    original, mix = shared + speech(rng, CASE_S), shared + speech(rng, CASE_S)
    rates = [1.0, float(rng.choice([float(rate) for rate in NAMED_RATES])), rng.uniform(0.958, 1.042)]
    rate = float(rng.choice(rates))
    mix, lag_s = laid(mix, rate, float(rng.uniform(-MAX_LAG_S, MAX_LAG_S)))
    return _searched(original, mix, rate, lag_s) | {"level": level}


def film_of_some_music(share: float, seed: int) -> Found:
    """Ten minutes, a second late, whose music plays in five stretches that make up a share of them."""
    rng = np.random.default_rng(seed)
    shared = music(rng, FILM_S)
    times = np.arange(len(shared)) / ANALYSIS_RATE_HZ
    shared *= (times + rng.uniform(0, FILM_S / 5)) % (FILM_S / 5) < share * FILM_S / 5
    mix, lag_s = laid(shared + speech(rng, FILM_S), 1.0, 1.0)
    return _searched(shared + speech(rng, FILM_S), mix, 1.0, lag_s)


def film_of_a_loop(seed: int) -> Found:
    """A minute, somewhere within the most lag, whose music repeats every 0.5 to 2 s, at a level of chance."""
    rng = np.random.default_rng(seed)
    loop = np.resize(music(rng, rng.uniform(0.5, 2.0)), round(CASE_S * ANALYSIS_RATE_HZ))
    loop = (float(10 ** rng.uniform(-1, 0.3)) * loop).astype(np.float32)
    mix, lag_s = laid(loop + speech(rng, CASE_S), 1.0, float(rng.uniform(-MAX_LAG_S, MAX_LAG_S)))
    return _searched(loop + speech(rng, CASE_S), mix, 1.0, lag_s)


def _searched(original: Floats, mix: Floats, rate: float, lag_s: float) -> Found:
    begin = time.monotonic()
    found = fit_conform(original.astype(np.float32), mix, MAX_LAG_S)
    return {
        "lag_error_s": abs(found.lag_s - lag_s),
        "rate_error": abs(found.rate - rate),
        "is_sure": found.is_sure,
        "seconds": time.monotonic() - begin,
    }


def is_right(case: Found) -> bool:
    """Whether lag and rate are what was put in."""
    return case["lag_error_s"] <= MAX_LAG_ERROR_S and case["rate_error"] <= MAX_RATE_ERROR


def claims_of_cases(cases: Sequence[Found]) -> list[Claim]:
    """That no case is sure and wrong; nothing is proved where none is sure.

    Args:
        cases: as `random_case` finds them.
    """
    sure = [case for case in cases if case["is_sure"]]
    wrong = [case for case in sure if not is_right(case)]
    about = f"none of the sure ones wrong by more than {1e3 * MAX_LAG_ERROR_S:g} ms or {1e6 * MAX_RATE_ERROR:g} ppm"
    return [Claim(about, f"{len(wrong)} of {len(sure)} sure ones, of {len(cases)}", bool(sure) and not wrong)]


def claims_of_films(some_music: Sequence[Found], loops: Sequence[Found]) -> list[Claim]:
    """That all films with some music are found, and none whose music is a loop is sure.

    Args:
        some_music: as `film_of_some_music` finds them.
        loops: as `film_of_a_loop` does.
    """
    found = sum(bool(case["is_sure"]) and is_right(case) for case in some_music)
    sure = sum(bool(case["is_sure"]) for case in loops)
    shares = ", ".join(f"{share:.0%}" for share in MUSIC_SHARES)
    return [
        Claim(f"ten minutes with music in {shares} found", f"{found} of {len(some_music)}", found == len(some_music)),
        Claim("none sure whose music is all a loop", f"{sure} of {len(loops)}", not sure),
    ]


def claims_of_processes(took: Mapping[tuple[str, int], Took]) -> list[Claim]:
    """How fast and in how much memory long dubs are made ready; none where nothing so long was made ready.

    Args:
        took: seconds and MiB of each kind and so many minutes, as `placed` and `heard` give them.
    """
    found = []
    for kind, minutes in took:
        shortest = min(other for named, other in took if named == kind)
        if minutes >= LONG_MINUTES:
            faster = 60 * minutes / took[kind, minutes]["seconds"]
            told = f"{faster:.1f} times, at least {LEAST_FASTER:g}"
            found.append(Claim(f"{minutes} minutes {kind} faster than they play", told, faster >= LEAST_FASTER))
        if minutes >= LONG_MINUTES > shortest:
            ratio = took[kind, minutes]["most_mib"] / took[kind, shortest]["most_mib"]
            told = f"{ratio:.2f} times, at most {MAX_MEMORY_RATIO:g}"
            about = f"memory of {minutes} minutes {kind} over that of {shortest}"
            found.append(Claim(about, told, ratio <= MAX_MEMORY_RATIO))
    return found


def report_cases(cases: Sequence[Found]) -> None:
    """Print what came of all cases."""
    sure = [case for case in cases if case["is_sure"]]
    print(f"cases: {len(cases)}, sure: {len(sure)}")
    for low, high in ((0.06, 0.15), (0.15, 0.4), (0.4, 1.0)):
        found = [bool(case["is_sure"]) for case in cases if low <= case["level"] < high]
        print(f"  music and effects at {low} to {high}: sure {sum(found)} of {len(found)}")
    if sure:
        print(f"largest error of a sure one: {1e3 * max(case['lag_error_s'] for case in sure):.3f} ms, ", end="")
        print(f"{1e6 * max(case['rate_error'] for case in sure):.1f} ppm")
    print(f"seconds a case: {np.mean([case['seconds'] for case in cases]):.1f}")


def placed(folder: Path, minutes: int) -> Took:
    """Seconds that a sheet took to be placed, and MiB held before and at most."""
    rng = np.random.default_rng(0)
    write_wav(folder / "take.wav", speech(rng, TAKE_S, STEM_RATE_HZ), STEM_RATE_HZ)
    starts = range(0, 60 * minutes, LINE_EVERY_S)
    lines = "\n".join(f"{start},{start + TAKE_S - 0.2},take.wav" for start in starts)
    (folder / "sheet.csv").write_text(f"start,end,take\n{lines}\n")
    assert len(cue_lines(folder / "sheet.csv")) == len(starts)
    row: Row = dict.fromkeys(FILM.names) | {
        "sheet_uri": str(folder / "sheet.csv"),
        "sheet_digest": sheet_digest(folder / "sheet.csv"),
        "start_pts": 0,
        "end_pts": 25 * 60 * minutes,
        "time_base": {"num": 1, "den": 25},
    }
    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.monotonic()
    PlaceTakes(str(folder / "work"), TakeConfig()).facts(row)
    seconds, most = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "before_mib": before, "most_mib": most}


def heard(folder: Path, minutes: int) -> Took:
    """Seconds that a stem took to be listened to, and MiB held before and at most."""
    take = read_mono(TAKE, STEM_RATE_HZ)
    minute = np.resize(np.pad(take, (0, STEM_RATE_HZ)), 60 * STEM_RATE_HZ).astype(np.float32)
    stem = folder / "stem.w64"
    with stem.open("wb") as file:
        write_wave64(file, (np.stack([minute, minute]) for _ in range(minutes)), STEM_RATE_HZ, "stereo")
    store, config = ObjectStore(str(folder / "work")), SpeechConfig()
    find_speech(np.zeros(6 * ANALYSIS_RATE_HZ, np.float32), config)  # the model is loaded once
    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.monotonic()
    stored_sound(store, "stem", stem)
    decoded = time.monotonic() - begin
    measure_sound(stem)
    measured = time.monotonic() - begin - decoded
    stored_speech(store, "stem", stem, config)
    seconds, most = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    times = {"decoded_s": decoded, "measured_s": measured, "speech_s": seconds - decoded - measured}
    return {"seconds": seconds, "before_mib": before, "most_mib": most, **times}


def report_process(kind: str, minutes: int) -> Took:
    """Run one of the parts in a process of its own, and print what it took."""
    command = [sys.executable, "-m", "benchmarks.align", "--part", kind, str(minutes)]
    took: Took = json.loads(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    )
    faster = 60 * minutes / took["seconds"]
    print(f"{minutes} minutes {kind} in {took['seconds']:.1f} s, {faster:.1f} times as fast as they play; ", end="")
    print(f"{took['before_mib']:.0f} MiB before, {took['most_mib']:.0f} at most", end="")
    print("".join(f"; {name} {took[name]:.1f}" for name in ("decoded_s", "measured_s", "speech_s") if name in took))
    return took


PARTS = {"placed": placed, "heard": heard}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="seed of the first case")
    parser.add_argument("--minutes", type=int, nargs="*", default=[10, 100])
    parser.add_argument("--films", action="store_true", help="long films of little music, and films of a loop, too")
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.part:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(PARTS[chosen.part[0]](Path(folder), int(chosen.part[1]))))
        return
    found = list[Claim]()
    if chosen.cases:
        cases = [random_case(seed) for seed in range(chosen.first, chosen.first + chosen.cases)]
        report_cases(cases)
        found += claims_of_cases(cases)
    if chosen.films:
        seeds = range(FILMS_A_SHARE)
        some_music = [film_of_some_music(share, seed) for share in MUSIC_SHARES for seed in seeds]
        found += claims_of_films(some_music, [film_of_a_loop(seed) for seed in range(LOOPS)])
    asked = [(kind, minutes) for minutes in chosen.minutes for kind in PARTS]
    found += claims_of_processes({one: report_process(*one) for one in asked})
    sys.exit(not all_hold(found))


if __name__ == "__main__":
    main()
