"""A spliced film is proved frame by frame, and films that were spliced wrongly do not hold."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from pipelines.media import matched_encoder, run_encoder
from pipelines.media.nal import Avc
from pipelines.media.parameter_sets import read_sets
from pipelines.picture_difference import PictureDifference
from pipelines.proof import Proof
from pipelines.splice_proof import FrameClasses, re_encoded
from pipelines.stitch import stitch_film
from pipelines.storage import ObjectStore
from pipelines.verify import verify_films
from tests.pipelines.deliveries import film_row, shot_rows, vouched
from tests.pipelines.test_splice import CONFIG, X264, X265, film_of, holding, moving, packets_of, with_captions
from tests.synthetic import FilmSpec, SyntheticFilm, make_film

MADE = "out/one/pt-BR/film.mp4"


def delivered(tmp_path: Path, film: SyntheticFilm, painted: int | None = 1) -> tuple[dict[str, Any], Proof]:
    """The manifest and the proof of the film with a shot painted."""
    row = film_row(film)
    shots = shot_rows(film, row, ObjectStore(str(tmp_path / "work")), painted)
    made = stitch_film(row, shots, str(tmp_path / "out"), encode=CONFIG).film
    assert made["failure"] is None
    path = Path(made["delivered_uri"])
    return json.loads(path.with_name("manifest.json").read_text()), verify_films(film.path, path)


def failed(proof: Proof) -> set[str]:
    return {check.name for check in proof.failures}


def film_and_delivery(tmp_path: Path) -> tuple[Path, Path]:
    film = film_of(tmp_path / "film.mp4", cuts=(40, 60))
    delivered(tmp_path, film)
    return film.path, tmp_path / MADE


@pytest.mark.parametrize("codec", [("libx264", X264), ("libx265", X265)])
def test_the_classes_of_frames_are_counted_from_the_files(tmp_path: Path, codec: tuple[str, Any]) -> None:
    film = film_of(tmp_path / "film.mp4", codec=codec[0], encoder=codec[1], cuts=(50, 60))

    manifest, proof = delivered(tmp_path, film)

    assert failed(proof) == set()
    assert manifest["picture"]["method"] == "splice"
    assert proof.facts["num_frames_by_class"] == manifest["num_frames"]
    assert manifest["num_frames"] == {"all": 96, "edited": 10, "re_encoded_untouched": 14, "copied": 72}
    names = {check.name: check.detail for check in proof.checks}
    assert names["seeks"] == "80 of 80 exact"
    assert names["copied_frames"] == "72 are equal"


def test_a_film_in_which_nothing_is_painted_keeps_every_packet_of_its_picture(tmp_path: Path) -> None:
    manifest, proof = delivered(tmp_path, film_of(tmp_path / "film.mp4"), painted=None)

    assert failed(proof) == set()
    assert manifest["num_frames"]["copied"] == manifest["num_frames"]["all"] == 96


def test_a_film_that_cannot_be_cut_is_encoded_whole_and_says_why(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4", encoder=(*X264, ("x264-params", "open-gop=1")))

    manifest, proof = delivered(tmp_path, film)

    assert failed(proof) == set()
    assert (manifest["picture"]["method"], manifest["picture"]["reason"]) == ("transcode", "no_idr")
    assert manifest["picture"]["re_encoded_share"] == 1.0


def test_a_splice_that_does_not_hold_is_replaced_by_a_film_that_is_encoded_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = matched_encoder.fitted

    def damaged(*given: Any) -> bytes:
        data = fitted(*given)
        return data[:-40] + bytes(40) if len(data) > 400 else data

    monkeypatch.setattr(run_encoder, "fitted", damaged)
    monkeypatch.setattr(run_encoder.RunEncoder, "_psnr_db", lambda *given: 50.0)

    manifest, proof = delivered(tmp_path, film_of(tmp_path / "film.mp4"))

    assert failed(proof) == set()
    assert (manifest["picture"]["method"], manifest["picture"]["reason"]) == ("transcode", "proof_failed")
    assert manifest["picture"]["detail"]


def rewritten(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = json.loads(path.with_name("manifest.json").read_text())
    change(manifest)
    path.with_name("manifest.json").write_text(json.dumps(manifest))


def test_a_manifest_that_counts_otherwise_is_seen(tmp_path: Path) -> None:
    source, made = film_and_delivery(tmp_path)
    rewritten(made, lambda manifest: manifest["num_frames"].update(copied=95))

    assert failed(verify_films(source, made)) == {"frame_classes"}


def test_gops_that_were_encoded_again_without_painting_are_seen(tmp_path: Path) -> None:
    source, made = film_and_delivery(tmp_path)
    rewritten(made, lambda manifest: manifest.update(shots=[]))

    assert {"edited_gops", "picture"} <= failed(verify_films(source, made))


def muxed(source: Path, target: Path, extradata: bytes | None = None, swap: dict[int, bytes] | None = None) -> Path:
    """A delivered film muxed again, with other parameter sets, or with other bytes in some packets of the picture."""
    with (
        av.open(str(source)) as film,
        av.open(str(target), "w", options={"video_track_timescale": "12800", "movie_timescale": "192000"}) as out,
    ):
        copies = {one.index: out.add_stream_from_template(one) for one in film.streams if one.type != "data"}
        for one in film.streams:
            if one.index in copies:
                copies[one.index].metadata.update(one.metadata)
                copies[one.index].disposition = one.disposition
        picture = film.streams.video[0].index
        if extradata:
            copies[picture].codec_context.extradata = extradata
        out.metadata.update({"title": film.metadata["title"]})
        out.set_chapters(film.chapters())
        for packet in film.demux():
            if packet.dts is None or packet.stream.index not in copies:
                continue
            index = packet.stream.index
            if index == picture and swap and packet.pts in swap:
                packet = holding(packet, swap[packet.pts])
            packet.stream = copies[index]
            out.mux(packet)
    return vouched(target, source.with_name("manifest.json"))


def extradata_of(path: Path) -> bytes:
    with av.open(str(path)) as film:
        return bytes(film.streams.video[0].codec_context.extradata)


def test_muxing_it_again_still_holds(tmp_path: Path) -> None:
    source, made = film_and_delivery(tmp_path)

    assert failed(verify_films(source, muxed(made, tmp_path / "again.mp4"))) == set()


def test_a_film_that_keeps_the_source_parameter_sets_alone_is_seen(tmp_path: Path) -> None:
    source, made = film_and_delivery(tmp_path)

    naive = muxed(made, tmp_path / "naive.mp4", extradata_of(source))

    assert failed(verify_films(source, naive)) & {"decodes_clean", "picture", "seeks"}


def test_a_film_that_lost_the_source_parameter_sets_is_seen(tmp_path: Path) -> None:
    source, made = film_and_delivery(tmp_path)
    old, both = read_sets("h264", extradata_of(source)), read_sets("h264", extradata_of(made))
    new = {kind: tuple(set(both.sets[kind]) - set(old.sets[kind])) for kind in (Avc.SPS, Avc.PPS)}
    only_new = type(both)("h264", both.record, new, both.rest).extradata()

    assert "parameter_sets" in failed(verify_films(source, muxed(made, tmp_path / "lost.mp4", only_new)))


def test_a_copied_packet_that_shows_something_else_is_seen(tmp_path: Path) -> None:
    source, made = film_and_delivery(tmp_path)
    with av.open(str(made)) as film:
        packets = {p.pts: bytes(p) for p in film.demux(film.streams.video[0]) if p.size}
    first, later = 0, sorted(packets)[72]  # IDRs of two GOPs that are copies

    swapped = muxed(made, tmp_path / "swap.mp4", swap={later: packets[first]})

    assert {"copied_frames", "frame_classes"} <= failed(verify_films(source, swapped))


def test_lost_captions_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = with_captions(film_of(tmp_path / "film.mp4"))
    monkeypatch.setattr(matched_encoder, "kept_messages", lambda *given: None)

    manifest, _ = delivered(tmp_path, film)

    assert manifest["picture"]["reason"] == "proof_failed"
    assert "A53_CC" in manifest["picture"]["detail"]


def test_stretches_are_judged_each_by_itself() -> None:
    """Runs of a film that talks throughout lie side by side: one with few bytes does not excuse or spoil another."""
    classes = FrameClasses(
        copied=[True, False, False, False, False, True, False],
        edited=[False, True, True, True, True, False, True],
        num_bytes=[(10, 10), (10, 25), (10, 25), (10, 6), (10, 6), (10, 10), (10, 10)],
    )
    psnr_db = [100.0, 41.5, 42.0, 45.7, 46.0, 100.0, 50.0]
    difference = PictureDifference(psnr_db=psnr_db, equal=classes.copied)

    assert list(classes.stretches({3})) == [[1, 2], [3, 4], [6]]
    assert re_encoded(classes, difference, "h264", {3}).ok
    assert not re_encoded(classes, difference, "h264").ok


@pytest.mark.parametrize("codec", ["prores", "dnxhd", "mjpeg"])
@pytest.mark.parametrize(
    ("psnr_db", "num_bytes", "holds"),
    [(43.0, 700, True), (43.0, 690, False), (44.0, 400, True), (36.9, 1000, True), (36.9, 200, False)],
)
def test_frames_that_stand_alone_are_near_the_film_or_have_about_its_bytes(
    codec: str, psnr_db: float, num_bytes: int, holds: bool
) -> None:
    classes = FrameClasses(copied=[True, False], edited=[False, True], num_bytes=[(1000, 1000), (1000, num_bytes)])
    difference = PictureDifference(psnr_db=[100.0, psnr_db], equal=[True, False])

    assert re_encoded(classes, difference, codec).ok is holds


def grainy(path: Path, **more: Any) -> SyntheticFilm:
    """A film of twelve frames in strong grain, each by itself; the first half is not painted."""
    spec = FilmSpec(**{"num_frames": 12, "cuts": (6,), "gop": 1, "b_frames": 0, "languages": (), **more})
    grain = np.random.default_rng(0).normal(0, 12, (4, spec.height_px, spec.width_px, 1))
    draw = moving(spec)
    return make_film(path, spec, lambda index: (draw(index) + grain[index % 4]).clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("profile", ["lt", "hq"])
def test_prores_in_strong_grain_has_the_bytes_of_its_profile(tmp_path: Path, profile: str) -> None:
    encoder = (("profile", profile),)
    film = grainy(tmp_path / "film.mov", codec="prores_ks", encoder=encoder, pixel_format="yuv422p10le")

    _, proof = delivered(tmp_path, film)

    assert failed(proof) == set()
    (run,) = proof.facts["runs"]
    assert (run["num_frames"], run["edited"]) == (6, 6)
    assert 0.9 < run["num_bytes"] / run["num_bytes_before"] < 1.1


def test_the_finest_mjpeg_stays_fine(tmp_path: Path) -> None:
    encoder = (("qmin", "1"), ("qmax", "1"))
    film = grainy(tmp_path / "film.mov", codec="mjpeg", encoder=encoder, pixel_format="yuvj422p", colour=(5, 1, 1, 2))

    manifest, proof = delivered(tmp_path, film)

    assert failed(proof) == set()
    assert proof.facts["runs"][0]["psnr_db_min"] > 50 > manifest["picture"]["runs"][0]["crf"]


def test_a_film_that_is_encoded_whole_is_one_run_of_the_proof(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4", encoder=(*X264, ("x264-params", "open-gop=1")))

    manifest, proof = delivered(tmp_path, film)

    assert manifest["proof"]["facts"]["runs"] == proof.facts["runs"]
    (run,) = proof.facts["runs"]
    packets = [sum(len(data) for _, data in packets_of(path)) for path in (film.path, tmp_path / MADE)]
    assert [run["num_bytes_before"], run["num_bytes"]] == packets
    assert (run["first_pts"], run["num_frames"], run["edited"]) == (0, 96, 48)
    assert proof.facts["picture"]["psnr_db_min"] == pytest.approx(run["psnr_db_min"], abs=0.01)


def test_another_name_of_the_codec_is_seen(tmp_path: Path) -> None:
    film = film_of(tmp_path / "film.mp4", codec="libx265", encoder=X265)
    delivered(tmp_path, film)
    made = tmp_path / MADE

    made.write_bytes(made.read_bytes().replace(b"hev1", b"hvc1"))
    vouched(made)

    assert failed(verify_films(film.path, made)) == {"codec_tag"}
