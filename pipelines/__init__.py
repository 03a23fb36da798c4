"""The dub: Ray Data stages, one file each, in the order they run."""
