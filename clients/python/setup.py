"""Generates the files that are not committed before setuptools looks for packages. All metadata is in pyproject.toml."""

import pathlib
import subprocess

import setuptools

here = pathlib.Path(__file__).parent.resolve()
if (here.parent / "kinds.json").exists():  # a source distribution has no repository around it, and has the generated files
    subprocess.run([here / "generate"], check=True)
setuptools.setup()
