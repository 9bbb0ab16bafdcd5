// Appended to the sketch: runs it against a broker until no event is waiting. Four readings, one of which is NaN.

int main() {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  setup();
  while (qs.waiting() > 0 || readingsLeft > 0) loop();
}
