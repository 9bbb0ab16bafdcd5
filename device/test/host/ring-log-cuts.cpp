/*
 * ring-log-cuts <cuts> [seed]: one log after another, each with a small ring, through power cuts until there were so
 * many. Ends with the first broken promise, and exit code 1.
 */
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "nor-flash.h"
#include "ring-log.h"

namespace {

const uint32_t ENTRY_HEADER = 12;
const uint32_t LONGEST = 600;

enum class Load { Light, Filling, Full };

/** A device with one log, and what its application and its server know. */
class World {
 public:
  World(uint64_t seed, uint32_t sectors, Load load, qskit::WhenFull whenFull, bool isUnstable)
      : random_(seed), flash_(sectors, seed + 1), load_(load), whenFull_(whenFull) {
    flash_.canBeUnstable = isUnstable;
  }

  /** Empty, or the promise that was broken. */
  std::string run(uint32_t cuts) {
    for (uint32_t cut = 0; cut < cuts && problem_.empty(); cut++) {
      flash_.powerUp();
      if (random_.oneIn(4)) sendOnly();
      // Most cuts come soon, so that cuts follow each other; a few after turns of the ring.
      flash_.cutAfter(random_.below(random_.oneIn(4) ? 40000 : 3000));
      boot();
      while (!flash_.isCut && problem_.empty()) act();
      cuts_++;
    }
    flash_.powerUp();
    boot();
    while (problem_.empty() && log_.waiting() > 0) {
      if (!send()) fail("waiting() counts events that are not there");
      answer(sent_.size());
    }
    if (problem_.empty()) judge();
    if (*flash_.fault != '\0') problem_ = flash_.fault;
    return problem_;
  }

  uint64_t kept() const { return kept_.size(); }
  uint64_t lost() const { return log_.lost(); }

 private:
  struct Kept {
    std::string content;
    uint64_t erases;
    uint32_t cuts;
  };

  void fail(const std::string& problem) {
    if (problem_.empty() && !flash_.isCut) problem_ = problem;
  }

  void boot() {
    log_ = qskit::RingLog();
    position_ = qskit::Position();
    sent_.clear();
    unsaved_.clear();
    bool isReady = log_.begin(flash_, whenFull_, static_cast<uint32_t>(random_.next()));
    if (flash_.isCut) return;
    if (!isReady) fail("begin() failed");
    if (!kept_.empty() && log_.epoch() != epoch_) fail("the log was formatted although it had events");
    epoch_ = log_.epoch();
    if (!kept_.empty() && log_.next() <= kept_.rbegin()->first) fail("a number is given out again");
  }

  /** A start that ends before anything is written. */
  void sendOnly() {
    boot();
    for (uint32_t count = 0; count < log_.waiting() && problem_.empty(); count++) send();
    flash_.powerUp();
  }

  void act() {
    uint32_t dice = random_.below(100);
    uint32_t records = load_ == Load::Light ? 25 : load_ == Load::Filling ? 45 : 65;
    if (load_ == Load::Light && log_.waiting() > 20) records = 0;
    if (dice < records) record();
    else if (dice < 95) {
      if (random_.oneIn(2)) send();
      else if (random_.oneIn(4)) position_ = qskit::Position();  // a time-out: all of them again
      else if (!random_.oneIn(5)) answer(1 + random_.below(8));
    } else {
      std::string text(random_.below(40), 'n');
      log_.note(text.data(), static_cast<uint16_t>(text.size()));
    }
    if (log_.isSaved() && !flash_.isCut) {
      settled_.insert(unsaved_.begin(), unsaved_.end());
      unsaved_.clear();
    }
  }

  void record() {
    std::string content(random_.oneIn(20) ? random_.below(LONGEST) : random_.below(90), ' ');
    for (char& each : content) each = static_cast<char>(random_.byte());
    uint32_t lost = log_.lost();
    uint32_t first = log_.next();
    bool isKept = log_.record(content.data(), static_cast<uint16_t>(content.size()));
    uint32_t number = log_.next() - 1;
    for (uint32_t each = first; each <= number; each++) attempted_[each].insert(content);
    if (flash_.isCut) return;
    if (!isKept && log_.lost() != lost + 1) fail("an event that was refused is not counted as lost");
    if (!isKept && whenFull_ == qskit::WhenFull::DropOldest) fail("an event was refused although the oldest may go");
    if (isKept) kept_[number] = {content, flash_.allErases(), cuts_};
  }

  bool send() {
    uint8_t bytes[LONGEST];
    qskit::Entry entry;
    for (int attempt = 0; attempt < 2; attempt++) {
      if (log_.read(position_, entry, bytes, sizeof(bytes)) && entry.number - log_.low() < qskit::SettledWindow::SIZE) {
        deliver(entry.number, std::string(reinterpret_cast<char*>(bytes), entry.length));
        return true;
      }
      position_ = qskit::Position();
    }
    return false;
  }

