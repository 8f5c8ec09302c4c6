"""Faults of object condensation's loss."""

from .fault import probed_by

fault = probed_by("condensation_probe.cpp")

FAULTS = {
    "condensation_none": fault("condensation.cuh", "#pragma once", "#pragma once"),
    "condensation_last_of_equals_is_the_point": fault(
        "condensation_objects.cuh", "other_row < row", "other_row > row", "[wrong rows]"
    ),
    "condensation_first_that_is_no_number_forgotten": fault(
        "condensation_objects.cuh",
        "first_beta != first_beta ? first_row : best.row",
        "best.row",
        "[wrong rows]",
    ),
    "condensation_tile_read_before_it_is_written": fault(
        "condensation_pairs.cuh",
        "    shared[threadIdx.x] = record;\n  }\n  __syncthreads();",
        "    shared[threadIdx.x] = record;\n  }",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "condensation_slices_joined_before_they_are_there": fault(
        "condensation.cuh",
        "= sums.sums[i];\n    __syncthreads();",
        "= sums.sums[i];",
        "[shared race]",
        "[shared uninitialised]",
    ),
    "condensation_joined_without_the_last_piece": fault(
        "condensation.cuh", "piece < pieces;", "piece < pieces - 1;", "[wrong rows]"
    ),
    "condensation_own_hits_repelled": fault(
        "condensation.cuh",
        "hit.object == static_cast<int32_t>(number)",
        "hit.object == -2",
        "[wrong rows]",
    ),
    "condensation_last_tile_of_hits_not_cut": fault(
        "condensation_backward.cuh",
        "row < tile.rows.end;",
        "row < pairs.hits;",
        "[global race]",
        "[wrong rows]",
    ),
    "condensation_first_axes_for_all": fault(
        "condensation_pairs.cuh", "first + number", "number", "[wrong rows]"
    ),
}
