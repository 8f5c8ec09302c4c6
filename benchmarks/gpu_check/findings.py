"""Files of findings that are whole whenever a stage is cut off."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def write(file: Path, findings: Any) -> None:
    beside = file.with_suffix(".part")
    beside.write_text(json.dumps(findings))
    os.replace(beside, file)
