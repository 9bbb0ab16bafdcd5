#pragma once

#include <stdint.h>

namespace qskit {

/** Writes text into a buffer; what does not fit is left out, and `isWhole` is false. */
class Text {
 public:
  Text(char* at, uint32_t capacity) : start_(at), at_(at), end_(at + capacity) {}

  Text& raw(char each);
  Text& raw(const char* text);
  /** Over text that is there already. */
  Text& skip(uint32_t length) {
    at_ += length;
    return *this;
  }
  /** A string of JSON, with its quotes. */
  Text& quoted(const char* text);
  Text& integer(int64_t value, uint32_t digits = 1);
  Text& hex(uint32_t value);
  /** With up to nine digits; null for what JSON does not have. */
  Text& number(double value);

  bool isWhole() const { return isWhole_; }
  uint32_t length() const { return static_cast<uint32_t>(at_ - start_); }

 private:
  char* start_;
  char* at_;
  char* end_;
  bool isWhole_ = true;
};

}  // namespace qskit
