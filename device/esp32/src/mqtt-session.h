#pragma once

#include <stdint.h>

#include "clock.h"
#include "link.h"

namespace qskit {

struct Account {
  const char* host;
  uint16_t port;
  /** Client id and device id; the topics follow from it. */
  const char* deviceId;
  const char* user;
  const char* password;
};

class MqttListener {
 public:
  virtual void onReady() = 0;
  virtual void onPuback(uint16_t packetId) = 0;
  /** Bytes of a message on the topic of the device acks, as they arrive. */
  virtual void onMessageBytes(const uint8_t* bytes, uint32_t length) = 0;
  virtual void onMessageEnd() = 0;

 protected:
  ~MqttListener() = default;
};

/**
 * A connection to the broker, MQTT 3.1.1: as much as a device needs, with a deadline on everything. It connects,
 * subscribes to the device acks, publishes with QoS 1, and begins anew after a failure: after one second, then twice
 * as long each time up to a minute, from half to one and a half times of that, so that a thousand boards do not come
 * back at once.
 */
class MqttSession {
 public:
  static const uint32_t DEADLINE_MS = 10000;
  static const uint32_t KEEP_ALIVE_MS = 30000;
  static const uint32_t LONGEST_PAUSE_MS = 60000;

  void begin(const Account& account, Link& link, Clock& clock, MqttListener& listener, uint32_t random);
  /** One buffer for everything that is sent, 128 bytes or more. */
  void setBuffer(uint8_t* bytes, uint32_t capacity);
  void loop();

  bool isReady() const { return state_ == State::Ready; }
  /** Ready, and the buffer is free. */
  bool canPublish() const { return isReady() && sent_ == end_; }
  char* payload() { return reinterpret_cast<char*>(buffer_) + payloadAt_; }
  uint32_t payloadCapacity() const { return capacity_ - payloadAt_; }
  /** Sends what is in `payload`; returns the packet identifier. */
  uint16_t publish(uint32_t length);
  /** The broker answers: the next pause is the shortest again. */
  void hasProgress() { failures_ = 0; }
  void drop(const char* why);
  /** Why there is no connection, or empty. */
  const char* problem() const { return problem_; }

 private:
  enum class State : uint8_t { Waiting, Opening, Connecting, Subscribing, Ready };

  void send(uint8_t type, uint32_t from, uint32_t end);
  uint32_t put(uint32_t at, const char* text);
  uint32_t putTopic(uint32_t at, const char* end);
  void sendConnect();
  void sendSubscribe();
  void sendPing();
  void flush(uint64_t now);
  void receive(uint64_t now);
  void take(uint8_t byte);
  void endPacket();

  Account account_;
  Link* link_ = nullptr;
  Clock* clock_ = nullptr;
  MqttListener* listener_ = nullptr;
  const char* problem_ = "";
  uint64_t deadline_ = 0;
  uint64_t writtenAt_ = 0;
  uint64_t receivedAt_ = 0;
  uint8_t* buffer_ = nullptr;
  uint32_t capacity_ = 0;
  uint32_t payloadAt_ = 0;
  uint32_t sent_ = 0;
  uint32_t end_ = 0;
  uint32_t random_ = 1;
  State state_ = State::Waiting;
  uint8_t failures_ = 0;
  bool isPinging_ = false;
  uint16_t packetId_ = 0;
  /** Of the packet that arrives: its type, the bytes left, how many of its first bytes were read. */
  uint8_t type_ = 0;
  uint8_t lengthBytes_ = 0;
  bool hasLength_ = false;
  uint32_t left_ = 0;
  uint32_t taken_ = 0;
  /** Of a PUBLISH: bytes before the payload. */
  uint32_t prefix_ = 0;
  uint8_t first_[4];
};

}  // namespace qskit
