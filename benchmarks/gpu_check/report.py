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
        lines.append(kernel_line(cell["name"], cell["kernels_us"]))
    return lines


def kernel_line(name: str, kernels_us: dict[str, float]) -> str:
    top = list(kernels_us.items())[:8]
    return f"{name}: " + ", ".join(f"{kernel} {us:.0f} us" for kernel, us in top)


def gravnet_lines(findings: dict[str, Any]) -> list[str]:
    """GravNet's aggregation, the talk's network, their memory."""
    cells, models = findings["cells"], findings["models"]
    head = ("gravnet, k=64", "ms", "graph", "cold", "goal", "memory", "MB", "wrong")
    lines = ["{:38}{:>9}{:>9}{:>9}{:>8}{:>8}{:>8}{:>7}".format(*head)]
    even = {(c["what"], c["n"], c["channels"], c["index"]): c for c in cells if not c["hubs"]}
    for cell in cells:
        key = (cell["what"], cell["n"], cell["channels"], cell["index"])
        name = "{} n={} F={} {}".format(*key) + (" hubs" if cell["hubs"] else "")
        if "error" in cell:
            lines.append(f"{name:38}{cell['error'][:80]}")
            continue
        goal = "" if cell["goal_ms"] is None else f"{cell['goal_ms']:.1f}"
        row = (
            f"{name:38}{cell['ms']:9.3f}{cell['graph_ms']:9.3f}{cell['cold_ms']:9.3f}{goal:>8}"
            f"{cell['share']:8.0%}{cell['peak_mb']:8.0f}{cell['wrong']:7}"
        )
        if cell["hubs"] and "graph_ms" in even.get(key, {}):
            row += f"  {cell['graph_ms'] / even[key]['graph_ms']:.2f} times without hubs"
        lines.append(row)
    lines += [
        f"memory: share of {findings['bandwidth'] / 1e12:.2f} TB/s, which a copy reaches, by the "
        "bytes that have to be moved (graph)",
    ]
    if "peak" in findings:
        lines.append(
            f"peak forward and backward, n=200000 F=32: {findings['peak']:.2f} times inputs, "
            "graph, results and gradients (at most 1.3)"
        )
    lines += ["", "{:38}{:>9}{:>9}{:>8}{:>8}".format("GravNetModel", "ms", "graph", "goal", "MB")]
    for model in models:
        name = f"{model['n']} hits, {model['mode']}, {model['form']}"
        if "error" in model:
            lines.append(f"{name:38}{model['error'][:80]}")
            continue
        goal = "" if model["goal_ms"] is None else f"{model['goal_ms']:.1f}"
        graph = f"{model['graph_ms']:.3f}" if "graph_ms" in model else ""
        lines.append(f"{name:38}{model['ms']:9.3f}{graph:>9}{goal:>8}{model['peak_mb']:8.0f}")
    lines.append("")
    for cell in cells:
        if "kernels_us" in cell:
            name = f"{cell['what']} n={cell['n']} F={cell['channels']} {cell['index']}"
            name += " hubs" if cell["hubs"] else ""
            lines.append(kernel_line(name, cell["kernels_us"]))
    return lines


def finding_lines(title: str, findings: list[dict[str, Any]], width: int) -> list[str]:
    """What each took, beside its goal, and how far it is from the truth."""
    head = (title.ljust(width), "ms", "graph", "goal", "MB", "")
    lines = ["{}{:>9}{:>9}{:>8}{:>8}  {}".format(*head)]
    for finding in findings:
        name = finding["name"].ljust(width)
        if "failed" in finding:
            lines.append(f"{name}{finding['failed'][:80]}")
            continue
        goal = finding.get("goal_ms")
        graph = finding.get("graph_ms")
        note = "" if finding.get("same", True) else "not the CPU's rows"
        if "error" in finding:
            note = f"from the CPU: {finding['error']:.1e}"
        if "float32_error" in finding:
            note = f"from float64: {finding['float32_error']:.1e}"
        lines.append(
            f"{name}{finding['ms']:9.3f}{'' if graph is None else f'{graph:.3f}':>9}"
            f"{'' if goal is None else f'{goal:.1f}':>8}{finding['peak_mb']:8.0f}  {note}"
        )
    return lines


def kernels_of(findings: list[dict[str, Any]]) -> list[str]:
    return [
        kernel_line(finding["name"], finding["kernels_us"])
        for finding in findings
        if "kernels_us" in finding
    ]


def edge_conv_lines(findings: dict[str, Any]) -> list[str]:
    """Searches in many dimensions, layers, models."""
    every = [finding for part in findings.values() for finding in part]
    lines = finding_lines("EdgeConv, k=20", every, 38)
    times = {finding["name"]: finding.get("ms") for finding in every}
    for mode in ("infer", "train"):
        dgcnn, gravnet = times.get(f"DGCNN, {mode}"), times.get(f"GravNetModel, {mode}")
        if dgcnn and gravnet:
            lines.append(f"DGCNN, {mode}: {dgcnn / gravnet:.1f} times GravNetModel")
    return [*lines, "", *kernels_of(every)]


def text(results: dict[str, Any]) -> str:
    facts, stages = results["machine"], results["stages"]
    lines = ["tools/gpu_check", ""]
    lines += [f"{name:12}{value}" for name, value in facts.items()]
    lines += ["", *(line(name, result) for name, result in stages.items()), ""]
    if findings := stages.get("cells", {}).get("findings"):
        lines += cell_lines(findings)
    if findings := stages.get("gravnet", {}).get("findings"):
        lines += ["", *gravnet_lines(findings)]
    if findings := stages.get("edge_conv", {}).get("findings"):
        lines += ["", *edge_conv_lines(findings)]
    if findings := stages.get("condensation", {}).get("findings"):
        lines += ["", *finding_lines("object condensation", findings, 58)]
        lines += ["", *kernels_of(findings)]
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
