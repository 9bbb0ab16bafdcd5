// Appended to the example: runs it against a broker until no event is waiting. Four readings, one of which is NaN.
#include <tls-link.h>

int main() {
  qskit::TlsLink tls("-----BEGIN CERTIFICATE-----");
  if (tls.open(BROKER, 8883)) return 2;  // the stand-in has no TLS: this shows that the link compiles

  setvbuf(stdout, nullptr, _IOLBF, 0);
  onDelay = [] {
    if (isWifiConnected && readingsLeft == 0 && qs.waiting() == 0) exit(0);
  };
  app_main();
}
