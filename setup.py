"""What pyproject.toml cannot say: catalogues of translations (`.mo`) are built before the package is.

They are not committed. Each is built beside its `.po`, by `pip install` of a checkout as by that of a wheel's source.
"""

import os
import runpy
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithCatalogues(build_py):
    """Python files, and the catalogues that they read."""

    def run(self) -> None:
        """Build the catalogues, then all else; the package itself cannot be imported yet."""
        catalogues = runpy.run_path(os.path.join("autograder", "language", "catalogues.py"))
        for source in Path("autograder").rglob("*.po"):
            catalogues["content"](source.with_suffix(".mo"))
        super().run()


setup(cmdclass={"build_py": BuildWithCatalogues})
