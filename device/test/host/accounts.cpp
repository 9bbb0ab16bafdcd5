/* Saves each line of the input as an account in NVS, and prints what another start loads; or "none". */
#include <cstdio>
#include <iostream>

#include "nvs-account.h"

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    nvsText().clear();
    qskit::NvsAccount scanned;
    qskit::NvsAccount stored;
    if (!scanned.save(line.c_str()) || !stored.load()) {
      puts("none");
      continue;
    }
    const qskit::Account account = stored.account();
    printf("%s|%d|%s|%s|%s|%d\n", account.host, account.port, account.deviceId, account.user, account.password,
           stored.hasTls());
  }
}
