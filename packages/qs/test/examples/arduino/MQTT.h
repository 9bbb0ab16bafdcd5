// The part of the library "MQTT" by Joël Gähwiler that the sketch uses, over a socket: MQTT 3.1.1.
#pragma once
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "WiFi.h"

/** Number of messages that the link loses before the callback gets them. */
inline int loseMessages = 0;

class MQTTClient {
 public:
  typedef void (*Callback)(MQTTClient *, char *, char *, int);

  MQTTClient(size_t readBytes, size_t writeBytes) : maxRead(readBytes), maxWrite(writeBytes) {}
  void begin(const char *address, int brokerPort, WiFiClient &) {
    host = address;
    port = brokerPort;
  }
  void setKeepAlive(int seconds) { keepAlive = seconds; }
  void setTimeout(int ms) { timeoutMs = ms; }
  void onMessageAdvanced(Callback callback) { onMessage = callback; }
  bool connected() { return fd >= 0; }
  int lastError() { return fd >= 0 ? 0 : -1; }
  int returnCode() { return code; }

  bool connect(const char *id, const char *, const char *) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port);
    inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    if (::connect(fd, (sockaddr *)&address, sizeof(address)) != 0) return close();
    std::string body("\x00\x04MQTT\x04\x02", 8);  // clean session
    if (!send(0x10, body + number(keepAlive) + text(id)) || !await(2)) return close();
    code = packet[1];
    return code == 0 || close();
  }

  bool subscribe(const char *topic, int qos) {
    if (!send(0x82, number(1) + text(topic) + (char)qos) || !await(9)) return close();
    return (unsigned char)packet[2] != 0x80;
  }

  bool publish(const char *topic, const char *payload, int length, bool retained, int qos) {
    std::string body = text(topic) + (qos > 0 ? number(1) : "") + std::string(payload, (size_t)length);
    if (body.size() + 5 > maxWrite) return false;
    if (!send(0x30 | qos << 1 | (retained ? 1 : 0), body)) return close();
    return qos == 0 || await(4) || close();
  }

  bool loop() {
    while (fd >= 0 && isReadable(0))
      if (!readPacket()) return close();
    return fd >= 0;
  }

  void disconnect() { close(); }

 private:
  std::string host, packet;
  int port = 0, keepAlive = 10, timeoutMs = 1000, fd = -1, code = 0;
  size_t maxRead, maxWrite;
  Callback onMessage = nullptr;

  static std::string number(int value) { return {(char)(value >> 8), (char)value}; }
  static std::string text(const std::string &value) { return number((int)value.size()) + value; }

  bool close() {
    if (fd >= 0) ::close(fd);
    fd = -1;
    return false;
  }

  bool send(int kind, const std::string &body) {
    std::string bytes(1, (char)kind);
    for (size_t left = body.size(), more = 1; more; left = more) {
      more = left >> 7;
      bytes += (char)((left & 0x7f) | (more ? 0x80 : 0));
    }
    bytes += body;
    return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == (ssize_t)bytes.size();
  }

  bool isReadable(int ms) {
    pollfd poller{fd, POLLIN, 0};
    return poll(&poller, 1, ms) == 1;
  }

  bool read(std::string &into, size_t size) {
    into.resize(size);
    for (size_t done = 0; done < size;) {
      ssize_t got = isReadable(timeoutMs) ? recv(fd, &into[done], size - done, 0) : -1;
      if (got <= 0) return false;
      done += (size_t)got;
    }
    return true;
  }

  /** Reads packets until one of this kind; messages before it go to the callback. */
  bool await(int kind) {
    int read = 0;
    while (read != kind) {
      read = readPacket();
      if (read == 0) return false;
    }
    return true;
  }

  int readPacket() {
    std::string byte;
    if (!read(byte, 1)) return 0;
    int header = (unsigned char)byte[0];
    size_t length = 0;
    for (int shift = 0;; shift += 7) {
      if (!read(byte, 1)) return 0;
      length |= (size_t)(byte[0] & 0x7f) << shift;
      if (!(byte[0] & 0x80)) break;
    }
    if (length + 5 > maxRead || !read(packet, length)) return 0;  // the library closes the connection
    if (header >> 4 == 3) take(header, packet);
    return header >> 4;
  }

  void take(int header, std::string message) {
    size_t topicEnd = 2 + ((size_t)(unsigned char)message[0] << 8 | (unsigned char)message[1]);
    std::string topic = message.substr(2, topicEnd - 2);
    bool isAcked = header & 6;
    if (isAcked) send(0x40, message.substr(topicEnd, 2));
    std::string payload = message.substr(topicEnd + (isAcked ? 2 : 0));
    if (loseMessages > 0) {
      loseMessages--;
      printf("lost: %s\n", payload.c_str());
      return;
    }
    printf("ack: %s\n", payload.c_str());
    onMessage(this, &topic[0], &payload[0], (int)payload.size());
  }
};
