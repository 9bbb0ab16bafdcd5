#pragma once

#include <stdint.h>
#include <string.h>

#include "crc32.h"
#include "device-kit.h"

namespace qskit {

/**
 * Numbers in RTC memory, which deep sleep keeps: a board that wakes up every minute writes to its flash and connects
 * only when the batch is full. **A power cut or a reset loses what is in it**, uncounted; that is its price.
 *
 *     RTC_DATA_ATTR qskit::RtcBatch<16> batch;
 *     if (!batch.add(nowMs, 21.5)) { qs.begin(…); batch.moveTo(qs, nowMs, "temp", "C"); qs.flush(10000); }
 *
 * `nowMs` has to go on during deep sleep: `esp_rtc_get_time_us() / 1000`. One batch has one type of events.
 */
template <uint32_t N>
struct RtcBatch {
  struct Sample {
    uint64_t at;
    double value;
  };
  uint32_t count;
  uint32_t crc;
  Sample samples[N];

  /** False: it is full now, and has to be moved. */
  bool add(uint64_t nowMs, double value) {
    if (!isValid()) count = 0;
    if (count < N) samples[count++] = {nowMs, value};
    crc = checksum();
    return count < N;
  }
  uint32_t waiting() const { return isValid() ? count : 0; }
  /** Records all of them, with the time of each. How many are not on flash, and count as lost. */
  uint32_t moveTo(DeviceKit& kit, uint64_t nowMs, const char* type, const char* unit = nullptr) {
    uint32_t refused = 0;
    for (uint32_t i = 0; i < waiting(); i++) {
      const Sample& sample = samples[i];
      uint32_t ageMs = nowMs > sample.at ? static_cast<uint32_t>(nowMs - sample.at) : 0;
      if (!kit.record(type, sample.value, unit, nullptr, ageMs)) refused++;
    }
    count = 0;
    crc = checksum();
    return refused;
  }

 private:
  bool isValid() const { return count <= N && crc == checksum(); }
  uint32_t checksum() const {
    uint32_t size = count <= N ? count : 0;
    return crc32(crc32(0x7274, &size, sizeof(size)), samples, size * sizeof(Sample));
  }
};

}  // namespace qskit
