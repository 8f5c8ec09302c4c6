"""The pages of docs/benchmarks: what a reader sees first, and every table of a run."""

from __future__ import annotations

from pathlib import Path

from . import published, readings, tables
from .readings import Results

MISSING = {
    "NVIDIA L40S": "not measured yet",
    "NVIDIA GTX 1080 Ti": "not measured yet",
    "NVIDIA H100, H200, A100": "not measured yet",
}
"""GPUs whose figures the talk or others have; without those that a run is of."""
COMMANDS = """```
pip install . matplotlib tqdm        # in an environment whose torch has CUDA, with nvcc on PATH
python -m benchmarks --gpu --output benchmarks/results/gpu-NAME.json
tools/gpu_check
```"""


def picture(name: str, caption: str) -> str:
    """A figure in the reader's theme."""
    return "\n".join(
        [
            "<picture>",
            f'  <source media="(prefers-color-scheme: dark)" srcset="{name}-dark.png">',
            f'  <img alt="{caption}" src="{name}-light.png">',
            "</picture>",
        ]
    )


def first_page(runs: dict[str, Results], drawn: dict[str, list[tuple[str, str]]]) -> str:
    """docs/benchmarks/README.md.

    Args:
        runs: by the stem of their files.
        drawn: names and captions of the figures of each.
    """
    blocks = ["# Benchmarks", "Made by `python -m benchmarks.report`; do not edit."]
    blocks.append(
        "Every time is a median of calls in which all libraries take turns, of index and search "
        "together. Whoever is timed has been compared with float64 before. "
        "[How it is measured](method.md)."
    )
    blocks.append("## Where hitgraph is behind")
    for stem, results in runs.items():
        blocks += [f"On {where(results)} ([{stem}]({stem}.md)):", tables.behind(results)]
    for stem, results in runs.items():
        blocks.append(f"## {where(results)}: {stem}")
        blocks.append(f"{tables.environment_line(results)}. [All tables]({stem}.md).")
        if results["left"]:
            blocks.append(f"Unfinished: {len(results['left'])} cells are not measured yet.")
        blocks += [picture(name, caption) for name, caption in drawn[stem]]
        blocks.append(summary(results))
    blocks += ["## GPUs", gpus(runs)]
    blocks += ["## Published by others", "Other hardware, other years: read, not measured."]
    blocks += [picture("published", "published times of other systems"), published.markdown()]
    return "\n\n".join(blocks) + "\n"


def where(results: Results) -> str:
    return " and ".join(readings.hardware(results, d) for d in readings.devices(results))


def summary(results: Results) -> str:
    """How time grows with n, and what the machine can do."""
    lines = []
    for device in readings.devices(results):
        limits = results["ceilings"][device]
        lines.append(
            f"Measured limits of {readings.hardware(results, device)}: "
            f"{limits['bytes'] / 1e9:.1f} GB/s (a copy, read and written), "
            f"{limits['multiply_adds'] / 1e9:.1f} billion float32 multiply-adds a second (a matrix "
            "product)."
        )
        curves = readings.curves(results, "knn", device, "uniform", d=3, k=40)
        slopes = {name: readings.exponent_of(curve, 5_000) for name, curve in curves.items()}
        known = [f"{name} {slope:.2f}" for name, slope in slopes.items() if slope is not None]
        if known:
            lines.append(
                "Exponents of time in n from 5 000 points on (uniform, d = 3, k = 40): "
                + ", ".join(known)
                + "."
            )
    return " ".join(lines)


def gpus(runs: dict[str, Results]) -> str:
    measured = " ".join(str(results["environment"].get("gpu", "")) for results in runs.values())
    rows = []
    for name, state in MISSING.items():
        known = any(part.strip() in measured for part in name.replace("NVIDIA ", "").split(","))
        rows.append([name, "see above" if known else state])
    return "\n\n".join(
        [
            tables.table(["GPU", ""], rows),
            "With one of them at hand, please run this, and send `benchmarks/results/` back in an "
            "issue or a pull request:",
            COMMANDS,
        ]
    )


def all_tables(results: Results) -> str:
    """docs/benchmarks/STEM.md: every table of a run."""
    blocks = [f"# {where(results)}", "Made by `python -m benchmarks.report`; do not edit."]
    blocks.append(f"{tables.environment_line(results)}; profile `--{results['profile']}`.")
    blocks.append(
        "Medians ± half of the interquartile range; in brackets how many times as long as "
        "hitgraph; – where a library does not take part."
    )
    for device in readings.devices(results):
        for group, heading in tables.GROUP_TITLES.items():
            cells = readings.of_group(results, group, device)
            if not cells:
                continue
            blocks += [f"## {heading}", tables.comparison(cells)]
            limits = results["ceilings"][device]
            if group == "knn":
                blocks += ["What hitgraph does for it:", tables.work(cells, limits)]
            if group == "aggregate":
                blocks += ["Share of a copy's bytes a second:", tables.traffic(cells, limits)]
            for name, text in (
                ("Pieces of a call, timed apart:", tables.parts(cells)),
                ("More threads:", tables.threads(cells)),
                ("Peak memory of a call beyond what was there before:", tables.memory(cells)),
            ):
                blocks += [name, text] if text else []
    if wrong := tables.wrong(results):
        blocks += ["## Wrong or failed", "Such a library is not timed.", wrong]
    blocks += ["## Peers", versions(results)]
    if absent := tables.absent(results):
        blocks.append(absent)
    return "\n\n".join(blocks) + "\n"


def versions(results: Results) -> str:
    known = [
        f"{name} {found['version']}"
        for name, found in results["peers"].items()
        if "version" in found
    ]
    return "Measured: " + ", ".join(known) + "."


def write(runs: dict[str, Results], folder: Path, draw: bool = True) -> None:
    """All pages and figures of all runs."""
    from . import figures, style

    folder.mkdir(parents=True, exist_ok=True)
    drawn = {
        stem: figures.draw_all(run, folder, stem) if draw else [] for stem, run in runs.items()
    }
    for theme in style.THEMES if draw else ():
        published.draw(folder / f"published-{theme}.png", theme)
    for stem, results in runs.items():
        (folder / f"{stem}.md").write_text(all_tables(results))
    (folder / "README.md").write_text(first_page(runs, drawn))
