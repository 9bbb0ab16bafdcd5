#pragma once
#include "Arduino.h"

enum { WIFI_STA };

struct Radio {
  void mode(int) {}
  void begin(const char *, const char *) {}
};
inline Radio WiFi;
