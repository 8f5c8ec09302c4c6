// One exponential for every device: the platforms' own differ in the last bits.
//
// exp(x) = 2^n exp(r) with n = round(x / ln 2) and |r| <= ln(2) / 2, exp(r) by its Taylor series,
// whose remainder is below half a unit in the last place (r^8 / 8! = 5e-9, r^14 / 14! = 4e-18). ln
// 2 is in two parts, the first of few bits, so that n times it is exact; adding 1.5 times the power
// of two that has no fraction bits rounds to an integer, which then stands in the lowest bits.
//
// `lost` is what x lacks of the true argument, at most a rounding of x. Results that would be
// smaller than a normal number are 0; those that come close to the largest are infinite.
#pragma once

#include "core/host_device.h"

namespace hitgraph {

HITGRAPH_HOST_DEVICE float exponential(float x, float lost) {
  constexpr float kRound = 12582912;  // 1.5 * 2^23
  const float shifted = fused_multiply_add(x, 1.44269504f, kRound);
  const float n = shifted - kRound;
  float r = fused_multiply_add(n, -0.693359375f, x);
  r = fused_multiply_add(n, 2.12194440e-4f, r) + lost;
  float y = 1.0f / 5040;
  y = fused_multiply_add(y, r, 1.0f / 720);
  y = fused_multiply_add(y, r, 1.0f / 120);
  y = fused_multiply_add(y, r, 1.0f / 24);
  y = fused_multiply_add(y, r, 1.0f / 6);
  y = fused_multiply_add(y, r, 0.5f);
  y = fused_multiply_add(y, r, 1.0f);
  y = fused_multiply_add(y, r, 1.0f);
  y *= float_of_bits((bits_of(shifted) << 23) + (127u << 23));
  y = x < -87.0f ? 0.0f : y;
  return x > 88.0f ? float_of_bits(0x7f800000u) : y;
}

HITGRAPH_HOST_DEVICE double exponential(double x, double lost) {
  constexpr double kRound = 6755399441055744;  // 1.5 * 2^52
  const double shifted = fused_multiply_add(x, 1.4426950408889634, kRound);
  const double n = shifted - kRound;
  double r = fused_multiply_add(n, -6.93147180369123816490e-01, x);
  r = fused_multiply_add(n, -1.90821492927058770002e-10, r) + lost;
  double y = 1.0 / 6227020800;
  y = fused_multiply_add(y, r, 1.0 / 479001600);
  y = fused_multiply_add(y, r, 1.0 / 39916800);
  y = fused_multiply_add(y, r, 1.0 / 3628800);
  y = fused_multiply_add(y, r, 1.0 / 362880);
  y = fused_multiply_add(y, r, 1.0 / 40320);
  y = fused_multiply_add(y, r, 1.0 / 5040);
  y = fused_multiply_add(y, r, 1.0 / 720);
  y = fused_multiply_add(y, r, 1.0 / 120);
  y = fused_multiply_add(y, r, 1.0 / 24);
  y = fused_multiply_add(y, r, 1.0 / 6);
  y = fused_multiply_add(y, r, 0.5);
  y = fused_multiply_add(y, r, 1.0);
  y = fused_multiply_add(y, r, 1.0);
  y *= double_of_bits((bits_of(shifted) << 52) + (1023ull << 52));
  y = x < -708.0 ? 0.0 : y;
  return x > 709.0 ? double_of_bits(0x7ff0000000000000ull) : y;
}

}  // namespace hitgraph
