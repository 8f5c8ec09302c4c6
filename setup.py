"""Builds hitgraph by CMake: configure, build, install into the package folder.

torch is never imported here. Its version, headers and libraries are read from its folder, so that
`pip install .` works with pip's build isolation, where the torch of the environment that hitgraph
goes into is on disk but cannot be imported.

Environment variables: HITGRAPH_TORCH_DIR (the torch package to build against), MAX_JOBS, DEBUG=1,
FORCE_CUDA=1 (no build without CUDA), CMAKE_ARGS.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
GIGABYTES_PER_JOB = 2.0  # what a source file with torch headers takes to compile


def search_path() -> list[str]:
    """Where the environment that hitgraph is being built for looks for packages.

    Under build isolation pip hides the environment from this process, by variables alone: the same
    interpreter started without them sees everything, a system's or a user's packages included.
    """
    hiding = ("PYTHONPATH", "PYTHONNOUSERSITE")
    environment = {name: value for name, value in os.environ.items() if name not in hiding}
    code = "import json, sys; print(json.dumps(sys.path))"
    answer = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    return [*sys.path, *json.loads(answer)]


def is_torch(folder: Path) -> bool:
    return (folder / "version.py").is_file() and (folder / "lib").is_dir()


def find_torch() -> Path:
    """The torch package of the environment that hitgraph is being built for."""
    if named := os.environ.get("HITGRAPH_TORCH_DIR"):
        if not is_torch(Path(named)):
            sys.exit(
                "hitgraph: expected HITGRAPH_TORCH_DIR to be the folder of a torch package, with "
                f"version.py and lib/ in it, got {named}"
            )
        return Path(named)
    for path in search_path():
        if is_torch(Path(path, "torch")):
            return Path(path, "torch").resolve()
    sys.exit(
        "hitgraph: expected torch in the environment that hitgraph is installed into, found none: "
        "run `pip install torch` first; where an installer builds in an environment of its own, "
        "give it --no-build-isolation, or set HITGRAPH_TORCH_DIR to the torch package's folder."
    )


def torch_version(folder: Path) -> str:
    match = re.search(r"__version__ = '([^']+)'", (folder / "version.py").read_text())
    if match is None:
        sys.exit(f"hitgraph: expected a version in {folder / 'version.py'}, found none.")
    return match[1]


def job_count() -> int:
    """As many compilers as there are cores, and memory for."""
    if jobs := os.environ.get("MAX_JOBS"):
        return int(jobs)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return max(1, min(os.cpu_count() or 1, int(memory / GIGABYTES_PER_JOB)))


class CMakeBuild(build_ext):
    """One extension, hitgraph._C; libhitgraph.so, headers and the CMake package come with it."""

    def build_extension(self, ext: Extension) -> None:
        target = Path(self.get_ext_fullpath(ext.name)).resolve().parent
        self.cmake_install(target)

    def copy_extensions_to_source(self) -> None:
        # An editable install would copy the module alone and leave its library behind.
        self.cmake_install(ROOT / "python" / "hitgraph")

    def cmake_install(self, target: Path) -> None:
        build = Path(
            os.environ.get("HITGRAPH_BUILD_DIR", Path(self.build_temp) / "cmake")
        ).resolve()
        build.mkdir(parents=True, exist_ok=True)
        cmake = shutil.which("cmake") or "cmake"
        subprocess.check_call([cmake, "-S", str(ROOT), "-B", str(build), *self.options(target)])
        subprocess.check_call([cmake, "--build", str(build), f"-j{job_count()}"])
        subprocess.check_call([cmake, "--install", str(build)])

    def options(self, target: Path) -> list[str]:
        import pybind11

        debug = os.environ.get("DEBUG") == "1" or self.debug
        options = {
            "CMAKE_BUILD_TYPE": "Debug" if debug else "Release",
            "CMAKE_INSTALL_PREFIX": target,
            "HITGRAPH_CUDA": "ON" if os.environ.get("FORCE_CUDA") == "1" else "AUTO",
            "HITGRAPH_TORCH_DIR": find_torch(),
            "HITGRAPH_PYTHON_INCLUDE_DIR": sysconfig.get_path("include"),
            "HITGRAPH_PYTHON_SUFFIX": sysconfig.get_config_var("EXT_SUFFIX"),
            "HITGRAPH_PYBIND11_INCLUDE_DIR": pybind11.get_include(),
        }
        generator = []
        if ninja := shutil.which("ninja"):
            # Named anew each time: an isolated build's ninja is gone when the next build starts.
            generator = ["-GNinja", f"-DCMAKE_MAKE_PROGRAM={ninja}"]
        extra = shlex.split(os.environ.get("CMAKE_ARGS", ""))
        return generator + [f"-D{name}={value}" for name, value in options.items()] + extra


def requirements() -> list[str]:
    """A library built with one torch loads with no other: the wheel says so."""
    if not {"bdist_wheel", "editable_wheel", "dist_info"} & set(sys.argv):
        return ["torch"]
    release = re.match(r"\d+\.\d+", torch_version(find_torch()))
    return [f"torch=={release[0]}.*"] if release else ["torch"]


setup(
    version=(ROOT / "VERSION").read_text().strip(),
    package_dir={"": "python"},
    packages=find_packages("python"),
    package_data={"hitgraph": ["py.typed"]},
    ext_modules=[Extension("hitgraph._C", sources=[])],
    cmdclass={"build_ext": CMakeBuild},
    install_requires=[*requirements(), "numpy"],
)
