#pragma once
#include "../Arduino.h"

inline void vTaskDelay(uint32_t ms) {
  delay(ms);
}
