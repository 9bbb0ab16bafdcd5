#pragma once

#include <MQTT.h>

#include "bridge-link.h"

namespace qskit {

/**
 * The connection of an MQTTClient of 256dpi ("MQTT" in the Arduino IDE). It closes the connection if a message is larger
 * than its buffer, and nine device acks with an error each take up to 4 KB: `MQTTClient client(4096, 1200)`. Call
 * `onConnect` after each connect, and `onMessage` in the handler of `onMessageAdvanced`:
 * `link.onMessage(topic, strlen(topic), bytes, length)`.
 */
class DpiMqttLink final : public BridgeLink {
 public:
  explicit DpiMqttLink(MQTTClient& client) : client_(client) {}

 protected:
  bool isConnected() override { return client_.connected(); }
  bool subscribe(const char* topic) override { return client_.subscribe(topic, 0); }
  bool publish(const char* topic, const uint8_t* payload, uint32_t length) override {
    return client_.publish(topic, reinterpret_cast<const char*>(payload), static_cast<int>(length), false, 0);
  }

 private:
  MQTTClient& client_;
};

}  // namespace qskit
