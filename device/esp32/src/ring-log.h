#pragma once

#include <stdint.h>

#include "flash.h"
#include "settled-window.h"

namespace qskit {

/** What gives way when every sector holds events that wait. */
enum class WhenFull : uint8_t { DropOldest, RefuseNew };

enum class EntryKind : uint8_t { Event = 0x0f, Settled = 0xf0, Note = 0xcc, Mark = 0x33 };

struct Entry {
  EntryKind kind;
  uint16_t length;
  /** Of an event: its number. Of a note: the number of the next event at the time. */
  uint32_t number;
};

/** Where a reader is. A new one starts at the oldest event that waits. */
struct Position {
  explicit Position(uint32_t generation = 0) : generation(generation), offset(0) {}
  uint32_t generation;
  uint32_t offset;
};

/**
 * Events on raw flash, from `record` until they are settled, through a power cut at any byte.
 *
 * Sectors are used in turn, so they wear evenly. The newest one is the *head*: entries are appended to it. Its header
 * has a snapshot of everything that older sectors say about what is settled, so only events are read from those.
 *
 * Each event has a number. What is lost is not written down but follows from what is: a number that was given out,
 * was never settled and is not on the flash is lost. So no order of writes and erases can miscount it.
 *
 * - A number is never given out twice, also not that of an event whose write was cut.
 * - No byte is written twice between two erases, and nothing is appended behind a write that was cut or failed.
 * - A sector is erased only after the header of the head has noted what is settled, and only to become the head next.
 *
 * No call allocates memory. `begin` and `settle` read up to the whole partition; `record` erases a sector now and
 * then, which takes 45 ms on common chips.
 */
class RingLog {
 public:
  static const uint32_t MAX_LENGTH = 2048;

  /** Finds the log on the flash, or formats it; `random` is the epoch of a new log. False: the flash does not work. */
  bool begin(Flash& flash, WhenFull whenFull, uint32_t random);

  /** True: it is on the flash. False: it is not, and counts as lost. */
  bool record(const void* bytes, uint16_t length);
  /** Something to be remembered as long as the events before it. False: there is no room without dropping an event. */
  bool note(const void* bytes, uint16_t length);
  /**
   * Forgets events that were read and are no longer needed. Only numbers below `low() + SettledWindow::SIZE`. If this
   * returns false, they are forgotten until a restart: `isSaved` says when it is on the flash.
   */
  bool settle(uint32_t first, uint16_t count);
  /** The next event that waits; false at the end of the log. Bytes beyond `capacity` are not copied. */
  bool read(Position& position, Entry& entry, void* bytes, uint16_t capacity);
  /** The next note. */
  bool readNote(Position& position, Entry& entry, void* bytes, uint16_t capacity);

  uint32_t epoch() const { return epoch_; }
  /** The number of the next event. */
  uint32_t next() const { return next_; }
  /** Every event below this is settled or lost. */
  uint32_t low() const { return window_.low(); }
  uint32_t waiting() const { return waiting_; }
  /** Numbers that were given out, not settled, and are no longer here. */
  uint32_t lost() const { return next_ - settled_ - waiting_; }
  bool isSaved() const { return !unsaved_; }
  bool isSettled(uint32_t number) const { return window_.has(number); }
  /** Whether there is room for an event of this length without dropping another. */
  bool makeRoom(uint16_t length) { return fits(length) || open(false); }
  /** A number that the log keeps for its user, 0 at first. */
  uint32_t mark() const { return mark_; }
  void setMark(uint32_t mark);

 private:
  struct Header;
  struct EntryHeader;

  bool format(uint32_t random);
  void scanHead();
  void findTail();
  bool open(bool mayDrop);
  bool openSector(uint32_t sector, uint32_t generation);
  /** Counts no further than `enough`. */
  uint32_t waitingIn(uint32_t generation, uint32_t enough);
  void dropSector(uint32_t generation);
  bool append(EntryKind kind, uint32_t number, const void* bytes, uint16_t length);
  bool fits(uint16_t length) const;
  bool step(Position& position, Entry& entry, uint32_t& address);
  bool readHeader(uint32_t sector, Header& header);
  bool readHeaderOf(uint32_t generation, Header& header);
  bool readEntry(uint32_t generation, uint32_t offset, Entry& entry);
  bool isWaiting(const Entry& entry) const;
  uint32_t sectorOf(uint32_t generation) const;
  uint32_t oldestGeneration() const { return generation_ - (sectors_ - 1); }
  uint32_t checksum(uint32_t generation, uint32_t offset, const EntryHeader& header) const;

  Flash* flash_ = nullptr;
  WhenFull whenFull_ = WhenFull::DropOldest;
  uint32_t sectors_ = 0;
  uint32_t epoch_ = 0;
  uint32_t head_ = 0;
  /** Of the head; each sector that is opened has the next one. */
  uint32_t generation_ = 0;
  /** No event before this waits. */
  Position tail_;
  /** Where the head is blank. */
  uint32_t end_ = 0;
  /** Nothing may be appended to the head. */
  bool closed_ = false;
  /** The head has nothing but a header since a cut, which may be half written: it is written anew. */
  bool reopen_ = false;
  bool unsaved_ = false;
  /** Numbers were given to events that were refused, and this is not on the flash. */
  bool jumped_ = false;
  uint32_t next_ = 0;
  uint32_t settled_ = 0;
  uint32_t waiting_ = 0;
  uint32_t mark_ = 0;
  SettledWindow window_;
};

}  // namespace qskit
