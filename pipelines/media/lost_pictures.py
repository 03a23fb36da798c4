"""Pictures that a stream refers to and does not have, as packets were lost on its way.

A decoder conceals them without a word: of H.264 it repeats another picture, of HEVC it shows nothing until the next
from which decoding can begin.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipelines.media.hevc_ids import IRAP_KINDS, SLICE_KINDS
from pipelines.media.nal import Avc, Hevc, bits_of, golomb_at, kind_of, split, unescape
from pipelines.media.parameter_sets import HEAD_BYTES, ParameterSets, read_sets, set_id
from pipelines.media.vui import Numbering, numbering

RASL_KINDS, END_KINDS = (8, 9), (36, 37)  # of HEVC: shown only where what is before was decoded; end of a sequence
INTRA_SLICES = (2, 4)  # of H.264: kinds of slices that refer to no other picture, I and SI
FIRST_NUMBERS = 2  # those after a picture that resets them, as an intra picture may: of that nothing is read here


class LostPictures:
    """Takes the packets of a picture in the order of decoding, and its frames; of other codecs nothing is known."""

    def __init__(self, stream: VideoStream) -> None:
        context = stream.codec_context
        self._codec = context.codec.canonical_name
        self._numbers, self._shown = _Numbers(), _Shown()
        self._sets: ParameterSets | None = None
        if self._codec in ("h264", "hevc"):
            self._sets = _declared(self._codec, context.extradata)
        self._see_declared()

    def see_packet(self, packet: "Packet[Any]") -> bool:
        """Whether pictures before this one are lost, as far as that shows at once."""
        if self._sets is None or not packet.size:
            return False
        if packet.has_sidedata("new_extradata"):  # an edited MP4 declares several sets, one after the other
            self._sets = _declared(self._codec, bytes(packet.get_sidedata("new_extradata")))
            self._see_declared()
        try:
            return self._see(split(bytes(packet), self._sets.length_bytes), packet)
        except ValueError:  # it cannot be read: its decoder says so
            return False

    def see_frame(self, frame: VideoFrame) -> None:
        """Note a frame that was decoded."""
        self._shown.waiting.discard(frame.pts)

    def unseen(self) -> list[int]:
        """Pts of packets, once all frames are decoded, of which none came."""
        return sorted(pts for pts in self._shown.waiting if pts is not None)

    def _see_declared(self) -> None:
        for unit in (unit for units in (self._sets.sets.values() if self._sets else ()) for unit in units):
            with suppress(ValueError):  # it cannot be read: its decoder says so, or the packets bring another
                self._see([unit], None)

    def _see(self, units: list[bytes], packet: "Packet[Any] | None") -> bool:
        if self._codec == "hevc":
            self._shown.see(units, packet)
            return False
        return self._numbers.see(units, is_start=packet is None or packet.is_keyframe)


def _declared(codec: str, extradata: bytes | None) -> ParameterSets:
    try:
        return read_sets(codec, extradata)
    except ValueError:
        return read_sets(codec, None)


class _Numbers:
    """The numbers of H.264 pictures: each that is referred to has the one after that before it (7.4.3)."""

    def __init__(self) -> None:
        self._numberings: dict[int, Numbering] = {}  # by id of a sequence parameter set
        self._sequences: dict[int, int] = {}  # its id, by id of a picture parameter set
        self._before: int | None = None
        self._was_intra = False

    def see(self, units: list[bytes], *, is_start: bool) -> bool:
        """Whether a number is left out before the slices among the units of a packet.

        Raises:
            ValueError: one of them cannot be read.
        """
        return any([self._see_unit(unit, is_start=is_start) for unit in units])

    def _see_unit(self, unit: bytes, *, is_start: bool) -> bool:
        kind = kind_of(unit, "h264")
        if kind == Avc.SPS:
            self._note_sequence(unit)
        elif kind == Avc.PPS:
            bits = bits_of(unescape(unit[:HEAD_BYTES]))
            pps, place = golomb_at(bits, 8).value, 8 + golomb_at(bits, 8).num_bits
            self._sequences[pps] = golomb_at(bits, place).value
        elif kind in (Avc.SLICE, Avc.IDR):
            return self._see_slice(unit, is_start=is_start)
        return False

    def _note_sequence(self, sps: bytes) -> None:
        sequence = set_id(sps, "h264")
        try:
            self._numberings[sequence] = numbering(sps)
        except ValueError:  # of sets with matrices of their own nothing is told
            self._numberings.pop(sequence, None)

    def _see_slice(self, unit: bytes, *, is_start: bool) -> bool:
        is_intra, number, coding = self._number(unit)
        if coding is None:
            self._before = None
            return False
        before, is_reference, after_intra = self._before, bool(unit[0] & 0x60), self._was_intra
        is_next = before is None or (number - before) % (1 << coding.num_bits) < 2
        if is_reference or not is_next:
            self._before = number if is_reference else (number - 1) % (1 << coding.num_bits)
            self._was_intra = is_intra
        may_begin = is_start or is_intra or (after_intra and number < FIRST_NUMBERS)
        return not (is_next or may_begin or coding.may_skip)

    def _number(self, unit: bytes) -> tuple[bool, int, Numbering | None]:
        """Whether a slice is intra, the number of its picture (7.3.3), and how that is coded; None: not known."""
        bits, place, fields = bits_of(unescape(unit[:HEAD_BYTES])), 8, list[int]()
        for _ in range(3):  # its first macroblock, its kind, its picture parameter set
            field = golomb_at(bits, place)
            fields, place = [*fields, field.value], place + field.num_bits
        coding = self._numberings.get(self._sequences.get(fields[2], -1))
        if coding is None:
            return False, 0, None
        place += coding.plane_bits
        return fields[1] % 5 in INTRA_SLICES, int(bits[place : place + coding.num_bits] or "0", 2), coding


class _Shown:
    """The packets of HEVC whose frames are still to come."""

    def __init__(self) -> None:
        self.waiting: set[int | None] = set()
        self._has_begun = False
        self._may_hide = False  # pictures may say of themselves that they are not shown

    def see(self, units: list[bytes], packet: "Packet[Any] | None") -> None:
        """Note a packet, or the parameter sets that a container declares."""
        self._may_hide |= any(_may_hide(unit) for unit in units if kind_of(unit, "hevc") == Hevc.PPS)
        slices = list(_slices(units))
        if packet is None or not slices:
            self._end(units)
            return
        kind = kind_of(slices[0], "hevc")
        if kind in IRAP_KINDS:
            self._has_begun = True
            if slices[0][2] & 0x40:  # it says that what was not shown before it never is
                self.waiting.clear()
        if self._has_begun and not self._may_hide and kind not in RASL_KINDS and not packet.is_discard:
            self.waiting.add(packet.pts)
        self._end(units)

    def _end(self, units: list[bytes]) -> None:
        if any(kind_of(unit, "hevc") in END_KINDS for unit in units):
            self.waiting.clear()


def _slices(units: list[bytes]) -> Iterator[bytes]:
    """Those of the picture itself; other layers are more than one view of it."""
    return (unit for unit in units if len(unit) > 2 and kind_of(unit, "hevc") in SLICE_KINDS and not _layer(unit))


def _layer(unit: bytes) -> int:
    return (unit[0] & 1) << 5 | unit[1] >> 3


def _may_hide(pps: bytes) -> bool:
    """`output_flag_present_flag` (ITU-T H.265, 7.3.2.3.1)."""
    bits, place = bits_of(unescape(pps[:HEAD_BYTES])), 16
    for _ in range(2):
        place += golomb_at(bits, place).num_bits
    return bits[place + 1 : place + 2] == "1"
