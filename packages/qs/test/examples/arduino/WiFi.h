#pragma once
#include "Arduino.h"

enum { WIFI_STA, WL_CONNECTED };

struct WiFiClient {};

struct Radio {
  void mode(int) {}
  void begin(const char *, const char *) {}
  int status() { return WL_CONNECTED; }
  int RSSI() { return -61; }
};
inline Radio WiFi;
