#include "text.h"

namespace qskit {

Text& Text::raw(char each) {
  if (at_ < end_) *at_++ = each;
  else isWhole_ = false;
  return *this;
}

Text& Text::raw(const char* text) {
  while (*text != '\0') raw(*text++);
  return *this;
}

Text& Text::quoted(const char* text) {
  raw('"');
  for (; *text != '\0'; text++) {
    uint8_t each = static_cast<uint8_t>(*text);
    if (each < 0x20) {
      raw("\\u00").raw(each < 0x10 ? '0' : '1').raw("0123456789abcdef"[each & 15]);
      continue;
    }
    if (each == '"' || each == '\\') raw('\\');
    raw(*text);
  }
  return raw('"');
}

Text& Text::integer(int64_t value, uint32_t digits) {
  uint64_t left = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  if (value < 0) raw('-');
  char reversed[20];
  uint32_t count = 0;
  while (left > 0 || count < digits) {
    reversed[count++] = static_cast<char>('0' + left % 10);
    left /= 10;
  }
  while (count > 0) raw(reversed[--count]);
  return *this;
}

Text& Text::hex(uint32_t value) {
  for (int shift = 28; shift >= 0; shift -= 4) raw("0123456789abcdef"[value >> shift & 15]);
  return *this;
}

Text& Text::number(double value) {
  if (value != value || value - value != 0) return raw("null");
  if (value < 0) {
    raw('-');
    value = -value;
  }
  if (value == 0) return raw('0');
  // value = digits × 10^exponent, with nine digits.
  int exponent = 0;
  while (value >= 1e9) value /= 10, exponent++;
  while (value < 1e8) value *= 10, exponent--;
  uint32_t digits = static_cast<uint32_t>(value + 0.5);
  while (digits % 10 == 0) digits /= 10, exponent++;
  uint32_t count = 1;
  for (uint32_t rest = digits; rest >= 10; rest /= 10) count++;
  // Of the first digit.
  int power = exponent + static_cast<int>(count) - 1;
  if (power < -5 || power > 14) {
    integer(digits).raw('e');
    return integer(exponent);
  }
  if (exponent >= 0) {
    integer(digits);
    for (; exponent > 0; exponent--) raw('0');
    return *this;
  }
  uint32_t scale = 1;
  for (int places = 0; places < -exponent && places < 9; places++) scale *= 10;
  if (-exponent > 9) {
    raw("0.");
    return integer(digits, static_cast<uint32_t>(-exponent));
  }
  return integer(digits / scale).raw('.').integer(digits % scale, static_cast<uint32_t>(-exponent));
}

}  // namespace qskit
