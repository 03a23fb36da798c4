"""LINE, what became of a line of a cue sheet; HEARD_LINE, what of one is heard; WORD and its phones."""

import pyarrow as pa

from schemas.column import column

STEM_RATE_HZ = 48_000  # of a dialogue stem that is made of takes
UNIT = "sample at 48 kHz, 0 = first frame shown"

FILM_SAMPLE = "sample at 16 kHz"

PHONE = pa.struct(
    [
        column("name", pa.string(), "In ARPAbet; of other languages than English the nearest phone of English."),
        column("start", pa.int64(), "Where it begins, film time.", unit=FILM_SAMPLE),
        column("end", pa.int64(), "First sample after it.", unit=FILM_SAMPLE),
    ]
)

WORD = pa.struct(
    [
        column(
            "line_index",
            pa.int32(),
            "Place of its line in the cue sheet or script, from 0; null of a word that is in neither.",
            nullable=True,
        ),
        column("text", pa.string(), "As it is written."),
        column("recognised", pa.bool_(), "True where nobody gave its text: Whisper base heard it, perhaps wrong."),
        column("start", pa.int64(), "Where it begins, film time.", unit=FILM_SAMPLE),
        column("end", pa.int64(), "First sample after it.", unit=FILM_SAMPLE),
        column("source", pa.string(), "What found it: pocketsphinx (phones), ctc (letters) or whisper (attention)."),
        column(
            "phones",
            pa.list_(PHONE),
            "From its start to its end; null where pocketsphinx did not find the word, or its phones elsewhere.",
            nullable=True,
        ),
    ]
)

HEARD_LINE = pa.struct(
    [
        column("line_index", pa.int32(), "Place of the line in the cue sheet or script, from 0."),
        column("line_id", pa.string(), "As the sheet names it, else its number in the sheet."),
        column("character", pa.string(), "Who says it.", nullable=True),
        column("start", pa.int64(), "Where it is to begin, film time.", unit=FILM_SAMPLE),
        column("end", pa.int64(), "Where it is to end.", unit=FILM_SAMPLE),
        column("text", pa.string(), "What is to be said.", nullable=True),
        column("heard", pa.string(), "What is heard; null where nothing here understands it.", nullable=True),
        column("num_words", pa.int32(), "Words that are expected."),
        column("word_error_rate", pa.float64(), "Wrong, missing and added words, an expected one.", nullable=True),
        column("start_error_s", pa.float64(), "How late its first word is; positive = late.", unit="s", nullable=True),
        column("speech_s", pa.float64(), "How long somebody speaks in its place.", unit="s"),
        column("doubt", pa.string(), "What a person should look at, one of LineDoubt.", nullable=True),
    ]
)

LINE = pa.schema(
    [
        column("line_id", pa.string(), "As the sheet names it, else its number in the sheet."),
        column("character", pa.string(), "Who says it.", nullable=True),
        column("text", pa.string(), "What is said.", nullable=True),
        column("start_sample", pa.int64(), "Where the sheet lets it begin.", unit=UNIT, nullable=True),
        column("end_sample", pa.int64(), "Where the sheet lets it end.", unit=UNIT, nullable=True),
        column("take", pa.string(), "The recording, as the sheet names it.", nullable=True),
        column("tempo", pa.float64(), "How much faster the take is played than it was spoken.", nullable=True),
        column("heard_end_sample", pa.int64(), "Where what is spoken in the take ends.", unit=UNIT, nullable=True),
        column("flaw", pa.string(), "What is wrong with it, one of LineFlaw.", nullable=True),
        column("detail", pa.string(), "The flaw in words.", nullable=True),
    ]
)
