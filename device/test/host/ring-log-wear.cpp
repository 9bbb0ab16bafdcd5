/*
 * Twenty thousand events of 300 bytes, three times as long as usual, each settled alone, with a start after every
 * hundred. Prints the erases per thousand events, and how often the sectors were erased.
 */
#include <algorithm>
#include <cstdio>

#include "nor-flash.h"
#include "ring-log.h"

int main() {
  const uint32_t EVENTS = 20000;
  NorFlash flash(16, 1);
  qskit::RingLog log;
  uint8_t event[300] = {};
  for (uint32_t number = 0; number < EVENTS; number++) {
    if (number % 100 == 0 && !log.begin(flash, qskit::WhenFull::DropOldest, 1)) return 1;
    if (!log.record(event, sizeof(event)) || !log.settle(number, 1)) return 1;
  }
  auto range = std::minmax_element(flash.erases.begin(), flash.erases.end());
  printf("{\"perThousand\":%u,\"least\":%u,\"most\":%u}\n", static_cast<uint32_t>(flash.allErases() * 1000 / EVENTS),
         *range.first, *range.second);
  return *flash.fault == '\0' && log.lost() == 0 ? 0 : 1;
}
