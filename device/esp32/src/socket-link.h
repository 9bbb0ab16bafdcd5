#pragma once

#include "link.h"

namespace qskit {

/** TCP through sockets that do not block: an ESP32 has them in the Arduino IDE and in ESP-IDF, and so has a PC. */
class SocketLink final : public Link {
 public:
  bool open(const char* host, uint16_t port) override;
  State state() override;
  uint32_t write(const void* bytes, uint32_t length) override;
  uint32_t read(void* bytes, uint32_t capacity) override;
  void close() override;

 private:
  int socket_ = -1;
  bool isOpen_ = false;
};

}  // namespace qskit
