// What a k-nearest search works on, free of any instruction set: filled by knn.cpp, run by
// knn_search.h.
#pragma once

#include <cstdint>

#include "core/cpu/aligned_buffer.h"
#include "core/cpu/search_task.h"
#include "core/cpu/sort_keys.h"
#include "core/knn.h"

namespace hitgraph {

// Rows of the result of one segment. One of the two index pointers is null; distance2 may be.
template <typename T>
struct ResultRows {
  int64_t* index64 = nullptr;
  int32_t* index32 = nullptr;
  T* distance2 = nullptr;
  int64_t point_offset = 0;  // number of the segment's first point
};

// How generous a guess is (knn_search.h), as factors of squared radii.
template <typename T>
struct GuessMargin {
  int64_t reserve = 0;  // points beyond the k-th that the shell should hold
  T least = 1;          // points up to shell * margin are kept beside those in the shell
  T most = 1;
  T grow = 1;    // the margin's factor after a shell that held too few
  T shrink = 1;  // and after one that held enough
};
template <typename T>
GuessMargin<T> guess_margin(int64_t dim, int64_t k);

template <typename T>
struct KnnTask : SearchTask<T> {
  int64_t k = 0;
  GuessMargin<T> margin;
  ResultRows<T> rows;
};

// From this dimension on boxes tell little, and queries are searched a bucket at a time
// (tile_search.h).
constexpr int64_t kTileDim = 16;
constexpr int64_t kTileQueries = kBucketSize;
inline bool is_tiled(int64_t dim) { return dim >= kTileDim; }

// One thread's working memory.
template <typename T>
struct KnnScratch {
  int64_t pool_capacity = 0;  // candidates kept before the pool is cut back to the k best
  AlignedBuffer<T> query;     // coordinates of one, or of kTileQueries
  AlignedBuffer<T> history;
  AlignedBuffer<T> pool_distance2;
  AlignedBuffer<int32_t> pool_index;
  AlignedBuffer<typename KeyOf<T>::type> keys;
  KnnCounters counters;

  // For the k best of at most `points` points.
  void resize(int64_t dim, int64_t k, int64_t points);
  // Stores of whole vectors run beyond the capacity.
  int64_t pool_stride() const { return pool_capacity + 2 * kLanes; }
};

// Searches the queries [begin, end) of the task's order.
template <typename T>
using KnnBlock = void (*)(const KnnTask<T>&, int64_t begin, int64_t end, KnnScratch<T>&);

// The search for a dimension, compiled for one instruction set. `counting` selects the build that
// fills the counters.
template <typename T>
KnnBlock<T> knn_block_portable(int64_t dim, bool counting);
template <typename T>
KnnBlock<T> knn_block_avx2(int64_t dim, bool counting);
template <typename T>
KnnBlock<T> knn_block_avx512(int64_t dim, bool counting);

}  // namespace hitgraph
