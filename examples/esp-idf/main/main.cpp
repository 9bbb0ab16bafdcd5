// An ESP32 that sends a temperature to qs-telemetry and keeps each event on its flash until the server has committed it.

#include <QsTelemetry.h>  // device/esp32 of this repository
#include <esp_event.h>
#include <esp_mac.h>
#include <esp_netif.h>
#include <esp_netif_sntp.h>
#include <esp_wifi.h>
#include <math.h>
#include <nvs_flash.h>
#include <stdio.h>
#include <string.h>
#include <tls-link.h>

// Yours to change

const char WIFI_SSID[] = "your-wifi";
const char WIFI_PASSWORD[] = "your-wifi-password";
const char BROKER[] = "192.168.1.10";  // the machine with `qs up --lan`, or your own broker
const int BROKER_PORT = 1883;
const char DEVICE_ID[] = "";  // with its own account: the id of `qs device add`; empty: the MAC address
const char MQTT_USER[] = "your-mqtt-user";
const char MQTT_PASSWORD[] = "your-mqtt-password";
const char CA[] = "";  // for TLS: the certificate authority, as qs device add --tls prints it
const uint32_t MEASURE_EVERY_MS = 10000;

/** Put your sensor here. NAN means that it could not be read. */
static float readTemperature() {
  return 21.0f + 3.0f * sinf(esp_timer_get_time() / 600e6f);
}

static QsTelemetry qs;
static char deviceId[13];

static void onNetwork(void *, esp_event_base_t, int32_t event, void *) {
  if (event == WIFI_EVENT_STA_START || event == WIFI_EVENT_STA_DISCONNECTED) esp_wifi_connect();
}

static void startWifi() {
  if (nvs_flash_init() != ESP_OK) {
    ESP_ERROR_CHECK(nvs_flash_erase());
    ESP_ERROR_CHECK(nvs_flash_init());
  }
  ESP_ERROR_CHECK(esp_netif_init());
  ESP_ERROR_CHECK(esp_event_loop_create_default());
  esp_netif_create_default_wifi_sta();
  wifi_init_config_t init = WIFI_INIT_CONFIG_DEFAULT();
  ESP_ERROR_CHECK(esp_wifi_init(&init));
  ESP_ERROR_CHECK(esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, onNetwork, nullptr));
  wifi_config_t wifi = {};
  strncpy(reinterpret_cast<char *>(wifi.sta.ssid), WIFI_SSID, sizeof(wifi.sta.ssid));
  strncpy(reinterpret_cast<char *>(wifi.sta.password), WIFI_PASSWORD, sizeof(wifi.sta.password));
  ESP_ERROR_CHECK(esp_wifi_set_mode(WIFI_MODE_STA));
  ESP_ERROR_CHECK(esp_wifi_set_config(WIFI_IF_STA, &wifi));
  ESP_ERROR_CHECK(esp_wifi_start());
  esp_sntp_config_t sntp = ESP_NETIF_SNTP_DEFAULT_CONFIG("pool.ntp.org");
  ESP_ERROR_CHECK(esp_netif_sntp_init(&sntp));
}

static void rejected(const char *eventId, const char *code, const char *message) {
  printf("rejected %s: %s, %s\n", eventId, code, message);
}

static void measure() {
  float value = readTemperature();
  if (isnan(value)) {
    printf("temp could not be read\n");
  } else if (!qs.record("temp", value, "C")) {
    printf("temp is not on flash: lost, in all %u\n", (unsigned)qs.lost());
  }
}

extern "C" void app_main() {
  startWifi();
  uint8_t mac[6];
  ESP_ERROR_CHECK(esp_read_mac(mac, ESP_MAC_WIFI_STA));
  for (int i = 0; i < 6; i++) snprintf(deviceId + 2 * i, 3, "%02x", mac[i]);
  const char *id = DEVICE_ID[0] != '\0' ? DEVICE_ID : deviceId;
  qs.onRejected(rejected);
  if (CA[0] != '\0') {
    static qskit::TlsLink link(CA);
    qs.setLink(link);
  }
  // "qs" is a line of partitions.csv.
  while (!qs.begin({BROKER, (uint16_t)BROKER_PORT, id, MQTT_USER, MQTT_PASSWORD}, "qs")) {
    printf("no partition \"qs\": flash partitions.csv as well (idf.py flash)\n");
    vTaskDelay(5000 / portTICK_PERIOD_MS);
  }
  printf("%s, events waiting: %u\n", id, (unsigned)qs.waiting());

  const char *problem = "";
  int64_t measureAt = esp_timer_get_time();
  for (;;) {
    if (esp_timer_get_time() >= measureAt) {
      measureAt += MEASURE_EVERY_MS * 1000LL;
      measure();
    }
    qs.loop();
    if (problem != qs.problem()) {
      problem = qs.problem();
      printf("%s\n", problem[0] != '\0' ? problem : "connected");
    }
    vTaskDelay(1);
  }
}
