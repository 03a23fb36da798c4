"""The proof that a delivered film is the source film with a dub: checks that do not trust who wrote it."""

import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pipelines.digest_checks import digests, not_compared
from pipelines.dub_checks import dub_form, dub_sound
from pipelines.dub_difference import dub_difference
from pipelines.media.dub_track import DubSource
from pipelines.media.ledger import Ledger, StreamLedger, read_ledger
from pipelines.name_checks import dub_language, dub_title, languages, picture_names, tags, titles, track_tags
from pipelines.picture_difference import PictureDifference, Shown, picture_difference
from pipelines.picture_tags import picture_tags
from pipelines.proof import Check, Proof
from pipelines.role_checks import dispositions, original
from pipelines.second_decoder import PROGRAM, has_program, second_decoder
from pipelines.splice_proof import class_checks, parameter_sets, random_seeks
from pipelines.stem_channel import stem_channel

MATROSKA_S = Fraction(1, 1000)  # Matroska counts time in milliseconds
SOUND_TOLERANCE_S = Fraction(1, 48_000)
DUB_LEAD_S = Fraction(1, 10)  # packets of AAC begin with samples that players do not show
DUB_END_TOLERANCE_S = Fraction(1, 10)  # the last AAC frames are padded
MIN_PSNR_DB = 35.0  # CRF 14 keeps even noise above 40 dB; a frame that is another one, or shifted, is below 30
MAX_MOUTH_CODES = 8.0  # of the mean of a cell of a painted rectangle: CRF 14 moves it by 2, CRF 22 by 3, 39 dB by 4
MAX_SHIFT_CODES = 1.5  # of the mean of a plane of a frame: encoders move it by 0.25, HEVC at 39 dB by 0.44
MAX_CHANGED_SHARE = 0.5  # of a frame: the lower half of a face that fills it
MAX_DETAIL = 300
UNKNOWN_MIME = "application/octet-stream"  # of an attachment that says none


def verify_films(
    source: Path,
    delivered: Path,
    dub: Path | None = None,
    me: Path | None = None,
    dub_kind: str | None = None,
    decode_twice: bool = False,
) -> Proof:
    """The proof that `delivered` is `source` with a dub.

    What was painted, whether the dub is a full mix, which sound of its file it is, and in which language the film was
    made, is what the manifest beside the delivered film says; everything else is measured.

    Args:
        source: the film as it was.
        delivered: the film as it is.
        dub: the dub, when the delivered dub track is to be compared with it.
        me: music and effects that were mixed with the dub.
        dub_kind: column of the catalog that named the dub; as the manifest says when left out, else a stem.
        decode_twice: whether the picture is also compared as the FFmpeg of this machine decodes it.

    Raises:
        UndecodableError: one of them is no film.
        FileNotFoundError: one of them is missing.
    """
    before, after = read_ledger(source), read_ledger(delivered)
    manifest = _manifest(delivered)
    named = manifest.get("left_out")
    checks = [check(before, after) for check in CHECKS]
    checks += [
        picture_tags(before, after, named),
        tags(before, after, named),
        dub_language(_dub(after), manifest.get("language"), named),
    ]
    checks += [check(before.streams, _copied(after), named) for check in (titles, languages, dispositions)]
    checks += [picture_names(before, after), track_tags(before, after, _copied(after))]
    checks += [dub_title(_dub(after), manifest.get("language"))]
    source_language = manifest.get("source_language")
    checks += [original(before.streams, _copied(after), after.container, source_language)]
    facts: dict[str, Any] = {"num_frames": len(after.pts)}
    seen_twice: list[Check | str] = []
    if all(check.ok for check in checks[:2]):  # frames can be compared one by one
        own, made = Shown(source, before.pts, before.digests), Shown(delivered, after.pts, after.digests)
        difference = picture_difference(own, made, _changed(manifest))
        checks += [picture(difference), random_seeks(delivered, after)]
        facts["picture"] = difference.summary
        checks += class_checks(before, after, difference, manifest, facts)
        if decode_twice and has_program():
            seen_twice = [second_decoder(source, delivered, before, after, manifest)]
        elif decode_twice:
            facts["second_decoder"] = f"none, as no {PROGRAM} is on the PATH"
        checks += [found for found in seen_twice if isinstance(found, Check)]
    if dub is not None and _sounds(after):
        kind, place = dub_kind or manifest.get("dub_kind", "dub_stem"), manifest.get("dub_place", 0)
        given = DubSource(
            film=source,
            start_s=min(before.pts) * before.time_base,
            dub=dub,
            dub_kind=kind,
            music_and_effects=me,
            dub_place=place,
            source_language=source_language,
            dub_channel=stem_channel(dub, kind, place=place),
        )
        start_s = min(after.pts) * after.time_base
        length_s = after.end_pts * after.time_base - start_s
        heard = dub_difference(delivered, given, start_s, length_s, _container_rounding(after))
        checks += [dub_form(delivered, given), dub_sound(heard)]
        facts |= {"dub_lag_samples": heard.lag_samples, "mix": heard.mix.value}
        facts |= {"dub_sample_rate_hz": heard.sample_rate_hz, "dub_layout": heard.layout}
    checks += digests(manifest, source, delivered, dub, me)
    left = (*not_compared(manifest, checks), *(found for found in seen_twice if isinstance(found, str)))
    return Proof(source.name, delivered.name, tuple(checks), facts, left)


