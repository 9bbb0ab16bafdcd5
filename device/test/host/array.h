#pragma once

#include <stdint.h>
#include <stdlib.h>

/** As much of a vector as the tests need where there is no standard library: on rv32 with picolibc. */
template <typename T>
class Array {
 public:
  explicit Array(uint32_t size = 0, T value = T()) {
    while (size_ < size) push(value);
  }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() { free(items_); }

  void push(const T& value) {
    if (size_ == capacity_) {
      capacity_ = capacity_ * 2 + 16;
      items_ = static_cast<T*>(realloc(items_, capacity_ * sizeof(T)));
    }
    items_[size_++] = value;
  }
  /** Takes `count` items out, from `at` on. */
  void remove(uint32_t at, uint32_t count) {
    for (uint32_t i = at; i + count < size_; i++) items_[i] = items_[i + count];
    size_ -= count;
  }
  uint32_t size() const { return size_; }
  T& operator[](uint32_t at) { return at < size_ ? items_[at] : (abort(), items_[0]); }
  T* begin() { return items_; }
  T* end() { return items_ + size_; }
  const T* begin() const { return items_; }
  const T* end() const { return items_ + size_; }

 private:
  T* items_ = nullptr;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
};
