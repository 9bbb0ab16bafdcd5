#pragma once

#include <string>

#include "esp-mqtt-link.h"

/** A program that lends the connection of an esp-mqtt client, which runs in a task of its own, to the kit. */
class Library {
 public:
  Library(qskit::Clock&, const qskit::Account& account) {
    esp_mqtt_client_config_t config = {};
    config.broker.address.hostname = account.host;
    config.broker.address.port = account.port;
    config.broker.address.transport = MQTT_TRANSPORT_OVER_TCP;
    config.credentials.client_id = account.deviceId;
    config.credentials.username = *account.user ? account.user : nullptr;
    config.credentials.authentication.password = *account.user ? account.password : nullptr;
    config.session.keepalive = 2;
    config.network.reconnect_timeout_ms = 500;
    config.network.timeout_ms = 2000;
    client_ = esp_mqtt_client_init(&config);
    link_ = new qskit::EspMqttLink(client_);
    link_->begin();
    esp_mqtt_client_start(client_);
  }
  ~Library() { esp_mqtt_client_stop(client_); }
  qskit::Link* link(const std::string&) { return link_; }
  void loop() {}

 private:
  esp_mqtt_client_handle_t client_;
  qskit::EspMqttLink* link_;
};
