"""Faults of the search within a radius."""

from .fault import probed_by

fault = probed_by("radius_probe.cpp")

FAULTS = {
    "radius_none": fault("radius_search.cuh", "#pragma once", "#pragma once"),
    "radius_self_found": fault(
        "radius_search.cuh", "candidate_.index != self &&", "", "[wrong rows]"
    ),
    "radius_bound_not_inclusive": fault(
        "radius_search.cuh",
        "distance2 <= launch_.max_distance2;",
        "distance2 < launch_.max_distance2;",
        "[wrong rows]",
    ),
    "radius_box_left_out_at_the_bound": fault(
        "radius_search.cuh",
        "}) <= launch_.max_distance2;",
        "}) < launch_.max_distance2;",
        "[wrong rows]",
    ),
    "radius_children_forgotten": fault(
        "radius_search.cuh", "near = rest & (rest - 1);", "near = 0;", "[wrong rows]"
    ),
    "radius_place_not_moved": fault(
        "radius_search.cuh",
        "if (lane_index() == query) place_ += __popc(lanes);",
        "",
        "[global race]",
    ),
    "radius_places_of_32_bits": fault(
        "radius_search.cuh", "const int64_t place =", "const int place =", "[global bounds]"
    ),
    "radius_full_bucket_counted_whole": fault(
        "radius_search.cuh", "larger(left_, 0)", "left_", "[global uninitialised]", "[wrong rows]"
    ),
    "radius_full_rows_written_too": fault(
        "radius_search.cuh",
        "left_ = length < launch_.most ? length : 0;",
        "left_ = length;",
        "[global race]",
        "[global bounds]",
    ),
    "radius_warps_share_records": fault(
        "radius_search.cuh",
        "static_cast<uint32_t>(warp) * launch.layout.bytes",
        "0 * launch.layout.bytes",
        "[shared race]",
    ),
    "radius_corners_read_before_they_are_written": fault(
        "group_walk.cuh",
        "      high_corner[axis] = high;\n    }\n  }\n  __syncwarp();",
        "      high_corner[axis] = high;\n    }\n  }",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "radius_lane_misses_the_walk": fault(
        "radius_search.cuh",
        "if (asking_ != 0) search(group.segment);",
        "if (left_ > 0) search(group.segment);",
        "[missed collective]",
    ),
    "radius_positions_not_guarded": fault(
        "radius_search.cuh", "if (position > full.rows) return;", "", "[global bounds]"
    ),
    "radius_buckets_not_guarded": fault(
        "radius_search.cuh", "if (number > full.queries.buckets) return;", "", "[global bounds]"
    ),
    "radius_every_row_is_full": fault(
        "radius_search.cuh",
        "marked = end - begin == full.most;",
        "marked = true;",
        "[wrong rows]",
        "[global",
    ),
    "radius_row_ranked_before_it_is_loaded": fault(
        "row_sort.cuh",
        "  __syncwarp();\n  const Neighbours<T>& to",
        "  const Neighbours<T>& to",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "radius_pieces_left_in_their_rows": fault(
        "row_sort.cuh",
        "piece.pieces == 1 ? sort.rows : sort.runs;",
        "sort.rows;",
        "[global uninitialised]",
    ),
    "radius_merge_without_tie_rule": fault(
        "row_sort.cuh",
        "not_after(there, merge.from.index(middle), distance2, index)",
        "there <= distance2",
        "[global race]",
        "[global uninitialised]",
    ),
    "radius_runs_merged_with_the_next_pair": fault(
        "row_sort.cuh", "(run ^ 1)", "(run + 1)", "[global", "[wrong rows]"
    ),
}
