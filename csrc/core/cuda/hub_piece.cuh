// A point with many edges is a hub: all points identical, and the first k are everybody's
// neighbours. Its edges are dealt out in pieces, so that no group of lanes has more than one.
//
// A piece's number follows from where it begins: twice the stretch of kHubPiece places that its
// first edge lies in, and one more if it is the first of its hub. No other piece has it: pieces of
// a hub begin kHubPiece apart, the last piece of a hub and the second of the next further than
// that, and so do first pieces. So the numbers are few and follow from the count of edges alone.
#pragma once

#include "core/cuda/ascending.cuh"
#include "core/cuda/platform.cuh"
#include "core/host_device.h"

namespace hitgraph {

constexpr int kHubPiece = 512;

struct HubPiece {
  int64_t point, begin, end;  // places in the transposed graph

  HITGRAPH_HOST_DEVICE static bool is_hub(int64_t begin, int64_t end) {
    return end - begin > kHubPiece;
  }
  HITGRAPH_HOST_DEVICE static int64_t number(int64_t begin, bool first) {
    return 2 * (begin / kHubPiece) + (first ? 1 : 0);
  }
  // Beyond all numbers in a graph of so many edges: no hub begins in the last stretch.
  HITGRAPH_HOST_DEVICE static int64_t count(int64_t edges) {
    return is_hub(0, edges) ? number(edges - 1, false) + 1 : 0;
  }

  // False if no piece has this number. The hub of a first piece covers the place where the next
  // stretch begins, that of any other the place where its own does.
  HITGRAPH_DEVICE bool find(Global<const int64_t> offsets, int64_t points, int64_t number) {
    const int64_t stretch = number / 2 * kHubPiece;
    const bool first = number % 2 != 0;
    const int64_t covered = first ? stretch + kHubPiece : stretch;
    if (points == 0 || covered >= offsets[points]) return false;
    point = last_not_beyond(points, covered, [&](int64_t p) { return offsets[p]; });
    const int64_t hub = offsets[point], past = offsets[point + 1];
    begin = first ? hub : hub + (stretch - hub + kHubPiece - 1) / kHubPiece * kHubPiece;
    end = begin + kHubPiece < past ? begin + kHubPiece : past;
    const bool own = first ? hub >= stretch && hub < covered : hub < stretch;
    return is_hub(hub, past) && own && begin < past;
  }
};

}  // namespace hitgraph
