"""Which synthetic voices say how much of what the shipped model is trained from, and which of them it never hears."""

WORDFREQ = "wordfreq-3.1.1-py3-none-any.whl"  # the words, by how common they are

FLITE_SECONDS = {"slt": 340, "awb": 340, "kal16": 280, "rms": 150}
# Language of the words, voices, seconds in all.
ESPEAK_PLAN: list[tuple[str, str, int]] = [
    ("es", "es es+f3 es+m3 es-419+Annie es+Andy es-419", 240),
    ("fr", "fr fr+f4 fr+m7 fr+anika", 170),
    ("de", "de de+f2 de+Andy", 130),
    ("en", "en-us en-gb-x-rp+f3 en-us+m3", 100),
    ("it", "it it+f3", 60),
    ("pt", "pt pt-br+f2", 60),
    ("es", "es+f5", 50),
]
ENGLISH_VOICES = (
    "af_heart am_michael bf_emma am_fenrir af_bella bm_fable am_puck af_sarah bm_lewis am_adam bf_isabella am_onyx"
)
# Language of the words, espeak-ng's name of it, voices, seconds in all.
KOKORO_PLAN: list[tuple[str, str, str, int]] = [
    ("en", "en-us", ENGLISH_VOICES, 560),
    ("es", "es", "em_santa af_heart am_michael pm_alex", 240),
    ("fr", "fr", "af_sarah bm_fable if_sara", 110),
    ("de", "de", "bf_emma am_adam", 70),
    ("it", "it", "if_sara im_nicola", 60),
    ("pt", "pt-br", "pf_dora pm_alex", 60),
    ("en", "en-us", "bm_george", 60),
    ("es", "es", "em_alex ef_dora", 70),
]
HELD_VOICES = ("flite-rms", "espeak-es+f5", "kokoro-bm_george", "kokoro-em_alex", "kokoro-ef_dora", "kokoro-ff_siwis")
