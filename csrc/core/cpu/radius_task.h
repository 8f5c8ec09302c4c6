// What a radius search works on, free of any instruction set: filled by radius.cpp, run by
// radius_search.h.
#pragma once

#include <cstdint>
#include <vector>

#include "core/cpu/aligned_buffer.h"
#include "core/cpu/search_task.h"
#include "core/cpu/sort_keys.h"

namespace hitgraph {

template <typename T>
struct RadiusTask : SearchTask<T> {
  int64_t max_neighbors = 0;
};

// What one thread has found, in chunks that never move, since nobody knows how much it will be.
template <typename T>
class FoundKeys {
 public:
  using Key = typename KeyOf<T>::type;

  // A copy of `count` keys that stays where it is. Not inline, as the functions of sort_keys.h.
  const Key* keep(const Key* keys, int64_t count);

 private:
  std::vector<AlignedBuffer<Key>> chunks_;
  Key* tail_ = nullptr;
  int64_t room_ = 0;
  int64_t chunk_size_ = 1 << 10;  // of the next one: little for a small search
};

// The neighbours of one query, sorted.
template <typename T>
struct FoundRow {
  int32_t row = 0;  // of the segment
  int64_t count = 0;
  const typename KeyOf<T>::type* keys = nullptr;
};

// One thread's working memory.
template <typename T>
struct RadiusScratch {
  AlignedBuffer<T> query;
  AlignedBuffer<typename KeyOf<T>::type> row;  // that is being searched
  FoundKeys<T> found;

  // Room for `wanted` keys in `row`, of which the first `used` stay. Not inline.
  void make_room(int64_t used, int64_t wanted);
};

// Searches the queries [begin, end) of the task's order and fills rows[0] ... rows[end - begin -
// 1].
template <typename T>
using RadiusBlock = void (*)(const RadiusTask<T>&, int64_t begin, int64_t end, RadiusScratch<T>&,
                             FoundRow<T>* rows);

// The search for a dimension, compiled for one instruction set.
template <typename T>
RadiusBlock<T> radius_block_portable(int64_t dim);
template <typename T>
RadiusBlock<T> radius_block_avx2(int64_t dim);
template <typename T>
RadiusBlock<T> radius_block_avx512(int64_t dim);

}  // namespace hitgraph
