#pragma once

#include <stdint.h>

namespace qskit {

/** A stream of bytes to the broker. No function blocks. */
class Link {
 public:
  enum class State : uint8_t { Closed, Opening, Open };

  /** Begins to connect; false if that failed at once. */
  virtual bool open(const char* host, uint16_t port) = 0;
  virtual State state() = 0;
  /** How many bytes were taken or read; 0 if none can be now. A link that breaks becomes `Closed`. */
  virtual uint32_t write(const void* bytes, uint32_t length) = 0;
  virtual uint32_t read(void* bytes, uint32_t capacity) = 0;
  virtual void close() = 0;

 protected:
  ~Link() = default;
};

}  // namespace qskit
