"""Makes the takes of the demo's dub with Kokoro-82M. Run once; the takes are kept in the repository.

    python -m jobs.make_demo_takes --model kokoro.onnx --vocabulary vocab.json --voices VOICES --out jobs/demo_takes

needs `espeak-ng` for the phonemes. Where model, vocabulary and voices come from is said in
`jobs/demo_takes/PROVENANCE.md`.
"""

import argparse
import importlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.demo_lines import LANGUAGE, LINES, DemoLine
from pipelines.media.opus import write_opus
from pipelines.storage import file_digest

KOKORO_RATE_HZ = 24_000
STYLE_SIZE = 256
SPEEDS = (0.75, 1.4)  # beyond, the voice slurs
QUIET = 0.004  # what is softer before and after a line is cut off
PEAK = 0.5  # -6 dBFS: dialogue level, with room in the mix
CLAUSE = re.compile(r"([,.;:!?]+)")
TIED = {"t^ʃ": "ʧ", "d^ʒ": "ʤ", "t^s": "ʦ"}  # espeak's affricates and Kokoro's letters for them

Floats = NDArray[np.float32]


class Kokoro:
    """Kokoro-82M as an ONNX session, with its letters and voices."""

    def __init__(self, model: Path, vocabulary: Path, voices: Path) -> None:
        onnxruntime: Any = importlib.import_module("onnxruntime")
        self._session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
        self._letters: dict[str, int] = json.loads(vocabulary.read_text(encoding="utf-8"))["vocab"]
        self._voices = voices

    def say(self, text: str, voice: str, speed: float) -> Floats:
        """The text spoken: [N] at 24 kHz, silence before and after cut off."""
        tokens = [self._letters[letter] for letter in phonemes(text) if letter in self._letters]
        styles = np.fromfile(self._voices / f"{voice}.bin", "<f4").reshape(-1, 1, STYLE_SIZE)
        inputs = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": styles[len(tokens)],
            "speed": np.array([speed], np.float32),
        }
        return trimmed(np.asarray(self._session.run(None, inputs)[0], np.float32).ravel())


def phonemes(text: str) -> str:
    """Spanish text in the phonetic letters of Kokoro, punctuation kept: it carries the melody."""
    parts = [part.strip() for part in CLAUSE.split(text)]
    spoken = "".join(part + " " if CLAUSE.fullmatch(part) else _espeak(part) for part in parts if part)
    return spoken.strip()


def _espeak(clause: str) -> str:
    command = ["espeak-ng", "-q", "--ipa", "--tie=^", "-v", LANGUAGE, clause]
    found = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    spoken = " ".join(found.split())
    for tied, letter in TIED.items():
        spoken = spoken.replace(tied, letter)
    return spoken.replace("^", "")


def trimmed(samples: Floats) -> Floats:
    """The samples from the first to the last that can be heard, with 30 ms around them: an s begins softly."""
    loud = np.flatnonzero(np.abs(samples) > QUIET)
    margin = round(0.03 * KOKORO_RATE_HZ)
    return samples[max(0, loud[0] - margin) : loud[-1] + margin] if len(loud) else samples[:0]


def fitted(kokoro: Kokoro, line: DemoLine) -> tuple[Floats, float]:
    """The line spoken so that it fits its length, and the speed that does it.

    Raises:
        ValueError: no natural speed makes it fit.
    """
    wanted = round(line.length_s * KOKORO_RATE_HZ)
    speed = 1.0
    for _ in range(4):
        samples = kokoro.say(line.spoken, line.voice, speed)
        if 0.9 * wanted <= len(samples) <= wanted:
            return samples, speed
        speed = float(np.clip(speed * len(samples) / (0.96 * wanted), *SPEEDS))
    if len(samples) > wanted:
        raise ValueError(f"{line.name} lasts {len(samples) / KOKORO_RATE_HZ:.2f} s, room is {float(line.length_s)} s")
    return samples, speed


def main() -> None:
    """Make every take and print what was made."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("model", "vocabulary", "voices", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    kokoro = Kokoro(given.model, given.vocabulary, given.voices)
    given.out.mkdir(parents=True, exist_ok=True)
    for line in LINES:
        samples, speed = fitted(kokoro, line)
        path = given.out / line.take.name
        write_opus(path, PEAK * samples / np.abs(samples).max(), KOKORO_RATE_HZ)
        seconds = len(samples) / KOKORO_RATE_HZ
        print(f"{path.name} | {line.voice} | {speed:.2f} | {seconds:.2f} s | {file_digest(path)} | {line.spoken}")


if __name__ == "__main__":
    main()
