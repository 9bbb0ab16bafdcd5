#pragma once
#include "esp_err.h"

struct esp_sntp_config_t {
  const char *server;
};
#define ESP_NETIF_SNTP_DEFAULT_CONFIG(name) {name}
inline esp_err_t esp_netif_sntp_init(const esp_sntp_config_t *) { return ESP_OK; }
