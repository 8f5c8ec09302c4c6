#!/usr/bin/env python3
"""Puts one fault at a time into a copy of the kernels; the host's execution must catch it.

faults.py NAME --compiler c++ --libraries ...   compiles a probe with the fault and runs it
faults.py --list                                the names

A fault is a piece of a file, which must occur, what stands there instead, and what is said of it:
the kind of a violation, or rows that differ from the CPU's.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[3]


class Fault(NamedTuple):
    file: str
    there: str
    instead: str
    said: tuple[str, ...]
    probe: str = "probe.cpp"


def gravnet(file: str, there: str, instead: str, *said: str) -> Fault:
    return Fault(file, there, instead, said, "gravnet_probe.cpp")


def radius(file: str, there: str, instead: str, *said: str) -> Fault:
    return Fault(file, there, instead, said, "radius_probe.cpp")


def condensation(file: str, there: str, instead: str, *said: str) -> Fault:
    return Fault(file, there, instead, said, "condensation_probe.cpp")


def condensate(file: str, there: str, instead: str, *said: str) -> Fault:
    return Fault(file, there, instead, said, "condensate_probe.cpp")


def edge_conv(file: str, there: str, instead: str, *said: str) -> Fault:
    return Fault(file, there, instead, said, "edge_conv_probe.cpp")


def tile(file: str, there: str, instead: str, *said: str) -> Fault:
    return Fault(file, there, instead, said, "tile_probe.cpp")


FAULTS = {
    "none": Fault("knn_search.cuh", "#pragma once", "#pragma once", ()),
    "warp_barrier_removed": Fault(
        "forest_split.cuh",
        "next[leaf] = place + __popc(alike);\n    __syncwarp();",
        "next[leaf] = place + __popc(alike);",
        ("[shared race]",),
    ),
    "block_barrier_removed": Fault(
        "block_partition.cuh",
        "          }\n        }\n        __syncthreads();",
        "          }\n        }",
        ("[shared race]",),
    ),
    "barrier_before_the_pool_is_read_removed": Fault(
        "knn_search.cuh",
        "add(kAccepted, __popc(accepted));\n    __syncwarp();",
        "add(kAccepted, __popc(accepted));",
        ("[shared race]", "[shared uninitialised]"),
    ),
    "wrong_mask": Fault(
        "knn_search.cuh",
        "return __ballot_sync(kFullWarp, needs);",
        "return __ballot_sync(0xffffu, needs);",
        ("[mask]", "[missed collective]"),
    ),
    "lane_misses_a_collective": Fault(
        "knn_search.cuh",
        "if (!__any_sync(kFullWarp, near)) return false;",
        "if (!near) return false;",
        ("[missed collective]",),
    ),
    "off_by_one_at_the_last_lane": Fault(
        "forest_buckets.cuh",
        "const bool present = lane < count;",
        "const bool present = lane < count && lane != 31;",
        ("[global uninitialised]", "[wrong rows]"),
    ),
    "rank_counts_its_own_lane": Fault(
        "warp.cuh",
        "return (1u << lane_index()) - 1;",
        "return (2u << lane_index()) - 1;",
        ("[shared", "[global", "[wrong rows]"),
    ),
    "unguarded_tail": Fault(
        "forest_rows.cuh",
        "if (row > forest.rows) return;",
        "",
        ("[global bounds]",),
    ),
    "missing_tie_rule": Fault(
        "knn_pool.cuh",
        "rank += not_after(distance2, index, other_distance2, other_index) ? 0 : 1;",
        "rank += distance2 <= other_distance2 ? 0 : 1;",
        ("[wrong rows]", "[global uninitialised]", "[global race]"),
    ),
    "box_skipped_at_a_tie": Fault(
        "knn_search.cuh",
        "not_after<T, int>(bound, forest_.first_index[bucket], limit, state.limit_index);",
        "bound < limit;",
        ("[wrong rows]",),
    ),
    "bound_in_another_order": Fault(
        "group_walk.cuh",
        """    const int64_t place = static_cast<int64_t>(axis) * forest.slots + slot;
    const Interval<T> other = from(axis);""",
        """    const int back = dim - 1 - axis;
    const int64_t place = static_cast<int64_t>(back) * forest.slots + slot;
    const Interval<T> other = from(back);""",
        ("[wrong rows]",),
    ),
    "bound_without_fused_multiply_add": Fault(
        "group_walk.cuh",
        "bound = fused_square_add(gap, bound);",
        "bound = bound + gap * gap;",
        ("[wrong rows]",),
    ),
    "pool_overflow": Fault(
        "knn_search.cuh",
        "if (state.count + __popc(accepted) > launch_.pool.capacity) {",
        "if (state.count < 0) {",
        ("[shared bounds]", "[shared race]", "[wrong rows]", "[shared uninitialised]"),
    ),
    "shared_memory_not_initialised": Fault(
        "group_walk.cuh",
        "for (int number = dim; number < stride; ++number)",
        "for (int number = dim; number < dim + 1; ++number)",
        ("[shared uninitialised]",),
    ),
    "slot_that_stays_over_not_written": Fault(
        "forest_split.cuh",
        "if (child > round.children) return;",
        "if (child >= round.children) return;",
        ("[global uninitialised]",),
    ),
    "overflow_of_32_bits": Fault(
        "knn_launch.cuh",
        "static_cast<int64_t>(row) * k :",
        "static_cast<int>(static_cast<unsigned>(row) * k) :",
        ("[global bounds]",),
    ),
    "second_layer_forgotten": Fault(
        "knn_search.cuh",
        "pool(query).count_within(state.count, shell) >= k_)",
        "state.count >= k_)",
        ("[wrong rows]",),
    ),
    "self_found": Fault(
        "knn_search.cuh", "near && candidate_.index != state.self &&", "near &&", ("[wrong rows]",)
    ),
    "hub_joined_without_its_last_piece": Fault(
        "distance2_backward.cuh",
        "for (int64_t piece = 0; piece < pieces; ++piece) {",
        "for (int64_t piece = 0; piece < pieces - 1; ++piece) {",
        ("[wrong rows]",),
    ),
    "gravnet_none": gravnet("gravnet.cuh", "#pragma once", "#pragma once"),
    "gravnet_sums_in_one_block": gravnet(
        "gravnet.cuh",
        "if (slot % kSumBlock == 0) reduction.end_block();",
        "",
        "[wrong rows]",
    ),
    "gravnet_last_of_equals_wins": gravnet(
        "gravnet.cuh",
        "replaces(product, best.lanes[v])",
        "(product >= best.lanes[v])",
        "[wrong rows]",
    ),
    "gravnet_missing_edge_competes": gravnet(
        "gravnet.cuh",
        "problem.missing_is_zero ? kMissing : 0;",
        "kMissing;",
        "[wrong rows]",
    ),
    "gravnet_rows_not_guarded": gravnet(
        "gravnet.cuh", "if (row >= edges.rows) continue;", "", "[global bounds]"
    ),
    "gravnet_points_not_guarded": gravnet(
        "graph_rows.cuh", "point >= 0 && point < points ?", "point >= 0 ?", "[global bounds]"
    ),
    "gravnet_vectors_where_none_fit": gravnet(
        "row_launches.h",
        "address % (kWidth * sizeof(T)) == 0 &&",
        "",
        "[global alignment]",
    ),
    "gravnet_missing_edges_counted": gravnet(
        "gravnet_backward.cuh",
        "problem.edges.point_of(warp.number, slot) >= 0 ? 1 : 0;",
        "1;",
        "[wrong rows]",
    ),
    "gravnet_tile_forgets_the_one_before": gravnet(
        "gravnet_backward.cuh",
        "if (tile > 0) by_weight += problem.grad_values[edge];",
        "",
        "[wrong rows]",
    ),
    "gravnet_sums_of_four_mixed_up": gravnet(
        "row_group.cuh", "(odd ? sums[3] : sums[2])", "(odd ? sums[2] : sums[3])", "[wrong rows]"
    ),
    "gravnet_lane_leaves_the_edges_of_others": gravnet(
        "point_edges.cuh",
        "__any_sync(kFullWarp, first < count);",
        "first < count;",
        "[missed collective]",
    ),
    "gravnet_every_channel_wins": gravnet(
        "gravnet_backward.cuh",
        "winners[e].has(v, slots[e]) ? product : T(0);",
        "product;",
        "[wrong rows]",
    ),
    "gravnet_piece_not_cut": gravnet(
        "hub_piece.cuh",
        "end = begin + kHubPiece < past ? begin + kHubPiece : past;",
        "end = past;",
        "[wrong rows]",
    ),
    "gravnet_first_piece_numbered_as_others": gravnet(
        "hub_piece.cuh",
        "return 2 * (begin / kHubPiece) + (first ? 1 : 0);",
        "return 2 * (begin / kHubPiece);",
        "[global uninitialised]",
        "[wrong rows]",
    ),
    "gravnet_hub_joined_without_its_last_piece": gravnet(
        "point_edges.cuh", "piece < end;", "piece + kHubPiece < end;", "[wrong rows]"
    ),
    "radius_none": radius("radius_search.cuh", "#pragma once", "#pragma once"),
    "radius_self_found": radius(
        "radius_search.cuh", "candidate_.index != self &&", "", "[wrong rows]"
    ),
    "radius_bound_not_inclusive": radius(
        "radius_search.cuh",
        "distance2 <= launch_.max_distance2;",
        "distance2 < launch_.max_distance2;",
        "[wrong rows]",
    ),
    "radius_box_left_out_at_the_bound": radius(
        "radius_search.cuh",
        "}) <= launch_.max_distance2;",
        "}) < launch_.max_distance2;",
        "[wrong rows]",
    ),
    "radius_children_forgotten": radius(
        "radius_search.cuh", "near = rest & (rest - 1);", "near = 0;", "[wrong rows]"
    ),
    "radius_place_not_moved": radius(
        "radius_search.cuh",
        "if (lane_index() == query) place_ += __popc(lanes);",
        "",
        "[global race]",
    ),
    "radius_places_of_32_bits": radius(
        "radius_search.cuh", "const int64_t place =", "const int place =", "[global bounds]"
    ),
    "radius_full_bucket_counted_whole": radius(
        "radius_search.cuh", "larger(left_, 0)", "left_", "[global uninitialised]", "[wrong rows]"
    ),
    "radius_full_rows_written_too": radius(
        "radius_search.cuh",
        "left_ = length < launch_.most ? length : 0;",
        "left_ = length;",
        "[global race]",
        "[global bounds]",
    ),
    "radius_warps_share_records": radius(
        "radius_search.cuh",
        "static_cast<uint32_t>(warp) * launch.layout.bytes",
        "0 * launch.layout.bytes",
        "[shared race]",
    ),
    "radius_corners_read_before_they_are_written": radius(
        "group_walk.cuh",
        "      high_corner[axis] = high;\n    }\n  }\n  __syncwarp();",
        "      high_corner[axis] = high;\n    }\n  }",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "radius_lane_misses_the_walk": radius(
        "radius_search.cuh",
        "if (asking_ != 0) search(group.segment);",
        "if (left_ > 0) search(group.segment);",
        "[missed collective]",
    ),
    "radius_positions_not_guarded": radius(
        "radius_search.cuh", "if (position > full.rows) return;", "", "[global bounds]"
    ),
    "radius_buckets_not_guarded": radius(
        "radius_search.cuh", "if (number > full.queries.buckets) return;", "", "[global bounds]"
    ),
    "radius_every_row_is_full": radius(
        "radius_search.cuh",
        "marked = end - begin == full.most;",
        "marked = true;",
        "[wrong rows]",
        "[global",
    ),
    "radius_row_ranked_before_it_is_loaded": radius(
        "row_sort.cuh",
        "  __syncwarp();\n  const Neighbours<T>& to",
        "  const Neighbours<T>& to",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "radius_pieces_left_in_their_rows": radius(
        "row_sort.cuh",
        "piece.pieces == 1 ? sort.rows : sort.runs;",
        "sort.rows;",
        "[global uninitialised]",
    ),
    "radius_merge_without_tie_rule": radius(
        "row_sort.cuh",
        "not_after(there, merge.from.index(middle), distance2, index)",
        "there <= distance2",
        "[global race]",
        "[global uninitialised]",
    ),
    "radius_runs_merged_with_the_next_pair": radius(
        "row_sort.cuh", "(run ^ 1)", "(run + 1)", "[global", "[wrong rows]"
    ),
    "edge_conv_none": edge_conv("edge_conv.cuh", "#pragma once", "#pragma once"),
    "edge_conv_missing_edges_counted": edge_conv(
        "edge_conv.cuh",
        "if (point < 0) continue;\n    ++present;",
        "++present;\n    if (point < 0) continue;",
        "[wrong rows]",
    ),
    "edge_conv_rows_that_do_not_ask_counted": edge_conv(
        "edge_conv.cuh",
        "sum.lanes[v] += degree * static_cast<double>(values.lanes[v]);",
        "sum.lanes[v] += static_cast<double>(values.lanes[v]);",
        "[wrong rows]",
    ),
    "edge_conv_mean_over_a_block": edge_conv(
        "edge_conv.cuh",
        "const double edges = join_shares(joined.counts, joined.shares, 1, 0);",
        "const double edges = join_shares(joined.counts, 1, 1, 0);",
        "[wrong rows]",
    ),
    "edge_conv_shares_joined_before_they_are_there": edge_conv(
        "edge_conv_sums.cuh",
        "held[threadIdx.x] = sum;\n  __syncthreads();",
        "held[threadIdx.x] = sum;",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "edge_conv_share_read_before_it_is_written": edge_conv(
        "edge_conv_sums.cuh",
        "held[v * threads + thread] = own.lanes[v];\n  __syncthreads();",
        "held[v * threads + thread] = own.lanes[v];",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "edge_conv_eps_forgotten": edge_conv(
        "edge_conv.cuh",
        "T(normal.variance[channel]) + normal.eps",
        "T(normal.variance[channel])",
        "[wrong rows]",
    ),
    "edge_conv_last_of_equals_wins": edge_conv(
        "edge_conv.cuh",
        "replaces(ranked, best.lanes[v])",
        "(ranked >= best.lanes[v])",
        "[wrong rows]",
    ),
    "edge_conv_sign_forgotten": edge_conv(
        "edge_conv.cuh",
        "sign.lanes[v] < 0 ? T(-1) : T(1)",
        "T(1)",
        "[wrong rows]",
    ),
    "edge_conv_squares_of_missing_edges": edge_conv(
        "edge_conv.cuh",
        "exists ? deviation * deviation : T(0)",
        "deviation * deviation",
        "[wrong rows]",
    ),
    "edge_conv_empty_rows_activated": edge_conv(
        "edge_conv.cuh",
        "problem.channels == 0 || problem.slot[begin] == no_slot<Slot>()",
        "problem.channels == 0",
        "[wrong rows]",
    ),
    "edge_conv_lanes_beyond_read_what_others_write": edge_conv(
        "row_group.cuh",
        "if (has(v)) vector.lanes[v] = array[row + own[v]];",
        "vector.lanes[v] = array[row + own[v]];",
        "[global race]",
    ),
    "edge_conv_every_edge_is_selected": edge_conv(
        "edge_conv_backward.cuh",
        "slots.lanes[v] == static_cast<Slot>(slot)",
        "slot >= 0",
        "[wrong rows]",
    ),
    "edge_conv_gradient_of_one_edge_shared": edge_conv(
        "edge_conv_backward.cuh",
        "const double edges = static_cast<double>(problem.offsets[problem.points]);",
        "const double edges = static_cast<double>(problem.offsets[problem.points]) + 1;",
        "[wrong rows]",
    ),
    "edge_conv_centers_without_their_degree": edge_conv(
        "edge_conv_backward.cuh",
        "degree * constant.lanes[v]",
        "constant.lanes[v]",
        "[wrong rows]",
    ),
    "edge_conv_every_edge_wins": edge_conv(
        "edge_conv_backward.cuh",
        "winners[e].has(v, slots[e]) ? grad.lanes[v] : T(0)",
        "grad.lanes[v]",
        "[wrong rows]",
    ),
    "edge_conv_hub_without_its_deviations": edge_conv(
        "edge_conv_backward.cuh",
        "join_pieces(channels, problem.offsets, point, partial, width, problem.channels);",
        "sum.deviations.sum;",
        "[wrong rows]",
    ),
    "edge_conv_lane_leaves_the_edges_of_others": edge_conv(
        "point_edges.cuh",
        "__any_sync(kFullWarp, first < count);",
        "first < count;",
        "[missed collective]",
    ),
    "tile_none": tile("tile_search.cuh", "#pragma once", "#pragma once"),
    "tile_buckets_not_guarded": tile(
        "forest_buckets.cuh", "if (bucket > forest.buckets) return;", "", "[global", "[wrong rows]"
    ),
    "tile_last_bucket_not_cut": tile(
        "forest_buckets.cuh",
        "smaller(larger(end - place, 0), kBucketSize)",
        "kBucketSize",
        "[global",
        "[wrong rows]",
    ),
    "tile_read_before_it_is_loaded": tile(
        "tile_search.cuh",
        "load_axes(buckets, axis);\n      __syncthreads();",
        "load_axes(buckets, axis);",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "tile_loaded_while_it_is_read": tile(
        "tile_search.cuh",
        "alive_[warp_] = alive ? 1 : 0;\n      }\n      __syncthreads();",
        "alive_[warp_] = alive ? 1 : 0;\n      }",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "tile_limits_read_while_they_are_written": tile(
        "tile_search.cuh",
        "collected_ = 0;\n    __syncthreads();",
        "collected_ = 0;",
        "[shared race]",
        "[missed collective]",
    ),
    "tile_left_by_one_warp": tile(
        "tile_search.cuh",
        "past % kCheckedAxes == 0 && nobody_alive()",
        "past % kCheckedAxes == 0 && !alive",
        "[missed collective]",
        "[shared race]",
        "[wrong rows]",
    ),
    "tile_left_too_early": tile(
        "tile_search.cuh",
        "within = within || sums[q][b] <= limit;",
        "within = within || 4 * sums[q][b] <= limit;",
        "[wrong rows]",
    ),
    "tile_without_fused_multiply_add": tile(
        "tile_search.cuh",
        "sums[q][b] = fused_square_add(point[a].lanes[b] - query.lanes[a], sums[q][b]);",
        "sums[q][b] += (point[a].lanes[b] - query.lanes[a]) *"
        " (point[a].lanes[b] - query.lanes[a]);",
        "[wrong rows]",
    ),
    "tile_axes_beyond_the_last": tile(
        "tile_search.cuh",
        "axis >= forest_.dim) return T(0);",
        "false) return T(0);",
        "[wrong rows]",
        "[global",
    ),
    "tile_self_found": tile("tile_search.cuh", "index != state.self &&", "", "[wrong rows]"),
    "tile_pool_overflow": tile(
        "tile_search.cuh",
        "if (state.count + __popc(accepted) > launch_.pool.capacity) {",
        "if (state.count < 0) {",
        "[shared bounds]",
        "[shared race]",
        "[shared uninitialised]",
        "[wrong rows]",
    ),
    "tile_queries_of_half_a_block_boxed": tile(
        "tile_search.cuh",
        "const bool asks = lane_index() < group.count;",
        "const bool asks = lane_index() < group.count / 2;",
        "[wrong rows]",
    ),
    "condensation_none": condensation("condensation.cuh", "#pragma once", "#pragma once"),
    "condensation_last_of_equals_is_the_point": condensation(
        "condensation_objects.cuh", "other_row < row", "other_row > row", "[wrong rows]"
    ),
    "condensation_first_that_is_no_number_forgotten": condensation(
        "condensation_objects.cuh",
        "first_beta != first_beta ? first_row : best.row",
        "best.row",
        "[wrong rows]",
    ),
    "condensation_tile_read_before_it_is_written": condensation(
        "condensation_pairs.cuh",
        "    shared[threadIdx.x] = record;\n  }\n  __syncthreads();",
        "    shared[threadIdx.x] = record;\n  }",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "condensation_slices_joined_before_they_are_there": condensation(
        "condensation.cuh",
        "= sums.sums[i];\n    __syncthreads();",
        "= sums.sums[i];",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "condensation_joined_without_the_last_piece": condensation(
        "condensation.cuh", "piece < pieces;", "piece < pieces - 1;", "[wrong rows]"
    ),
    "condensation_own_hits_repelled": condensation(
        "condensation.cuh",
        "hit.object == static_cast<int32_t>(number)",
        "hit.object == -2",
        "[wrong rows]",
    ),
    "condensation_last_tile_of_hits_not_cut": condensation(
        "condensation_backward.cuh",
        "row < tile.rows.end;",
        "row < pairs.hits;",
        "[global race]",
        "[wrong rows]",
    ),
    "condensation_first_axes_for_all": condensation(
        "condensation_pairs.cuh", "first + number", "number", "[wrong rows]"
    ),
    "condensate_none": condensate("condensate.cuh", "#pragma once", "#pragma once"),
    "condensate_decided_before_compared": condensate(
        "condensate.cuh",
        "compare_batch();\n      __syncthreads();",
        "compare_batch();",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "condensate_searched_before_marked": condensate(
        "condensate.cuh",
        "mark(fresh);\n      __syncthreads();",
        "mark(fresh);",
        "[global race]",
        "[shared race]",
    ),
    "condensate_taken_candidates_become_points": condensate(
        "condensate.cuh",
        "open &= ~unsigned(takes_[taker * kBatchWords + lane_index()]);",
        "(void)0;",
        "[wrong rows]",
    ),
    "condensate_candidate_without_room_forgotten": condensate(
        "condensate.cuh", "rank == kBatch) news_[1] = place;", "false) {}", "[wrong rows]"
    ),
    "condensate_radius_of_the_other": condensate(
        "condensate.cuh",
        "within = distance2 <= problem_.limit(row);",
        "within = distance2 <= problem_.limit(other_row);",
        "[wrong rows]",
    ),
    "condensate_node_left_out_at_the_bound": condensate(
        "condensate.cuh",
        "first_node + node, row) <= limit",
        "first_node + node, row) < limit",
        "[wrong rows]",
    ),
    "condensate_nearest_without_tie_rule": condensate(
        "../condensate_rules.h",
        "not_after(distance2, row, own_distance2, own_row)",
        "distance2 <= own_distance2",
        "[wrong rows]",
    ),
}


def with_fault(fault: Fault, folder: Path) -> None:
    shutil.copytree(ROOT / "csrc", folder / "csrc")
    path = folder / "csrc" / "core" / "cuda" / fault.file
    text = path.read_text()
    if text.count(fault.there) < 1:
        sys.exit(f"faults.py: {fault.file} no longer has: {fault.there}")
    path.write_text(text.replace(fault.there, fault.instead))


def run(name: str, fault: Fault, compiler: str, libraries: list[str]) -> int:
    with tempfile.TemporaryDirectory() as name_of_folder:
        folder = Path(name_of_folder)
        with_fault(fault, folder)
        probe = folder / "probe"
        command = [compiler, "-std=c++17", "-O1", "-DHITGRAPH_HOST_CUDA"]
        command += [f"-I{folder / 'csrc'}", f"-I{ROOT / 'tests' / 'cpp'}"]
        command += [str(Path(__file__).parent / fault.probe), *libraries, "-lpthread"]
        subprocess.run([*command, "-o", str(probe)], check=True)
        ran = subprocess.run([str(probe)], capture_output=True, text=True, timeout=300)
    said = ran.stdout.strip()
    print(f"{name}: {said or 'nothing was found'}")
    if not fault.said:
        return ran.returncode
    return 0 if ran.returncode == 1 and said.startswith(fault.said) else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", choices=FAULTS)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--libraries", nargs="*", default=[])
    arguments = parser.parse_args()
    if arguments.list:
        print(";".join(FAULTS), end="")
        return 0
    return run(arguments.name, FAULTS[arguments.name], arguments.compiler, arguments.libraries)


if __name__ == "__main__":
    sys.exit(main())
