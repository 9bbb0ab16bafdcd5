#pragma once

#include <stdint.h>

namespace qskit {

/** CRC-32 (IEEE 802.3) of more bytes after those of `crc`, with a table of 64 bytes. */
uint32_t crc32(uint32_t crc, const void* bytes, uint32_t length);

}  // namespace qskit
