// An ESP32 that sends events to qs-telemetry and keeps each one until its device ack.
//
// The rule this sketch is about: forget your copy of an event when the device ack arrives, not before.
// With most brokers a PUBACK only means that the broker has the message (qs up commits first); the device ack means that
// PostgreSQL has committed the event, with every broker.

#include <ArduinoJson.h>  // "ArduinoJson" by Benoit Blanchon, 7.x
#include <MQTT.h>         // "MQTT" by Joël Gähwiler, 2.5.x
#include <Preferences.h>
#include <WiFi.h>
#include <sys/time.h>
#include <time.h>

// Yours to change

const char WIFI_SSID[] = "your-wifi";
const char WIFI_PASSWORD[] = "your-wifi-password";
const char BROKER[] = "192.168.1.10";  // the machine with `qs up --lan`, or your own broker
const int BROKER_PORT = 1883;
const char DEVICE_ID[] = "";  // with its own account: the id of `qs device add`; empty: the MAC address
const char MQTT_USER[] = "your-mqtt-user";
const char MQTT_PASSWORD[] = "your-mqtt-password";
const uint32_t MEASURE_EVERY_MS = 10000;

struct Event;  // Arduino puts a prototype of every function above the first one, and some take an Event

/** Put your sensor here. NAN means that it could not be read. */
float readTemperature() {
  return 21.0f + 3.0f * sinf(millis() / 600000.0f);
}

// Limits

const size_t RING_EVENTS = 64;           // kept at most; 64 × 10 s bridges ten minutes without network
const size_t ID_BYTES = sizeof(DEVICE_ID) + 40;  // of an event id: the device's, boot and number
const size_t EVENT_BYTES = 320 + 2 * sizeof(DEVICE_ID);  // of one event as JSON
const size_t ARRAY_EVENTS = 8;           // sent as one message at most, so that their device acks fit ACK_BYTES
const size_t ACK_BYTES = 4096;
const uint32_t RESEND_AFTER_MS = 10000;  // doubled with each attempt, up to eight times
const uint32_t RECONNECT_EVERY_MS = 5000;

// The ring: events without device ack, oldest first

struct Event {
  char id[ID_BYTES];
  char json[EVENT_BYTES];  // written once: a resend has the same text and is therefore the same event
  uint32_t sentAtMs;
  uint8_t attempts;  // 0: not sent on this connection
  bool waiting;      // false once acked; its place is free when it is the oldest
};

Event ring[RING_EVENTS];
size_t oldest = 0;
size_t used = 0;
uint32_t lost = 0;
bool oneByOne = false;     // a message was refused without an id: sent one by one, the next such ack shows which
char alone[ID_BYTES] = "";  // the event that is sent by itself

WiFiClient net;
char message[ARRAY_EVENTS * (EVENT_BYTES + 1) + 2];
MQTTClient mqtt(ACK_BYTES, sizeof(message) + 128);

char deviceId[sizeof(DEVICE_ID) > 13 ? sizeof(DEVICE_ID) : 13];  // client id as well: an account is bound to it
char eventsTopic[sizeof(deviceId) + 16];
char acksTopic[sizeof(deviceId) + 16];
uint32_t boot = 0;
uint32_t seq = 0;

Event &eventAt(size_t index) {
  return ring[(oldest + index) % RING_EVENTS];
}

void freeOldest() {
  while (used > 0 && !eventAt(0).waiting) {
    oldest = (oldest + 1) % RING_EVENTS;
    used--;
  }
}

/** UTC as ISO 8601 with Z; false while the clock still counts from 1970, before NTP has answered. */
bool deviceTime(char *text, size_t size) {
  timeval now;
  gettimeofday(&now, nullptr);
  if (now.tv_sec < 1700000000) return false;
  tm utc;
  gmtime_r(&now.tv_sec, &utc);
  size_t length = strftime(text, size, "%Y-%m-%dT%H:%M:%S", &utc);
  snprintf(text + length, size - length, ".%03dZ", (int)(now.tv_usec / 1000));
  return true;
}

