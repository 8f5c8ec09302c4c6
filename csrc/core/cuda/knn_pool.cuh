// The candidates of one query: appended as they are found, cut back to about k when there is no
// room for more, ranked once at the end. A warp works on one pool at a time.
//
// A cut finds a limit, a pair (distance2, index), that at least k and at most `kept` entries do not
// exceed: first a distance, by counting; if so many entries share that distance that no distance
// will do, an index among them. Numbers are compared as bits, which for distances (never negative)
// have the same order.
#pragma once

#include "core/cuda/knn_launch.cuh"

namespace hitgraph {

template <typename T>
struct DistanceBits;
template <>
struct DistanceBits<float> {
  using type = unsigned;
  HITGRAPH_DEVICE static type bits(float value) { return __float_as_uint(value); }
  HITGRAPH_DEVICE static float value(type bits) { return __uint_as_float(bits); }
};
template <>
struct DistanceBits<double> {
  using type = unsigned long long;
  HITGRAPH_DEVICE static type bits(double value) {
    return static_cast<type>(__double_as_longlong(value));
  }
  HITGRAPH_DEVICE static double value(type bits) {
    return __longlong_as_double(static_cast<long long>(bits));
  }
};

template <typename T>
struct Limit {
  T distance2;
  int index;
};

// Between `low`, where count() is `below` < wanted, and `high`, where it is `above` >= wanted: a
// number where it is from wanted to `most`, or, if there is none, the least where it is >= wanted.
// `above` is set to the count there. Steps alternate between where a count that grows evenly with
// guess(number) would be right, and the middle, which bounds how many there are.
template <typename Bits, typename Count, typename Guess>
HITGRAPH_DEVICE Bits find_count(Bits low, int below, Bits high, int& above, int wanted, int most,
                                Count count, Guess guess) {
  for (int step = 0; above > most && high - low > 1; ++step) {
    Bits middle = low + (high - low) / 2;
    if (step % 2 == 0) {
      const float share = (0.5f * (wanted + most) - below) / static_cast<float>(above - below);
      const Bits guessed = guess(low, high, share);
      middle = guessed <= low ? low + 1 : guessed >= high ? high - 1 : guessed;
    }
    const int there = count(middle);
    if (there >= wanted) {
      high = middle;
      above = there;
    } else {
      low = middle;
      below = there;
    }
  }
  return high;
}

// A query in shared memory.
struct alignas(16) QueryState {
  int32_t row;   // of the query, where its neighbours go
  int32_t self;  // the index that it must not find, or -1
  int32_t limit_index;
  int32_t count;  // entries of its pool
};

// Where the pools of a warp lie in shared memory, and which one is meant: `entries` in all, this
// one from `first` on.
struct PoolPlace {
  uint32_t distance2, index;
  int entries, first;
};

template <typename T>
class Pool {
 public:
  using Bits = typename DistanceBits<T>::type;

  HITGRAPH_DEVICE explicit Pool(const PoolPlace& place)
      : distance2_(shared_array<T>(place.distance2, place.entries)),
        index_(shared_array<int32_t>(place.index, place.entries)),
        first_(place.first) {}

  // Appends the lanes of `accepted`, after the `count` entries there are.
  HITGRAPH_DEVICE void append(int count, unsigned accepted, T distance2, int index) const {
    if (accepted >> lane_index() & 1u) {
      const int place = first_ + count + __popc(accepted & lanes_below());
      distance2_[place] = distance2;
      index_[place] = index;
    }
  }

  // Cuts `count` entries back to `kept` at most, k at least; sets the limit of those that stay and
  // returns their count.
  HITGRAPH_DEVICE int cut(int count, int k, int kept, Limit<T>& limit) const {
    limit = cut_limit(count, k, kept);
    return keep(count, limit);
  }

  HITGRAPH_DEVICE int count_within(int count, T distance2) const {
    return count_if(count, [&](int entry) { return T(distance2_[entry]) <= distance2; });
  }

  // Calls visit(rank, distance2, index) for every entry, from one lane.
  template <typename Visit>
  HITGRAPH_DEVICE void rank(int count, Visit visit) const {
    if (count <= kMostByCounting) return rank_by_counting(count, visit);
    sort(count);
    for (int entry = lane_index(); entry < count; entry += kWarpSize) {
      visit(entry, T(distance2_[first_ + entry]), int(index_[first_ + entry]));
    }
  }

 private:
  // Counting takes count^2 steps that wait for nothing, sorting count log^2 that wait for each
  // other.
  static constexpr int kMostByCounting = 96;

  template <typename Visit>
  HITGRAPH_DEVICE void rank_by_counting(int count, Visit visit) const {
    for (int begin = 0; begin < count; begin += kWarpSize) {
      const bool present = begin + lane_index() < count;
      const T distance2 = present ? T(distance2_[first_ + begin + lane_index()]) : T(0);
      const int index = present ? int(index_[first_ + begin + lane_index()]) : 0;
      int rank = 0;
      for (int other = 0; other < count; ++other) {
        const T other_distance2 = distance2_[first_ + other];
        const int other_index = index_[first_ + other];
        rank += not_after(distance2, index, other_distance2, other_index) ? 0 : 1;
      }
      if (present) visit(rank, distance2, index);
    }
  }

