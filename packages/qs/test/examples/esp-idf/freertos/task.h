#pragma once
#include <chrono>
#include <cstdint>
#include <thread>

/** Called while the program waits. */
inline void (*onDelay)() = nullptr;

inline void vTaskDelay(uint32_t ms) {
  if (onDelay != nullptr) onDelay();
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}