/** Accepts an event. From here on the ring keeps it, connected or not. */
void record(const char *type, float value, const char *unit) {
  if (isnan(value) || isinf(value)) {  // JSON has neither: the event would be stored without its value
    Serial.printf("%s could not be read\n", type);
    return;
  }
  if (used == RING_EVENTS) {  // full: the oldest event is dropped, and the next one reports it
    eventAt(0).waiting = false;
    if (strcmp(alone, eventAt(0).id) == 0) alone[0] = '\0';
    lost++;
    freeOldest();
  }
  Event &event = eventAt(used);
  snprintf(event.id, sizeof(event.id), "%s-%010lu-%06lu", deviceId, (unsigned long)boot, (unsigned long)seq++);

  JsonDocument doc;
  doc["schema"] = 1;
  doc["event_id"] = event.id;
  doc["device_id"] = deviceId;
  doc["event_type"] = type;
  doc["value"] = value;
  doc["unit"] = unit;
  char ts[32];
  if (deviceTime(ts, sizeof(ts))) doc["ts_device"] = ts;  // absent: the server's time is the event's
  doc["meta"]["uptime_ms"] = millis();
  doc["meta"]["rssi"] = WiFi.RSSI();
  if (lost > 0) doc["meta"]["lost"] = lost;  // since boot

  if (doc.overflowed() || measureJson(doc) >= sizeof(event.json)) {
    Serial.printf("%s does not fit: raise EVENT_BYTES\n", event.id);
    return;
  }
  serializeJson(doc, event.json, sizeof(event.json));
  event.attempts = 0;
  event.waiting = true;
  used++;
}

// Device acks

void forget(const char *id) {
  for (size_t index = 0; index < used; index++) {
    Event &event = eventAt(index);
    if (event.waiting && strcmp(event.id, id) == 0) event.waiting = false;
  }
  if (strcmp(alone, id) == 0) alone[0] = '\0';
  freeOldest();
  if (used == 0) oneByOne = false;
}

/** A message was refused and no id could be read in it. */
void refusedUnnamed() {
  if (oneByOne && alone[0] != '\0') {
    char culprit[ID_BYTES];
    strcpy(culprit, alone);
    Serial.printf("%s cannot be read, forgotten\n", culprit);
    forget(culprit);
  } else if (!oneByOne && used > 0) {
    oneByOne = true;
    uint32_t nowMs = millis();
    for (size_t index = 0; index < used; index++) {  // not before the acks of messages in flight have arrived
      eventAt(index).attempts = 1;
      eventAt(index).sentAtMs = nowMs;
    }
  }
}

void takeDeviceAck(JsonVariantConst ack) {
  const char *id = ack["event_id"] | "";
  const char *status = ack["status"] | "";
  bool isRejected = strcmp(status, "rejected") == 0;
  if (isRejected) {  // can never be stored; the server keeps it as a dead letter, so forget it here
    const char *code = ack["error"]["code"] | "";
    const char *why = ack["error"]["message"] | "";
    Serial.printf("rejected %s: %s, %s\n", id, code, why);
  }
  if (id[0] == '\0') {
    if (isRejected) refusedUnnamed();
    return;
  }
  if (isRejected || strcmp(status, "stored") == 0 || strcmp(status, "duplicate") == 0) forget(id);
}

/** An object for an object, an array for an array. Nothing may be published from in here. */
void onMessage(MQTTClient *, char[], char bytes[], int length) {
  JsonDocument doc;
  DeserializationError error = deserializeJson(doc, bytes, (size_t)length);
  if (error) {
    Serial.printf("device ack not understood: %s\n", error.c_str());
    return;  // nothing is forgotten: the events are sent again and get another one
  }
  if (doc.is<JsonArray>()) {
    for (JsonVariantConst ack : doc.as<JsonArrayConst>()) takeDeviceAck(ack);
  } else {
    takeDeviceAck(doc.as<JsonVariantConst>());
  }
}

// Sending

bool isDue(const Event &event, uint32_t nowMs) {
  if (!event.waiting) return false;
  if (event.attempts == 0) return true;
  uint8_t doublings = event.attempts > 3 ? 3 : event.attempts - 1;
  return nowMs - event.sentAtMs >= (RESEND_AFTER_MS << doublings);  // unsigned: correct when millis() wraps around
}

