// The part of 256dpi's MQTT for Arduino that the device kit uses.
#pragma once
#include "stand-in-client.h"

class MQTTClient {
 public:
  explicit MQTTClient(StandInClient& client) : client_(client) {}
  bool connected() { return client_.connected(); }
  bool subscribe(const char topic[], int) { return client_.subscribe(topic); }
  bool publish(const char topic[], const char payload[], int length, bool, int) {
    return client_.publish(topic, payload, static_cast<size_t>(length));
  }

 private:
  StandInClient& client_;
};
