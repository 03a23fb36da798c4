"""Other ids for the parameter sets of an HEVC stream, so that it fits into one that has sets of its own.

x265 gives its sets the id 0, as nearly every encoder does. Of two sets with one id the later wins, so a stretch
from another encoder would take the sets of all that follows away. Ids that take 9 bits instead of 1 move what
follows them by a whole byte: slices stay aligned, and nothing but their ids has to be understood.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipelines.media.nal import Hevc, bits_of, bytes_of, escape, golomb_at, golomb_of, kind_of, unescape
from pipelines.media.parameter_sets import HEAD_BYTES, ParameterSets, id_place, set_id

HEADER_BITS = 16
IRAP_KINDS = range(16, 24)  # slices from which decoding can begin
SLICE_KINDS = range(32)
VPS_IDS, SPS_IDS, PPS_IDS = range(1, 16), range(15, 16), range(15, 31)  # those of 9 bits; a VPS has always 4
MORE_SPS_IDS = range(14, 0, -1)  # of fewer: what follows them in a set is moved by bits


class NoFreeIdError(ValueError):
    """A stream has sets of every id that could be given."""


@dataclass(frozen=True, slots=True)
class HevcIds:
    """The ids that the sets of a stretch get."""

    vps: int
    sps: int
    pps: int


def free_ids(sets: ParameterSets) -> HevcIds:
    """Ids that no set of a stream has; of the only SPS that can be had, also one that is there already.

    It is our own then, of a delivery that is dubbed once more, if it comes out the same again.

    Raises:
        NoFreeIdError: there is none left.
    """
    pps = first_free(PPS_IDS, sets.ids(Hevc.PPS))
    for unit in sets.sets.get(Hevc.SPS, ()):
        if set_id(unit, "hevc") in SPS_IDS:
            return HevcIds(unescape(unit[:HEAD_BYTES])[2] >> 4, SPS_IDS[0], pps)
    return HevcIds(first_free(VPS_IDS, sets.ids(Hevc.VPS)), SPS_IDS[0], pps)


def another(sets: ParameterSets, taken: Sequence[HevcIds]) -> HevcIds:
    """Ids for one more kind of stretches, beside what a stream has and other stretches got; they share a VPS.

    Raises:
        NoFreeIdError: there is none left.
    """
    sps = first_free(MORE_SPS_IDS, sets.ids(Hevc.SPS) | {ids.sps for ids in taken})
    return HevcIds(taken[0].vps, sps, first_free(PPS_IDS, sets.ids(Hevc.PPS) | {ids.pps for ids in taken}))


def first_free(wanted: Iterable[int], taken: set[int]) -> int:
    """The first id that is not taken.

    Raises:
        NoFreeIdError: all are.
    """
    for value in wanted:
        if value not in taken:
            return value
    raise NoFreeIdError("no id is left for another parameter set")


def renumber(unit: bytes, ids: HevcIds) -> bytes:
    """The NAL unit of a stream whose sets all have the id 0, with other ids (ITU-T H.265, 7.3.2 and 7.3.6.1)."""
    kind, payload = kind_of(unit, "hevc"), unescape(unit)
    if kind == Hevc.VPS:
        return escape(_with_vps(payload, ids.vps))
    if kind == Hevc.SPS:
        place = id_place(unit, "hevc")
        return escape(_with_id_in_set(_with_vps(payload, ids.vps), place, ids.sps))
    if kind == Hevc.PPS:
        named = _with_id(payload, HEADER_BITS, ids.pps)
        return escape(_with_id_in_set(named, HEADER_BITS + len(golomb_of(ids.pps)), ids.sps))
    if kind in SLICE_KINDS:
        flags = 2 if kind in IRAP_KINDS else 1  # first slice of its picture; what becomes of earlier pictures
        return escape(_with_id(payload, HEADER_BITS + flags, ids.pps))
    return unit


def _with_vps(payload: bytes, vps: int) -> bytes:
    return payload[:2] + bytes([vps << 4 | payload[2] & 15]) + payload[3:]


def _with_id_in_set(payload: bytes, place: int, value: int) -> bytes:
    """The same of a set, whose end may move by bits: a one and zeros up to a whole byte (7.3.2.11)."""
    bits = bits_of(payload)
    old = golomb_at(bits, place)
    moved = (bits[:place] + golomb_of(value) + bits[place + old.num_bits :]).rstrip("0")
    return bytes_of(moved + "0" * (-len(moved) % 8))


def _with_id(payload: bytes, place: int, value: int) -> bytes:
    """The payload with another Exp-Golomb code at a place, which makes it longer by whole bytes."""
    head = bits_of(payload[:HEAD_BYTES])
    old = golomb_at(head, place)
    longer = head[:place] + golomb_of(value) + head[place + old.num_bits :]
    if len(longer) % 8:
        raise ValueError(f"id {old.value} cannot become {value}: what follows would lose its alignment")
    return bytes_of(longer) + payload[HEAD_BYTES:]
