"""Put recipes, protocols and splits into what is installed; all else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
#: The folders of phiz.cli.recipes_command.FOLDERS, with what is taken of each.
FOLDERS = {"recipes": "**/*.toml", "protocols": "*.toml", "splits": "*.csv"}


class BuildWithExperiments(build_py):
    """Copies what `phiz recipes` hands out into the package; an editable install reads the checkout."""

    def run(self):
        """Build, then copy."""
        super().run()
        if self.editable_mode:
            return
        for folder, kind in FOLDERS.items():
            for file in (ROOT / folder).glob(kind):
                copy = Path(self.build_lib, "phiz", "experiments", file.relative_to(ROOT))
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)


setup(cmdclass={"build_py": BuildWithExperiments})
