"""Generates the files that are not committed before setuptools looks for packages. All metadata is in pyproject.toml."""

import pathlib
import subprocess

import setuptools

subprocess.run([pathlib.Path(__file__).parent.resolve() / "generate"], check=True)
setuptools.setup()
