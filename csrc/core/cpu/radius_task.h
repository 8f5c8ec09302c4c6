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

  // Room for keys, aligned for the sorting network.
  Key* tail() { return tail_; }
  int64_t room() const { return room_; }

  // Moves the `used` keys at the tail to where there is room for `wanted`. Not inline, as the
  // functions of sort_keys.h.
  void make_room(int64_t used, int64_t wanted);

  // Keeps the first `count` keys at the tail, which moves on; there was room for kCacheLine more.
  void keep(int64_t count) {
    constexpr int64_t kAligned = kCacheLine / sizeof(FloatKey);
    const int64_t taken = (count + kAligned - 1) / kAligned * kAligned;
    tail_ += taken;
    room_ -= taken;
  }

 private:
  std::vector<AlignedBuffer<Key>> chunks_;
  Key* tail_ = nullptr;
  int64_t room_ = 0;
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
  FoundKeys<T> found;
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
