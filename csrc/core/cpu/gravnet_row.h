// The edges of a row that take part, ready for the loops of gravnet_kernels.h.
#pragma once

#include <vector>

#include "core/cpu/gravnet_kernels.h"
#include "core/gravnet.h"

namespace hitgraph {

// One worker's.
template <typename T>
class GravnetRow {
 public:
  // Rows of zeros stand in for edges that do not exist where `missing_is_zero`.
  template <typename Index>
  GravnetRow(const GravnetGraph<T, Index>& graph, bool missing_is_zero)
      : sources_(graph.k),
        weights_(graph.k),
        slots_(graph.k),
        zeros_(missing_is_zero ? graph.channels : 0) {}

  template <typename Index, typename Slot>
  void load(const GravnetGraph<T, Index>& graph, const GravnetKernels<T, Slot>& kernels,
            int64_t row) {
    const Index* ends = graph.index + row * graph.k;
    const bool with_missing = !zeros_.empty();
    size_ = present_ = 0;
    kernels.weigh(graph.values + row * graph.k, graph.k, graph.weighting, weights_.data());
    for (int64_t slot = 0; slot < graph.k; ++slot) {
      const bool exists = ends[slot] >= 0;
      if (!exists && !with_missing) continue;
      sources_[size_] = exists ? graph.features + ends[slot] * graph.channels : zeros_.data();
      weights_[size_] = exists ? weights_[slot] : T(0);
      slots_[size_++] = static_cast<int32_t>(slot);
      present_ += exists;
    }
  }

  EdgeList<T> edges() const { return {sources_.data(), weights_.data(), slots_.data(), size_}; }
  int64_t present() const { return present_; }

 private:
  std::vector<const T*> sources_;
  std::vector<T> weights_;
  std::vector<int32_t> slots_;
  std::vector<T> zeros_;
  int64_t size_ = 0, present_ = 0;
};

}  // namespace hitgraph
