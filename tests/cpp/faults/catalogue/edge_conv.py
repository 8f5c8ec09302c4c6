"""Faults of EdgeConv."""

from .fault import probed_by

fault = probed_by("edge_conv_probe.cpp")

FAULTS = {
    "edge_conv_none": fault("edge_conv.cuh", "#pragma once", "#pragma once"),
    "edge_conv_missing_edges_counted": fault(
        "edge_conv.cuh",
        "if (point < 0) continue;\n    ++present;",
        "++present;\n    if (point < 0) continue;",
        "[wrong rows]",
    ),
    "edge_conv_rows_that_do_not_ask_counted": fault(
        "edge_conv.cuh",
        "sum.lanes[v] += degree * static_cast<double>(values.lanes[v]);",
        "sum.lanes[v] += static_cast<double>(values.lanes[v]);",
        "[wrong rows]",
    ),
    "edge_conv_mean_over_a_block": fault(
        "edge_conv.cuh",
        "const double edges = join_shares(joined.counts, joined.shares, 1, 0);",
        "const double edges = join_shares(joined.counts, 1, 1, 0);",
        "[wrong rows]",
    ),
    "edge_conv_shares_joined_before_they_are_there": fault(
        "edge_conv_sums.cuh",
        "held[threadIdx.x] = sum;\n  __syncthreads();",
        "held[threadIdx.x] = sum;",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "edge_conv_share_read_before_it_is_written": fault(
        "edge_conv_sums.cuh",
        "held[v * threads + thread] = own.lanes[v];\n  __syncthreads();",
        "held[v * threads + thread] = own.lanes[v];",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "edge_conv_eps_forgotten": fault(
        "edge_conv.cuh",
        "T(normal.variance[channel]) + normal.eps",
        "T(normal.variance[channel])",
        "[wrong rows]",
    ),
    "edge_conv_last_of_equals_wins": fault(
        "edge_conv.cuh",
        "replaces(ranked, best.lanes[v])",
        "(ranked >= best.lanes[v])",
        "[wrong rows]",
    ),
    "edge_conv_sign_forgotten": fault(
        "edge_conv.cuh",
        "sign.lanes[v] < 0 ? T(-1) : T(1)",
        "T(1)",
        "[wrong rows]",
    ),
    "edge_conv_squares_of_missing_edges": fault(
        "edge_conv.cuh",
        "exists ? deviation * deviation : T(0)",
        "deviation * deviation",
        "[wrong rows]",
    ),
    "edge_conv_empty_rows_activated": fault(
        "edge_conv.cuh",
        "problem.channels == 0 || problem.slot[begin] == no_slot<Slot>()",
        "problem.channels == 0",
        "[wrong rows]",
    ),
    "edge_conv_lanes_beyond_read_what_others_write": fault(
        "row_group.cuh",
        "if (has(v)) vector.lanes[v] = array[row + own[v]];",
        "vector.lanes[v] = array[row + own[v]];",
        "[global race]",
    ),
    "edge_conv_every_edge_is_selected": fault(
        "edge_conv_backward.cuh",
        "slots.lanes[v] == static_cast<Slot>(slot)",
        "slot >= 0",
        "[wrong rows]",
    ),
    "edge_conv_gradient_of_one_edge_shared": fault(
        "edge_conv_backward.cuh",
        "const double edges = static_cast<double>(problem.offsets[problem.points]);",
        "const double edges = static_cast<double>(problem.offsets[problem.points]) + 1;",
        "[wrong rows]",
    ),
    "edge_conv_centers_without_their_degree": fault(
        "edge_conv_backward.cuh",
        "degree * constant.lanes[v]",
        "constant.lanes[v]",
        "[wrong rows]",
    ),
    "edge_conv_every_edge_wins": fault(
        "edge_conv_backward.cuh",
        "winners[e].has(v, slots[e]) ? grad.lanes[v] : T(0)",
        "grad.lanes[v]",
        "[wrong rows]",
    ),
    "edge_conv_hub_without_its_deviations": fault(
        "edge_conv_backward.cuh",
        "join_pieces(channels, problem.offsets, point, partial, width, problem.channels);",
        "sum.deviations.sum;",
        "[wrong rows]",
    ),
    "edge_conv_lane_leaves_the_edges_of_others": fault(
        "point_edges.cuh",
        "__any_sync(kFullWarp, first < count);",
        "first < count;",
        "[missed collective]",
    ),
}