  void deliver(uint32_t number, const std::string& content) {
    std::string name = "event " + std::to_string(number);
    if (number >= log_.next()) fail(name + " has a number that is not given out yet");
    if (attempted_.count(number) == 0 || attempted_[number].count(content) == 0) fail(name + " was never recorded");
    if (settled_.count(number) > 0) fail(name + " is sent again after it was settled");
    auto known = delivered_.find(number);
    if (known != delivered_.end() && known->second != content) fail(name + " is sent with other content: a conflict");
    if (known == delivered_.end() && kept_.count(number) > 0) {
      if (number < newest_) fail(name + " is sent out of order");
      newest_ = number;
    }
    delivered_[number] = content;
    sent_.push_back(number);
  }

  /** Device acks for so many of what was sent, sometimes not the oldest. */
  void answer(size_t count) {
    if (sent_.empty()) return;
    size_t from = random_.oneIn(4) ? random_.below(static_cast<uint32_t>(sent_.size())) : 0;
    uint32_t first = sent_[from];
    uint16_t run = 0;
    while (run < count && from + run < sent_.size() && sent_[from + run] == first + run) run++;
    sent_.erase(sent_.begin() + static_cast<long>(from), sent_.begin() + static_cast<long>(from + run));
    if (first < log_.low()) return;  // dropped, or answered before
    bool isSaved = log_.settle(first, run);
    if (flash_.isCut) return;
    for (uint32_t number = first; number < first + run; number++) (isSaved ? settled_ : unsaved_).insert(number);
  }

  void judge() {
    uint32_t next = log_.next();
    if (log_.lost() > next - settled_.size()) fail("an event that was settled counts as lost");
    if (log_.lost() < next - delivered_.size()) fail("an event that was never sent does not count as lost");
    uint64_t erases = flash_.allErases();
    for (const auto& each : kept_) {
      if (delivered_.count(each.first) > 0) continue;
      std::string name = "event " + std::to_string(each.first);
      if (whenFull_ == qskit::WhenFull::RefuseNew) fail(name + " was dropped although new ones are to be refused");
      // All other sectors were used since, and each cut costs at most two erases.
      uint64_t turns = erases - each.second.erases;
      if (turns + 1 < flash_.sectors()) fail(name + " was dropped although there was room");
      if (load_ == Load::Light) fail(name + " was dropped although the ring was never full");
    }
    // A sector has its header, and at its end less than the longest entry may be blank.
    uint64_t perSector = qskit::Flash::SECTOR - LONGEST - ENTRY_HEADER - 16 - 64;
    if (erases > flash_.written / perSector + 2 * cuts_ + 1) fail("sectors are left before they are full");
  }

  Random random_;
  NorFlash flash_;
  Load load_;
  qskit::WhenFull whenFull_;
  qskit::RingLog log_;
  qskit::Position position_;
  uint32_t epoch_ = 0;
  uint32_t cuts_ = 0;
  uint32_t newest_ = 0;
  /** By number: what `record` returned true for; what it was called with; what the server has. */
  std::map<uint32_t, Kept> kept_;
  std::map<uint32_t, std::set<std::string>> attempted_;
  std::map<uint32_t, std::string> delivered_;
  /** What the flash has as settled. */
  std::set<uint32_t> settled_;
  std::set<uint32_t> unsaved_;
  std::vector<uint32_t> sent_;
  std::string problem_;
};

struct Tally {
  uint64_t logs = 0, cuts = 0, kept = 0, lost = 0;
};

}  // namespace

int main(int argc, char** argv) {
  uint64_t cuts = argc > 1 ? strtoull(argv[1], nullptr, 10) : 1000;
  uint64_t seed = argc > 2 ? strtoull(argv[2], nullptr, 10) : 1;
  const char* names[] = {"never full", "filling", "full"};
  Tally tallies[3][2];
  for (uint64_t done = 0; done < cuts; seed++) {
    Random random(seed);
    uint32_t load = static_cast<uint32_t>(seed % 3);
    uint32_t isRefusing = static_cast<uint32_t>(seed / 3 % 2);
    bool isUnstable = random.oneIn(2);
    uint32_t planned = 1 + random.below(20);
    // A cut may close a sector early: where the ring is never to be full, there is one for each.
    uint32_t sectors = 2 + random.below(5) + (load == 0 ? planned + 4 : 0);
    qskit::WhenFull whenFull = isRefusing ? qskit::WhenFull::RefuseNew : qskit::WhenFull::DropOldest;
    World world(seed, sectors, static_cast<Load>(load), whenFull, isUnstable);
    std::string problem = world.run(planned);
    if (!problem.empty()) {
      printf("seed %llu, after %llu cuts: %s\n", static_cast<unsigned long long>(seed),
             static_cast<unsigned long long>(done), problem.c_str());
      return 1;
    }
    done += planned;
    Tally& tally = tallies[load][isRefusing];
    tally.logs++;
    tally.cuts += planned;
    tally.kept += world.kept();
    tally.lost += world.lost();
  }
  for (int load = 0; load < 3; load++) {
    for (int isRefusing = 0; isRefusing < 2; isRefusing++) {
      const Tally& tally = tallies[load][isRefusing];
      printf("%s, %s: %llu logs, %llu cuts, %llu events kept, %llu numbers lost\n", names[load],
             isRefusing ? "refuse new" : "drop oldest", static_cast<unsigned long long>(tally.logs),
             static_cast<unsigned long long>(tally.cuts), static_cast<unsigned long long>(tally.kept),
             static_cast<unsigned long long>(tally.lost));
    }
  }
  return 0;
}
