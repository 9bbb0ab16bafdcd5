#pragma once

#include <nvs.h>

#include "account-text.h"

namespace qskit {

/** The account in NVS, in the namespace "qs" under the key "account", as the text of its QR code. After nvs_flash_init. */
class NvsAccount : public AccountText {
 public:
  /** False: there is none. */
  bool load() {
    nvs_handle_t handle;
    if (nvs_open("qs", NVS_READONLY, &handle) != ESP_OK) return false;
    char text[400];
    size_t size = sizeof(text);
    bool isRead = nvs_get_str(handle, "account", text, &size) == ESP_OK;
    nvs_close(handle);
    return isRead && parse(text);
  }
  /** Of a code that a camera, an app or the serial port has read. False: it is no account, or NVS does not work. */
  bool save(const char* text) {
    nvs_handle_t handle;
    if (!parse(text) || nvs_open("qs", NVS_READWRITE, &handle) != ESP_OK) return false;
    bool isWritten = nvs_set_str(handle, "account", text) == ESP_OK && nvs_commit(handle) == ESP_OK;
    nvs_close(handle);
    return isWritten;
  }
};

}  // namespace qskit
