#pragma once

#include <stdint.h>
#include <string.h>

namespace qskit {

/** Which of the next 256 numbers are settled; every number below `low` is. */
class SettledWindow {
 public:
  static const uint32_t SIZE = 256;

  uint32_t low() const { return low_; }
  uint8_t* bits() { return bits_; }
  const uint8_t* bits() const { return bits_; }

  void reset(uint32_t low) {
    low_ = low;
    memset(bits_, 0, sizeof(bits_));
  }

  bool has(uint32_t number) const {
    if (number < low_) return true;
    uint32_t index = number - low_;
    return index < SIZE && (bits_[index / 8] >> (index % 8) & 1) != 0;
  }

  /** Returns how many of them were not settled before. */
  uint32_t settle(uint32_t first, uint32_t count) {
    uint32_t added = 0;
    for (uint32_t number = first; number - first < count; number++) {
      if (has(number) || number - low_ >= SIZE) continue;
      bits_[(number - low_) / 8] |= static_cast<uint8_t>(1u << ((number - low_) % 8));
      added++;
    }
    while (bits_[0] & 1) advance(low_ + 1);
    return added;
  }

  void advance(uint32_t low) {
    if (low <= low_) return;
    uint32_t by = low - low_;
    low_ = low;
    for (uint32_t index = 0; index < SIZE / 8; index++) {
      uint32_t from = index + by / 8;
      uint32_t two = (from < SIZE / 8 ? bits_[from] : 0u) | (from + 1 < SIZE / 8 ? bits_[from + 1] << 8 : 0u);
      bits_[index] = static_cast<uint8_t>(two >> (by % 8));
    }
  }

 private:
  uint32_t low_ = 0;
  uint8_t bits_[SIZE / 8] = {};
};

}  // namespace qskit
