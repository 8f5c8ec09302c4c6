// Fresh memory costs a page fault every 4 KB, and threads that fault at once wait for each other:
// on 100 MB of results that was a third of the search's time. Where the system offers it on
// request, 2 MB pages make it disappear.
#pragma once

#include <cstddef>

namespace hitgraph {

// Asks for large pages under [memory, memory + bytes), which must not have been touched yet. Only
// advice: small ranges and systems without large pages are left as they are.
void advise_huge_pages(void* memory, std::size_t bytes);

}  // namespace hitgraph
