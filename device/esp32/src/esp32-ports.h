#pragma once

#include <esp_partition.h>
#include <esp_random.h>
#include <esp_timer.h>
#include <freertos/FreeRTOS.h>
#include <freertos/task.h>
#include <sys/time.h>

#include "clock.h"
#include "flash.h"
#include "link.h"

#ifdef ARDUINO
#include <Client.h>
#endif

namespace qskit {

/** A data partition, by its label. */
class PartitionFlash final : public Flash {
 public:
  PartitionFlash() {}
  PartitionFlash(const char* label, uint32_t maxSectors)
      : partition_(esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, label)) {
    uint32_t all = partition_ == nullptr ? 0 : partition_->size / SECTOR;
    sectors_ = all < maxSectors ? all : maxSectors;
  }

  uint32_t sectors() const override { return sectors_; }
  bool read(uint32_t address, void* bytes, uint32_t length) override {
    return esp_partition_read(partition_, address, bytes, length) == ESP_OK;
  }
  bool write(uint32_t address, const void* bytes, uint32_t length) override {
    return esp_partition_write(partition_, address, bytes, length) == ESP_OK;
  }
  bool erase(uint32_t sector) override {
    return esp_partition_erase_range(partition_, sector * SECTOR, SECTOR) == ESP_OK;
  }
  bool blank(uint32_t address, uint32_t length) override {
    uint32_t words[4];
    for (; length > 0; address += sizeof(words), length -= sizeof(words)) {
      if (esp_partition_read_raw(partition_, address, words, sizeof(words)) != ESP_OK) return false;
      if ((words[0] & words[1] & words[2] & words[3]) != 0xffffffff) return false;
    }
    return true;
  }

 private:
  const esp_partition_t* partition_ = nullptr;
  uint32_t sectors_ = 0;
};

class SystemClock final : public Clock {
 public:
  uint64_t uptimeMs() override { return static_cast<uint64_t>(esp_timer_get_time()) / 1000; }
  bool unixMs(int64_t& now) override {
    timeval time;
    gettimeofday(&time, nullptr);
    now = static_cast<int64_t>(time.tv_sec) * 1000 + time.tv_usec / 1000;
    // Until NTP has answered, a board counts from 1970.
    return time.tv_sec > 1700000000;
  }
  void pause() override { vTaskDelay(1); }
};

#ifdef ARDUINO
/** A client of the Arduino core, such as `WiFiClientSecure` after `setCACert`. Its `connect` blocks for seconds. */
class ClientLink final : public Link {
 public:
  explicit ClientLink(Client& client) : client_(client) {}

  bool open(const char* host, uint16_t port) override { return client_.connect(host, port) == 1; }
  State state() override { return client_.connected() ? State::Open : State::Closed; }
  uint32_t write(const void* bytes, uint32_t length) override {
    return static_cast<uint32_t>(client_.write(static_cast<const uint8_t*>(bytes), length));
  }
  uint32_t read(void* bytes, uint32_t capacity) override {
    if (client_.available() <= 0) return 0;
    int count = client_.read(static_cast<uint8_t*>(bytes), capacity);
    return count > 0 ? static_cast<uint32_t>(count) : 0;
  }
  void close() override { client_.stop(); }

 private:
  Client& client_;
};
#endif

}  // namespace qskit
