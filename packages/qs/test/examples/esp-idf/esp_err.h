#pragma once
#include <cstdlib>

typedef int esp_err_t;
enum { ESP_OK = 0, ESP_FAIL = -1 };

#define ESP_ERROR_CHECK(call) ((call) == ESP_OK ? (void)0 : abort())
