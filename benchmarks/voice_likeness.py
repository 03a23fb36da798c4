"""How alike two pieces of one voice are, and of two: the fits that `pipelines.people_voices` judges by.

    python -m benchmarks.voice_likeness --packages PACKAGES [--speakers FOLDER]

Three kinds of voices: real people (two men in three clips, and those of FOLDER, a folder of sounds for each: the
recordings of Debian's pocketsphinx-testdata are of six more), and the voices of two synthesisers, reading languages
other than English. In films of `benchmarks.who_speaks` some of the latter are heard in English; no sound is. A piece
is compared with lines of one, two and three pieces, of its own voice (not the next pieces) and of others of its kind.
Tells of each kind the share of pairs that are misjudged at the likeness that misjudges one's own and others' alike,
and the slope and the middle of a logistic fit in which own and others count alike.
"""

import argparse
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from jobs.training_reader import Voice, read_aloud, voices
from pipelines.assets import asset_path
from pipelines.media.sound import read_mono
from pipelines.speaking import speech_pieces
from pipelines.speech import find_speech
from pipelines.voice_descriptor import VoiceDescriber

Floats = NDArray[np.float64]
Speakers = dict[str, list[NDArray[np.float32]]]  # sounds of each voice

CLIPS = {"president": ("clip-obama-speech",), "lecturer": ("clip-jwp-intro", "clip-test-movie")}
READ_S = 12.0
LINE_PIECES = (1, 2, 3)


def real_speakers(folder: Path | None) -> Speakers:
    """Sounds of real people."""
    found = {name: [read_mono(asset_path(clip)) for clip in clips] for name, clips in CLIPS.items()}
    people = sorted(path for path in folder.iterdir() if path.is_dir()) if folder else []
    return found | {person.name: [read_mono(path) for path in sorted(person.iterdir())] for person in people}


def synthetic_speakers(packages: Path, synthesiser: str) -> Speakers:
    """What the voices of a synthesiser read; one voice in two languages is one."""
    found: Speakers = defaultdict(list)
    for voice in voices():
        if voice.synthesiser == synthesiser and voice.language != "en":
            dice = random.Random(f"voices {voice.name} {voice.language}")
            found[_own_name(voice)] += [said.wave for said in read_aloud(packages, voice, dice, READ_S)]
    return found


def _own_name(voice: Voice) -> str:
    """Of a variant of espeak, such as f3, which is the same in all languages."""
    return voice.name.partition("+")[2] or "plain" if voice.synthesiser == "espeak" else voice.name


def descriptors(speakers: Speakers) -> dict[str, Floats]:
    """[P, 256] of the pieces of each voice that are long enough."""
    describer, found = VoiceDescriber(), {}
    for name, sounds in speakers.items():
        pieces = [describer.describe(sound, speech_pieces(find_speech(sound).spoken)) for sound in sounds]
        found[name] = np.array([voice for of_sound in pieces for voice in of_sound if len(voice)], np.float64)
    return found


def likenesses(pieces: dict[str, Floats], size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Mean cosines of pieces and lines of so many pieces: of one voice, and of two."""
    same, apart = [], []
    for name, place, piece in ((name, place, one) for name, own in pieces.items() for place, one in enumerate(own)):
        for other, theirs in pieces.items():
            usable = [one for one in range(len(theirs)) if other != name or abs(one - place) > 1]
            if len(usable) >= size:
                line = theirs[rng.choice(usable, size, replace=False)]
                (same if other == name else apart).append(float((line @ piece).mean()))
    return np.array(same), np.array(apart)


def logistic_fit(same: Floats, apart: Floats) -> tuple[float, float]:
    """Slope and middle; both kinds of pairs count alike."""

    def loss(fit: Sequence[float]) -> float:
        slope, middle = fit
        wrong = np.logaddexp(0, slope * (middle - same)).mean() + np.logaddexp(0, slope * (apart - middle)).mean()
        return float(wrong)

    found = minimize(loss, [20.0, 0.7], method="Nelder-Mead").x
    return float(found[0]), float(found[1])


def misjudged(same: Floats, apart: Floats) -> float:
    """The equal error rate."""
    return min(max(float((same < at).mean()), float((apart >= at).mean())) for at in np.concatenate([same, apart]))


def report(kinds: dict[str, dict[str, Floats]]) -> Iterator[str]:
    """The figures, in lines."""
    for kind, pieces in kinds.items():
        for size in LINE_PIECES:
            same, apart = likenesses(pieces, size, np.random.default_rng(0))
            slope, middle = logistic_fit(same, apart)
            quantiles = (*np.quantile(same, (0.05, 0.5)), *np.quantile(apart, (0.5, 0.95)))
            yield (
                f"{kind:8} {len(pieces):2} voices, lines of {size}: {len(same)} own and {len(apart)} other pairs, "
                f"misjudged {misjudged(same, apart):.3f}, slope {slope:.0f}, middle {middle:.3f}; "
                "own 5 %, 50 %: {:.2f} {:.2f}, others' 50 %, 95 %: {:.2f} {:.2f}".format(*quantiles)
            )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", type=Path, required=True, help="folder of the package archives")
    parser.add_argument("--speakers", type=Path, help="a folder of sounds for each real person")
    chosen = parser.parse_args()
    kinds = {"real": real_speakers(chosen.speakers)}
    kinds |= {name: synthetic_speakers(chosen.packages, name) for name in ("kokoro", "espeak")}
    print(*report({kind: descriptors(speakers) for kind, speakers in kinds.items()}), sep="\n")


if __name__ == "__main__":
    main()
