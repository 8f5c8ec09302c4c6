#include "core/condensation.h"

#include <algorithm>
#include <vector>

#include "core/cpu/aligned_buffer.h"
#include "core/cpu/condensation_kernels.h"

namespace hitgraph {
namespace {

// So many sums of an object are kept until they are added in order, whatever the threads.
constexpr int64_t kMostChunks = 16;

// Consecutive tiles of one event: what one worker does.
struct Chunk {
  int64_t event, first_tile, past_tile;
  int64_t sums;  // number of the sums of its event's first object
};

template <typename T>
class TileMemory {
 public:
  TileMemory(int64_t dim, bool with_gradients) {
    tile.dim = dim;
    const int64_t hits = kTileHits * (dim + 1), boxes = 2 * kTileBlocks * dim;
    numbers_.resize((with_gradients ? 2 : 1) * hits + boxes);
    tile.coordinates = numbers_.data();
    tile.weights = tile.coordinates + kTileHits * dim;
    tile.low = tile.coordinates + hits;
    tile.high = tile.low + kTileBlocks * dim;
    if (!with_gradients) return;
    tile.grad_coordinates = tile.high + kTileBlocks * dim;
    tile.grad_weights = tile.grad_coordinates + kTileHits * dim;
  }
  HitTile<T> tile;
  int32_t rows[kTileHits];

 private:
  AlignedBuffer<T> numbers_;
};

template <typename T>
class Condensation {
 public:
  Condensation(const CondensationProblem<T>& problem, SimdLevel level, const Executor& executor,
               const CondensationGradient<T>* gradient)
      : problem_(problem),
        gradient_(gradient),
        kernels_(condensation_kernels<T>(level, problem.repulsion)),
        executor_(executor),
        width_(gradient == nullptr ? 2 : problem.dim + 1) {}

  // Calls store(object, sums), in order within an event.
  template <typename Store>
  void run(const Store& store) {
    deal();
    std::vector<TileMemory<T>> memory;
    for (int i = 0; i < std::max(1, executor_.threads); ++i) {
      memory.emplace_back(problem_.dim, gradient_ != nullptr);
    }
    for_each_task(executor_, static_cast<int64_t>(chunks_.size()), 1,
                  [&](int64_t i, int worker) { work_on(chunks_[i], memory[worker]); });
    std::vector<double> sums(width_);
    for (int64_t event = 0; event < problem_.events; ++event) {
      const int64_t first = problem_.object_splits[event];
      for (int64_t k = first; k < problem_.object_splits[event + 1]; ++k) {
        std::fill(sums.begin(), sums.end(), 0.0);
        for (int64_t c = chunk_splits_[event]; c < chunk_splits_[event + 1]; ++c) {
          const double* part = sums_.data() + (chunks_[c].sums + k - first) * width_;
          for (int64_t i = 0; i < width_; ++i) sums[i] += part[i];
        }
        store(k, sums.data());
      }
    }
  }

 private:
  int64_t hits_of(int64_t event) const {
    return problem_.row_splits[event + 1] - problem_.row_splits[event];
  }

  void deal() {
    int64_t sums = 0;
    for (int64_t event = 0; event < problem_.events; ++event) {
      chunk_splits_.push_back(static_cast<int64_t>(chunks_.size()));
      const int64_t tiles = (hits_of(event) + kTileHits - 1) / kTileHits;
      const int64_t parts = std::min(tiles, kMostChunks);
      for (int64_t part = 0; part < parts; ++part) {
        chunks_.push_back({event, tiles * part / parts, tiles * (part + 1) / parts, sums});
        sums += problem_.object_splits[event + 1] - problem_.object_splits[event];
      }
    }
    chunk_splits_.push_back(static_cast<int64_t>(chunks_.size()));
    sums_.assign(sums * width_, 0.0);
  }

  void work_on(const Chunk& chunk, TileMemory<T>& memory) {
    const int64_t first = problem_.object_splits[chunk.event];
    const int64_t past = problem_.object_splits[chunk.event + 1];
    const int64_t first_place = problem_.offsets[first];
    for (int64_t tile = chunk.first_tile; tile < chunk.past_tile; ++tile) {
      load(chunk.event, tile, memory);
      for (int64_t k = first; k < past; ++k) {
        TileObject<T> object;
        object.centre = problem_.centres + k * problem_.dim;
        object.factor = problem_.factors[k];
        object.begin = problem_.offsets[k] - first_place;
        object.end = problem_.offsets[k + 1] - first_place;
        object.attraction = problem_.attraction;
        object.epsilon = problem_.epsilon;
        double* sums = sums_.data() + (chunk.sums + k - first) * width_;
        if (gradient_ == nullptr) {
          kernels_.sum(memory.tile, object, sums);
        } else {
          object.grad_attraction = gradient_->attraction[k];
          object.grad_repulsion = gradient_->repulsion[k];
          kernels_.differentiate(memory.tile, object, sums);
        }
      }
      if (gradient_ != nullptr) store(memory);
    }
  }

