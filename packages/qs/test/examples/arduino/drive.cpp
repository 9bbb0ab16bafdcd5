// Appended to the sketch: runs it against a broker until no event is waiting. Four readings, one of which is NaN, and an
// event that is rejected without an id; the first device ack is lost.

int main() {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  loseMessages = 1;
  setup();
  Event &unnamed = eventAt(used++);
  strcpy(unnamed.id, "unnamed");
  snprintf(unnamed.json, sizeof(unnamed.json), R"({"schema":1,"event_id":5,"device_id":"%s","event_type":"temp"})", deviceId);
  unnamed.attempts = 0;
  unnamed.waiting = true;
  while (used > 0 || readingsLeft > 0) loop();
}
