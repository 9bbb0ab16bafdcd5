#pragma once

#include <stdint.h>

/** SplitMix64: the same numbers for the same seed. */
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /** From 0 to below `limit`. */
  uint32_t below(uint32_t limit) { return static_cast<uint32_t>(next() % limit); }
  bool oneIn(uint32_t count) { return below(count) == 0; }
  uint8_t byte() { return static_cast<uint8_t>(next()); }

 private:
  uint64_t state_;
};
