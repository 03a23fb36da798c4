"""What stands deep in a stream's sequence parameter set: where chroma lies, the picture begins, how it is numbered.

ITU-T H.264 and H.265, 7.3.2 and E.2.1.
"""

from typing import NamedTuple

from pipelines.media.nal import bits_of, golomb_at, unescape

LONG_PROFILES = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})  # of H.264, with chroma
OWN_ASPECT = 255  # of an aspect ratio that is written out
PROFILE_BITS = 96  # profile, tier and level of HEVC without temporal layers


class Numbering(NamedTuple):
    """How the pictures of an H.264 stream are numbered: `frame_num` of each slice."""

    plane_bits: int  # that stand before the number
    num_bits: int
    may_skip: bool  # numbers are left out on purpose, as of layers that are not sent


class _Bits:
    """Reads fields one after the other."""

    def __init__(self, unit: bytes, place: int) -> None:
        self._bits, self._place = bits_of(unescape(unit)), place

    def fixed(self, width: int) -> int:
        """A number of so many bits.

        Raises:
            ValueError: the set is cut off.
        """
        end = self._place + width
        if end > len(self._bits):
            raise ValueError("a parameter set is cut off")
        value = int(self._bits[self._place : end] or "0", 2)
        self._place = end
        return value

    def golomb(self) -> int:
        """An Exp-Golomb code; of a signed one whatever it is.

        Raises:
            ValueError: the set is cut off.
        """
        number = golomb_at(self._bits, self._place)
        self._place += number.num_bits
        return number.value

    def golombs(self, count: int) -> list[int]:
        """So many of them."""
        return [self.golomb() for _ in range(count)]


def chroma_siting(sps: bytes, codec: str) -> int | None:
    """`chroma_sample_loc_type` of a sequence parameter set: 0 left, 1 centre, 2 top left, ...; None: it says none.

    Raises:
        ValueError: the set cannot be read.
    """
    bits = _before_vui_avc(sps) if codec == "h264" else _before_vui_hevc(sps)
    if not bits.fixed(1):
        return None
    if bits.fixed(1) and bits.fixed(8) == OWN_ASPECT:
        bits.fixed(32)
    if bits.fixed(1):  # overscan
        bits.fixed(1)
    if bits.fixed(1):  # kind of video
        bits.fixed(4)
        if bits.fixed(1):  # colours
            bits.fixed(24)
    return bits.golombs(2)[0] if bits.fixed(1) else None


def left_crop(sps: bytes, codec: str) -> int:
    """How many chroma samples of the coded picture lie left of what is shown, by a sequence parameter set.

    Raises:
        ValueError: the set cannot be read.
    """
    bits = _before_crop_avc(sps) if codec == "h264" else _before_crop_hevc(sps)
    return bits.golombs(4)[0] if bits.fixed(1) else 0


def numbering(sps: bytes) -> Numbering:
    """How the pictures of an H.264 stream are numbered, by its sequence parameter set.

    Raises:
        ValueError: the set cannot be read.
    """
    bits, are_apart = _before_numbers_avc(sps)
    num_bits, may_skip = _numbers_avc(bits)
    return Numbering(2 if are_apart else 0, num_bits, may_skip)


def siting_params(sps: bytes | None, codec: str, pixel_format: str | None) -> list[str]:
    """What x264 and x265 are told of where a stream says that its chroma lies; it has a meaning in 4:2:0 alone.

    Args:
        sps: a sequence parameter set of the stream.
        codec: h264 or hevc.
        pixel_format: FFmpeg's name.
    """
    if not sps or "420" not in (pixel_format or ""):
        return []
    try:
        siting = chroma_siting(sps, codec)
    except ValueError:  # of sets with matrices of their own: it is what it is elsewhere
        return []
    return [] if siting is None else [f"chromaloc={siting}"]


def _before_vui_avc(sps: bytes) -> _Bits:
    bits = _before_crop_avc(sps)
    if bits.fixed(1):
        bits.golombs(4)
    return bits


def _before_crop_avc(sps: bytes) -> _Bits:
    """ITU-T H.264, 7.3.2.1.1."""
    bits = _before_numbers_avc(sps)[0]
    _numbers_avc(bits)
    bits.golombs(2)
    if not bits.fixed(1):
        bits.fixed(1)
    bits.fixed(1)
    return bits


def _before_numbers_avc(sps: bytes) -> tuple[_Bits, bool]:
    """What says how pictures are numbered, and whether each plane of colour is a picture of its own."""
    bits, are_apart = _Bits(sps, 8), False
    profile = bits.fixed(8)
    bits.fixed(16)
    bits.golomb()
    if profile in LONG_PROFILES:
        if bits.golomb() == 3:
            are_apart = bool(bits.fixed(1))
        bits.golombs(2)
        bits.fixed(1)
        if bits.fixed(1):
            raise ValueError("scaling matrices in a parameter set")
    return bits, are_apart


def _numbers_avc(bits: _Bits) -> tuple[int, bool]:
    """How many bits the number of a picture has, and whether numbers may be left out."""
    num_bits, order = bits.golomb() + 4, bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        bits.fixed(1)
        bits.golombs(2)
        bits.golombs(bits.golomb())
    bits.golomb()
    return num_bits, bool(bits.fixed(1))


def _before_crop_hevc(sps: bytes) -> _Bits:
    """ITU-T H.265, 7.3.2.2.1."""
    bits = _Bits(sps, 16)
    bits.fixed(4)
    if bits.fixed(3):
        raise ValueError("an HEVC stream with temporal layers")
    bits.fixed(1 + PROFILE_BITS)
    bits.golomb()
    if bits.golomb() == 3:
        bits.fixed(1)
    bits.golombs(2)
    return bits


def _before_vui_hevc(sps: bytes) -> _Bits:
    bits = _before_crop_hevc(sps)
    if bits.fixed(1):
        bits.golombs(4)
    bits.golombs(2)
    order_bits = bits.golomb() + 4
    bits.fixed(1)
    bits.golombs(3 + 6)
    if bits.fixed(1) and bits.fixed(1):
        raise ValueError("scaling matrices in a parameter set")
    bits.fixed(2)
    if bits.fixed(1):
        bits.fixed(8)
        bits.golombs(2)
        bits.fixed(1)
    _skip_reference_sets(bits)
    if bits.fixed(1):
        for _ in range(bits.golomb()):
            bits.fixed(order_bits + 1)
    bits.fixed(2)
    return bits


def _skip_reference_sets(bits: _Bits) -> None:
    """ITU-T H.265, 7.3.7."""
    num_deltas = 0
    for index in range(bits.golomb()):
        if index and bits.fixed(1):
            bits.fixed(1)
            bits.golomb()
            kept = [bits.fixed(1) or bits.fixed(1) for _ in range(num_deltas + 1)]
            num_deltas = sum(kept)
        else:
            num_deltas = sum(bits.golombs(2))
            for _ in range(num_deltas):
                bits.golomb()
                bits.fixed(1)
