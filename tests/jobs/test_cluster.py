"""The Ray that a job starts for itself."""

import shutil

from jobs.cluster import OBJECT_STORE_BYTES, SHARED_MEMORY, store_that_fits


def test_a_store_is_as_large_as_wanted_and_never_larger_than_shared_memory_or_smaller_than_usual() -> None:
    free = shutil.disk_usage(SHARED_MEMORY).free

    assert store_that_fits(0) == OBJECT_STORE_BYTES
    assert store_that_fits(OBJECT_STORE_BYTES) == OBJECT_STORE_BYTES
    assert store_that_fits(1 << 50) in range(OBJECT_STORE_BYTES, max(OBJECT_STORE_BYTES, free) + 1)
