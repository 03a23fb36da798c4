"""What light a film's red, green and blue are: BT.2020's, or those of ordinary screens."""

import numpy as np

BT2020 = 9  # AVCOL_PRI number (ITU-T H.273, Table 2)
UNTAGGED = 2
BT2020_MATRICES = (9, 10)  # AVCOL_SPC numbers (ITU-T H.273, Table 4)

# Linear light of BT.709 as that of BT.2020 (ITU-R BT.2087, M2).
TO_2020 = np.array([(0.6274, 0.3293, 0.0433), (0.0691, 0.9195, 0.0114), (0.0164, 0.0880, 0.8956)], np.float64)
TO_709 = np.asarray(np.linalg.inv(TO_2020), np.float64)  # ITU-R BT.2407, 2.2: what lies outside is clipped


def primaries_of(tag: int, matrix: int) -> int:
    """The primaries to show a film with: the tag, without one those that its matrix was made for, as players do."""
    return BT2020 if tag == UNTAGGED and matrix in BT2020_MATRICES else tag
