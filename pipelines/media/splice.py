"""The picture of a film with new GOPs where something changed, and its own packets everywhere else."""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any

from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from pipelines.media.container import FILM_FORMATS, open_media, picture_stream
from pipelines.media.encode import EncodeConfig
from pipelines.media.frame_tags import ColourTags
from pipelines.media.gops import PictureIndex, Run
from pipelines.media.matched_encoder import describe_as
from pipelines.media.picture_writer import Changes, PictureCounts, lost_fields
from pipelines.media.run_encoder import EncodedRun, RunEncoder, UnspliceableError
from pipelines.media.spliceable import check_changed, check_spliceable, copied_index
from schemas.reason import Whole

Packets = tuple["Packet[Any]", ...]
Coloured = tuple[int, ColourTags]  # with the pts from which on they hold


class SplicedPicture:
    """Copies packets, and puts runs that are encoded beside it in their place. Closed after use."""

    def __init__(
        self,
        path: Path,
        index: PictureIndex,
        changed: Collection[int],
        begin: Callable[[], Changes],
        config: EncodeConfig,
        at_once: int = 1,
        colours: Sequence[Coloured] = (),
    ) -> None:
        """Begin to encode.

        Args:
            path: the film.
            index: of its picture.
            changed: pts of the frames that change.
            begin: gives what changes them, as often as it is asked.
            config: encoder settings.
            at_once: runs that are encoded at the same time; each holds its packets and an encoder.
            colours: tags of the film's frames and where they begin; may be left out where they are the same.
        """
        self.counts = PictureCounts()
        self.encoded: list[EncodedRun] = []  # without their packets
        self._index, self._place = index, 0
        self._runs = deque(index.runs(changed, [pts for pts, _ in colours[1:]]))
        own = _colours_of(index, self._runs, colours)
        self._encoding = _Encoding(path, index, list(self._runs), begin, config, at_once, own)
        self._next: EncodedRun | None = None
        self._ready: Iterator[Packet[Any]] = iter(())  # of the run in which the film is

    @property
    def lost(self) -> list[str]:
        return lost_fields(sum(run.num_interlaced for run in self.encoded))

    def __enter__(self) -> "SplicedPicture":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._encoding.close()

    def add(self, out: OutputContainer, source: VideoStream, first: VideoFrame) -> Stream:
        """Add the film's own stream, which knows the parameter sets of the new GOPs too.

        Raises:
            UndecodableError, UnspliceableError: of the first run.
        """
        stream = out.add_stream_from_template(source)
        describe_as(stream, source, out.format.name)
        if self._runs:
            self._next = self._encoding.result()
            if self._next.extradata is not None:
                stream.codec_context.extradata = self._next.extradata
        return stream

    def take(self, packet: "Packet[Any]") -> "Iterator[Packet[Any]]":
        """The packet itself, or the one of a run that stands in its place.

        Raises:
            UndecodableError, UnspliceableError: of a run.
        """
        if not packet.size:
            return
        place, self._place = self._place, self._place + 1
        if self._runs and place == self._runs[0].end:
            self._runs.popleft()
            self._next = self._encoding.result() if self._runs else None
        if not self._runs or place < self._runs[0].first:
            if place <= self._index.last_shown:  # the film's own edit list hides the others, and no muxer writes such
                yield self._copied(packet, place)
            return
        if place == self._runs[0].first:
            self._ready = self._begun(self._next)
        yield from islice(self._ready, 1)  # each in its place, so that sound stays beside it in the file
        if place + 1 == self._runs[0].end:
            yield from self._ready

    def _copied(self, packet: "Packet[Any]", place: int) -> "Packet[Any]":
        self.counts.copied += not packet.is_discard
        packet.dts = int(self._index.dts[place])  # Matroska tells none at first
        return packet

    def _begun(self, run: EncodedRun | None) -> "Iterator[Packet[Any]]":
        """The packets of a run."""
        assert run is not None
        if self.encoded and run.extradata != self.encoded[0].extradata:
            raise UnspliceableError(Whole.PARAMETER_SETS, "two stretches came with different parameter sets")
        self.counts.edited += run.num_frames_changed
        self.counts.re_encoded_untouched += run.num_frames - run.num_frames_changed
        self.encoded.append(run.without_packets())
        return iter(run.packets)


