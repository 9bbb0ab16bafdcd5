/* What a board uses of the kit, linked to see how large that is. */
#include "device-kit.h"

qskit::DeviceKit kit;

extern "C" bool entry(const qskit::Config& config, qskit::RejectedHandler handler) {
  kit.onRejected(handler);
  bool isKept = kit.begin(config) && kit.record("temp", 21.5, "C") && kit.record("door", "open");
  kit.loop();
  return kit.flush(1000) && kit.waiting() == 0 && kit.lost() == 0 && isKept;
}
