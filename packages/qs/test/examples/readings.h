#pragma once
#include <cmath>

/** Readings in place of a sensor, taken from the end. */
const float READINGS[] = {20.75f, 20.5f, NAN, 20.125f};
inline int readingsLeft = 4;

inline float nextReading() {
  return readingsLeft > 0 ? READINGS[--readingsLeft] : NAN;
}
