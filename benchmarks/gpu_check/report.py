"""The table of a run of tools/gpu_check."""

from __future__ import annotations

from typing import Any


def line(stage: str, result: dict[str, Any]) -> str:
    status = result["status"]
    word = "ok" if status == 0 else "out of time" if status is None else f"failed ({status})"
    return f"{stage:10} {word:14} {result['seconds']:6.1f} s"


def cell_lines(findings: list[dict[str, Any]]) -> list[str]:
    head = ("cell", "ms", "graph", "int64", "build", "goal", "MB", "wrong")
    lines = ["{:38}{:>9}{:>9}{:>9}{:>8}{:>8}{:>8}{:>7}".format(*head)]
    for cell in findings:
        if "error" in cell:
            lines.append(f"{cell['name']:38}{cell['error'][:80]}")
            continue
        goal = "" if cell["goal_ms"] is None else f"{cell['goal_ms']:.1f}"
        share = cell["build_share"]
        lines.append(
            f"{cell['name']:38}{cell['ms']:9.3f}{cell['graph_ms']:9.3f}{cell['int64_ms']:9.3f}"
            f"{'' if share is None else f'{share:.0%}':>8}{goal:>8}{cell['peak_mb']:8.0f}"
            f"{cell['wrong_of_100']:7}"
        )
    lines.append("")
    for cell in findings:
        if "error" in cell:
            continue
        top = list(cell["kernels_us"].items())[:8]
        lines.append(f"{cell['name']}: " + ", ".join(f"{name} {us:.0f} us" for name, us in top))
    return lines


def text(results: dict[str, Any]) -> str:
    facts, stages = results["machine"], results["stages"]
    lines = ["tools/gpu_check", ""]
    lines += [f"{name:12}{value}" for name, value in facts.items()]
    lines += ["", *(line(name, result) for name, result in stages.items()), ""]
    if findings := stages.get("cells", {}).get("findings"):
        lines += cell_lines(findings)
    if findings := stages.get("bits", {}).get("findings"):
        wrong = [case for case, same in findings.items() if not same]
        lines += ["", f"bits: {len(findings)} cases compared with the CPU, {len(wrong)} differ"]
        lines += wrong[:20]
    for tool, result in stages.get("sanitizer", {}).get("findings", {}).items():
        lines += [line(tool, result)]
    for name, result in stages.items():
        if result["status"] != 0:
            lines += ["", f"--- {name}", result["output"]]
    return "\n".join(lines) + "\n"
