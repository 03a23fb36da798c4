"""A cast list that cannot be followed refuses every row that names it, before anything runs."""

from pathlib import Path

import cv2
import numpy as np
from skimage.data import astronaut

from jobs.intake import take_in
from pipelines.face_descriptor import ASSET
from tests.real_assets import real_asset
from tests.synthetic import FilmSpec, make_film


def catalog(folder: Path, *casts: str) -> Path:
    """Films of their own, one for each cast list; a film's own sound serves as its dub."""
    lines = ["film,language,dub_mix,cast"]
    for number, cast in enumerate(casts):
        make_film(folder / f"{number}.mp4", FilmSpec(num_frames=25 + number, cuts=(), width_px=64, height_px=48))
        lines.append(f"{number}.mp4,es,{number}.mp4,{cast}")
    path = folder / "catalog.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_all_that_is_wrong_with_cast_lists_is_told_for_every_row_that_names_them(tmp_path: Path) -> None:
    for name in ("retinaface-mobilenet025", "face-mesh", ASSET):
        real_asset(name)
    cv2.imwrite(str(tmp_path / "a.png"), astronaut()[..., ::-1])
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((99, 99, 3), 90, np.uint8))
    (tmp_path / "good.csv").write_text("name,picture\nEileen,a.png\n")
    (tmp_path / "bad.csv").write_text("name,picture\nEileen,gone.png\nNobody,grey.png\n")

    intake = take_in(catalog(tmp_path, "good.csv", "bad.csv", "missing.csv", "", "bad.csv"))

    told = [(problem.row, problem.column) for problem in intake.problems]
    assert told == [(3, "cast"), (3, "cast"), (4, "cast"), (6, "cast"), (6, "cast")]
    assert "bad.csv, line 2: there is no picture" in intake.problems[0].message
    assert "bad.csv, line 3" in intake.problems[1].message
    films = intake.films.to_pylist()
    assert [Path(film["cast_uri"]).name if film["cast_uri"] else None for film in films] == ["good.csv", None]


def test_a_cue_sheet_needs_a_work_folder_in_which_its_stem_can_be_opened(tmp_path: Path) -> None:
    make_film(tmp_path / "film.mp4", FilmSpec(num_frames=25, cuts=(), width_px=64, height_px=48))
    (tmp_path / "sheet.csv").write_text("start,take\n0,film.mp4\n")
    (tmp_path / "catalog.csv").write_text("film,language,cue_sheet\nfilm.mp4,es,sheet.csv\n")

    here, away = (take_in(tmp_path / "catalog.csv", store_uri=uri) for uri in (str(tmp_path / "w"), "memory://w"))

    assert (here.problems, here.films.num_rows) == ([], 1)
    assert [(problem.row, problem.column) for problem in away.problems] == [(2, "cue_sheet")]
    assert "give another --work" in away.problems[0].message
    assert away.films.num_rows == 0
