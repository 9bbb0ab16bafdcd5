/*
 * board <options as name=value>: the device kit on this machine. Records `count` events, one in `every` milliseconds,
 * or all at once; then loops until nothing waits. Prints one line of JSON at the end.
 */
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "device-kit.h"
#ifdef REAL_LIBRARY
#include REAL_LIBRARY
#else
#include "bridges.h"
#endif
#include "file-flash.h"
#include "host-clock.h"
#include "rtc-batch.h"
#include "socket-link.h"

namespace {

void rejected(const char* eventId, const char* code, const char* message) {
  printf("{\"rejected\":\"%s\",\"code\":\"%s\",\"hasMessage\":%s}\n", eventId, code, *message ? "true" : "false");
}

std::map<std::string, std::string> options;

const char* text(const char* name, const char* otherwise) {
  auto found = options.find(name);
  return found == options.end() ? otherwise : found->second.c_str();
}

uint32_t number(const char* name, uint32_t otherwise) {
  const char* value = text(name, "");
  return *value ? static_cast<uint32_t>(strtoul(value, nullptr, 10)) : otherwise;
}

}  // namespace

int main(int argc, char** argv) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  for (int i = 1; i < argc; i++) {
    std::string option = argv[i];
    size_t at = option.find('=');
    options[option.substr(0, at)] = option.substr(at + 1);
  }
  FileFlash flash(text("flash", "flash.bin"), number("sectors", 64));
  HostClock clock(number("clock", 0), number("speed", 1));
  qskit::SocketLink socket;
  qskit::Config config;
  config.account = {text("host", "127.0.0.1"), static_cast<uint16_t>(number("port", 1883)), text("device", "board-1"),
                    text("user", ""), text("password", "")};
  config.flash = &flash;
  Library library(clock, config.account);
  qskit::Link* bridge = *text("bridge", "") ? library.link(text("bridge", "")) : nullptr;
  config.link = bridge != nullptr ? bridge : &socket;
  config.clock = &clock;
  config.random = static_cast<uint32_t>(nowMs(CLOCK_REALTIME)) ^ static_cast<uint32_t>(getpid());
  config.whenFull = number("refuse", 0) ? qskit::WhenFull::RefuseNew : qskit::WhenFull::DropOldest;
  config.settledBy = number("puback", 0) ? qskit::SettledBy::Puback : qskit::SettledBy::DeviceAck;
  static qskit::DeviceKit kit;
  kit.onRejected(rejected);
  if (!kit.begin(config)) {
    printf("{\"error\":\"begin\"}\n");
    return 2;
  }
  const bool says = number("say", 0) != 0;
  if (says) {
    printf("{\"ready\":true}\n");
    fflush(stdout);
  }
  // A sample in each of the last minutes, as a board that woke up from deep sleep has them.
  static qskit::RtcBatch<8> batch;
  const uint64_t now = 1000000;
  for (uint32_t age = number("batch", 0); age > 0; age--) batch.add(now - 60000 * (age - 1), 100 + (age - 1));
  if (number("spoilt", 0)) batch.samples[0].value++;
  batch.moveTo(kit, now, "temp", "C");
  uint32_t every = number("every", 0);
  uint32_t left = number("count", 0);
  uint32_t kept = 0;
  uint64_t dueAt = 0;
  uint64_t end = number("seconds", 3600) * 1000;
  uint32_t wait = number("wait", 1);
  while (clock.uptimeMs() < end && (left > 0 || (wait && (kit.waiting() > 0 || (wait == 2 && !kit.isConnected()))))) {
    while (left > 0 && clock.uptimeMs() >= dueAt) {
      dueAt += every;
      left--;
      if (!kit.record("temp", 21.5 + left, "C", text("meta", nullptr))) continue;
      kept++;
      if (!says) continue;
      printf("{\"value\":%.1f}\n", 21.5 + left);
      fflush(stdout);
    }
    if (bridge != nullptr) library.loop();
    kit.loop();
    clock.pause();
  }
  printf("{\"kept\":%u,\"waiting\":%u,\"lost\":%u,\"erases\":%u,\"problem\":\"%s\"}\n", kept, kit.waiting(), kit.lost(),
         flash.erases, kit.problem());
  return kit.waiting() == 0 ? 0 : 1;
}
