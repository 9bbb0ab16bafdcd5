// The part of ESP-IDF's esp_wifi that the example uses: a station that is connected as soon as it asks.
#pragma once
#include "esp_event.h"

#define WIFI_EVENT "WIFI_EVENT"
enum { WIFI_EVENT_STA_START = 2, WIFI_EVENT_STA_DISCONNECTED = 5 };
enum wifi_mode_t { WIFI_MODE_STA = 1 };
enum wifi_interface_t { WIFI_IF_STA = 0 };

struct wifi_init_config_t {
  int size;
};
#define WIFI_INIT_CONFIG_DEFAULT() {1}

union wifi_config_t {
  struct {
    uint8_t ssid[32];
    uint8_t password[64];
  } sta;
};

inline bool isWifiConnected = false;

inline esp_err_t esp_wifi_init(const wifi_init_config_t *) { return ESP_OK; }
inline esp_err_t esp_wifi_set_mode(wifi_mode_t) { return ESP_OK; }
inline esp_err_t esp_wifi_set_config(wifi_interface_t, wifi_config_t *) { return ESP_OK; }
inline esp_err_t esp_wifi_start() {
  networkHandler(nullptr, WIFI_EVENT, WIFI_EVENT_STA_START, nullptr);
  return ESP_OK;
}
inline esp_err_t esp_wifi_connect() {
  isWifiConnected = true;
  return ESP_OK;
}
