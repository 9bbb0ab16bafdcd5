#pragma once

#include "mqtt-session.h"

namespace qskit {

/** An account as text: what the QR code of `qs device add --snippet qr` holds, and what a board keeps in NVS. */
class AccountText {
 public:
  /** `{"qs":1,"host":…,"port":…,"tls":…,"user":…,"password":…,"client_id":…}`. False: it is something else. */
  bool parse(const char* text);
  /** Valid as long as this object. */
  Account account() const { return {host_, port_, deviceId_, user_, password_}; }
  bool hasTls() const { return hasTls_; }

 private:
  void take(const char* name, const char* value);

  char host_[64];
  char deviceId_[64];
  char user_[64];
  char password_[64];
  uint16_t port_ = 0;
  bool hasTls_ = false;
  bool isKnown_ = false;
  bool isWhole_ = false;
};

}  // namespace qskit
