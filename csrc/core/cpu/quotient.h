// The row of an edge: a division takes as long as half of an edge's other work.
#pragma once

#include <cstdint>

namespace hitgraph {

template <typename Edge>
class Quotient {
 public:
  explicit Quotient(int64_t k) : k_(k) {}
  int64_t operator()(int64_t edge) const { return edge / k_; }

 private:
  int64_t k_;
};

// Exact for dividends and divisors below 2^32 (Lemire, Kaser, Kurz 2019, arXiv:1902.01961).
template <>
class Quotient<int32_t> {
 public:
  explicit Quotient(int64_t k) : k_(k), reciprocal_(~uint64_t{0} / static_cast<uint64_t>(k) + 1) {}
  int64_t operator()(int64_t edge) const {
    if (k_ == 1) return edge;
    const auto dividend = static_cast<uint64_t>(edge);
    return static_cast<int64_t>(static_cast<unsigned __int128>(reciprocal_) * dividend >> 64);
  }

 private:
  int64_t k_;
  uint64_t reciprocal_;
};

}  // namespace hitgraph
