#pragma once

#include <functional>
#include <string>

#include "mqtt-session.h"
#include "socket-link.h"

/** What the stand-ins for MQTT libraries have in common: a connection of their own to the broker. */
class StandInClient : private qskit::MqttListener {
 public:
  StandInClient(qskit::Clock& clock, const qskit::Account& account) {
    session_.begin(account, link_, clock, *this, 1);
    session_.setBuffer(buffer_, sizeof(buffer_));
  }

  std::function<void()> onConnect = [] {};
  std::function<void()> onDisconnect = [] {};
  std::function<void(const std::string& payload)> onMessage = [](const std::string&) {};

  void loop() {
    session_.loop();
    if (isUp_ && !session_.isReady()) onDisconnect();
    isUp_ = session_.isReady();
  }
  bool connected() const { return session_.isReady(); }
  bool subscribe(const std::string& topic) {
    acks = topic;
    return connected();
  }
  bool publish(const std::string& topic, const void* payload, size_t length) {
    bool isRight = topic.size() > 7 && topic.compare(topic.size() - 7, 7, "/events") == 0;
    if (!isRight || !session_.canPublish() || length > session_.payloadCapacity()) return false;
    memcpy(session_.payload(), payload, length);
    session_.publish(static_cast<uint32_t>(length));
    return true;
  }

  std::string acks;

 private:
  void onReady() override { onConnect(); }
  void onPuback(uint16_t) override {}
  void onMessageBytes(const uint8_t* bytes, uint32_t length) override {
    message_.append(reinterpret_cast<const char*>(bytes), length);
  }
  void onMessageEnd() override {
    onMessage(message_);
    message_.clear();
  }

  qskit::SocketLink link_;
  qskit::MqttSession session_;
  uint8_t buffer_[4096];
  std::string message_;
  bool isUp_ = false;
};
