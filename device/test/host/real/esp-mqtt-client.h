#pragma once

#include <signal.h>

#include <atomic>
#include <string>
#include <thread>

#include "quiet.h"

#include "esp-mqtt-client-link.h"

/** A program that lends the connection of an espMqttClient, which runs in a task of its own, to the kit. */
class Library {
 public:
  Library(qskit::Clock&, const qskit::Account& account) {
    signal(SIGPIPE, SIG_IGN);
    client_.setServer(account.host, account.port).setClientId(account.deviceId).setKeepAlive(2);
    if (*account.user) client_.setCredentials(account.user, account.password);
    client_.onConnect([this](bool) { link_.onConnect(); });
    client_.onMessage([this](const espMqttClientTypes::MessageProperties&, const char* topic, const uint8_t* payload,
                             size_t length, size_t index, size_t total) {
      link_.onMessage(topic, static_cast<uint32_t>(strlen(topic)), payload, static_cast<uint32_t>(length),
                      static_cast<uint32_t>(index), static_cast<uint32_t>(total));
    });
    task_ = std::thread([this] {
      while (!isOver_) client_.loop();
    });
  }
  ~Library() {
    isOver_ = true;
    task_.join();
  }
  qskit::Link* link(const std::string&) { return &link_; }
  void loop() {
    if (client_.disconnected()) client_.connect();
  }

 private:
  espMqttClient client_;
  qskit::EspMqttClientLink link_{client_};
  std::atomic<bool> isOver_{false};
  std::thread task_;
};
