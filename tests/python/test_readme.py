"""The README's example runs and prints what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"


def test_example(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(example, "README.md", "exec"), {})
    printed = re.findall(r"\[(.*?)\]", capsys.readouterr().out)
    promised = re.findall(r"\((\d+, \d+)\)", example.splitlines()[-1])
    assert printed == promised and len(promised) == 3


def test_pictures_exist_and_are_small() -> None:
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", README.read_text(encoding="utf-8"))
    assert pictures
    for picture in pictures:
        assert (README.parent / picture).stat().st_size < 300_000
