"""What users import is there, documented, and quiet."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import finops_lib

PUBLIC = ["finops_lib", "finops_lib.ingest", "finops_lib.inform", "finops_lib.report", "finops_lib.batch"]


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_there_and_says_what_it_does(module):
    """``__all__`` names nothing that is missing; functions and classes have a docstring."""
    loaded = importlib.import_module(module)

    for name in loaded.__all__:
        found = getattr(loaded, name)
        if inspect.isfunction(found) or inspect.isclass(found):
            assert inspect.getdoc(found), f"{module}.{name}"
    assert sorted(set(loaded.__all__), key=str.lower) == sorted(loaded.__all__, key=str.lower)


@pytest.mark.parametrize("module", PUBLIC[1:])
def test_public_functions_document_their_parameters(module):
    """Each parameter stands in the docstring, results and errors have their sections."""
    loaded = importlib.import_module(module)

    for name in loaded.__all__:
        found = getattr(loaded, name)
        if not inspect.isfunction(found):
            continue
        text, signature = inspect.getdoc(found) or "", inspect.signature(found)
        for parameter in signature.parameters:
            assert parameter.lstrip("*") in text, f"{module}.{name}: {parameter}"
        if signature.return_annotation not in (None, "None"):
            assert "Returns\n-------" in text, f"{module}.{name}"


def test_every_module_says_its_idea_in_a_sentence():
    """The first line of each module's docstring ends like a sentence."""
    for module in pkgutil.walk_packages(finops_lib.__path__, "finops_lib."):
        if module.name.endswith("__main__"):
            continue
        text = importlib.import_module(module.name).__doc__
        assert text, module.name
        assert text.strip().split("\n\n")[0].endswith((".", ":", "::")), module.name


def test_importing_is_quick_and_silent():
    """No engine, no figures, no output, before anything is asked for."""
    code = (
        "import sys, finops_lib\n"
        "print(sorted({'duckdb', 'matplotlib', 'IPython', 'papermill', 'pandera'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)

    assert ("[]\n", "") == (done.stdout, done.stderr)


def test_the_version_is_one():
    """The package and its metadata agree on the number's form."""
    assert 3 == len(finops_lib.__version__.split("."))
    assert all(part.isdigit() for part in finops_lib.__version__.split("."))
