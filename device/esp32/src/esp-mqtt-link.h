#pragma once

#include <mqtt_client.h>

#include "bridge-link.h"

namespace qskit {

/** The connection of an esp-mqtt client of ESP-IDF 5. Call `begin` between its init and its start. */
class EspMqttLink final : public BridgeLink {
 public:
  explicit EspMqttLink(esp_mqtt_client_handle_t client) : client_(client) {}

  bool begin() { return esp_mqtt_client_register_event(client_, MQTT_EVENT_ANY, &EspMqttLink::handle, this) == ESP_OK; }

 protected:
  bool isConnected() override { return isConnected_.load(); }
  bool subscribe(const char* topic) override { return esp_mqtt_client_subscribe_single(client_, topic, 0) >= 0; }
  // Its outbox is not used: it drops after 30 s what it could not send. With QoS 0 it keeps nothing.
  bool publish(const char* topic, const uint8_t* payload, uint32_t length) override {
    const char* text = reinterpret_cast<const char*>(payload);
    return esp_mqtt_client_publish(client_, topic, text, static_cast<int>(length), 0, 0) >= 0;
  }

 private:
  static void handle(void* self, esp_event_base_t, int32_t id, void* data) {
    EspMqttLink& link = *static_cast<EspMqttLink*>(self);
    const esp_mqtt_event_t& event = *static_cast<esp_mqtt_event_t*>(data);
    if (id == MQTT_EVENT_CONNECTED) link.onConnect();
    if (id == MQTT_EVENT_CONNECTED) link.isConnected_ = true;
    if (id == MQTT_EVENT_DISCONNECTED) link.isConnected_ = false;
    if (id != MQTT_EVENT_DATA) return;
    link.onMessage(event.topic, static_cast<uint32_t>(event.topic_len), event.data,
                   static_cast<uint32_t>(event.data_len), static_cast<uint32_t>(event.current_data_offset),
                   static_cast<uint32_t>(event.total_data_len));
  }

  esp_mqtt_client_handle_t client_;
  std::atomic<bool> isConnected_{false};
};

}  // namespace qskit
