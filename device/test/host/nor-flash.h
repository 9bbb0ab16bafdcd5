#pragma once

#include "array.h"
#include "flash.h"
#include "random.h"

/**
 * NOR flash whose power can be cut at any byte of a write and inside an erase. From the cut on nothing has an effect,
 * until `powerUp`.
 *
 * - A write that is cut has all of its bytes before the cut, and some bits of the word at the cut; or, since a chip
 *   programs a page of 256 bytes at once, some bits of every byte of that page. Such bits, or just one of them, may
 *   read otherwise after each power-up.
 * - An erase that is cut leaves a sector of which a part is erased, unchanged, zero or noise. It may look erased and
 *   is not.
 * - It is a fault of the caller to write what is not blank, what was not erased to the end, or what is not aligned to
 *   16.
 */
class NorFlash : public qskit::Flash {
 public:
  /** What an erase costs in the time of `cutAfter`, where a byte of a write costs 1. */
  static const uint32_t ERASE_COST = 1024;

  NorFlash(uint32_t sectors, uint64_t seed)
      : erases(sectors), bytes_(sectors * SECTOR), isWritable_(sectors * SECTOR), random_(seed) {
    for (uint8_t& byte : bytes_) byte = random_.byte();
  }

  Array<uint32_t> erases;
  uint64_t written = 0;
  /** The first fault of the caller. */
  const char* fault = "";
  bool isCut = false;
  bool canBeUnstable = false;

  void cutAfter(int64_t cost) { left_ = cost; }
  void powerUp() {
    isCut = false;
    left_ = -1;
    for (const Unstable& each : unstable_) {
      uint8_t& byte = bytes_[each.address];
      byte = static_cast<uint8_t>((byte & ~each.mask) | (random_.byte() & each.mask));
    }
  }
  uint64_t allErases() const {
    uint64_t sum = 0;
    for (uint32_t each : erases) sum += each;
    return sum;
  }

  uint32_t sectors() const override { return erases.size(); }

  bool read(uint32_t address, void* bytes, uint32_t length) override {
    if (isCut) return false;
    for (uint32_t i = 0; i < length; i++) static_cast<uint8_t*>(bytes)[i] = bytes_[address + i];
    return true;
  }

  bool blank(uint32_t address, uint32_t length) override {
    if (isCut) return false;
    for (uint32_t i = 0; i < length; i++) {
      if (bytes_[address + i] != 0xff) return false;
    }
    return true;
  }

  bool write(uint32_t address, const void* bytes, uint32_t length) override {
    if (isCut) return false;
    if (address % 16 != 0 || length % 16 != 0) fault = "a write is not aligned to 16 bytes";
    const uint8_t* source = static_cast<const uint8_t*>(bytes);
    bool endsHere = left_ >= 0 && left_ < length;
    uint32_t whole = endsHere ? static_cast<uint32_t>(left_) : length;
    bool isPage = endsHere && random_.oneIn(3);
    if (isPage) whole = whole / 256 * 256;
    uint32_t torn = !endsHere ? 0 : isPage ? length - whole : 4 - whole % 4;
    bool isUnstable = canBeUnstable && random_.oneIn(2);
    // All but one bit.
    bool isAlmostWhole = isUnstable && random_.oneIn(2);
    for (uint32_t i = 0; i < length && i < whole + torn; i++) {
      if (!isWritable_[address + i]) fault = "a byte is written that is not erased";
      isWritable_[address + i] = 0;
      bool isLast = i + 1 == length || i + 1 == whole + torn;
      uint8_t kept = i < whole || isAlmostWhole ? 0 : random_.byte();
      uint8_t& byte = bytes_[address + i];
      uint8_t before = byte;
      byte = static_cast<uint8_t>(before & (source[i] | kept));
      uint8_t changed = static_cast<uint8_t>(before & ~source[i]);
      if (isAlmostWhole) changed = isLast ? static_cast<uint8_t>(changed & -changed) : 0;
      if (i >= whole && isUnstable) unstable_.push({address + i, changed});
    }
    written += length;
    spend(length);
    return !isCut;
  }

  bool erase(uint32_t sector) override {
    if (isCut) return false;
    bool endsHere = left_ >= 0 && left_ < ERASE_COST;
    erases[sector]++;
    uint32_t from = sector * SECTOR;
    uint32_t border = endsHere ? random_.below(SECTOR + 1) : SECTOR;
    uint32_t rest = random_.below(5);
    uint8_t noise = random_.byte();
    for (uint32_t i = 0; i < SECTOR; i++) {
      uint8_t& byte = bytes_[from + i];
      if (i < border || rest == 0) byte = 0xff;
      else if (rest == 1) byte = 0;
      else if (rest == 2) byte = random_.byte();
      else if (rest == 3) byte = static_cast<uint8_t>(byte | (random_.byte() & noise));
      isWritable_[from + i] = endsHere ? 0 : 1;
    }
    for (uint32_t i = unstable_.size(); i > 0; i--) {
      if (unstable_[i - 1].address / SECTOR == sector) unstable_.remove(i - 1, 1);
    }
    spend(ERASE_COST);
    return !isCut;
  }

 private:
  struct Unstable {
    uint32_t address;
    uint8_t mask;
  };

  void spend(uint32_t cost) {
    if (left_ < 0) return;
    isCut = left_ < cost;
    left_ -= cost;
  }

  Array<uint8_t> bytes_;
  Array<uint8_t> isWritable_;
  Array<Unstable> unstable_;
  Random random_;
  /** Until the cut; negative: none. */
  int64_t left_ = -1;
};
