#pragma once
#include "esp_err.h"

struct esp_netif_t;
inline esp_err_t esp_netif_init() { return ESP_OK; }
inline esp_netif_t *esp_netif_create_default_wifi_sta() { return nullptr; }
