// The part of espMqttClient that the device kit uses.
#pragma once
#include "stand-in-client.h"

class MqttClient {
 public:
  explicit MqttClient(StandInClient& client) : client_(client) {}
  bool connected() const { return client_.connected(); }
  uint16_t subscribe(const char* topic, uint8_t) { return client_.subscribe(topic) ? 1 : 0; }
  uint16_t publish(const char* topic, uint8_t, bool, const uint8_t* payload, size_t length) {
    return client_.publish(topic, payload, length) ? 1 : 0;
  }

 private:
  StandInClient& client_;
};
