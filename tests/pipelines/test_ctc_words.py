"""Words lie where the letters of their path do; published files load as torchaudio loads them.

The published weights are in no registry, so nothing here says how well they find words.
"""

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from torchaudio import pipelines as bundles
from torchaudio.models import wav2vec2_model

from diff2lip.bundled import bundled_path
from jobs.dub_pipeline import open_pipeline
from pipelines import ctc_words, line_check, words
from pipelines.assets import CACHE_VARIABLE, AssetUnavailableError, list_assets
from pipelines.ctc_words import MODELS, CtcAligner, ctc_language, fetch_aligners, load_aligner, spans_of
from schemas.timing import ANALYSIS_RATE_HZ as RATE

LETTERS = {"|": 1, "a": 2, "l": 3, "o": 4, "t": 5}
UNUSED = 6  # a letter that no word has
FRAME = RATE // 50
ENGLISH = bundles.WAV2VEC2_ASR_BASE_960H


def scores_of(said: dict[int, int], num_frames: int) -> torch.Tensor:
    """Log probabilities that are sure of a letter in some frames, and of the blank in all others."""
    scores = torch.full((num_frames, UNUSED + 1), 0.01)
    for frame in range(num_frames):
        scores[frame, said.get(frame, 0)] = 1
    return torch.log(scores / scores.sum(-1, keepdim=True))


def test_words_lie_from_their_first_letter_to_their_last() -> None:
    said = {10: 2, 11: 2, 14: 3, 17: 3, 20: 1, 30: 5, 33: 4, 34: 4}  # "all to", the double letter with a blank between

    found = spans_of(scores_of(said, 50), ["all", "to"], LETTERS)

    assert found == [(10 * FRAME, 18 * FRAME), (30 * FRAME, 35 * FRAME)]


def test_a_letter_that_the_network_lacks_may_sound_like_anything() -> None:
    said = {10: 5, 12: 4, 15: 1, 20: UNUSED, 23: UNUSED, 26: 1, 30: 2, 32: 3}  # "to 25 al"

    found = spans_of(scores_of(said, 50), ["to", "25", "al"], LETTERS)

    assert found == [(10 * FRAME, 13 * FRAME), (20 * FRAME, 24 * FRAME), (30 * FRAME, 33 * FRAME)]


def test_more_letters_than_frames_are_not_found() -> None:
    assert spans_of(scores_of({}, 4), ["total"], LETTERS) is None


def _as_in_2021(name: str) -> str:
    """The name of a weight in files that were written before torch had parametrizations."""
    old = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    return next((name.replace(new, was) for new, was in old.items() if name.endswith(new)), name)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, torch.nn.Module]:
    """A file in the published form, of weights drawn at random, and the network that they are of."""
    torch.manual_seed(0)
    made = wav2vec2_model(**ENGLISH._params).eval()
    state = {_as_in_2021(name): value.clone() for name, value in made.state_dict().items()}
    for name in ("aux.weight", "aux.bias"):  # fairseq's dictionary has three more entries, which nothing uses
        value = state[name]
        state[name] = torch.cat([value[:1], torch.full_like(value[:3], 9.0), value[1:]])
    path = tmp_path_factory.mktemp("ctc") / ENGLISH._path
    torch.save(state, path)
    return path, made


@pytest.fixture(scope="module")
def aligner(published: tuple[Path, torch.nn.Module]) -> CtcAligner:
    return load_aligner(published[0], MODELS["en"])


def test_a_published_file_is_the_network_that_it_holds(
    published: tuple[Path, torch.nn.Module], aligner: CtcAligner
) -> None:
    sound = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, (1, RATE)).astype(np.float32))

    with torch.inference_mode():
        ours, theirs = aligner.model(sound)[0], published[1](sound)[0]

    assert torch.equal(ours, theirs)
    assert sorted(aligner.letters.values()) == list(range(1, ours.shape[-1]))
    assert (aligner.letters["|"], aligner.letters["e"], aligner.letters["'"]) == (1, 2, 24)


def test_words_of_a_sound_come_one_after_another_and_the_same_each_time(aligner: CtcAligner) -> None:
    sound = np.random.default_rng(1).normal(0, 0.1, 2 * RATE).astype(np.float32)

    found = aligner.spans(sound, ["nobody", "told", "me"])

    assert found is not None
    edges = [edge for span in found for edge in span]
    assert edges == sorted(edges)
    assert edges[-1] <= len(sound)
    assert aligner.spans(sound, ["nobody", "told", "me"]) == found
    assert aligner.spans(sound[:300], ["nobody"]) is None
    assert aligner.spans(sound, []) is None


def test_ctc_is_asked_first_where_it_is_wanted_and_knows_the_language(
    aligner: CtcAligner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ctc_words, "_aligner", lambda language: aligner)
    sound = np.random.default_rng(2).normal(0, 0.1, 2 * RATE).astype(np.float32)

    asked = words.align_words(sound, "Nobody told \u2014 me!", "en-GB", ctc=True)

    assert [(word.text, word.source) for word in asked] == [("Nobody", "ctc"), ("told", "ctc"), ("me!", "ctc")]
    assert {word.source for word in words.align_words(sound, "Nobody told me", "en-GB")} <= {"pocketsphinx", "whisper"}
    assert ctc_language("ja") is None
    assert ctc_language("es-MX") == "es"


def test_what_was_found_without_ctc_is_not_taken_for_what_ctc_finds() -> None:
    assert set(line_check.ear(False)) < set(line_check.ear(True))


def test_networks_are_declared_under_the_names_by_which_torchaudio_knows_them() -> None:
    declared = {asset.name: asset for asset in list_assets()}

    for language, name in MODELS.items():
        asset = declared[f"ctc-{language}"]
        assert asset.file == getattr(bundles, name)._path
        assert asset.sha256
        assert asset.optional
        assert len(asset.sources) == 1


def no_network(*_: Any, **__: Any) -> None:
    raise urllib.error.URLError("no network")


def test_only_the_languages_of_a_catalog_are_fetched_and_what_is_here_needs_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    english = next(asset for asset in list_assets() if asset.name == "ctc-en")
    with english.path.open("wb") as file:
        file.truncate(english.size_bytes)

    fetch_aligners(["en-GB", "ja", "en"])
    with pytest.raises(AssetUnavailableError, match=r"ctc-es.*no network.*voxpopuli_base_10k_asr_es"):
        fetch_aligners(["en-GB", "es-MX"])


def test_weights_that_cannot_be_had_end_a_job_before_anything_is_analysed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", no_network)
    pipeline = open_pipeline(str(tmp_path), tmp_path, str(bundled_path("small")), ["words.ctc=true"])

    with pytest.raises(AssetUnavailableError, match="ctc-it"):
        pipeline.analyse(pa.table({"language": ["it", "pt"]}), lambda event: None)
