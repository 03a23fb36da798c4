"""Visemes: how far a speaker's mouth is open, and how wide, while a phone is heard.

Opening lies in [0, 1] (0 closed lips, 1 the widest of running speech), width in [-1, 1] (-1 rounded as in "who",
1 spread as in "see"): the parameters of `pipelines.portrait.warp_mouth`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

OPENING_SIGMA_S, WIDTH_SIGMA_S = 0.030, 0.040  # coarticulation: the lips move while the phone changes
CLOSED = (0.0, 0.0)

# CMU phones in lower case, as flite and pocketsphinx name them; stress digits are cut off before the look-up.
_GROUPS: dict[str, tuple[float, float]] = {
    "aa": (1.0, 0.0),
    "ae aw ay": (0.85, 0.0),
    "ao": (0.8, -0.5),
    "oy": (0.7, -0.4),
    "ah": (0.6, 0.0),
    "eh": (0.6, 0.4),
    "ow": (0.55, -0.8),
    "ey": (0.5, 0.7),
    "hh": (0.4, 0.0),
    "er axr": (0.35, -0.4),
    "ax l el": (0.35, 0.0),
    "ih ix": (0.35, 0.5),
    "g k ng uh": (0.3, 0.0),
    "iy": (0.28, 0.9),
    "ch jh sh zh": (0.25, -0.5),
    "r y": (0.25, 0.0),
    "d n dh th dx en": (0.22, 0.0),
    "uw": (0.22, -1.0),
    "t": (0.2, 0.0),
    "s z": (0.15, 0.4),
    "w": (0.15, -1.0),
    "f v": (0.08, 0.0),
    "b p m em pau sil": CLOSED,
}
VISEMES = {phone: shape for phones, shape in _GROUPS.items() for phone in phones.split()}

# Phonemes of espeak-ng (its ASCII mnemonics, any language) in terms of the phones above.
_ESPEAK_GROUPS = {
    "aa": "A A: A@ A~ 0",
    "ae": "a a: aa E~",
    "aw": "aU &U",
    "ay": "aI aI@ aI3",
    "ao": "O O: O2 O@ o@",
    "oy": "OI OY oI",
    "ow": "o o: oU o~ O~",
    "ah": "V a# &",
    "eh": "E E: e@ EU eU",
    "ey": "e e: eI EI",
    "ax": "@ @- @2 @5 e-",
    "er": "3 3: Y Y: W W: W~",
    "ih": "I I# I2",
    "iy": "i i: i@ i@3 iU",
    "uh": "U U@ UR",
    "uw": "u u: u~ uI y y:",
    "w": "w",
    "y": "j J ; J^ l^ C",
    "r": "r r- R R2",
    "dx": "* ** t#",
    "l": "l @L",
    "g": "g g~ x Q",
    "k": "k c",
    "ng": "N",
    "hh": "h",
    "ch": "tS",
    "jh": "dZ",
    "sh": "S s#",
    "zh": "Z",
    "d": "d d[ dz",
    "n": "n n^ n-",
    "dh": "D",
    "th": "T",
    "t": "t t2 t[ ts ?",
    "s": "s ss",
    "z": "z",
    "f": "f pf",
    "v": "v",
    "b": "b B",
    "p": "p",
    "m": "m",
}
ESPEAK_PHONES = {symbol: phone for phone, symbols in _ESPEAK_GROUPS.items() for symbol in symbols.split()}


def shape_of(phone: str) -> tuple[float, float]:
    """(opening, width) of a CMU phone such as `AA1` or `pau`; a phone the table lacks counts as closed."""
    return VISEMES.get(phone.rstrip("0123456789").lower(), CLOSED)


def phone_of_espeak(symbol: str) -> str:
    """The CMU phone nearest to an espeak-ng phoneme, by its longest known beginning; `pau` when none is known."""
    bare = symbol.lstrip("',%=|")
    for length in range(len(bare), 0, -1):
        if bare[:length] in ESPEAK_PHONES:
            return ESPEAK_PHONES[bare[:length]]
    return "pau"


def viseme_track(phones: Sequence[tuple[str, float]], rate_hz: float = 100.0) -> NDArray[np.float32]:
    """The mouth while the phones are spoken, smoothed by Gaussians of 30 ms (opening) and 40 ms (width).

    The step function of the phones is convolved exactly: a phone from s to e adds its shape times
    Phi((e - t) / sigma) - Phi((s - t) / sigma) at time t. Before and after the phones the mouth is closed.

    Args:
        phones: CMU phones, each with the second at which it ends; the first starts at 0.
        rate_hz: samples a second.

    Returns:
        [T, 2] opening and width at times 0, 1 / rate_hz, ... up to the last phone's end.
    """
    ends = np.array([0.0, *(end_s for _, end_s in phones)])
    shapes = np.array([shape_of(phone) for phone, _ in phones], dtype=np.float64).reshape(-1, 2)
    times = np.arange(int(ends[-1] * rate_hz + 1e-9) + 1) / rate_hz
    tracks = [
        np.diff(ndtr((ends - times[:, None]) / sigma), axis=1) @ shapes[:, axis]
        for axis, sigma in enumerate((OPENING_SIGMA_S, WIDTH_SIGMA_S))
    ]
    return np.stack(tracks, axis=1).astype(np.float32)
