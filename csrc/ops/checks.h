// What is asked of arguments, and how it is said: op, argument, expectation, what came.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <optional>
#include <string>

#include "core/knn.h"

namespace hitgraph {

using OptionalTensor = std::optional<at::Tensor>;

// The arguments that every search has.
struct SearchArguments {
  const char* op;
  at::Tensor points;
  OptionalTensor row_splits, queries, query_row_splits, query_mask, point_mask;
  bool include_self;
  std::optional<double> max_radius;
  std::optional<at::ScalarType> index_dtype;
  const char* radius_name = "max_radius";
};

// Checks what metadata tell, then what values tell, and returns the arguments as the search wants
// them: contiguous, float32 or float64, both row_splits present and int64.
SearchArguments checked(SearchArguments arguments);

// `count` neighbours of `points` can be asked for: at least `least` of them (ValueError).
void check_neighbour_count(const char* op, const char* name, int64_t count, int64_t least,
                           const at::Tensor& points);

// Whether the values of `tensor` are to be checked: on the CPU always, elsewhere in debug mode (see
// hitgraph/debug.h), since it waits for the device.
bool checks_values_of(const at::Tensor& tensor);

// Whether lowest <= value < past for all values, which lie on the CPU. Integer = uint8_t, where 255
// stands for -1, int32_t, int64_t.
template <typename Integer>
bool all_within(const Integer* values, int64_t count, int64_t lowest, int64_t past);

// Where values are checked: `index` names points below `points`, or -1 (ValueError).
void check_index_values(const char* op, const at::Tensor& index, int64_t points);

// A rank, as an error says it: "2-D".
std::string rank_of(const at::Tensor& tensor);

// A dtype, as Python calls it: "float32".
std::string name_of(at::ScalarType type);

// `tensor` is integral of 32 or 64 bits (TypeError).
void check_index_dtype(const char* op, const char* name, const at::Tensor& tensor);

// The row_splits of `rows` as contiguous int64. Values are checked where that costs no
// synchronisation.
at::Tensor checked_row_splits(const char* op, const char* name, const at::Tensor& given,
                              const at::Tensor& rows, const char* rows_name = "points");

// `tensor` lies where `other` does (RuntimeError).
void check_same_device(const char* op, const char* name, const at::Tensor& tensor,
                       const at::Tensor& other, const char* other_name = "points");

}  // namespace hitgraph
