"""What a build says of itself, and what is said when it cannot be loaded."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import hitgraph
from hitgraph import _load

PACKAGE = Path(hitgraph.__file__).parent
INFO = hitgraph._C.build_info()
LEVELS = ("portable", "avx2", "avx512")


def python(*arguments, folder=PACKAGE.parent, **environment):
    """A fresh interpreter that finds the package in `folder`."""
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(folder), **environment},
        capture_output=True,
        text=True,
    )


def copy_of_the_package(folder, *, without=()):
    """The package in another folder, without its compiled parts and without the files named."""
    shutil.copytree(
        PACKAGE,
        folder / "hitgraph",
        ignore=shutil.ignore_patterns("__pycache__", "*.so", *without),
    )
    return folder


def test_info_prints_what_was_built_and_what_runs():
    run = python("-m", "hitgraph.info")
    assert run.returncode == 0, run.stderr
    lines = {
        re.split(r"\s{2,}|(?<=built with torch) ", s, maxsplit=1)[0]: s
        for s in run.stdout.splitlines()
    }
    assert hitgraph.__version__ in lines["hitgraph"]
    assert INFO["torch"] in lines["built with torch"]
    assert torch.__version__ in lines["running torch"]
    assert INFO["compiler"] in lines["compiler"] and INFO["build_type"] in lines["compiler"]
    assert INFO["simd"] in lines["SIMD level"]
    assert "CUDA" in lines and "threads" in lines and "Python" in lines
    assert run.stderr == ""


def test_build_info_has_every_key_and_plain_values():
    assert set(INFO) == {
        "version",
        "torch",
        "compiler",
        "build_type",
        "cuda",
        "cuda_architectures",
        "cuda_toolkit",
        "simd",
        "simd_available",
    }
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", INFO["version"])
    assert INFO["version"] == hitgraph.__version__
    assert INFO["torch"] == (PACKAGE / "build_torch.txt").read_text().strip()
    assert re.match(r"(GNU|Clang|AppleClang|MSVC)\S* \d+", INFO["compiler"])
    assert (INFO["cuda"] is None) == (INFO["cuda_architectures"] == [])


def test_simd_levels():
    available = INFO["simd_available"]
    assert available[0] == "portable" and set(available) <= set(LEVELS)
    assert INFO["simd"] in available
    if "HITGRAPH_SIMD" not in os.environ:
        assert INFO["simd"] == available[-1]


def test_the_version_is_that_of_the_sources():
    version = PACKAGE.parents[1] / "VERSION"
    if not version.is_file():
        pytest.skip("the package is installed, its sources are elsewhere")
    assert version.read_text().strip() == hitgraph.__version__


@pytest.mark.parametrize(
    ("built", "running"),
    [("2.3.0", "2.11.0+cu130"), ("2.11.0+cpu", "2.1.1"), ("2.11.0", "3.11.0")],
)
def test_another_minor_release_of_torch_is_refused_with_the_cure(built, running):
    with pytest.raises(ImportError) as caught:
        _load.check_torch(built, running)
    message = str(caught.value)
    assert f"built with torch {built}" in message and f"torch {running}" in message
    assert "pip install" in message
    # The other cure: the torch it was built with.
    assert ".".join(built.split(".")[:2]) in message.replace(built, "")


@pytest.mark.parametrize(
    ("built", "running"),
    [
        ("2.11.0", "2.11.0"),
        ("2.11.0+cpu", "2.11.0+cu130"),
        ("2.11.0", "2.11.3"),
        ("2.11.0", "2.11.0a0+git1234"),
        (torch.__version__, torch.__version__),
    ],
)
def test_the_same_minor_release_of_torch_passes(built, running):
    _load.check_torch(built, running)


def test_a_package_that_was_not_built_says_so(tmp_path):
    folder = copy_of_the_package(tmp_path, without=["build_torch.txt"])
    run = python("-c", "import hitgraph", folder=folder)
    assert run.returncode == 1
    last = run.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: hitgraph's library is not in ")
    assert "has not been built" in last and "pip install ." in last


def test_a_package_built_with_another_torch_says_so(tmp_path):
    folder = copy_of_the_package(tmp_path)
    (folder / "hitgraph" / "build_torch.txt").write_text("1.9.0+cu111\n")
    run = python("-c", "import hitgraph", folder=folder)
    last = run.stderr.strip().splitlines()[-1]
    assert run.returncode == 1 and last.startswith("ImportError: hitgraph was built with torch 1.9")
    assert torch.__version__ in last


def test_a_library_that_cannot_be_loaded_is_reported_with_both_versions(tmp_path):
    # The note says the right torch, but the library is gone: as after a broken installation.
    run = python("-c", "import hitgraph", folder=copy_of_the_package(tmp_path))
    last = run.stderr.strip().splitlines()[-1]
    assert run.returncode == 1 and last.startswith("ImportError: hitgraph's library, built with")
    assert last.count(torch.__version__) >= 1 and "reinstall hitgraph" in last


def test_the_library_loads_without_the_python_package(tmp_path):
    script = (
        "import sys, torch\n"
        "torch.ops.load_library(sys.argv[1])\n"
        "points = torch.tensor([[0.0], [1.0], [3.0]], requires_grad=True)\n"
        "index, distance2 = torch.ops.hitgraph.knn(points, 1)\n"
        "distance2.sum().backward()\n"
        "assert index.tolist() == [[1], [0], [1]], index\n"
        "assert points.grad.flatten().tolist() == [-4.0, 0.0, 4.0], points.grad\n"
        "names = 'knn_brute_force knn_stats distance2_backward row_splits_from_batch'\n"
        "assert all(hasattr(torch.ops.hitgraph, name) for name in names.split())\n"
        "assert 'hitgraph' not in sys.modules\n"
    )
    run = python("-c", script, str(PACKAGE / "libhitgraph.so"), folder=tmp_path)
    assert run.returncode == 0, run.stderr


def test_the_package_can_be_imported_after_its_library_was_loaded():
    # An operator registered twice would be an error.
    script = (
        "import sys, torch\n"
        "torch.ops.load_library(sys.argv[1])\n"
        "import hitgraph\n"
        "hitgraph.knn(torch.rand(5, 2), 2)\n"
    )
    run = python("-c", script, str(PACKAGE / "libhitgraph.so"))
    assert run.returncode == 0, run.stderr


def test_what_the_package_shows():
    assert set(hitgraph.__all__) <= set(dir(hitgraph))
    assert (Path(hitgraph.cmake_prefix_path) / "cmake" / "hitgraph-config.cmake").is_file()
    assert (PACKAGE / "include" / "hitgraph" / "ops.h").is_file()
    assert (PACKAGE / "py.typed").is_file()
