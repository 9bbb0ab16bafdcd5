// The part of the Arduino core that 256dpi's MQTT uses, for a PC.
#pragma once
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "host-clock.h"

inline uint32_t millis() { return static_cast<uint32_t>(nowMs(CLOCK_MONOTONIC)); }
inline void delay(uint32_t ms) { usleep(ms * 1000); }

typedef std::string String;
typedef uint32_t IPAddress;
