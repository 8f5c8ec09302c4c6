"""Building the package: what setup.py asks of the environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]


def run_setup(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs code after setup.py's definitions, without its call of setup()."""
    definitions = (ROOT / "setup.py").read_text().split("\nsetup(")[0]
    program = f"__file__ = {str(ROOT / 'setup.py')!r}\n{definitions}\n{code}"
    return subprocess.run(
        [sys.executable, "-"],
        input=program.replace("from __future__ import annotations", ""),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(autouse=True)
def _setuptools_is_there() -> None:
    pytest.importorskip("setuptools")


def test_torch_is_found_where_isolation_hides_it(tmp_path: Path) -> None:
    # pip hides the environment by a sitecustomize that PYTHONPATH leads to.
    (tmp_path / "sitecustomize.py").write_text(
        "import sys; sys.path = [p for p in sys.path if 'site-packages' not in p]"
    )
    code = "print(find_torch())"
    hidden = f"try:\n    import torch\nexcept ImportError:\n    {code}"
    # setuptools would be hidden as well; pip gives it to the build, here a stand-in does.
    (tmp_path / "setuptools" / "command").mkdir(parents=True)
    (tmp_path / "setuptools" / "__init__.py").write_text("Extension = find_packages = setup = None")
    (tmp_path / "setuptools" / "command" / "__init__.py").touch()
    (tmp_path / "setuptools" / "command" / "build_ext.py").write_text("class build_ext: pass")
    ran = run_setup(hidden, PYTHONPATH=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert Path(ran.stdout.strip()) == Path(torch.__file__).parent.resolve()


def test_the_version_of_torch_is_read_without_importing_it() -> None:
    ran = run_setup("print(torch_version(find_torch())); assert 'torch' not in sys.modules")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == torch.__version__


def test_no_torch_is_an_error_with_the_cure() -> None:
    ran = run_setup("search_path = lambda: []\nfind_torch()", HITGRAPH_TORCH_DIR="")
    assert ran.returncode != 0
    assert "expected torch in the environment" in ran.stderr
    assert "pip install torch" in ran.stderr and "--no-build-isolation" in ran.stderr


def test_a_wrong_folder_of_torch_is_named(tmp_path: Path) -> None:
    ran = run_setup("find_torch()", HITGRAPH_TORCH_DIR=str(tmp_path))
    assert ran.returncode != 0
    assert "expected HITGRAPH_TORCH_DIR to be the folder of a torch package" in ran.stderr
    assert str(tmp_path) in ran.stderr


def test_jobs_are_what_is_asked() -> None:
    assert run_setup("print(job_count())", MAX_JOBS="3").stdout.strip() == "3"
    assert int(run_setup("print(job_count())", MAX_JOBS="").stdout) >= 1
