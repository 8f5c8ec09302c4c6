"""Faults of the clustering of a condensed space."""

from .fault import probed_by

fault = probed_by("condensate_probe.cpp")

FAULTS = {
    "condensate_none": fault("condensate.cuh", "#pragma once", "#pragma once"),
    "condensate_decided_before_compared": fault(
        "condensate.cuh",
        "compare_batch();\n      __syncthreads();",
        "compare_batch();",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "condensate_searched_before_marked": fault(
        "condensate.cuh",
        "mark(fresh);\n      __syncthreads();",
        "mark(fresh);",
        "[global race]",
        "[shared race]",
    ),
    "condensate_taken_candidates_become_points": fault(
        "condensate.cuh",
        "open &= ~unsigned(takes_[taker * kBatchWords + lane_index()]);",
        "(void)0;",
        "[wrong rows]",
    ),
    "condensate_candidate_without_room_forgotten": fault(
        "condensate.cuh", "rank == kBatch) news_[1] = place;", "false) {}", "[wrong rows]"
    ),
    "condensate_radius_of_the_other": fault(
        "condensate.cuh",
        "within = distance2 <= problem_.limit(row);",
        "within = distance2 <= problem_.limit(other_row);",
        "[wrong rows]",
    ),
    "condensate_node_left_out_at_the_bound": fault(
        "condensate.cuh",
        "first_node + node, row) <= limit",
        "first_node + node, row) < limit",
        "[wrong rows]",
    ),
    "condensate_nearest_without_tie_rule": fault(
        "../condensate_rules.h",
        "not_after(distance2, row, own_distance2, own_row)",
        "distance2 <= own_distance2",
        "[wrong rows]",
    ),
}
