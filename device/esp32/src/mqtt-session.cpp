#include "mqtt-session.h"

#include <string.h>

namespace qskit {

namespace {

const uint8_t CONNECT = 0x10, CONNACK = 0x20, PUBLISH = 0x30, PUBACK = 0x40, SUBSCRIBE = 0x82, SUBACK = 0x90,
              PINGREQ = 0xc0;
/** The fixed header: a type and up to four bytes of length. */
const uint32_t FIXED = 5;
const char BEFORE_ID[] = "qs/v1/";
const char EVENTS[] = "/events";
const char ACKS[] = "/acks";

}  // namespace

void MqttSession::begin(const Account& account, Link& link, Clock& clock, MqttListener& listener, uint32_t random) {
  account_ = account;
  link_ = &link;
  clock_ = &clock;
  listener_ = &listener;
  random_ = random | 1;
}

void MqttSession::setBuffer(uint8_t* bytes, uint32_t capacity) {
  buffer_ = bytes;
  capacity_ = capacity;
  uint32_t topic = static_cast<uint32_t>(sizeof(BEFORE_ID) + sizeof(EVENTS) - 2 + strlen(account_.deviceId));
  payloadAt_ = FIXED + 2 + topic + 2;
}

void MqttSession::loop() {
  uint64_t now = clock_->uptimeMs();
  if (state_ == State::Waiting) {
    if (now < deadline_) return;
    sent_ = end_ = 0;
    hasLength_ = isPinging_ = false;
    type_ = 0;
    state_ = State::Opening;
    deadline_ = now + DEADLINE_MS;
    if (!link_->open(account_.host, account_.port)) return drop("no connection to the broker");
  }
  Link::State link = link_->state();
  if (link == Link::State::Closed) return drop(state_ == State::Opening ? "no connection to the broker" : "closed");
  if (state_ != State::Ready && now >= deadline_) return drop("the broker does not answer");
  if (link == Link::State::Opening) return;
  if (state_ == State::Opening) sendConnect();
  flush(now);
  receive(now);
  if (state_ != State::Ready) return;
  if (now - receivedAt_ >= KEEP_ALIVE_MS + DEADLINE_MS) return drop("the broker is silent");
  if (sent_ != end_ && now - writtenAt_ >= DEADLINE_MS) return drop("the broker does not read");
  bool isQuiet = now - receivedAt_ >= KEEP_ALIVE_MS / 2 || now - writtenAt_ >= KEEP_ALIVE_MS / 2;
  if (isQuiet && !isPinging_ && sent_ == end_) sendPing();
}

uint16_t MqttSession::publish(uint32_t length) {
  packetId_ = static_cast<uint16_t>(packetId_ == 0xffff ? 1 : packetId_ + 1);
  uint32_t at = putTopic(FIXED, EVENTS);
  buffer_[at] = static_cast<uint8_t>(packetId_ >> 8);
  buffer_[at + 1] = static_cast<uint8_t>(packetId_);
  send(PUBLISH | 2, FIXED, payloadAt_ + length);
  return packetId_;
}

void MqttSession::drop(const char* why) {
  link_->close();
  problem_ = why;
  state_ = State::Waiting;
  random_ ^= random_ << 13;
  random_ ^= random_ >> 17;
  random_ ^= random_ << 5;
  uint32_t pause = failures_ < 6 ? 1000u << failures_ : LONGEST_PAUSE_MS;
  if (failures_ < 6) failures_++;
  deadline_ = clock_->uptimeMs() + pause / 2 + random_ % pause;
}

/** Puts the fixed header before the bytes at `from`. */
void MqttSession::send(uint8_t type, uint32_t from, uint32_t end) {
  uint32_t length = end - from;
  uint32_t size = length < 128 ? 1 : length < 16384 ? 2 : 3;
  uint32_t at = from - size - 1;
  sent_ = at;
  end_ = end;
  buffer_[at++] = type;
  for (; size > 0; size--, length >>= 7) buffer_[at++] = static_cast<uint8_t>((length & 127) | (size > 1 ? 128 : 0));
  writtenAt_ = clock_->uptimeMs();
  flush(writtenAt_);
}

/** A string with its length. What exceeds the buffer is left out: `begin` of the kit refuses such accounts. */
uint32_t MqttSession::put(uint32_t at, const char* text) {
  uint32_t length = static_cast<uint32_t>(strlen(text));
  if (at + 2 + length > capacity_) length = 0;
  buffer_[at] = static_cast<uint8_t>(length >> 8);
  buffer_[at + 1] = static_cast<uint8_t>(length);
  memcpy(buffer_ + at + 2, text, length);
  return at + 2 + length;
}

uint32_t MqttSession::putTopic(uint32_t at, const char* end) {
  uint32_t start = at + 2;
  uint32_t next = start;
  const char* parts[] = {BEFORE_ID, account_.deviceId, end};
  for (const char* part : parts) {
    while (*part != '\0') buffer_[next++] = static_cast<uint8_t>(*part++);
  }
  buffer_[at] = static_cast<uint8_t>((next - start) >> 8);
  buffer_[at + 1] = static_cast<uint8_t>(next - start);
  return next;
}

void MqttSession::sendConnect() {
  bool hasUser = account_.user != nullptr && account_.user[0] != '\0';
  uint32_t at = put(FIXED, "MQTT");
  buffer_[at++] = 4;  // 3.1.1
  buffer_[at++] = hasUser ? 0xc2 : 0x02;
  buffer_[at++] = 0;
  buffer_[at++] = KEEP_ALIVE_MS / 1000;
  at = put(at, account_.deviceId);
  if (hasUser) at = put(put(at, account_.user), account_.password);
  state_ = State::Connecting;
  send(CONNECT, FIXED, at);
}

void MqttSession::sendSubscribe() {
  buffer_[FIXED] = 0;
  buffer_[FIXED + 1] = 1;
  uint32_t at = putTopic(FIXED + 2, ACKS);
  buffer_[at++] = 0;  // QoS 0: an ack that is lost comes again as "duplicate"
  state_ = State::Subscribing;
  send(SUBSCRIBE, FIXED, at);
}

void MqttSession::sendPing() {
  isPinging_ = true;
  send(PINGREQ, FIXED, FIXED);
}

void MqttSession::flush(uint64_t now) {
  if (sent_ == end_) return;
  uint32_t count = link_->write(buffer_ + sent_, end_ - sent_);
  sent_ += count;
  if (count > 0) writtenAt_ = now;
}

void MqttSession::receive(uint64_t now) {
  uint8_t bytes[64];
  // A few at a time, so that a flood does not hold the caller.
  for (int turn = 0; turn < 8; turn++) {
    uint32_t count = link_->read(bytes, sizeof(bytes));
    if (count == 0) return;
    receivedAt_ = now;
    for (uint32_t i = 0; i < count;) {
      if (hasLength_ && left_ > 0 && (type_ & 0xf0) == PUBLISH && prefix_ > 0 && taken_ >= prefix_) {
        uint32_t run = count - i < left_ ? count - i : left_;
        listener_->onMessageBytes(bytes + i, run);
        i += run;
        left_ -= run;
        if (left_ == 0) endPacket();
      } else {
        take(bytes[i++]);
      }
      if (state_ == State::Waiting) return;
    }
  }
}

/** A byte outside of a payload. */
void MqttSession::take(uint8_t byte) {
  if (type_ == 0) {
    type_ = byte;
    left_ = taken_ = prefix_ = 0;
    lengthBytes_ = 0;
    hasLength_ = false;
    if (type_ == 0) drop("this is no MQTT");
    return;
  }
  if (!hasLength_) {
    left_ |= static_cast<uint32_t>(byte & 127) << (7 * lengthBytes_++);
    hasLength_ = byte < 128;
    if (!hasLength_ && lengthBytes_ == 4) return drop("this is no MQTT");
    if (hasLength_ && left_ == 0) endPacket();
    return;
  }
  if (taken_ < sizeof(first_)) first_[taken_] = byte;
  taken_++;
  left_--;
  if ((type_ & 0xf0) == PUBLISH && taken_ == 2) {
    prefix_ = 2u + (static_cast<uint32_t>(first_[0]) << 8 | first_[1]) + ((type_ & 6) != 0 ? 2u : 0u);
  }
  if (left_ == 0) endPacket();
}

void MqttSession::endPacket() {
  uint8_t type = type_ & 0xf0;
  type_ = 0;
  if (type == CONNACK && state_ == State::Connecting) {
    if (taken_ < 2 || first_[1] != 0) return drop("the broker refuses the account");
    sendSubscribe();
  } else if (type == SUBACK && state_ == State::Subscribing) {
    if (taken_ < 3 || first_[2] >= 0x80) return drop("the broker refuses the topic of the device acks");
    state_ = State::Ready;
    problem_ = "";
    listener_->onReady();
  } else if (type == PUBACK && taken_ >= 2) {
    listener_->onPuback(static_cast<uint16_t>(first_[0] << 8 | first_[1]));
  } else if (type == PUBLISH) {
    listener_->onMessageEnd();
  } else {
    isPinging_ = false;
  }
}

}  // namespace qskit
