#pragma once

namespace hitgraph {

// The version of the loaded library. Calling it also keeps a linker from dropping the library as
// unused, and with it the registration of the operators.
const char* version();

}  // namespace hitgraph
