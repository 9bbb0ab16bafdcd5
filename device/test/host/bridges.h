#pragma once

#include <string>

/** Too few for the device ack of a full message. */
#define QS_BRIDGE_BYTES 512
#include "dpi-mqtt-link.h"
#include "esp-mqtt-client-link.h"
#include "esp-mqtt-link.h"

/** A program that lends the connection of a library to the kit; the library is a stand-in. */
class Library {
 public:
  Library(qskit::Clock& clock, const qskit::Account& account) : client_(clock, account) {}

  /** Null: none of this name. */
  qskit::Link* link(const std::string& name) {
    if (name == "esp-mqtt") return espMqttLink_.begin() ? &espMqttLink_ : nullptr;
    if (name != "256dpi" && name != "espMqttClient") return nullptr;
    qskit::BridgeLink& link = name == "256dpi" ? static_cast<qskit::BridgeLink&>(dpiLink_) : espMqttClientLink_;
    client_.onConnect = [&] { link.onConnect(); };
    client_.onMessage = [&](const std::string& payload) {
      link.onMessage(client_.acks.data(), static_cast<uint32_t>(client_.acks.size()), payload.data(),
                     static_cast<uint32_t>(payload.size()));
    };
    return &link;
  }
  void loop() { client_.loop(); }

 private:
  StandInClient client_;
  MQTTClient dpi_{client_};
  MqttClient espMqttClient_{client_};
  qskit::DpiMqttLink dpiLink_{dpi_};
  qskit::EspMqttClientLink espMqttClientLink_{espMqttClient_};
  qskit::EspMqttLink espMqttLink_{&client_};
};