/** One message: a single event as an object, several as an array. */
void sendDue() {
  size_t length = 1;  // room for [
  size_t count = 0;
  uint32_t nowMs = millis();
  for (size_t index = 0; index < used && count < (oneByOne ? 1 : ARRAY_EVENTS); index++) {
    Event &event = eventAt(index);
    if (!isDue(event, nowMs) || (alone[0] != '\0' && strcmp(alone, event.id) != 0)) continue;
    if (oneByOne) strcpy(alone, event.id);
    if (count++ > 0) message[length++] = ',';
    size_t bytes = strlen(event.json);
    memcpy(message + length, event.json, bytes);
    length += bytes;
    event.sentAtMs = nowMs;
    if (event.attempts < 255) event.attempts++;
  }
  if (count == 0) return;
  message[0] = '[';
  message[length] = ']';
  const char *payload = count == 1 ? message + 1 : message;
  // QoS 1, waits for the PUBACK. If it fails the library closes the connection, and all is sent after a reconnect.
  if (!mqtt.publish(eventsTopic, payload, count == 1 ? length - 1 : length + 1, false, 1)) {
    Serial.printf("not sent, error %d\n", (int)mqtt.lastError());
  }
}

bool connectBroker() {
  static uint32_t triedAtMs = 0;
  if (WiFi.status() != WL_CONNECTED) return false;
  if (triedAtMs != 0 && millis() - triedAtMs < RECONNECT_EVERY_MS) return false;
  triedAtMs = millis();
  if (!mqtt.connect(deviceId, MQTT_USER, MQTT_PASSWORD)) {
    Serial.printf("no broker, error %d, return code %d\n", (int)mqtt.lastError(), (int)mqtt.returnCode());
    return false;
  }
  if (!mqtt.subscribe(acksTopic, 1)) {  // before the first event, or its device ack is missed
    mqtt.disconnect();
    return false;
  }
  for (size_t index = 0; index < used; index++) eventAt(index).attempts = 0;
  Serial.printf("connected as %s, events waiting: %u\n", deviceId, (unsigned)used);
  return true;
}

// Arduino

/** Counts boots in flash, so that no event id is ever used twice. */
uint32_t nextBoot() {
  Preferences preferences;
  preferences.begin("qs", false);
  // An erased flash starts at a random number: 1 was used long ago.
  uint32_t next = preferences.isKey("boot") ? preferences.getUInt("boot") + 1 : random(1, 2000000000);
  bool isKept = preferences.putUInt("boot", next) > 0;
  preferences.end();
  return isKept ? next : random(1, 2000000000);
}

void setup() {
  Serial.begin(115200);
  uint64_t mac = ESP.getEfuseMac();  // its lowest byte is the first of the address
  for (int i = 0; i < 6; i++) snprintf(deviceId + 2 * i, 3, "%02x", (unsigned)(mac >> (8 * i)) & 0xff);
  if (DEVICE_ID[0] != '\0') strcpy(deviceId, DEVICE_ID);
  snprintf(eventsTopic, sizeof(eventsTopic), "qs/v1/%s/events", deviceId);
  snprintf(acksTopic, sizeof(acksTopic), "qs/v1/%s/acks", deviceId);

  WiFi.mode(WIFI_STA);
  WiFi.begin(WIFI_SSID, WIFI_PASSWORD);  // reconnects by itself
  configTime(0, 0, "pool.ntp.org");
  boot = nextBoot();  // after Wi-Fi: with the radio on, random() is truly random

  mqtt.begin(BROKER, BROKER_PORT, net);
  mqtt.setKeepAlive(30);
  mqtt.setTimeout(5000);
  mqtt.onMessageAdvanced(onMessage);
}

void loop() {
  static uint32_t measuredAtMs = millis() - MEASURE_EVERY_MS;
  if (millis() - measuredAtMs >= MEASURE_EVERY_MS) {
    measuredAtMs += MEASURE_EVERY_MS;
    record("temp", readTemperature(), "C");
  }
  mqtt.loop();
  if (mqtt.connected() || connectBroker()) sendDue();
  delay(10);
}
