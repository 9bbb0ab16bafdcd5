#pragma once

#include "device-kit.h"
#include "socket-link.h"

#ifdef ESP_PLATFORM

#include "esp32-ports.h"

/** The device kit on an ESP32, in the Arduino IDE and in ESP-IDF 5: flash, clock and network of the board. */
class QsTelemetry : public qskit::DeviceKit {
 public:
  /**
   * @param account address and login, as `qs device add` prints them
   * @param partition the label of a data partition that is used for nothing else. Boards that are set up by the
   *   Arduino IDE have one with the label "spiffs": free, unless the program uses SPIFFS or LittleFS
   * @param sectors how many sectors of 4 KiB it uses at most; each holds about 45 events
   * @return false if there is no such partition, or it does not work
   */
  bool begin(const qskit::Account& account, const char* partition = "spiffs", uint32_t sectors = 64) {
    flash_ = qskit::PartitionFlash(partition, sectors);
    return DeviceKit::begin({account, &flash_, link_, &clock_, esp_random(), whenFull_, settledBy_});
  }

  // Before begin.
  void setWhenFull(qskit::WhenFull whenFull) { whenFull_ = whenFull; }
  void setSettledBy(qskit::SettledBy settledBy) { settledBy_ = settledBy; }
  /** Another way to the broker than plain TCP, such as TLS: see `ClientLink`. */
  void setLink(qskit::Link& link) { link_ = &link; }

 private:
  qskit::PartitionFlash flash_;
  qskit::SystemClock clock_;
  qskit::SocketLink socket_;
  qskit::Link* link_ = &socket_;
  qskit::WhenFull whenFull_ = qskit::WhenFull::DropOldest;
  qskit::SettledBy settledBy_ = qskit::SettledBy::DeviceAck;
};

#endif
