#include "ring-log.h"

#include <string.h>

#include "crc32.h"

namespace qskit {

namespace {

const uint32_t MAGIC = 0x31677351;  // "Qsg1"
const uint32_t UNIT = 16;

uint32_t aligned(uint32_t length) { return (length + UNIT - 1) / UNIT * UNIT; }

}  // namespace

struct RingLog::Header {
  uint32_t magic;
  uint32_t generation;
  uint32_t epoch;
  /** The number of its first event. */
  uint32_t first;
  uint32_t low;
  /** How many events were ever settled. */
  uint32_t settled;
  uint32_t mark;
  uint8_t window[SettledWindow::SIZE / 8];
  uint32_t crc;
};

struct RingLog::EntryHeader {
  EntryKind kind;
  uint8_t reserved;
  uint16_t length;
  uint32_t number;
  uint32_t crc;
};

static_assert(SettledWindow::SIZE == 256, "the header of a sector has 64 bytes");

bool RingLog::begin(Flash& flash, WhenFull whenFull, uint32_t random) {
  flash_ = &flash;
  whenFull_ = whenFull;
  sectors_ = flash.sectors();
  if (sectors_ < 2) return false;
  Header newest = Header();
  bool isFound = false;
  for (uint32_t sector = 0; sector < sectors_; sector++) {
    Header header;
    if (!readHeader(sector, header)) continue;
    if (isFound && static_cast<int32_t>(header.generation - newest.generation) < 0) continue;
    newest = header;
    head_ = sector;
    isFound = true;
  }
  if (!isFound) return format(random);
  epoch_ = newest.epoch;
  generation_ = newest.generation;
  next_ = newest.first;
  settled_ = newest.settled;
  mark_ = newest.mark;
  window_.reset(newest.low);
  memcpy(window_.bits(), newest.window, sizeof(newest.window));
  unsaved_ = jumped_ = false;
  scanHead();
  findTail();
  return true;
}

bool RingLog::format(uint32_t random) {
  epoch_ = random;
  next_ = settled_ = waiting_ = mark_ = 0;
  reopen_ = false;
  window_.reset(0);
  tail_ = Position(sectors_);
  return openSector(0, sectors_);
}

/** Replays the head over the snapshot in its header. */
void RingLog::scanHead() {
  end_ = sizeof(Header);
  closed_ = false;
  for (uint32_t offset = end_; offset < Flash::SECTOR;) {
    Entry entry;
    if (!readEntry(generation_, offset, entry)) {
      offset += UNIT;
      continue;
    }
    if (offset != end_) closed_ = true;
    if (entry.kind == EntryKind::Event) next_ = entry.number + 1;
    if (entry.kind == EntryKind::Note) next_ = entry.number;
    uint32_t content = head_ * Flash::SECTOR + offset + sizeof(EntryHeader);
    if (entry.kind == EntryKind::Mark) flash_->read(content, &mark_, sizeof(mark_));
    if (entry.kind == EntryKind::Settled) {
      uint16_t range[2];
      flash_->read(content, range, sizeof(range));
      window_.advance(entry.number);
      settled_ += window_.settle(entry.number + range[0], range[1]);
    }
    offset += aligned(sizeof(EntryHeader) + entry.length);
    end_ = offset;
  }
  reopen_ = end_ == sizeof(Header);
  if (!flash_->blank(head_ * Flash::SECTOR + end_, Flash::SECTOR - end_)) {
    // A write was cut. It may have been that of an event which could be read, and was sent, after an earlier restart:
    // the last bits of such a write are unstable. Its number is not given out again.
    closed_ = true;
    next_++;
  }
}

void RingLog::findTail() {
  tail_ = Position(oldestGeneration());
  for (uint32_t generation = tail_.generation + 1; generation != generation_ + 1; generation++) {
    Header header;
    if (readHeaderOf(generation, header) && header.first <= window_.low()) tail_ = Position(generation);
  }
  waiting_ = 0;
  for (uint32_t generation = tail_.generation; generation != generation_ + 1; generation++) {
    waiting_ += waitingIn(generation, Flash::SECTOR);
  }
}

bool RingLog::record(const void* bytes, uint16_t length) {
  // A write fails on a worn sector; the next one may work.
  for (int attempt = 0; attempt < 3; attempt++) {
    if (length > MAX_LENGTH || !(fits(length) || open(whenFull_ == WhenFull::DropOldest))) break;
    if (jumped_) {
      jumped_ = !append(EntryKind::Note, next_, nullptr, 0);
      continue;
    }
    if (append(EntryKind::Event, next_++, bytes, length)) {
      waiting_++;
      return true;
    }
  }
  next_++;
  jumped_ = true;
  return false;
}

bool RingLog::note(const void* bytes, uint16_t length) {
  return makeRoom(length) && append(EntryKind::Note, next_, bytes, length);
}

void RingLog::setMark(uint32_t mark) {
  mark_ = mark;
  // The header of the next sector has it as well.
  if (fits(sizeof(mark_))) append(EntryKind::Mark, next_, &mark_, sizeof(mark_));
}

bool RingLog::settle(uint32_t first, uint16_t count) {
  uint32_t low = window_.low();
  if (first < low) {
    uint32_t below = low - first;
    if (below >= count) return isSaved();
    first = low;
    count = static_cast<uint16_t>(count - below);
  }
  uint32_t added = window_.settle(first, count);
  if (added == 0) return isSaved();
  settled_ += added;
  waiting_ -= added < waiting_ ? added : waiting_;
  const uint16_t range[2] = {static_cast<uint16_t>(first - low), count};
  // While something is unsaved, nothing fits the head; the header of the next one has all of it.
  if (!unsaved_ && fits(sizeof(range)) && append(EntryKind::Settled, low, range, sizeof(range))) return true;
  unsaved_ = true;
  return open(false);
}

bool RingLog::read(Position& position, Entry& entry, void* bytes, uint16_t capacity) {
  bool isFromStart = position.generation == 0;
  if (isFromStart) position = tail_;
  uint32_t address;
  while (step(position, entry, address)) {
    if (!isWaiting(entry)) continue;
    if (isFromStart) {
      // Nothing below it is left.
      window_.advance(entry.number);
      tail_ = Position(position.generation);
      tail_.offset = address % Flash::SECTOR - sizeof(EntryHeader);
    }
    return flash_->read(address, bytes, entry.length < capacity ? entry.length : capacity);
  }
  if (isFromStart) {
    window_.advance(next_);
    tail_ = position;
    waiting_ = 0;
  }
  return false;
}

bool RingLog::readNote(Position& position, Entry& entry, void* bytes, uint16_t capacity) {
  if (position.generation == 0) position = tail_;
  uint32_t address;
  while (step(position, entry, address)) {
    if (entry.kind != EntryKind::Note || entry.length == 0) continue;
    return flash_->read(address, bytes, entry.length < capacity ? entry.length : capacity);
  }
  return false;
}

/** Opens the next sector; false if it holds events that wait and may not be dropped, or if no sector works. */
bool RingLog::open(bool mayDrop) {
  if (reopen_) {
    reopen_ = false;
    if (openSector(head_, generation_)) return true;
  }
  for (uint32_t generation = generation_ + 1; generation - generation_ < sectors_; generation++) {
    uint32_t oldest = generation - sectors_;
    if (!mayDrop && waitingIn(oldest, 1) > 0) return false;
    dropSector(oldest);
    if (openSector(sectorOf(generation), generation)) return true;
  }
  return false;
}

bool RingLog::openSector(uint32_t sector, uint32_t generation) {
  closed_ = true;
  if (!flash_->erase(sector)) return false;
  Header header;
  header.magic = MAGIC;
  header.generation = generation;
  header.epoch = epoch_;
  header.first = next_;
  header.low = window_.low();
  header.settled = settled_;
  header.mark = mark_;
  memcpy(header.window, window_.bits(), sizeof(header.window));
  header.crc = crc32(0, &header, sizeof(header) - sizeof(header.crc));
  if (!flash_->write(sector * Flash::SECTOR, &header, sizeof(header)) || !readHeader(sector, header)) return false;
  head_ = sector;
  generation_ = generation;
  end_ = sizeof(header);
  closed_ = unsaved_ = jumped_ = false;
  // Says that the header was written to its end.
  return append(EntryKind::Note, next_, nullptr, 0);
}

uint32_t RingLog::waitingIn(uint32_t generation, uint32_t enough) {
  if (static_cast<int32_t>(generation - tail_.generation) < 0) return 0;
  uint32_t count = 0;
  Position position = generation == tail_.generation ? tail_ : Position(generation);
  Entry entry;
  uint32_t address;
  while (count < enough && step(position, entry, address) && position.generation == generation) {
    if (isWaiting(entry)) count++;
  }
  return count;
}

void RingLog::dropSector(uint32_t generation) {
  if (static_cast<int32_t>(generation - tail_.generation) < 0) return;
  uint32_t dropped = waitingIn(generation, Flash::SECTOR);
  waiting_ -= dropped < waiting_ ? dropped : waiting_;
  tail_ = Position(generation + 1);
  Header header;
  uint32_t first = next_;
  for (uint32_t later = generation + 1; later != generation_ + 1; later++) {
    if (!readHeaderOf(later, header)) continue;
    first = header.first;
    break;
  }
  window_.advance(first);
}

bool RingLog::fits(uint16_t length) const {
  return !closed_ && !reopen_ && end_ + aligned(sizeof(EntryHeader) + length) <= Flash::SECTOR;
}

/** Written in order, in pieces that fit the stack. Whatever was not written well ends the use of the head. */
bool RingLog::append(EntryKind kind, uint32_t number, const void* bytes, uint16_t length) {
  const uint32_t offset = end_;
  EntryHeader header = {kind, 0xff, length, number, 0};
  header.crc = crc32(checksum(generation_, offset, header), bytes, length);
  const uint8_t* source = static_cast<const uint8_t*>(bytes);
  uint8_t piece[4 * UNIT];
  memcpy(piece, &header, sizeof(header));
  uint32_t used = sizeof(header);
  uint32_t left = length;
  uint32_t at = head_ * Flash::SECTOR + offset;
  end_ += aligned(sizeof(header) + length);
  do {
    uint32_t count = left < sizeof(piece) - used ? left : sizeof(piece) - used;
    memcpy(piece + used, source, count);
    source += count;
    left -= count;
    used += count;
    uint32_t size = aligned(used);
    memset(piece + used, 0xff, size - used);
    if (!flash_->write(at, piece, size)) closed_ = true;
    at += size;
    used = 0;
  } while (left > 0 && !closed_);
  Entry written;
  if (!closed_ && !readEntry(generation_, offset, written)) closed_ = true;
  return !closed_;
}

/** The next entry that can be read, over the borders of sectors. */
bool RingLog::step(Position& position, Entry& entry, uint32_t& address) {
  // A sector that was erased since.
  if (generation_ - position.generation >= sectors_) position = Position(oldestGeneration());
  for (;;) {
    if (position.offset == 0) {
      Header header;
      position.offset = readHeaderOf(position.generation, header) ? sizeof(Header) : Flash::SECTOR;
    }
    uint32_t limit = position.generation == generation_ ? end_ : Flash::SECTOR;
    while (position.offset < limit) {
      uint32_t offset = position.offset;
      if (!readEntry(position.generation, offset, entry)) {
        position.offset += UNIT;
        continue;
      }
      position.offset += aligned(sizeof(EntryHeader) + entry.length);
      address = sectorOf(position.generation) * Flash::SECTOR + offset + sizeof(EntryHeader);
      return true;
    }
    if (position.generation == generation_) return false;
    position = Position(position.generation + 1);
  }
}

bool RingLog::readHeader(uint32_t sector, Header& header) {
  return flash_->read(sector * Flash::SECTOR, &header, sizeof(header)) && header.magic == MAGIC &&
         header.crc == crc32(0, &header, sizeof(header) - sizeof(header.crc));
}

bool RingLog::readHeaderOf(uint32_t generation, Header& header) {
  return readHeader(sectorOf(generation), header) && header.generation == generation && header.epoch == epoch_;
}

bool RingLog::readEntry(uint32_t generation, uint32_t offset, Entry& entry) {
  EntryHeader header;
  uint32_t at = sectorOf(generation) * Flash::SECTOR + offset;
  if (!flash_->read(at, &header, sizeof(header))) return false;
  bool isKnown = header.kind == EntryKind::Event || header.kind == EntryKind::Settled ||
                 header.kind == EntryKind::Note || header.kind == EntryKind::Mark;
  if (!isKnown || header.length > MAX_LENGTH) return false;
  if (offset + aligned(sizeof(header) + header.length) > Flash::SECTOR) return false;
  uint32_t crc = checksum(generation, offset, header);
  uint8_t piece[4 * UNIT];
  at += sizeof(header);
  for (uint32_t left = header.length; left > 0;) {
    uint32_t count = left < sizeof(piece) ? left : sizeof(piece);
    if (!flash_->read(at, piece, count)) return false;
    crc = crc32(crc, piece, count);
    at += count;
    left -= count;
  }
  if (crc != header.crc) return false;
  entry = {header.kind, header.length, header.number};
  return true;
}

/** Bound to its place, so that bytes of an event that look like an entry are none. */
uint32_t RingLog::checksum(uint32_t generation, uint32_t offset, const EntryHeader& header) const {
  uint32_t place = epoch_ ^ (generation * Flash::SECTOR + offset);
  return crc32(place, &header, sizeof(header) - sizeof(header.crc));
}

bool RingLog::isWaiting(const Entry& entry) const {
  return entry.kind == EntryKind::Event && !window_.has(entry.number);
}

uint32_t RingLog::sectorOf(uint32_t generation) const {
  // At most one turn before the head or behind it.
  return (head_ + sectors_ + generation - generation_) % sectors_;
}

}  // namespace qskit
