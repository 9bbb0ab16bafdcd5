// The part of ESP-IDF's esp-tls that the device kit uses, declared only.
#pragma once
#include <sys/types.h>

#include <cstddef>

struct esp_tls_t;
struct esp_tls_cfg_t {
  const unsigned char *cacert_buf;
  unsigned int cacert_bytes;
  bool non_block;
};
enum { ESP_TLS_ERR_SSL_WANT_READ = -0x6900, ESP_TLS_ERR_SSL_WANT_WRITE = -0x6880 };

inline esp_tls_t *esp_tls_init() { return nullptr; }
inline int esp_tls_conn_new_async(const char *, int, int, const esp_tls_cfg_t *, esp_tls_t *) { return -1; }
inline ssize_t esp_tls_conn_write(esp_tls_t *, const void *, size_t) { return -1; }
inline ssize_t esp_tls_conn_read(esp_tls_t *, void *, size_t) { return -1; }
inline int esp_tls_conn_destroy(esp_tls_t *) { return 0; }
