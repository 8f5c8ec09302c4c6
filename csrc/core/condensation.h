// Object condensation: which hits make an object, and the two sums over hits that a loss needs of
// every object. What one pair adds is in condensation_rules.h.
//
// Objects are numbered through all events, those of event e from object_splits[e] to
// object_splits[e + 1] - 1, ascending by label. The hits of object k are order[offsets[k]] to
// order[offsets[k + 1] - 1], ascending; the noise hits come last, ascending too.
#pragma once

#include <cstdint>
#include <functional>

#include "core/condensation_rules.h"
#include "core/executor.h"
#include "core/simd_level.h"

namespace hitgraph {

template <typename T>
struct LabelledHits {
  const int64_t* labels = nullptr;      // (hits); noise up to noise_label
  const T* beta = nullptr;              // (hits)
  const int64_t* row_splits = nullptr;  // (events + 1)
  int64_t hits = 0, events = 0;
  int64_t noise_label = -1;
};

struct CondensationObjects {
  int64_t* offsets = nullptr;  // (objects + 1)
  int64_t* points = nullptr;   // (objects), the hit with the largest beta, the first of equal ones
};

// Called once, with the number of objects.
using AllocateObjects = std::function<CondensationObjects(int64_t objects)>;

// `object` (hits; -1: noise), `order` (hits) and `object_splits` (events + 1) are written.
template <typename T>
void condensation_objects_cpu(const LabelledHits<T>& hits, const Executor& executor,
                              int32_t* object, int32_t* order, int64_t* object_splits,
                              const AllocateObjects& allocate);

template <typename T>
struct CondensationProblem {
  const T* coordinates = nullptr;  // (hits, dim)
  const T* weights = nullptr;      // (hits)
  const T* centres = nullptr;      // (objects, dim)
  const T* factors = nullptr;      // (objects), not below 0
  const int32_t* object = nullptr;
  const int32_t* order = nullptr;
  const int64_t* offsets = nullptr;
  const int64_t* row_splits = nullptr;
  const int64_t* object_splits = nullptr;
  int64_t hits = 0, objects = 0, events = 0, dim = 0;
  Attraction attraction = Attraction::kQuadratic;
  Repulsion repulsion = Repulsion::kHinge;
  T epsilon = 0;  // of the hinge
};

// attraction[k] = sum over the hits i of object k of weights[i] attract(factors[k] distance2),
// repulsion[k] = sum over the other hits of its event of weights[i] repel(...). Both (objects). The
// same bits for any number of threads.
template <typename T>
void condensation_potential_cpu(const CondensationProblem<T>& problem, SimdLevel level,
                                const Executor& executor, T* attraction, T* repulsion);

// The gradient of sum(attraction * potential's) + sum(repulsion * potential's).
template <typename T>
struct CondensationGradient {
  const T* attraction = nullptr;  // (objects)
  const T* repulsion = nullptr;   // (objects)
  T* coordinates = nullptr;       // (hits, dim)
  T* weights = nullptr;           // (hits)
  T* centres = nullptr;           // (objects, dim)
  T* factors = nullptr;           // (objects)
};

template <typename T>
void condensation_backward_cpu(const CondensationProblem<T>& problem,
                               const CondensationGradient<T>& gradient, SimdLevel level,
                               const Executor& executor);

}  // namespace hitgraph
