"""Tags of RFC 5646 itself are taken, in its letter case; what no registry knows is refused with a hint."""

import pytest

from jobs.language import UnknownLanguageError, language_tag


@pytest.mark.parametrize(
    "tag",
    [  # RFC 5646, appendix A, and tags that film catalogs use
        "de",
        "zh-Hant",
        "sr-Latn-RS",
        "sl-rozaj",
        "de-CH-1901",
        "hy-Latn-IT-arevela",
        "es-419",
        "de-CH-x-phonebk",
        "en-US-u-islamcal",
        "zh-yue-HK",
        "yue",
        "fil",
        "pt-BR",
    ],
)
def test_a_tag_of_the_standard_is_taken_as_it_stands(tag: str) -> None:
    assert language_tag(tag) == tag


@pytest.mark.parametrize(("written", "tag"), [("DE-at", "de-AT"), ("zh-hant-tw", "zh-Hant-TW"), ("PT-br", "pt-BR")])
def test_letter_case_does_not_matter_and_comes_out_as_recommended(written: str, tag: str) -> None:
    assert language_tag(written) == tag


@pytest.mark.parametrize(
    ("tag", "hint"),
    [
        ("xx-klingonish", "xx"),
        ("zz", "zz"),
        ("german", "no BCP-47"),
        ("pt_BR", "pt-BR"),
        ("deu", "two-letter"),
        ("en-UK", "GB"),
        ("de-", "no BCP-47"),
        ("d\u00e9", "no BCP-47"),
        ("", "no BCP-47"),
        ("de\n", "no BCP-47"),
    ],
)
def test_an_unknown_tag_is_refused_with_a_hint(tag: str, hint: str) -> None:
    with pytest.raises(UnknownLanguageError, match=hint):
        language_tag(tag)
