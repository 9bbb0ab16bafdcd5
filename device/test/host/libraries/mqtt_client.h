// The part of ESP-IDF's esp-mqtt that the device kit uses.
#pragma once
#include "stand-in-client.h"

typedef int esp_err_t;
enum { ESP_OK = 0 };
typedef const char* esp_event_base_t;
typedef void (*esp_event_handler_t)(void*, esp_event_base_t, int32_t, void*);
enum esp_mqtt_event_id_t {
  MQTT_EVENT_ANY = -1,
  MQTT_EVENT_CONNECTED = 1,
  MQTT_EVENT_DISCONNECTED = 2,
  MQTT_EVENT_DATA = 6
};

struct esp_mqtt_event_t {
  const char* data;
  int data_len;
  int total_data_len;
  int current_data_offset;
  const char* topic;
  int topic_len;
};

typedef StandInClient* esp_mqtt_client_handle_t;

/** A message comes in two parts, the second without its topic. */
inline esp_err_t esp_mqtt_client_register_event(esp_mqtt_client_handle_t client, esp_mqtt_event_id_t,
                                                esp_event_handler_t handler, void* self) {
  client->onConnect = [=] {
    esp_mqtt_event_t event = {};
    handler(self, "", MQTT_EVENT_CONNECTED, &event);
  };
  client->onDisconnect = [=] {
    esp_mqtt_event_t event = {};
    handler(self, "", MQTT_EVENT_DISCONNECTED, &event);
  };
  client->onMessage = [=](const std::string& payload) {
    int all = static_cast<int>(payload.size());
    int half = all / 2;
    esp_mqtt_event_t first = {payload.data(), half, all, 0, client->acks.data(), static_cast<int>(client->acks.size())};
    handler(self, "", MQTT_EVENT_DATA, &first);
    esp_mqtt_event_t second = {payload.data() + half, all - half, all, half, nullptr, 0};
    handler(self, "", MQTT_EVENT_DATA, &second);
  };
  return ESP_OK;
}
inline int esp_mqtt_client_subscribe_single(esp_mqtt_client_handle_t client, const char* topic, int) {
  return client->subscribe(topic) ? 1 : -1;
}
inline int esp_mqtt_client_publish(esp_mqtt_client_handle_t client, const char* topic, const char* data, int length, int,
                                   int) {
  return client->publish(topic, data, static_cast<size_t>(length)) ? 0 : -1;
}
