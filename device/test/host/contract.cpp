/*
 * The ring log of device/esp32 as a subject of contract.test.ts: reads commands, prints a line for each, until `quit`.
 * Without the standard library, so that it runs on rv32 as well, where it reads and writes the files IN and OUT.
 */
#include <stdio.h>
#include <string.h>

#include "nor-flash.h"
#include "ring-log.h"

namespace {

const uint32_t LONGEST = 700;

#ifdef IN
FILE* const in = fopen(IN, "r");
FILE* const out = fopen(OUT, "w");
#else
FILE* const in = stdin;
FILE* const out = stdout;
#endif

void print(const char* line) { fprintf(out, "%s\n", line); }

bool is(const char* name, const char* expected) { return strcmp(name, expected) == 0; }

class Subject {
 public:
  Subject(uint32_t seed, uint32_t size, bool isDropping)
      : flash_(size, seed),
        random_(seed),
        whenFull_(isDropping ? qskit::WhenFull::DropOldest : qskit::WhenFull::RefuseNew) {
    flash_.canBeUnstable = seed % 2 == 1;
  }

  void take(const char* name, const char* text, uint32_t number, uint32_t count) {
    if (is(name, "power")) {
      flash_.powerUp();
      flash_.cutAfter(static_cast<int32_t>(number));
      isOn_ = false;
      print(name);
    } else if (is(name, "boot")) {
      boot();
    } else if (!isOn_) {
      print("off");
    } else if (is(name, "record")) {
      record(text);
    } else if (is(name, "send")) {
      if (!send()) say("nothing");
    } else if (is(name, "answer")) {
      answer(number, static_cast<uint16_t>(count));
    } else if (is(name, "drain")) {
      drain();
    } else {
      if (is(name, "note")) log_.note(text, static_cast<uint16_t>(strlen(text)));
      if (is(name, "again")) position_ = qskit::Position();
      say(name);
    }
    if (flash_.isCut) isOn_ = false;
  }

 private:
  void say(const char* text) { print(flash_.isCut ? "off" : text); }

  void boot() {
    log_ = qskit::RingLog();
    position_ = qskit::Position();
    sent_.remove(0, sent_.size());
    isOn_ = log_.begin(flash_, whenFull_, static_cast<uint32_t>(random_.next())) && !flash_.isCut;
    if (isOn_) fprintf(out, "boot %u %u\n", static_cast<unsigned>(log_.epoch()), static_cast<unsigned>(log_.next()));
    else print("off");
  }

  void record(const char* text) {
    unsigned first = static_cast<unsigned>(log_.next());
    bool isKept = log_.record(text, static_cast<uint16_t>(strlen(text)));
    const char* result = flash_.isCut ? "off" : isKept ? "kept" : "refused";
    fprintf(out, "%s %u %u\n", result, first, static_cast<unsigned>(log_.next() - 1));
  }

  /** Reads the next event into `content_`. */
  bool read() {
    qskit::Entry entry;
    qskit::Position before = position_;
    if (!log_.read(position_, entry, content_, LONGEST)) return false;
    if (entry.number - log_.low() >= qskit::SettledWindow::SIZE) {
      position_ = before;
      return false;
    }
    content_[entry.length] = '\0';
    number_ = entry.number;
    return true;
  }

  bool send() {
    if (!read()) return false;
    sent_.push(number_);
    fprintf(out, "sent %u %s\n", static_cast<unsigned>(number_), content_);
    return true;
  }

  /** A run of what was sent. */
  void answer(uint32_t from, uint16_t count) {
    if (sent_.size() == 0) return say("none");
    from %= sent_.size();
    uint32_t first = sent_[from];
    uint16_t run = 0;
    while (run < count && from + run < sent_.size() && sent_[from + run] == first + run) run++;
    if (first < log_.low()) return say("none");
    sent_.remove(from, run);
    log_.settle(first, run);
    if (flash_.isCut) print("off");
    else fprintf(out, "settled %u %u %s\n", static_cast<unsigned>(first), run, log_.isSaved() ? "saved" : "unsaved");
  }

  void drain() {
    // What is lost is known at the end only.
    fprintf(out, "drained");
    bool isStuck = false;
    while (log_.waiting() > 0) {
      position_ = qskit::Position();
      isStuck = !read();
      if (isStuck) break;
      fprintf(out, " %u:%s", static_cast<unsigned>(number_), content_);
      log_.settle(number_, 1);
    }
    fprintf(out, " %u %u%s\n", static_cast<unsigned>(log_.next()), static_cast<unsigned>(log_.lost()),
           isStuck ? " stuck" : *flash_.fault != '\0' ? " fault" : "");
  }

  NorFlash flash_;
  Random random_;
  qskit::WhenFull whenFull_;
  qskit::RingLog log_;
  qskit::Position position_;
  bool isOn_ = false;
  uint32_t number_ = 0;
  Array<uint32_t> sent_;
  char content_[LONGEST + 1];
};

/** Where the one subject lives: `new` needs the standard library. */
alignas(Subject) unsigned char place[sizeof(Subject)];

struct Here {};

}  // namespace

inline void* operator new(size_t, Here) { return place; }

int main() {
  static char line[LONGEST + 100];
  static char text[LONGEST];
  Subject* subject = nullptr;
  while (fgets(line, sizeof(line), in) != nullptr) {
    char name[16];
    unsigned number = 0;
    unsigned count = 0;
    if (sscanf(line, "%15s", name) != 1) continue;
    if (is(name, "quit")) break;
    text[0] = '\0';
    sscanf(line, "%*s %699s", text);
    int first = 0;
    if (sscanf(line, "%*s %d %u", &first, &count) > 0) number = static_cast<unsigned>(first);
    if (is(name, "new")) {
      if (subject != nullptr) subject->~Subject();
      char policy[8] = "";
      sscanf(line, "%*s %u %u %7s", &number, &count, policy);
      subject = new (Here()) Subject(number, count, is(policy, "drop"));
      print("new");
    } else {
      subject->take(name, text, number, count);
    }
  }
  fclose(out);
  exit(0);
}
