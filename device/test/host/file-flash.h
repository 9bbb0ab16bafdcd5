#pragma once

#include <fcntl.h>
#include <unistd.h>

#include "flash.h"

/** Flash in a file, so that it survives the end of the process. */
class FileFlash : public qskit::Flash {
 public:
  FileFlash(const char* path, uint32_t sectors) : sectors_(sectors) {
    file_ = open(path, O_RDWR | O_CREAT, 0600);
    if (lseek(file_, 0, SEEK_END) != 0) return;
    for (uint32_t sector = 0; sector < sectors; sector++) erase(sector);
    erases = 0;
  }

  uint32_t erases = 0;

  uint32_t sectors() const override { return sectors_; }
  bool read(uint32_t address, void* bytes, uint32_t length) override {
    return pread(file_, bytes, length, address) == static_cast<ssize_t>(length);
  }
  bool write(uint32_t address, const void* bytes, uint32_t length) override {
    return pwrite(file_, bytes, length, address) == static_cast<ssize_t>(length);
  }
  bool erase(uint32_t sector) override {
    uint8_t blank[SECTOR];
    for (uint8_t& byte : blank) byte = 0xff;
    erases++;
    return write(sector * SECTOR, blank, SECTOR);
  }
  bool blank(uint32_t address, uint32_t length) override {
    uint8_t bytes[16];
    for (; length > 0; length -= 16, address += 16) {
      if (!read(address, bytes, sizeof(bytes))) return false;
      for (uint8_t byte : bytes) {
        if (byte != 0xff) return false;
      }
    }
    return true;
  }

 private:
  uint32_t sectors_;
  int file_;
};
