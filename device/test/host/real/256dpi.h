#pragma once

#include <string>

#include "dpi-mqtt-link.h"

/** A program that lends the connection of 256dpi's MQTTClient to the kit, as docs/device-kit.md says. */
class Library {
 public:
  Library(qskit::Clock&, const qskit::Account& account) : account_(account) {
    client_.begin(account.host, account.port, network_);
    client_.setKeepAlive(2);
    client_.onMessageAdvanced([this](MQTTClient*, char topic[], char bytes[], int length) {
      link_.onMessage(topic, static_cast<uint32_t>(strlen(topic)), bytes, static_cast<uint32_t>(length));
    });
  }
  qskit::Link* link(const std::string&) { return &link_; }
  void loop() {
    if (!client_.connected() && client_.connect(account_.deviceId, account_.user, account_.password)) link_.onConnect();
    client_.loop();
  }

 private:
  const qskit::Account& account_;
  Client network_;
  MQTTClient client_{4096, 1200};
  qskit::DpiMqttLink link_{client_};
};
