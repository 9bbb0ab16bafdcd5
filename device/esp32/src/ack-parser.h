#pragma once

#include <stdint.h>

namespace qskit {

/** A device ack; texts that are absent are empty, long ones are cut. */
struct DeviceAck {
  char eventId[96];
  char status[12];
  char code[32];
  char message[96];
};

/**
 * Reads device acks, one object or an array of them, byte by byte as they arrive: an array may be longer than any
 * buffer.
 */
class AckParser {
 public:
  AckParser() { reset(); }
  void reset();
  /** True when this byte ends a device ack, which `ack` has until the next byte. */
  bool feed(char each);
  const DeviceAck& ack() const { return ack_; }

 private:
  enum class Key : uint8_t { Other, EventId, Status, Error, Code, Message };

  void take(char each);
  Key keyOf() const;
  char* field(uint32_t& capacity);

  DeviceAck ack_;
  /** The name that was read last. */
  char name_[10];
  uint32_t length_;
  Key key_;
  uint8_t depth_;
  /** The depth of a device ack: 1, in an array 2. */
  uint8_t base_;
  /** Of an escape in a string: the characters to skip. */
  uint8_t skip_;
  bool isInString_;
  bool isValue_;
  bool isEscaped_;
  bool isInError_;
  bool isDone_;
};

}  // namespace qskit