def picture(difference: PictureDifference) -> Check:
    """Every plane of every frame is the source's outside the painted rectangles, which are small and as composed."""
    ok = difference.psnr_db_min >= MIN_PSNR_DB and difference.changed_share_max <= MAX_CHANGED_SHARE
    least = f"{difference.psnr_db_min:.1f} dB in {difference.worst}, {MIN_PSNR_DB:g} dB wanted"
    if difference.local_excess > 1:
        least += f"; {difference.local_excess:.0f} times too far from the source in a block, {difference.worst_block}"
    is_moved = abs(difference.shift_max) > MAX_SHIFT_CODES
    if is_moved:
        least += f"; the mean of {difference.worst_shift} is {difference.shift_max:+.1f} codes from what it was"
    is_mouth = difference.mouth_difference_max <= MAX_MOUTH_CODES and difference.mouth_roughness_max <= 1
    if not is_mouth:
        least += f"; a painted mouth, {difference.worst_mouth}, is {difference.mouth_difference_max:.0f} codes and"
        least += f" {difference.mouth_roughness_max:.1f} times the roughness that is allowed from what was composed"
    ok = ok and difference.local_excess <= 1 and is_mouth and not is_moved
    return Check("picture", ok, f"{least}; at most {difference.changed_share_max:.0%} of a frame painted")


def frame_count(before: Ledger, after: Ledger) -> Check:
    """As many frames are decoded."""
    return _equal("frame_count", len(before.pts), len(after.pts))


def frame_pts(before: Ledger, after: Ledger) -> Check:
    """The same moments, to the tick in the same kind of container."""
    old, new = ([pts * ledger.time_base for pts in sorted(ledger.pts)] for ledger in (before, after))
    tolerance = _tolerance(before, after)
    moved = [(a, b) for a, b in zip_longest(old, new) if a is None or b is None or abs(a - b) > tolerance]
    shown = f"{len(moved)} frames moved, the first from {_s(moved[0][0])} to {_s(moved[0][1])}" if moved else "equal"
    return Check("frame_pts", not moved, shown)


def film_length(before: Ledger, after: Ledger) -> Check:
    """The last frame ends where it ended.

    MP4 does not store how long a frame is shown but how long decoding waits after it, so in films of uneven frames the
    last one may seem to end elsewhere when frames are stored in another order: what the container declares counts too.
    """
    old, new = (ledger.end_pts * ledger.time_base for ledger in (before, after))
    declared = [(ledger.container, ledger.time_base, ledger.declared_ticks) for ledger in (before, after)]
    same = declared[0] == declared[1] and before.declared_ticks is not None and before.pts[-1:] == after.pts[-1:]
    ok = abs(old - new) <= _tolerance(before, after) or same
    return Check("film_length", ok, f"{_s(old)} and {_s(new)}{', declared equal' if same else ''}")


def decodes_clean(before: Ledger, after: Ledger) -> Check:
    """No frame is flagged corrupt and no packet is refused by the decoder, beyond the source's own."""
    damage = [ledger.num_corrupt + ledger.num_errors for ledger in (before, after)]
    return Check("decodes_clean", damage[1] <= damage[0], f"{damage[1]} damaged, {damage[0]} in the source")


def tracks(before: Ledger, after: Ledger) -> Check:
    """Every stream of the source is there with its codec or MIME type, in order, and one sound more: the dub."""
    wanted, found = ([_kind(stream) for stream in some] for some in (before.streams, _copied(after)))
    return _equal("tracks", wanted, found)


def dub_track(before: Ledger, after: Ledger) -> Check:
    """The first sound stream is the dub: default, and the only default sound."""
    dub, sounds = _dub(after), _sounds(after)
    if dub is None or len(sounds) != len(_sounds(before)) + 1:
        return Check("dub_track", False, f"{len(_sounds(before))} sound streams became {len(sounds)}")
    defaults = [index for index, sound in enumerate(sounds) if "default" in sound.disposition]
    return Check("dub_track", defaults == [0], f"title {dub.title}, default streams {defaults}")


