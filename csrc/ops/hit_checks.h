// What operators on hits, with a beta and coordinates each, ask of them.
#pragma once

#include "ops/checks.h"

namespace hitgraph {

// float32 or float64 (TypeError).
void check_number(const char* op, const char* name, const at::Tensor& tensor);

// 2-D (n, d), float32 or float64, d of at least 1, no more rows than a search takes.
void check_hit_coordinates(const char* op, const at::Tensor& coordinates);
void check_hit_count(const char* op, const at::Tensor& hits);

// `tensor` is 1-D with one element for each of `rows`, which `of` names.
void check_length(const char* op, const char* name, const at::Tensor& tensor, int64_t rows,
                  const char* of);

// Where values are checked: from 0 to 1; finite.
void check_beta_values(const char* op, const at::Tensor& beta);
void check_finite(const char* op, const char* name, const at::Tensor& tensor);

}  // namespace hitgraph
