#pragma once

#include <esp_tls.h>
#include <string.h>

#include "link.h"

namespace qskit {

/**
 * TLS by ESP-IDF, also in the Arduino IDE (boards esp32 3.x). Unlike `ClientLink` it does not block, apart from the
 * computation: the handshake takes about a second of it, in steps.
 */
class TlsLink final : public Link {
 public:
  /** @param authority the certificate that the broker's one is checked with, as PEM text; it must stay in memory */
  explicit TlsLink(const char* authority) : authority_(authority) {}

  bool open(const char* host, uint16_t port) override {
    close();
    host_ = host;
    port_ = port;
    tls_ = esp_tls_init();
    state_ = tls_ != nullptr ? State::Opening : State::Closed;
    return tls_ != nullptr;
  }
  State state() override {
    if (state_ != State::Opening) return state_;
    esp_tls_cfg_t config = {};
    config.cacert_buf = reinterpret_cast<const unsigned char*>(authority_);
    config.cacert_bytes = static_cast<unsigned int>(strlen(authority_) + 1);
    config.non_block = true;
    int result = esp_tls_conn_new_async(host_, static_cast<int>(strlen(host_)), port_, &config, tls_);
    if (result < 0) close();
    if (result > 0) state_ = State::Open;
    return state_;
  }
  uint32_t write(const void* bytes, uint32_t length) override {
    return state_ == State::Open ? taken(esp_tls_conn_write(tls_, bytes, length)) : 0;
  }
  uint32_t read(void* bytes, uint32_t capacity) override {
    if (state_ != State::Open) return 0;
    ssize_t count = esp_tls_conn_read(tls_, bytes, capacity);
    if (count == 0) close();
    return taken(count);
  }
  void close() override {
    if (tls_ != nullptr) esp_tls_conn_destroy(tls_);
    tls_ = nullptr;
    state_ = State::Closed;
  }

 private:
  uint32_t taken(ssize_t count) {
    if (count < 0 && count != ESP_TLS_ERR_SSL_WANT_READ && count != ESP_TLS_ERR_SSL_WANT_WRITE) close();
    return count > 0 ? static_cast<uint32_t>(count) : 0;
  }

  const char* authority_;
  const char* host_ = "";
  uint16_t port_ = 0;
  esp_tls_t* tls_ = nullptr;
  State state_ = State::Closed;
};

}  // namespace qskit
