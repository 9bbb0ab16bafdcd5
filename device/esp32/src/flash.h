#pragma once

#include <stdint.h>

namespace qskit {

/**
 * A partition of NOR flash, in sectors of 4 KiB. Addresses count from the start of the partition. Every function
 * returns false if the flash reports an error.
 */
class Flash {
 public:
  static const uint32_t SECTOR = 4096;

  virtual uint32_t sectors() const = 0;
  virtual bool read(uint32_t address, void* bytes, uint32_t length) = 0;
  /** Address and length are multiples of 16, and these bytes are blank: this is what encrypted flash demands. */
  virtual bool write(uint32_t address, const void* bytes, uint32_t length) = 0;
  virtual bool erase(uint32_t sector) = 0;
  /** Whether every byte is erased. Encrypted flash must look at the raw bytes: erased ones decrypt to noise. */
  virtual bool blank(uint32_t address, uint32_t length) = 0;

 protected:
  ~Flash() = default;
};

}  // namespace qskit
