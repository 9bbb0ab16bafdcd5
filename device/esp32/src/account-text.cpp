#include "account-text.h"

#include <string.h>

namespace qskit {

namespace {

/** Reads a string, or a number or word, up to its end; null at the end of the text. What does not fit is left out. */
const char* read(const char* at, char* into, uint32_t capacity) {
  bool isString = *at == '"';
  if (isString) at++;
  uint32_t length = 0;
  for (;; at++) {
    if (isString ? *at == '"' : *at == ',' || *at == '}') break;
    // Only quotes and backslashes are escaped.
    if (isString && *at == '\\') at++;
    if (*at == '\0') return nullptr;
    if (length + 1 < capacity) into[length++] = *at;
  }
  into[length] = '\0';
  return isString ? at + 1 : at;
}

template <uint32_t N>
bool copy(char (&into)[N], const char* value) {
  size_t size = strlen(value) + 1;
  if (size <= N) memcpy(into, value, size);
  return size <= N;
}

}  // namespace

bool AccountText::parse(const char* text) {
  host_[0] = deviceId_[0] = user_[0] = password_[0] = '\0';
  port_ = 0;
  hasTls_ = isKnown_ = false;
  isWhole_ = true;
  const char* at = text;
  if (*at++ != '{') return false;
  while (*at == '"') {
    char name[16];
    char value[128];
    at = read(at, name, sizeof(name));
    if (at == nullptr || *at++ != ':') return false;
    at = read(at, value, sizeof(value));
    if (at == nullptr) return false;
    take(name, value);
    if (*at == ',') at++;
  }
  return *at == '}' && isKnown_ && isWhole_ && host_[0] != '\0' && deviceId_[0] != '\0' && port_ != 0;
}

void AccountText::take(const char* name, const char* value) {
  if (strcmp(name, "qs") == 0) isKnown_ = strcmp(value, "1") == 0;
  if (strcmp(name, "tls") == 0) hasTls_ = strcmp(value, "true") == 0;
  if (strcmp(name, "host") == 0) isWhole_ = copy(host_, value) && isWhole_;
  if (strcmp(name, "client_id") == 0) isWhole_ = copy(deviceId_, value) && isWhole_;
  if (strcmp(name, "user") == 0) isWhole_ = copy(user_, value) && isWhole_;
  if (strcmp(name, "password") == 0) isWhole_ = copy(password_, value) && isWhole_;
  if (strcmp(name, "port") != 0) return;
  uint32_t port = 0;
  for (const char* at = value; *at >= '0' && *at <= '9' && port < 65536; at++) {
    port = port * 10 + static_cast<uint32_t>(*at - '0');
  }
  port_ = static_cast<uint16_t>(port < 65536 ? port : 0);
}

}  // namespace qskit
