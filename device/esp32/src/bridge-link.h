#pragma once

#include <stdint.h>
#include <string.h>

#include <atomic>

#include "link.h"

#ifndef QS_BRIDGE_BYTES
/** Of device acks that wait for the loop of the kit; a power of two. */
#define QS_BRIDGE_BYTES 2048
#endif

namespace qskit {

/**
 * Lets the kit share the connection of another MQTT library, for programs that have one already: an account is bound
 * to its client id, so it has one connection. It answers the kit in the place of the broker, and hands what the kit
 * publishes to the library, with QoS 0: only the device ack counts, and the kit sends again. So a kit with a bridge
 * cannot be settled by PUBACK.
 *
 * The library may call `onConnect` and `onMessage` in a task of its own; everything else belongs to the task of the kit.
 */
class BridgeLink : public Link {
 public:
  bool open(const char*, uint16_t) override {
    isOpen_ = true;
    connects_ = allConnects_.load();
    answerAt_ = answerEnd_ = 0;
    read_.store(whole_.load());
    return true;
  }
  State state() override {
    // Subscriptions end with a connection.
    if (isUp_ && (!isConnected() || connects_ != allConnects_.load())) close();
    if (!isOpen_) return State::Closed;
    isUp_ = isConnected();
    return isUp_ ? State::Open : State::Opening;
  }
  /** Takes a packet of the kit, which writes whole ones. */
  uint32_t write(const void* bytes, uint32_t length) override {
    return answerEnd_ == 0 && take(static_cast<const uint8_t*>(bytes), length) ? length : 0;
  }
  uint32_t read(void* bytes, uint32_t capacity) override {
    uint8_t* into = static_cast<uint8_t*>(bytes);
    uint32_t from = read_.load(std::memory_order_relaxed);
    uint32_t count = whole_.load(std::memory_order_acquire) - from;
    if (count == 0) return readAnswer(into, capacity);
    if (count > capacity) count = capacity;
    for (uint32_t i = 0; i < count; i++) into[i] = buffer_[(from + i) % QS_BRIDGE_BYTES];
    read_.store(from + count, std::memory_order_release);
    return count;
  }
  void close() override { isOpen_ = isUp_ = false; }

  /** To be called each time the library has connected. */
  void onConnect() { allConnects_++; }
  /**
   * To be called with each message of the library, or each part of one: `total` bytes, of which these begin at
   * `index`; parts behind the first may come without a topic. False: it is no device ack.
   */
  bool onMessage(const char* topic, uint32_t topicLength, const void* bytes, uint32_t length, uint32_t index = 0,
                 uint32_t total = 0) {
    if (index == 0) isAck_ = topicLength == strlen(acks_) && strncmp(topic, acks_, topicLength) == 0;
    if (!isAck_) return false;
    if (total == 0) total = length;
    if (index == 0) {
      written_ = whole_.load(std::memory_order_relaxed);
      uint32_t used = written_ - read_.load(std::memory_order_acquire);
      // One without room is lost, and comes again after the kit has sent again.
      hasRoom_ = used + total + 7 <= QS_BRIDGE_BYTES;
      if (hasRoom_) putHead(total + 2);
    }
    if (!hasRoom_) return true;
    for (uint32_t i = 0; i < length; i++) put(static_cast<const uint8_t*>(bytes)[i]);
    if (index + length >= total) whole_.store(written_, std::memory_order_release);
    return true;
  }

 protected:
  ~BridgeLink() = default;

  virtual bool isConnected() = 0;
  /** With QoS 0. False: not now. */
  virtual bool subscribe(const char* topic) = 0;
  virtual bool publish(const char* topic, const uint8_t* payload, uint32_t length) = 0;

 private:
  static_assert((QS_BRIDGE_BYTES & (QS_BRIDGE_BYTES - 1)) == 0, "a power of two");

  bool take(const uint8_t* packet, uint32_t length) {
    uint32_t at = 2;
    while (packet[at - 1] >= 128) at++;
    switch (packet[0] & 0xf0) {
      case 0x10:
        return answer(0x20, 0, 0, 2);
      case 0x80:
        return topicAt(packet + at + 2, acks_) > 0 && subscribe(acks_) && answer(0x90, packet[at], packet[at + 1], 3);
      case 0x30: {
        char topic[sizeof(acks_)];
        uint32_t size = topicAt(packet + at, topic);
        at += 2 + size + 2;
        return size > 0 && publish(topic, packet + at, length - at);
      }
      default:
        return answer(0xd0, 0, 0, 0);
    }
  }

  bool answer(uint8_t type, uint8_t first, uint8_t second, uint8_t length) {
    const uint8_t packet[] = {type, length, first, second, 0};
    memcpy(answer_, packet, sizeof(packet));
    answerAt_ = 0;
    answerEnd_ = static_cast<uint8_t>(2 + length);
    return true;
  }
  uint32_t readAnswer(uint8_t* into, uint32_t capacity) {
    uint32_t count = 0;
    while (count < capacity && answerAt_ < answerEnd_) into[count++] = answer_[answerAt_++];
    if (answerAt_ == answerEnd_) answerEnd_ = answerAt_ = 0;
    return count;
  }

  /** Copies a topic; 0 if it does not fit. */
  template <uint32_t N>
  static uint32_t topicAt(const uint8_t* at, char (&topic)[N]) {
    uint32_t length = static_cast<uint32_t>(at[0] << 8 | at[1]);
    if (length >= N) return 0;
    memcpy(topic, at + 2, length);
    topic[length] = '\0';
    return length;
  }

  /** Of a PUBLISH with QoS 0 and an empty topic. */
  void putHead(uint32_t length) {
    put(0x30);
    for (; length > 127; length >>= 7) put(static_cast<uint8_t>((length & 127) | 128));
    put(static_cast<uint8_t>(length));
    put(0);
    put(0);
  }
  void put(uint8_t byte) { buffer_[written_++ % QS_BRIDGE_BYTES] = byte; }

  bool isOpen_ = false;
  bool isUp_ = false;
  uint8_t answerAt_ = 0;
  uint8_t answerEnd_ = 0;
  uint8_t answer_[5];
  uint32_t connects_ = 0;
  char acks_[160] = "";
  std::atomic<uint32_t> allConnects_{0};
  /** Whole messages are in the buffer from `read_` to `whole_`; the task of the library writes from there. */
  std::atomic<uint32_t> read_{0};
  std::atomic<uint32_t> whole_{0};
  uint32_t written_ = 0;
  bool isAck_ = false;
  bool hasRoom_ = false;
  uint8_t buffer_[QS_BRIDGE_BYTES];
};

}  // namespace qskit
