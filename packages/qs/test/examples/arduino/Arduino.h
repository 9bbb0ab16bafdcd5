// The part of the Arduino core for the ESP32 that the sketch uses, for a PC.
#pragma once
#include <chrono>
#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

using std::isnan;

/** Starts near its maximum, so that it wraps around during a test, as on a board after 49 days. */
inline uint32_t millis() {
  using namespace std::chrono;
  static const auto start = steady_clock::now();
  return (uint32_t)(0xfffffe00u + (uint32_t)duration_cast<milliseconds>(steady_clock::now() - start).count());
}

inline void delay(uint32_t ms) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

inline void configTime(long, int, const char *) {}

struct SerialPort {
  void begin(unsigned long) {}
  __attribute__((format(printf, 2, 3))) void printf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
  }
};
inline SerialPort Serial;

struct Chip {
  uint64_t getEfuseMac() { return 0xf6e5d4c3b2a1; }
};
inline Chip ESP;
