"""Debug mode: a switch of the process, that a `with` gives back, and the environment sets."""

import os
import subprocess
import sys

import pytest

import hitgraph
from hitgraph import debug


def enabled():
    return hitgraph._C.debug_checks()


def test_it_is_switched_on_and_off():
    before = enabled()
    try:
        debug.checks(True)
        assert enabled()
        debug.checks(False)
        assert not enabled()
        debug.checks()
        assert enabled()
    finally:
        debug.checks(before)


def test_a_with_gives_back_what_was():
    with debug.checks(False):
        with debug.checks(True):
            assert enabled()
        assert not enabled()
        with pytest.raises(RuntimeError, match="inside"), debug.checks(True):
            raise RuntimeError("inside")
        assert not enabled()


def test_another_type_is_refused():
    with pytest.raises(TypeError, match=r"debug\.checks: expected enabled to be a bool, got int"):
        debug.checks(1)


@pytest.mark.parametrize(
    ("value", "expected"), [(None, False), ("", False), ("0", False), ("1", True)]
)
def test_the_environment_starts_it(value, expected):
    environment = {k: v for k, v in os.environ.items() if k != "HITGRAPH_DEBUG"}
    if value is not None:
        environment["HITGRAPH_DEBUG"] = value
    code = "import hitgraph; print(hitgraph._C.debug_checks())"
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert run.stdout.strip() == str(expected), run.stderr
