/* What the kit writes and reads as JSON: feeds each line of the input to one of its functions, prints the result. */
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include "ack-parser.h"
#include "text.h"

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::string rest = line.substr(2);
    char bytes[400];
    qskit::Text text(bytes, sizeof(bytes));
    if (line[0] == 'n') text.number(strtod(rest.c_str(), nullptr));
    if (line[0] == 'q') text.quoted(rest.c_str());
    qskit::AckParser parser;
    for (char each : line[0] == 'a' ? rest : "") {
      if (!parser.feed(each)) continue;
      const qskit::DeviceAck& ack = parser.ack();
      text.raw(ack.eventId).raw('|').raw(ack.status).raw('|').raw(ack.code).raw('|').raw(ack.message).raw(';');
    }
    printf("%.*s\n", static_cast<int>(text.length()), bytes);
  }
}
