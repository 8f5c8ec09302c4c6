#pragma once

namespace hitgraph {

// Debug mode. What only values tell (row_splits that decrease, an index out of range) is checked on
// the CPU always, on CUDA in debug mode, where it waits for the device. Starts from the environment
// variable HITGRAPH_DEBUG.
void set_debug_checks(bool enabled);
bool debug_checks();

}  // namespace hitgraph
