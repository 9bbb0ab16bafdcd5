#pragma once

#include <time.h>
#include <unistd.h>

#include "clock.h"

inline uint64_t nowMs(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

/** The time of day is known `after` milliseconds after the start. Its deadlines pass `speed` times as fast. */
class HostClock : public qskit::Clock {
 public:
  HostClock(uint64_t after, uint32_t speed) : start_(nowMs(CLOCK_MONOTONIC)), after_(after), speed_(speed) {}
  uint64_t uptimeMs() override { return (nowMs(CLOCK_MONOTONIC) - start_) * speed_; }
  bool unixMs(int64_t& now) override {
    now = static_cast<int64_t>(nowMs(CLOCK_REALTIME));
    return uptimeMs() >= after_;
  }
  void pause() override { usleep(1000); }

 private:
  uint64_t start_;
  uint64_t after_;
  uint32_t speed_;
};
