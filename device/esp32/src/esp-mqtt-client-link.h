#pragma once

#include <espMqttClient.h>

#include "bridge-link.h"

namespace qskit {

/**
 * The connection of an espMqttClient, or one of its relatives. Call `onConnect` in the handler of the same name, and
 * `onMessage` in that of messages: `link.onMessage(topic, strlen(topic), payload, len, index, total)`.
 */
class EspMqttClientLink final : public BridgeLink {
 public:
  explicit EspMqttClientLink(MqttClient& client) : client_(client) {}

 protected:
  bool isConnected() override { return client_.connected(); }
  bool subscribe(const char* topic) override { return client_.subscribe(topic, 0) != 0; }
  bool publish(const char* topic, const uint8_t* payload, uint32_t length) override {
    return client_.publish(topic, 0, false, payload, length) != 0;
  }

 private:
  MqttClient& client_;
};

}  // namespace qskit
