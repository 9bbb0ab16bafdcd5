#pragma once
#include <cstdint>

#include "esp_err.h"

typedef const char *esp_event_base_t;
typedef void (*esp_event_handler_t)(void *, esp_event_base_t, int32_t, void *);
enum { ESP_EVENT_ANY_ID = -1 };

inline esp_event_handler_t networkHandler = nullptr;

inline esp_err_t esp_event_loop_create_default() { return ESP_OK; }
inline esp_err_t esp_event_handler_register(esp_event_base_t, int32_t, esp_event_handler_t handler, void *) {
  networkHandler = handler;
  return ESP_OK;
}
