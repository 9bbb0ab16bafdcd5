/* Publishes numbered events with the Paho client for C and prints the id of each event that is confirmed. */
#include <MQTTClient.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WINDOW 100

/* An event that is not confirmed, in order; its token is 0 until it is published on this connection. */
struct waiting {
  long number;
  MQTTClient_deliveryToken token;
};

static MQTTClient client;
static struct waiting events[WINDOW];
static int count = 0;
static int level, qos;
static const char *device;
static char topic[256];

static int has_ended(void) {
  struct pollfd input = {.fd = 0, .events = POLLIN};
  char bytes[64];
  return poll(&input, 1, 0) > 0 && read(0, bytes, sizeof bytes) <= 0;
}

static int open_connection(void) {
  MQTTClient_connectOptions three = MQTTClient_connectOptions_initializer;
  MQTTClient_connectOptions five = MQTTClient_connectOptions_initializer5;
  MQTTClient_connectOptions options = level == 5 ? five : three;
  options.keepAliveInterval = 5;
  options.connectTimeout = 5;
  options.MQTTVersion = level == 5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
  options.maxInflightMessages = WINDOW;
  /* A clean session: what is not confirmed is published again by this program. */
  for (int n = 0; n < count; n++) events[n].token = 0;
  if (level == 5) {
    options.cleanstart = 1;
    MQTTResponse response = MQTTClient_connect5(client, &options, NULL, NULL);
    int code = response.reasonCode;
    MQTTResponse_free(response);
    return code == MQTTREASONCODE_SUCCESS;
  }
  options.cleansession = 1;
  return MQTTClient_connect(client, &options) == MQTTCLIENT_SUCCESS;
}

static void publish(struct waiting *event) {
  char payload[512];
  int length = snprintf(payload, sizeof payload,
      "{\"schema\":1,\"event_id\":\"%s-%ld\",\"device_id\":\"%s\",\"event_type\":\"t\",\"value\":%ld}",
      device, event->number, device, event->number);
  MQTTClient_deliveryToken token = 0;
  if (level == 5) {
    MQTTResponse response = MQTTClient_publish5(client, topic, length, payload, qos, 0, NULL, &token);
    if (response.reasonCode == MQTTCLIENT_SUCCESS) event->token = token;
    MQTTResponse_free(response);
  } else if (MQTTClient_publish(client, topic, length, payload, qos, 0, &token) == MQTTCLIENT_SUCCESS) {
    event->token = token;
  }
}

/* Answers come in the order of the events. */
static void take_answers(void) {
  while (count > 0 && events[0].token != 0 && MQTTClient_isConnected(client)) {
    if (MQTTClient_waitForCompletion(client, events[0].token, 20) != MQTTCLIENT_SUCCESS) return;
    printf("%s-%ld\n", device, events[0].number);
    memmove(events, events + 1, sizeof events[0] * --count);
  }
}

int main(int argc, char **argv) {
  char url[64];
  long sent = 0;
  int ended = 0;
  if (argc < 5) return 2;
  level = atoi(argv[2]);
  qos = atoi(argv[3]);
  device = argv[4];
  setvbuf(stdout, NULL, _IOLBF, 0);
  snprintf(url, sizeof url, "tcp://127.0.0.1:%s", argv[1]);
  snprintf(topic, sizeof topic, "qs/v1/%s/events", device);
  MQTTClient_createOptions options = MQTTClient_createOptions_initializer;
  options.MQTTVersion = level == 5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
  MQTTClient_createWithOptions(&client, url, device, MQTTCLIENT_PERSISTENCE_NONE, NULL, &options);
  while (!ended || count > 0) {
    ended = ended || has_ended();
    if (!MQTTClient_isConnected(client)) {
      if (!open_connection()) usleep(200 * 1000);
      continue;
    }
    for (int n = 0; n < count; n++)
      if (events[n].token == 0) publish(&events[n]);
    if (!ended && count < WINDOW) {
      struct waiting event = {.number = sent++, .token = 0};
      publish(&event);
      if (qos > 0) events[count++] = event;
    }
    take_answers();
    usleep(20 * 1000);
  }
  printf("sent %ld\n", sent);
  if (level == 5) MQTTClient_disconnect5(client, 1000, MQTTREASONCODE_SUCCESS, NULL);
  else MQTTClient_disconnect(client, 1000);
  return 0;
}
