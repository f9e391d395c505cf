"""Of what is installed a worker reads the libraries that it was given, and nothing else, in every isolation."""

from __future__ import annotations

import os
import sys
from glob import glob

import pytest

from autograder.sandbox.installed import installed
from autograder.sandbox.readable import Readable, library_paths, narrowed, site_packages

LIBRARIES = ("tqdm", "numpy")
READ = """
def reads(path):
    try:
        return bool(open(path, "rb").read(1)) or True
    except OSError:
        return False
answer = [reads(path) for path in {paths!r}]
"""


def files_of(name):
    [spec] = [found for entry in site_packages(sys.path) for found in glob(f"{entry}/{name}/__init__.py")][:1]
    return spec


def test_what_a_library_needs_comes_along():
    found = installed(("torch",))
    assert {"torch", "sympy", "mpmath", "typing_extensions"} <= found.names
    assert not {"sklearn", "scipy", "ot", "pytest", "tqdm"} & found.names
    assert installed(("no_such_library",)).places == ()
    assert {os.path.basename(place) for place in found.places} >= {"torch", "sympy"}


def test_what_is_given_is_read_and_nothing_else(parent, limits, talk):
    own, strange = files_of("tqdm"), [files_of(name) for name in ("sklearn", "scipy", "pytest", "jsonschema")]
    with parent.spawn(limits, installed(LIBRARIES).places) as worker:
        assert talk(worker, READ.format(paths=[own, os.__file__, *strange])).answer == [True, True] + [False] * 4
        assert talk(worker, "import tqdm\nanswer = tqdm.__name__").answer == "tqdm"
        assert talk(worker, "import sklearn").error in ("ModuleNotFoundError", "PermissionError")
    with parent.spawn(limits) as worker:
        assert talk(worker, READ.format(paths=strange)).answer == [True] * 4, "the check itself is sound"


def test_no_folder_for_packages_of_another_python_is_read(parent, limits, talk):
    """What a system or the environment's own Python has installed beside the standard library."""
    readable = narrowed(library_paths(), installed(LIBRARIES).places, sys.path)
    if not readable.samples:
        pytest.skip("nothing else is installed here")
    with parent.spawn(limits, installed(LIBRARIES).places) as worker:
        assert talk(worker, READ.format(paths=readable.samples)).answer == [False] * len(readable.samples)


def test_who_allows_whole_folders_names_what_stands_around_a_hidden_one(tmp_path):
    for name in ("lib/python3/site-packages/stranger", "lib/python3/site-packages/own", "lib/python3/json"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / "lib/os.py").touch()
    folder = str(tmp_path / "lib")
    readable = narrowed([folder], [f"{folder}/python3/site-packages/own"], [f"{folder}/python3/site-packages"])
    assert readable.hidden == (f"{folder}/python3/site-packages",)
    assert readable.listed == readable.hidden
    assert readable.samples == (f"{folder}/python3/site-packages/stranger/__init__.py",)
    (tmp_path / "lib/link").symlink_to(tmp_path)
    apart = readable.without_mounts()
    paths = [path.removeprefix(folder) for path in apart.paths]
    assert paths == ["/os.py", "/python3/json", "/python3/site-packages/own"]
    assert apart.listed == (*readable.listed, folder, f"{folder}/python3")
    assert Readable((folder,)).without_mounts().paths == (folder,)
