#include "ack-parser.h"

#include <string.h>

namespace qskit {

void AckParser::reset() {
  memset(&ack_, 0, sizeof(ack_));
  length_ = 0;
  key_ = Key::Other;
  depth_ = base_ = skip_ = 0;
  isInString_ = isValue_ = isEscaped_ = isInError_ = isDone_ = false;
}

bool AckParser::feed(char each) {
  if (isDone_) {
    memset(&ack_, 0, sizeof(ack_));
    isDone_ = false;
  }
  if (isInString_) {
    take(each);
    return false;
  }
  switch (each) {
    case '"':
      isInString_ = true;
      length_ = 0;
      break;
    case ':':
      key_ = keyOf();
      isValue_ = true;
      break;
    case ',':
      isValue_ = false;
      key_ = Key::Other;
      break;
    case '[':
    case '{':
      if (each == '{' && base_ == 0) base_ = static_cast<uint8_t>(depth_ + 1);
      if (each == '{' && key_ == Key::Error) isInError_ = true;
      if (depth_ < 255) depth_++;
      isValue_ = false;
      key_ = Key::Other;
      break;
    case ']':
    case '}':
      isDone_ = each == '}' && depth_ == base_;
      if (depth_ > 0) depth_--;
      if (depth_ <= base_) isInError_ = false;
      isValue_ = false;
      key_ = Key::Other;
      return isDone_;
    default:
      break;
  }
  return false;
}

/** A character of a string. */
void AckParser::take(char each) {
  if (skip_ > 0) {
    skip_--;
    return;
  }
  if (!isEscaped_ && each == '\\') {
    isEscaped_ = true;
    return;
  }
  uint32_t capacity = sizeof(name_);
  char* into = isValue_ ? field(capacity) : name_;
  if (!isEscaped_ && each == '"') {
    isInString_ = false;
    if (into != nullptr) into[length_ < capacity ? length_ : capacity - 1] = '\0';
    return;
  }
  if (isEscaped_ && each == 'u') {
    skip_ = 4;
    each = '?';
  }
  isEscaped_ = false;
  if (into != nullptr && length_ < capacity) into[length_] = each;
  length_++;
}

AckParser::Key AckParser::keyOf() const {
  if (depth_ == base_) {
    if (strcmp(name_, "event_id") == 0) return Key::EventId;
    if (strcmp(name_, "status") == 0) return Key::Status;
    if (strcmp(name_, "error") == 0) return Key::Error;
  } else if (isInError_ && depth_ == base_ + 1) {
    if (strcmp(name_, "code") == 0) return Key::Code;
    if (strcmp(name_, "message") == 0) return Key::Message;
  }
  return Key::Other;
}

char* AckParser::field(uint32_t& capacity) {
  switch (key_) {
    case Key::EventId:
      capacity = sizeof(ack_.eventId);
      return ack_.eventId;
    case Key::Status:
      capacity = sizeof(ack_.status);
      return ack_.status;
    case Key::Code:
      capacity = sizeof(ack_.code);
      return ack_.code;
    case Key::Message:
      capacity = sizeof(ack_.message);
      return ack_.message;
    default:
      return nullptr;
  }
}

}  // namespace qskit
