"""Words that are known, found in their sound by wav2vec 2.0 with CTC: the models that whisperX takes.

Baevski et al., "wav2vec 2.0: a framework for self-supervised learning of speech representations" (2020); Kürzinger et
al., "CTC-segmentation of large corpora for German end-to-end speech recognition" (2020). torchaudio builds the network
and searches the path. The weights are assets of some 380 MB each, four of them for non-commercial use alone, so nobody
gets them unasked (`words.ctc`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipelines.assets import asset_path, declared_digest
from pipelines.media.language_code import primary_language
from pipelines.torch_threads import fixed_threads
from schemas.timing import ANALYSIS_RATE_HZ

if TYPE_CHECKING:
    from torch import Tensor

Floats = NDArray[np.float32]
Span = tuple[int, int]

MODELS = {  # torchaudio's bundle, by language
    "en": "WAV2VEC2_ASR_BASE_960H",
    "de": "VOXPOPULI_ASR_BASE_10K_DE",
    "es": "VOXPOPULI_ASR_BASE_10K_ES",
    "fr": "VOXPOPULI_ASR_BASE_10K_FR",
    "it": "VOXPOPULI_ASR_BASE_10K_IT",
}
THREADS = 2  # fixed: the same words whatever the machine has
FRAME_SAMPLES = ANALYSIS_RATE_HZ // 50
LEAST_SAMPLES = 400  # that the network looks at
BLANK, BORDER = 0, "|"


@dataclass(frozen=True, slots=True)
class CtcAligner:
    """A network of letters.

    Attributes:
        model: [B, N] sound at 16 kHz to ([B, F, L] logits, lengths).
        letters: place in the logits of each lower-case letter; of the border between words, too.
    """

    model: Any
    letters: dict[str, int]

    def spans(self, sound: Floats, words: Sequence[str]) -> list[Span] | None:
        """Where each word is said.

        Args:
            sound: [N] mono at 16 kHz, of these words and not much else, at most 30 s.
            words: lower case, without punctuation; what has no letter of its own here may sound like anything.

        Returns:
            Half-open spans in samples, in steps of 20 ms, one a word; None where the sound is too short for them.
        """
        import torch  # stages that need none of it load in a fraction of the time

        if not words or len(sound) < LEAST_SAMPLES:
            return None
        with fixed_threads(THREADS), torch.inference_mode():
            logits, _ = self.model(torch.from_numpy(np.ascontiguousarray(sound, np.float32))[None])
        return spans_of(torch.log_softmax(logits[0].float(), -1), words, self.letters)


def spans_of(scores: "Tensor", words: Sequence[str], letters: dict[str, int]) -> list[Span] | None:
    """Where words lie on the likeliest path through the scores of letters; None where they do not fit in.

    Args:
        scores: [F, L] log probabilities, of which 0 is the blank.
        words: lower case.
        letters: place of each in the scores.
    """
    import torch
    from torchaudio.functional import forced_align, merge_tokens

    anything = scores[:, BLANK + 1 :].max(-1, keepdim=True).values
    unknown = scores.shape[-1]
    spelt = [[letters.get(letter, unknown) for letter in word] for word in words]
    targets = [place for word in spelt[:-1] for place in (*word, letters[BORDER])] + spelt[-1]
    try:
        path, likelihoods = forced_align(torch.cat([scores, anything], -1)[None], torch.tensor([targets]))
    except RuntimeError:  # more letters than frames
        return None
    found = merge_tokens(path[0], likelihoods[0].exp())
    firsts = np.cumsum([0, *(len(word) + 1 for word in spelt)]).tolist()
    return [
        (found[first].start * FRAME_SAMPLES, found[first + len(word) - 1].end * FRAME_SAMPLES)
        for first, word in zip(firsts, spelt, strict=False)
    ]


def load_aligner(weights: Path, bundle_name: str) -> CtcAligner:
    """The network of a file of torchaudio's, as it is published.

    Args:
        weights: under its published name.
        bundle_name: of `torchaudio.pipelines`.
    """
    from torchaudio import pipelines

    bundle = getattr(pipelines, bundle_name)
    model = bundle.get_model(dl_kwargs={"model_dir": str(weights.parent), "weights_only": True}).eval()
    return CtcAligner(model, {letter.lower(): place for place, letter in enumerate(bundle.get_labels()) if place})


def ctc_language(tag: str) -> str | None:
    """The language of a BCP-47 tag, where there is a network for it."""
    primary = primary_language(tag)
    return primary if primary in MODELS else None


def ctc_spans(sound: Floats, words: Sequence[str], language: str) -> list[Span] | None:
    """Where each word is said; see `CtcAligner.spans`.

    Args:
        sound: [N] mono at 16 kHz, at most 30 s.
        words: lower case, without punctuation.
        language: one of `MODELS`.

    Raises:
        AssetUnavailableError: its weights are not here, and cannot be fetched.
    """
    return _aligner(language).spans(sound, words)


def fetch_aligners(tags: Iterable[str]) -> None:
    """Bring the weights of languages here, before anybody waits for their words.

    Args:
        tags: BCP-47; one without a network needs none.

    Raises:
        AssetUnavailableError: they are not here, and cannot be fetched.
    """
    for language in sorted({language for tag in tags if (language := ctc_language(tag))}):
        asset_path(f"ctc-{language}")


def ctc_digests() -> list[str]:
    """What the networks are known by."""
    return [declared_digest(f"ctc-{language}") for language in MODELS]


@cache
def _aligner(language: str) -> CtcAligner:
    return load_aligner(asset_path(f"ctc-{language}"), MODELS[language])