  // A bitonic network in the form where every comparison puts the smaller one first: what is beyond
  // `count` counts as larger than everything and need not exist.
  HITGRAPH_DEVICE void sort(int count) const {
    int places = kWarpSize;
    while (places < count) places *= 2;
    for (int size = 2; size <= places; size *= 2) {
      for (int stride = size / 2; stride > 0; stride /= 2) {
        HITGRAPH_ROLLED
        for (int pair = lane_index(); pair < places / 2; pair += kWarpSize) {
          const int offset = pair & (stride - 1);
          const int lower = 2 * pair - offset;
          const int upper = stride == size / 2 ? lower - 2 * offset + size - 1 : lower + stride;
          if (upper < count) put_in_order(lower, upper);
        }
        __syncwarp();
      }
    }
  }

  HITGRAPH_DEVICE void put_in_order(int lower, int upper) const {
    const T a = distance2_[first_ + lower], b = distance2_[first_ + upper];
    const int a_index = index_[first_ + lower], b_index = index_[first_ + upper];
    if (not_after(a, a_index, b, b_index)) return;
    distance2_[first_ + lower] = b;
    distance2_[first_ + upper] = a;
    index_[first_ + lower] = b_index;
    index_[first_ + upper] = a_index;
  }

  template <typename Predicate>
  HITGRAPH_DEVICE int count_if(int count, Predicate predicate) const {
    int sum = 0;
    HITGRAPH_ROLLED
    for (int begin = 0; begin < count; begin += kWarpSize) {
      const int entry = begin + lane_index();
      sum += __popc(__ballot_sync(kFullWarp, entry < count && predicate(first_ + entry)));
    }
    return sum;
  }

  HITGRAPH_DEVICE Limit<T> cut_limit(int count, int k, int kept) const {
    Bits least = ~Bits(0), most = 0;
    HITGRAPH_ROLLED
    for (int entry = lane_index(); entry < count; entry += kWarpSize) {
      const Bits bits = DistanceBits<T>::bits(distance2_[first_ + entry]);
      least = bits < least ? bits : least;
      most = most < bits ? bits : most;
    }
    least = warp_min(least);
    most = warp_max(most);
    // Below the least there is nothing; the wrap-around of 0 - 1 is undone by every use.
    int above = count;
    const auto within = [&](Bits bits) {
      return count_if(count,
                      [&](int entry) { return DistanceBits<T>::bits(distance2_[entry]) <= bits; });
    };
    Bits bits = least;
    above = within(least);
    if (above < k) {
      const int below = above;
      above = count;
      bits = find_count<Bits>(least, below, most, above, k, kept, within,
                              [](Bits low, Bits high, float share) {
                                const T from = DistanceBits<T>::value(low);
                                const T to = DistanceBits<T>::value(high);
                                return DistanceBits<T>::bits(from + (to - from) * T(share));
                              });
    }
    Limit<T> limit;
    limit.distance2 = DistanceBits<T>::value(bits);
    limit.index = 0x7fffffff;
    if (above > kept) limit.index = cut_ties(count, limit.distance2, above, k, kept);
    return limit;
  }

  // More than `kept` entries are within `distance2`, fewer than k are nearer: an index among those
  // at exactly that distance.
  HITGRAPH_DEVICE int cut_ties(int count, T distance2, int within, int k, int kept) const {
    int most = 0;
    HITGRAPH_ROLLED
    for (int entry = lane_index(); entry < count; entry += kWarpSize) {
      const T other = distance2_[first_ + entry];
      const int index = index_[first_ + entry];
      if (other == distance2) most = larger(most, index);
    }
    const auto up_to = [&](unsigned number) {
      // Numbers are indices plus one, so that 0 is below all of them.
      return count_if(count, [&](int entry) {
        const T other = distance2_[entry];
        const int index = index_[entry];
        return other < distance2 || (other == distance2 && static_cast<unsigned>(index) < number);
      });
    };
    const int nearer = up_to(0);
    const unsigned past = find_count<unsigned>(
        0u, nearer, static_cast<unsigned>(warp_max(most)) + 1u, within, k, kept, up_to,
        [](unsigned low, unsigned high, float share) {
          return low + static_cast<unsigned>(static_cast<float>(high - low) * share);
        });
    return static_cast<int>(past) - 1;
  }

  // Moves the entries within the limit to the front. An entry never moves back, so a step that has
  // read its 32 entries may write them where others have been read.
  HITGRAPH_DEVICE int keep(int count, const Limit<T>& limit) const {
    int kept = 0;
    HITGRAPH_ROLLED
    for (int begin = 0; begin < count; begin += kWarpSize) {
      const int entry = begin + lane_index();
      const bool present = entry < count;
      const T distance2 = present ? T(distance2_[first_ + entry]) : T(0);
      const int index = present ? int(index_[first_ + entry]) : 0;
      const unsigned staying = __ballot_sync(
          kFullWarp, present && not_after(distance2, index, limit.distance2, limit.index));
      __syncwarp();
      append(kept, staying, distance2, index);
      kept += __popc(staying);
    }
    __syncwarp();
    return kept;
  }

  const Shared<T> distance2_;
  const Shared<int32_t> index_;
  const int first_;
};

template <typename T>
struct CutPool {
  Limit<T> limit;
  int count;
};

// Pool::cut as a call: a search cuts at five places, which as copies would fill the instruction
// cache and take compilers minutes.
template <typename T>
HITGRAPH_DEVICE_CALL CutPool<T> cut_pool(PoolPlace place, int count, int k, int kept) {
  CutPool<T> result;
  result.count = Pool<T>(place).cut(count, k, kept, result.limit);
  return result;
}

}  // namespace hitgraph
