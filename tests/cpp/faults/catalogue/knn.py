"""Faults of the search for k neighbours and the forest that it searches."""

from .fault import probed_by

fault = probed_by("probe.cpp")

FAULTS = {
    "none": fault("knn_search.cuh", "#pragma once", "#pragma once"),
    "warp_barrier_removed": fault(
        "forest_split.cuh",
        "next[leaf] = place + __popc(alike);\n    __syncwarp();",
        "next[leaf] = place + __popc(alike);",
        "[shared race]",
    ),
    "block_barrier_removed": fault(
        "block_partition.cuh",
        "          }\n        }\n        __syncthreads();",
        "          }\n        }",
        "[shared race]",
    ),
    "barrier_before_the_pool_is_read_removed": fault(
        "knn_search.cuh",
        "add(kAccepted, __popc(accepted));\n    __syncwarp();",
        "add(kAccepted, __popc(accepted));",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "wrong_mask": fault(
        "knn_search.cuh",
        "return __ballot_sync(kFullWarp, needs);",
        "return __ballot_sync(0xffffu, needs);",
        "[mask]",
        "[missed collective]",
    ),
    "lane_misses_a_collective": fault(
        "knn_search.cuh",
        "if (!__any_sync(kFullWarp, near)) return false;",
        "if (!near) return false;",
        "[missed collective]",
    ),
    "off_by_one_at_the_last_lane": fault(
        "forest_buckets.cuh",
        "const bool present = lane < count;",
        "const bool present = lane < count && lane != 31;",
        "[global uninitialised]",
        "[wrong rows]",
    ),
    "rank_counts_its_own_lane": fault(
        "warp.cuh",
        "return (1u << lane_index()) - 1;",
        "return (2u << lane_index()) - 1;",
        "[shared",
        "[global",
        "[wrong rows]",
    ),
    "unguarded_tail": fault(
        "forest_rows.cuh",
        "if (row > forest.rows) return;",
        "",
        "[global bounds]",
    ),
    "missing_tie_rule": fault(
        "knn_pool.cuh",
        "rank += not_after(distance2, index, other_distance2, other_index) ? 0 : 1;",
        "rank += distance2 <= other_distance2 ? 0 : 1;",
        "[wrong rows]",
        "[global uninitialised]",
        "[global race]",
    ),
    "box_skipped_at_a_tie": fault(
        "knn_search.cuh",
        "not_after<T, int>(bound, forest_.first_index[bucket], limit, state.limit_index);",
        "bound < limit;",
        "[wrong rows]",
    ),
    "bound_in_another_order": fault(
        "group_walk.cuh",
        """    const int64_t place = static_cast<int64_t>(axis) * forest.slots + slot;
    const Interval<T> other = from(axis);""",
        """    const int back = dim - 1 - axis;
    const int64_t place = static_cast<int64_t>(back) * forest.slots + slot;
    const Interval<T> other = from(back);""",
        "[wrong rows]",
    ),
    "bound_without_fused_multiply_add": fault(
        "group_walk.cuh",
        "bound = fused_square_add(gap, bound);",
        "bound = bound + gap * gap;",
        "[wrong rows]",
    ),
    "pool_overflow": fault(
        "knn_search.cuh",
        "if (state.count + __popc(accepted) > launch_.pool.capacity) {",
        "if (state.count < 0) {",
        "[shared bounds]",
        "[shared race]",
        "[wrong rows]",
        "[shared uninitialised]",
    ),
    "shared_memory_not_initialised": fault(
        "group_walk.cuh",
        "for (int number = dim; number < stride; ++number)",
        "for (int number = dim; number < dim + 1; ++number)",
        "[shared uninitialised]",
    ),
    "slot_that_stays_over_not_written": fault(
        "forest_split.cuh",
        "if (child > round.children) return;",
        "if (child >= round.children) return;",
        "[global uninitialised]",
    ),
    "overflow_of_32_bits": fault(
        "knn_launch.cuh",
        "static_cast<int64_t>(row) * k :",
        "static_cast<int>(static_cast<unsigned>(row) * k) :",
        "[global bounds]",
    ),
    "second_layer_forgotten": fault(
        "knn_search.cuh",
        "pool(query).count_within(state.count, shell) >= k_)",
        "state.count >= k_)",
        "[wrong rows]",
    ),
    "self_found": fault(
        "knn_search.cuh", "near && candidate_.index != state.self &&", "near &&", "[wrong rows]"
    ),
    "hub_joined_without_its_last_piece": fault(
        "distance2_backward.cuh",
        "for (int64_t piece = 0; piece < pieces; ++piece) {",
        "for (int64_t piece = 0; piece < pieces - 1; ++piece) {",
        "[wrong rows]",
    ),
}
