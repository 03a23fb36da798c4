"""LINE, what became of a line of a cue sheet."""

import pyarrow as pa

from schemas.column import column

STEM_RATE_HZ = 48_000  # of a dialogue stem that is made of takes
UNIT = "sample at 48 kHz, 0 = first frame shown"

LINE = pa.schema(
    [
        column("line_id", pa.string(), "As the sheet names it, else its number in the sheet."),
        column("character", pa.string(), "Who says it.", nullable=True),
        column("text", pa.string(), "What is said.", nullable=True),
        column("start_sample", pa.int64(), "Where the sheet lets it begin.", unit=UNIT, nullable=True),
        column("end_sample", pa.int64(), "Where the sheet lets it end.", unit=UNIT, nullable=True),
        column("take", pa.string(), "The recording, as the sheet names it.", nullable=True),
        column("tempo", pa.float64(), "How much faster the take is played than it was spoken.", nullable=True),
        column("heard_end_sample", pa.int64(), "Where the last sound of the take lies.", unit=UNIT, nullable=True),
        column("flaw", pa.string(), "What is wrong with it, one of LineFlaw.", nullable=True),
        column("detail", pa.string(), "The flaw in words.", nullable=True),
    ]
)
