#pragma once
#include <cstdint>
#include <cstring>

#include "esp_err.h"

enum esp_mac_type_t { ESP_MAC_WIFI_STA };

inline esp_err_t esp_read_mac(uint8_t *mac, esp_mac_type_t) {
  memcpy(mac, "\xa1\xb2\xc3\xd4\xe5\xf6", 6);
  return ESP_OK;
}