def dub_span(before: Ledger, after: Ledger) -> Check:
    """The dub begins with the first frame and ends with the last, up to the padding of its codec."""
    dub = _dub(after)
    if dub is None or not dub.times_s:
        return Check("dub_span", False, "there is no dub")
    start_s, end_s = min(after.pts, default=0) * after.time_base, after.end_pts * after.time_base
    packets_s = 2 * (dub.times_s[1] - dub.times_s[0]) if len(dub.times_s) > 1 else Fraction(0)  # long at low rates
    start_ok = -max(DUB_LEAD_S, packets_s) <= dub.times_s[0] - start_s <= MATROSKA_S
    ok = start_ok and abs(dub.end_s - end_s) <= max(DUB_END_TOLERANCE_S, packets_s)
    heard = f"from {_s(dub.times_s[0])} to {_s(dub.end_s)}"
    return Check("dub_span", ok, f"{heard} in a film from {_s(start_s)} to {_s(end_s)}")


def copied_packets(before: Ledger, after: Ledger) -> Check:
    """Copied streams are equal byte for byte."""
    pairs = zip_longest(before.streams, _copied(after))
    wrong = [index for index, (old, new) in enumerate(pairs) if not old or not new or old.digest != new.digest]
    return Check("copied_packets", not wrong, f"streams {wrong} differ" if wrong else "equal")


def copied_times(before: Ledger, after: Ledger) -> Check:
    """Every packet of every copied stream starts when it did: no offset, no drift. Subtitles stay as long."""
    tolerance = max(_tolerance(before, after), SOUND_TOLERANCE_S)
    wrong = []
    for index, (old, new) in enumerate(zip(before.streams, _copied(after), strict=False)):
        shift = _largest_shift(old.moments_s, new.moments_s)
        if shift is None or shift > tolerance:
            wrong.append(f"stream {index} by {'a packet' if shift is None else _s(shift)}")
        longer = _largest_shift(old.durations_s, new.durations_s)  # of subtitles
        if longer is None or longer > MATROSKA_S:
            wrong.append(
                f"lines of stream {index} last {'otherwise' if longer is None else _s(longer)} longer or shorter"
            )
    return Check("copied_times", not wrong, f"moved: {', '.join(wrong)}" if wrong else "equal")


def chapters(before: Ledger, after: Ledger) -> Check:
    """The same chapters, to the millisecond; in the same kind of container with all that is said of them."""
    only = None if before.container == after.container else ("title",)
    wanted, found = ([_rounded(chapter, only) for chapter in ledger.chapters] for ledger in (before, after))
    return _equal("chapters", wanted, found)


CHECKS: tuple[Callable[[Ledger, Ledger], Check], ...] = (
    frame_count,
    frame_pts,
    film_length,
    decodes_clean,
    parameter_sets,
    tracks,
    dub_track,
    dub_span,
    copied_packets,
    copied_times,
    chapters,
)


def _equal(name: str, wanted: Any, found: Any) -> Check:
    detail = "equal" if wanted == found else f"{wanted} became {found}"
    return Check(name, wanted == found, detail[:MAX_DETAIL])


def _sounds(ledger: Ledger) -> list[StreamLedger]:
    return [stream for stream in ledger.streams if stream.kind == "audio"]


def _dub(after: Ledger) -> StreamLedger | None:
    return next(iter(_sounds(after)), None)


def _copied(after: Ledger) -> list[StreamLedger]:
    dub = _dub(after)
    return [stream for stream in after.streams if stream is not dub]


def _largest_shift(old: list[Fraction], new: list[Fraction]) -> Fraction | None:
    if len(old) != len(new):
        return None
    return max((abs(a - b) for a, b in zip(old, new, strict=True)), default=Fraction(0))


def _rounded(
    chapter: tuple[Fraction, Fraction, dict[str, str]], only: Sequence[str] | None
) -> tuple[int, int, dict[str, str]]:
    said = {key: value for key, value in chapter[2].items() if value and (only is None or key in only)}
    return round(chapter[0] * 1000), round(chapter[1] * 1000), said


def _kind(stream: StreamLedger) -> tuple[str, ...]:
    return (stream.kind, stream.codec, stream.mime or UNKNOWN_MIME)[: 3 if stream.kind == "attachment" else 2]


def _tolerance(before: Ledger, after: Ledger) -> Fraction:
    return Fraction(0) if before.container == after.container else MATROSKA_S


def _s(seconds: Fraction | None) -> str:
    return "nothing" if seconds is None else f"{float(seconds):.4f} s"


def _container_rounding(film: Ledger) -> Fraction:
    return MATROSKA_S if "matroska" in film.container else Fraction(0)


def _changed(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The rectangles that the manifest beside a delivered film admits to have changed, and on which frames."""
    shots: list[dict[str, Any]] = manifest.get("shots", [])
    return [run for shot in shots for run in shot.get("changed", [])]


def _manifest(delivered: Path) -> dict[str, Any]:
    """What lies beside a delivered film; nothing where it lies alone."""
    manifest = delivered.with_name("manifest.json")
    facts: dict[str, Any] = json.loads(manifest.read_text()) if manifest.is_file() else {}
    return facts
