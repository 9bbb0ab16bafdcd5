#pragma once

#include <string>

#include "dpi-mqtt-link.h"
#include "esp-mqtt-client-link.h"
#include "esp-mqtt-link.h"

/** The link of the kit over the connection of a library, as a program sets it up; null: none of this name. */
inline qskit::Link* bridgeOf(const std::string& name, StandInClient& library) {
  static MQTTClient dpi(library);
  static MqttClient espMqttClient(library);
  static qskit::DpiMqttLink dpiLink(dpi);
  static qskit::EspMqttClientLink espMqttClientLink(espMqttClient);
  static qskit::EspMqttLink espMqttLink(&library);
  if (name == "esp-mqtt") return espMqttLink.begin() ? &espMqttLink : nullptr;
  if (name != "256dpi" && name != "espMqttClient") return nullptr;
  qskit::BridgeLink& link = name == "256dpi" ? static_cast<qskit::BridgeLink&>(dpiLink) : espMqttClientLink;
  library.onConnect = [&] { link.onConnect(); };
  library.onMessage = [&](const std::string& payload) {
    link.onMessage(library.acks.data(), static_cast<uint32_t>(library.acks.size()), payload.data(),
                   static_cast<uint32_t>(payload.size()));
  };
  return &link;
}
