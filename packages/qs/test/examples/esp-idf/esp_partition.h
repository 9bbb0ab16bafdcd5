// The part of ESP-IDF's esp_partition that the device kit uses: one partition, in memory.
#pragma once
#include <cstdint>
#include <cstring>

#include "esp_err.h"

enum { ESP_PARTITION_TYPE_DATA = 1, ESP_PARTITION_SUBTYPE_ANY = 0xff };

struct esp_partition_t {
  uint32_t size;
};

inline uint8_t partitionBytes[64 * 1024];

inline const esp_partition_t *esp_partition_find_first(int type, int, const char *label) {
  static const esp_partition_t partition = {sizeof(partitionBytes)};
  bool isKnown = strcmp(label, "spiffs") == 0 || strcmp(label, "qs") == 0;
  return type == ESP_PARTITION_TYPE_DATA && isKnown ? &partition : nullptr;
}

inline esp_err_t esp_partition_read(const esp_partition_t *, size_t at, void *bytes, size_t size) {
  if (at + size > sizeof(partitionBytes)) return ESP_FAIL;
  memcpy(bytes, partitionBytes + at, size);
  return ESP_OK;
}

inline esp_err_t esp_partition_read_raw(const esp_partition_t *partition, size_t at, void *bytes, size_t size) {
  return esp_partition_read(partition, at, bytes, size);
}

inline esp_err_t esp_partition_write(const esp_partition_t *, size_t at, const void *bytes, size_t size) {
  if (at + size > sizeof(partitionBytes)) return ESP_FAIL;
  for (size_t i = 0; i < size; i++) partitionBytes[at + i] &= static_cast<const uint8_t *>(bytes)[i];
  return ESP_OK;
}

inline esp_err_t esp_partition_erase_range(const esp_partition_t *, size_t at, size_t size) {
  if (at + size > sizeof(partitionBytes)) return ESP_FAIL;
  memset(partitionBytes + at, 0xff, size);
  return ESP_OK;
}