  // Hits of objects come first, then the noise of the event.
  void load(int64_t event, int64_t number, TileMemory<T>& memory) const {
    HitTile<T>& tile = memory.tile;
    tile.first = number * kTileHits;
    tile.hits = std::min(kTileHits, hits_of(event) - tile.first);
    tile.blocks = (tile.hits + kHitBlock - 1) / kHitBlock;
    const int64_t first = problem_.offsets[problem_.object_splits[event]];
    const int64_t own = problem_.offsets[problem_.object_splits[event + 1]] - first;
    const int64_t noise = problem_.offsets[problem_.objects] + problem_.row_splits[event] - first;
    for (int64_t i = 0; i < tile.hits; ++i) {
      const int64_t place = tile.first + i;
      memory.rows[i] = problem_.order[place < own ? first + place : noise + place - own];
    }
    for (int64_t block = 0; block < tile.blocks; ++block) load_block(block, memory);
    for (int64_t b = tile.blocks; b < kTileBlocks; ++b) {
      for (int64_t axis = 0; axis < tile.dim; ++axis) {
        tile.low[axis * kTileBlocks + b] = tile.high[axis * kTileBlocks + b] = 0;
      }
    }
    if (gradient_ == nullptr) return;
    std::fill_n(tile.grad_coordinates, tile.blocks * tile.dim * kHitBlock, T(0));
    std::fill_n(tile.grad_weights, tile.blocks * kHitBlock, T(0));
  }

  void load_block(int64_t block, TileMemory<T>& memory) const {
    HitTile<T>& tile = memory.tile;
    const int64_t dim = tile.dim, first = block * kHitBlock;
    const int64_t present = std::min(kHitBlock, tile.hits - first);
    T* coordinates = tile.coordinates + first * dim;
    for (int64_t i = 0; i < kHitBlock; ++i) {
      const int64_t row = memory.rows[first + (i < present ? i : 0)];
      tile.weights[first + i] = i < present ? problem_.weights[row] : T(0);
      for (int64_t axis = 0; axis < dim; ++axis) {
        coordinates[axis * kHitBlock + i] = problem_.coordinates[row * dim + axis];
      }
    }
    for (int64_t axis = 0; axis < dim; ++axis, coordinates += kHitBlock) {
      const auto [low, high] = std::minmax_element(coordinates, coordinates + present);
      tile.low[axis * kTileBlocks + block] = *low;
      tile.high[axis * kTileBlocks + block] = *high;
    }
  }

  void store(const TileMemory<T>& memory) const {
    const HitTile<T>& tile = memory.tile;
    for (int64_t i = 0; i < tile.hits; ++i) {
      const int64_t row = memory.rows[i], block = i / kHitBlock;
      gradient_->weights[row] = tile.grad_weights[i];
      const T* grad = tile.grad_coordinates + block * tile.dim * kHitBlock + i % kHitBlock;
      for (int64_t axis = 0; axis < tile.dim; ++axis) {
        gradient_->coordinates[row * tile.dim + axis] = grad[axis * kHitBlock];
      }
    }
  }

  const CondensationProblem<T>& problem_;
  const CondensationGradient<T>* const gradient_;  // null: forward
  const CondensationKernels<T> kernels_;
  const Executor& executor_;
  const int64_t width_;  // sums of an object
  std::vector<Chunk> chunks_;
  std::vector<int64_t> chunk_splits_;  // (events + 1)
  std::vector<double> sums_;
};

}  // namespace

template <typename T>
void condensation_potential_cpu(const CondensationProblem<T>& problem, SimdLevel level,
                                const Executor& executor, T* attraction, T* repulsion) {
  Condensation<T>(problem, level, executor, nullptr).run([&](int64_t k, const double* sums) {
    attraction[k] = static_cast<T>(sums[0]);
    repulsion[k] = static_cast<T>(sums[1]);
  });
}

template <typename T>
void condensation_backward_cpu(const CondensationProblem<T>& problem,
                               const CondensationGradient<T>& gradient, SimdLevel level,
                               const Executor& executor) {
  const int64_t dim = problem.dim;
  Condensation<T>(problem, level, executor, &gradient).run([&](int64_t k, const double* sums) {
    for (int64_t axis = 0; axis < dim; ++axis) {
      gradient.centres[k * dim + axis] = static_cast<T>(sums[axis]);
    }
    gradient.factors[k] = static_cast<T>(sums[dim]);
  });
}

#define HITGRAPH_INSTANTIATE(T)                                                      \
  template void condensation_potential_cpu(const CondensationProblem<T>&, SimdLevel, \
                                           const Executor&, T*, T*);                 \
  template void condensation_backward_cpu(                                           \
      const CondensationProblem<T>&, const CondensationGradient<T>&, SimdLevel, const Executor&);
HITGRAPH_INSTANTIATE(float)
HITGRAPH_INSTANTIATE(double)
#undef HITGRAPH_INSTANTIATE

}  // namespace hitgraph
