#pragma once
#include "Arduino.h"

/** An erased flash. */
struct Preferences {
  void begin(const char *, bool) {}
  bool isKey(const char *) { return false; }
  uint32_t getUInt(const char *) { return 0; }
  size_t putUInt(const char *, uint32_t) { return sizeof(uint32_t); }
  void end() {}
};
