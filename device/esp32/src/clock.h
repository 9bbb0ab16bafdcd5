#pragma once

#include <stdint.h>

namespace qskit {

class Clock {
 public:
  /** Milliseconds since the board started. */
  virtual uint64_t uptimeMs() = 0;
  /** False until the time of day is known. */
  virtual bool unixMs(int64_t& now) = 0;
  /** Lets other tasks run for about a millisecond. */
  virtual void pause() = 0;

 protected:
  ~Clock() = default;
};

}  // namespace qskit
