// An ESP32 that sends a temperature to qs-telemetry and keeps each event on its flash until the server has committed it.

#include <QsTelemetry.h>  // device/esp32 of this repository
#include <WiFi.h>
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
float readTemperature() {
  return 21.0f + 3.0f * sinf(millis() / 600000.0f);
}

QsTelemetry qs;
char deviceId[13];

void rejected(const char *eventId, const char *code, const char *message) {
  Serial.printf("rejected %s: %s, %s\n", eventId, code, message);
}

void measure() {
  float value = readTemperature();
  if (isnan(value)) {
    Serial.printf("temp could not be read\n");
  } else if (!qs.record("temp", value, "C")) {
    Serial.printf("temp is not on flash: lost, in all %u\n", (unsigned)qs.lost());
  }
}

void setup() {
  Serial.begin(115200);
  WiFi.mode(WIFI_STA);
  WiFi.begin(WIFI_SSID, WIFI_PASSWORD);  // reconnects by itself
  configTime(0, 0, "pool.ntp.org");

  uint64_t mac = ESP.getEfuseMac();  // its lowest byte is the first of the address
  for (int i = 0; i < 6; i++) snprintf(deviceId + 2 * i, 3, "%02x", (unsigned)(mac >> (8 * i)) & 0xff);
  const char *id = DEVICE_ID[0] != '\0' ? DEVICE_ID : deviceId;
  qs.onRejected(rejected);
  if (CA[0] != '\0') {
    static qskit::TlsLink link(CA);
    qs.setLink(link);
  }
  // "spiffs" is the partition that the Arduino IDE makes and that this sketch does not use otherwise.
  while (!qs.begin({BROKER, (uint16_t)BROKER_PORT, id, MQTT_USER, MQTT_PASSWORD}, "spiffs")) {
    Serial.printf("no partition \"spiffs\": choose a partition scheme that has one\n");
    delay(5000);
  }
  Serial.printf("%s, events waiting: %u\n", id, (unsigned)qs.waiting());
}

void loop() {
  static uint32_t measuredAtMs = millis() - MEASURE_EVERY_MS;
  static const char *problem = "";
  if (millis() - measuredAtMs >= MEASURE_EVERY_MS) {
    measuredAtMs += MEASURE_EVERY_MS;
    measure();
  }
  qs.loop();
  if (problem != qs.problem()) {
    problem = qs.problem();
    Serial.printf("%s\n", problem[0] != '\0' ? problem : "connected");
  }
  delay(10);
}