class _Encoding:
    """Runs in their order, each encoded by one of some threads; a few are ahead of what is asked for."""

    def __init__(
        self,
        path: Path,
        index: PictureIndex,
        runs: Sequence[Run],
        begin: Callable[[], Changes],
        config: EncodeConfig,
        at_once: int,
        colours: Sequence[ColourTags],
    ) -> None:
        self._begin, self._crf = begin, config.crf
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="splice")
        self._idle: SimpleQueue[RunEncoder] = SimpleQueue()
        self._encoders = [RunEncoder(path, index, config, colours) for _ in range(min(at_once, len(runs)))]
        for encoder in self._encoders:
            self._idle.put(encoder)
        self._is_first = True
        self._read = _packets_of(path, runs)
        self._ahead: deque[Future[EncodedRun]] = deque()
        self._num_ahead = at_once + 1
        self._submit()  # the first alone: the others begin with the CRF that was right for it

    def _submit(self) -> bool:
        work = next(self._read, None)
        if work is not None:
            self._ahead.append(self._pool.submit(self._encode, *work))
        return work is not None

    def _encode(self, run: Run, packets: Packets) -> EncodedRun:
        encoder = self._idle.get()
        try:
            return encoder.encode(run, packets, self._begin, self._crf)
        finally:
            self._idle.put(encoder)

    def result(self) -> EncodedRun:
        """The next run."""
        run = self._ahead.popleft().result()
        self._crf = run.crf if self._is_first else self._crf
        self._is_first = False
        while len(self._ahead) < self._num_ahead and self._submit():
            pass
        return run

    def close(self) -> None:
        """Wait for what is being encoded, and free it."""
        self._pool.shutdown(cancel_futures=True)
        self._read.close()
        for encoder in self._encoders:
            encoder.close()


def _packets_of(path: Path, runs: Sequence[Run]) -> "Generator[tuple[Run, Packets], None, None]":
    """The packets of each run, read from the film as they are asked for."""
    left, held = deque(runs), []
    with open_media(path, FILM_FORMATS) as film:
        packets = (packet for packet in film.demux(picture_stream(film)) if packet.size)
        for place, packet in enumerate(packets):
            if not left:
                return
            if place >= left[0].first:
                held.append(packet)
            if place + 1 == left[0].end:
                yield left.popleft(), tuple(held)
                held = []


def _colours_of(index: PictureIndex, runs: Iterable[Run], colours: Sequence[Coloured]) -> list[ColourTags]:
    """The tags of the frames of some runs, each once, in the order of the film."""
    starts = [pts for pts, _ in colours]
    firsts = (int(index.pts[run.first : run.end].min()) for run in runs)
    return list(dict.fromkeys(colours[max(bisect_right(starts, pts) - 1, 0)][1] for pts in firsts if colours))


@contextmanager
def spliced(
    path: Path,
    suffix: str,
    changed: Collection[int],
    begin: Callable[[], Changes],
    config: EncodeConfig,
    at_once: int = 1,
    colours: Sequence[Coloured] = (),
) -> Iterator[SplicedPicture]:
    """The picture of a film whose changed GOPs alone are encoded again.

    Args:
        path: the film.
        suffix: of the file that is written, with the dot.
        changed: pts of the frames that change.
        begin: gives what changes them, as often as it is asked.
        config: encoder settings.
        at_once: runs that are encoded at the same time.
        colours: tags of the film's frames and where they begin; may be left out where they are the same.

    Raises:
        UnspliceableError: the film's picture cannot be cut; why, and what that means.
        UndecodableError: the file is no film.
    """
    index = check_spliceable(path, suffix) if changed else copied_index(path, suffix)
    check_changed(index, changed)
    with _begun(path, index, changed, begin, config, at_once, colours) as picture:
        yield picture


def _begun(path: Path, index: PictureIndex, changed: Collection[int], *more: Any) -> SplicedPicture:
    try:
        return SplicedPicture(path, index, changed, *more)
    except ValueError as error:
        raise UnspliceableError(Whole.PARAMETER_SETS, str(error)) from error
