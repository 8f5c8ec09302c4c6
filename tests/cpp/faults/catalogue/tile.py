"""Faults of the search in many dimensions."""

from .fault import probed_by

fault = probed_by("tile_probe.cpp")

FAULTS = {
    "tile_none": fault("tile_search.cuh", "#pragma once", "#pragma once"),
    "tile_buckets_not_guarded": fault(
        "forest_buckets.cuh", "if (bucket > forest.buckets) return;", "", "[global", "[wrong rows]"
    ),
    "tile_last_bucket_not_cut": fault(
        "forest_buckets.cuh",
        "smaller(larger(end - place, 0), kBucketSize)",
        "kBucketSize",
        "[global",
        "[wrong rows]",
    ),
    "tile_read_before_it_is_loaded": fault(
        "tile_search.cuh",
        "load_axes(buckets, axis);\n      __syncthreads();",
        "load_axes(buckets, axis);",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "tile_loaded_while_it_is_read": fault(
        "tile_search.cuh",
        "alive_[warp_] = alive ? 1 : 0;\n      }\n      __syncthreads();",
        "alive_[warp_] = alive ? 1 : 0;\n      }",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "tile_limits_read_while_they_are_written": fault(
        "tile_search.cuh",
        "collected_ = 0;\n    __syncthreads();",
        "collected_ = 0;",
        "[shared race]",
        "[missed collective]",
    ),
    "tile_left_by_one_warp": fault(
        "tile_search.cuh",
        "past % kCheckedAxes == 0 && nobody_alive()",
        "past % kCheckedAxes == 0 && !alive",
        "[missed collective]",
        "[shared race]",
        "[wrong rows]",
    ),
    "tile_left_too_early": fault(
        "tile_search.cuh",
        "within = within || sums[q][b] <= limit;",
        "within = within || 4 * sums[q][b] <= limit;",
        "[wrong rows]",
    ),
    "tile_without_fused_multiply_add": fault(
        "tile_search.cuh",
        "sums[q][b] = fused_square_add(point[a].lanes[b] - query.lanes[a], sums[q][b]);",
        "sums[q][b] += (point[a].lanes[b] - query.lanes[a]) *"
        " (point[a].lanes[b] - query.lanes[a]);",
        "[wrong rows]",
    ),
    "tile_axes_beyond_the_last": fault(
        "tile_search.cuh",
        "axis >= forest_.dim) return T(0);",
        "false) return T(0);",
        "[wrong rows]",
        "[global",
    ),
    "tile_self_found": fault("tile_search.cuh", "index != state.self &&", "", "[wrong rows]"),
    "tile_pool_overflow": fault(
        "tile_search.cuh",
        "if (state.count + __popc(accepted) > launch_.pool.capacity) {",
        "if (state.count < 0) {",
        "[shared bounds]",
        "[shared race]",
        "[shared uninitialised]",
        "[wrong rows]",
    ),
    "tile_queries_of_half_a_block_boxed": fault(
        "tile_search.cuh",
        "const bool asks = lane_index() < group.count;",
        "const bool asks = lane_index() < group.count / 2;",
        "[wrong rows]",
    ),
}
