"""Faults of GravNet's aggregation and transposed graphs."""

from .fault import probed_by

fault = probed_by("gravnet_probe.cpp")

FAULTS = {
    "gravnet_none": fault("gravnet.cuh", "#pragma once", "#pragma once"),
    "gravnet_sums_in_one_block": fault(
        "gravnet.cuh",
        "if (slot % kSumBlock == 0) reduction.end_block();",
        "",
        "[wrong rows]",
    ),
    "gravnet_last_of_equals_wins": fault(
        "gravnet.cuh",
        "replaces(product, best.lanes[v])",
        "(product >= best.lanes[v])",
        "[wrong rows]",
    ),
    "gravnet_missing_edge_competes": fault(
        "gravnet.cuh",
        "problem.missing_is_zero ? kMissing : 0;",
        "kMissing;",
        "[wrong rows]",
    ),
    "gravnet_rows_not_guarded": fault(
        "gravnet.cuh", "if (row >= edges.rows) continue;", "", "[global bounds]"
    ),
    "gravnet_points_not_guarded": fault(
        "graph_rows.cuh", "point >= 0 && point < points ?", "point >= 0 ?", "[global bounds]"
    ),
    "gravnet_vectors_where_none_fit": fault(
        "row_launches.h",
        "address % (kWidth * sizeof(T)) == 0 &&",
        "",
        "[global alignment]",
    ),
    "gravnet_missing_edges_counted": fault(
        "gravnet_backward.cuh",
        "problem.edges.point_of(warp.number, slot) >= 0 ? 1 : 0;",
        "1;",
        "[wrong rows]",
    ),
    "gravnet_tile_forgets_the_one_before": fault(
        "gravnet_backward.cuh",
        "if (tile > 0) by_weight += problem.grad_values[edge];",
        "",
        "[wrong rows]",
    ),
    "gravnet_sums_of_four_mixed_up": fault(
        "row_group.cuh", "(odd ? sums[3] : sums[2])", "(odd ? sums[2] : sums[3])", "[wrong rows]"
    ),
    "gravnet_lane_leaves_the_edges_of_others": fault(
        "point_edges.cuh",
        "__any_sync(kFullWarp, first < count);",
        "first < count;",
        "[missed collective]",
    ),
    "gravnet_every_channel_wins": fault(
        "gravnet_backward.cuh",
        "winners[e].has(v, slots[e]) ? product : T(0);",
        "product;",
        "[wrong rows]",
    ),
    "gravnet_piece_not_cut": fault(
        "hub_piece.cuh",
        "end = begin + kHubPiece < past ? begin + kHubPiece : past;",
        "end = past;",
        "[wrong rows]",
    ),
    "gravnet_first_piece_numbered_as_others": fault(
        "hub_piece.cuh",
        "return 2 * (begin / kHubPiece) + (first ? 1 : 0);",
        "return 2 * (begin / kHubPiece);",
        "[global uninitialised]",
        "[wrong rows]",
    ),
    "gravnet_hub_joined_without_its_last_piece": fault(
        "point_edges.cuh", "piece < end;", "piece + kHubPiece < end;", "[wrong rows]"
    ),
}
