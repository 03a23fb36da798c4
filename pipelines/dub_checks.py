"""Checks of the sound of the dub track: it is coded as it should be, and it is the dub, at each moment."""

from pathlib import Path

from pipelines.dub_difference import DubDifference
from pipelines.media.dub_track import DubSource, dub_track
from pipelines.media.sound import sound_format
from pipelines.proof import Check
from pipelines.sound_windows import SoundWindows

# Of channels of blocks of 11 s, up to 16 kHz. AAC gives noise above some kHz as noise of its own.
MIN_LIKENESS = 0.7  # white noise has 0.76 to 0.91
MIN_BRIEF_LIKENESS = 0.35  # of blocks of less than 3 s: white noise in four channels has 0.51
MAX_LEVEL_DB = 3.0  # white noise at full scale loses 1.2 dB
# Of windows of 0.15 s, up to 4 kHz. In AAC as it is delivered speech has 0.99 and 0.2 dB at worst.
MIN_WINDOW_LIKENESS = 0.85  # white noise has 0.94
MAX_WINDOW_LEVEL_DB = 1.5  # of a lossless dub, and of all windows of a block together: white noise has 0.8
MAX_LOSSY_WINDOW_LEVEL_DB = 2.5  # of one window: white noise in four channels has 1.4
MAX_RMS_IN_SILENCE = 4e-3  # what a codec may make of what was too soft to compare: 1.2e-3 before a sudden tone
MAX_LOSSLESS = 2**-22  # two codes of 24 bits


def dub_sound(heard: DubDifference) -> Check:
    """The dub is heard when it should be, as loud as it should be, to the film's end; to the bit where it can be."""
    likeness, level_db = min(heard.likeness, default=1.0), max(heard.level_db, key=abs, default=0.0)
    brief, windows = min(heard.brief_likeness, default=1.0), heard.windows
    lag = max(heard.lag_samples, heard.worst_lag_samples, key=abs)
    ok = abs(lag) <= heard.tolerance_samples and likeness >= MIN_LIKENESS and brief >= MIN_BRIEF_LIKENESS
    ok = ok and abs(level_db) <= MAX_LEVEL_DB and _are_alike(windows, heard.is_lossless)
    ok = ok and not (heard.is_lossless and heard.largest > MAX_LOSSLESS)
    said = f"{lag} samples late, likeness {min(likeness, brief):.2f}, level {level_db:+.1f} dB"
    said += f", {windows.loudest_in_silence:.4f} where silence is due; of {windows.num_windows} windows the worst"
    said += f" {windows.likeness_min:.2f} and {windows.level_db_max:+.1f} dB, at {windows.worst_s:.2f} s"
    said += f", together {windows.together_db_max:+.1f} dB"
    said += f"; samples up to {heard.largest:.1e} apart" if heard.is_lossless else ""
    return Check("dub_sound", ok, said)


def _are_alike(windows: SoundWindows, is_lossless: bool) -> bool:
    most_db = MAX_WINDOW_LEVEL_DB if is_lossless else MAX_LOSSY_WINDOW_LEVEL_DB
    is_level = abs(windows.level_db_max) <= most_db and abs(windows.together_db_max) <= MAX_WINDOW_LEVEL_DB
    is_like = windows.likeness_min >= MIN_WINDOW_LIKENESS
    return is_level and is_like and windows.loudest_in_silence <= MAX_RMS_IN_SILENCE


def dub_form(delivered: Path, given: DubSource) -> Check:
    """The dub track has the codec, the rate and the channels that the film's own sound and the dub's ask for."""
    wanted, found = dub_track(given, delivered.suffix), sound_format(delivered)
    asked = f"{wanted.codec}, {wanted.sample_rate_hz} Hz, {wanted.layout}"
    is_there = f"{found.codec}, {found.sample_rate_hz} Hz, {found.layout}"
    return Check("dub_form", asked == is_there, "equal" if asked == is_there else f"{asked} became {is_there}")
