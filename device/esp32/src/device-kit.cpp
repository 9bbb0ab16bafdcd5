#include "device-kit.h"

#include <string.h>

namespace qskit {

namespace {

const char SCHEMA[] = "{\"schema\":1,\"event_id\":\"";
const char DEVICE[] = "\",\"device_id\":\"";
/** Of an event on the wire: the hyphens, epoch and number of its id, and the end of the device id. */
const uint32_t REST_OF_PREFIX = 1 + 8 + 1 + 10 + 2;
/** For the time and the brackets. */
const uint32_t SUFFIX = 40;
const uint32_t STAMP = 9;
/** Of an event in the log: type, value, unit, meta and stamp. */
const uint32_t MAX_EVENT = 640;
const uint32_t REPORT_EVERY_MS = 60000;

bool isPlain(const char* deviceId) {
  if (deviceId[0] == '\0') return false;
  for (const char* at = deviceId; *at != '\0'; at++) {
    if (static_cast<uint8_t>(*at) < 0x20 || strchr("\"\\/+#", *at) != nullptr) return false;
  }
  return true;
}

}  // namespace

bool DeviceKit::begin(const Config& config) {
  config_ = config;
  const Account& account = config.account;
  uint32_t id = static_cast<uint32_t>(strlen(account.deviceId));
  prefix_ = static_cast<uint32_t>(sizeof(SCHEMA) + sizeof(DEVICE) - 2) + 2 * id + REST_OF_PREFIX;
  uint32_t login = static_cast<uint32_t>(account.user != nullptr ? strlen(account.user) + strlen(account.password) : 0);
  if (!isPlain(account.deviceId) || prefix_ + SUFFIX + id + login + 64 > QS_MESSAGE_BYTES / 2) return false;
  session_.begin(account, *config.link, *config.clock, *this, config.random);
  session_.setBuffer(buffer_, sizeof(buffer_));
  if (!log_.begin(*config.flash, config.whenFull, config.random)) return false;
  bootFirst_ = untimedFirst_ = untimedEnd_ = log_.next();
  return true;
}

bool DeviceKit::record(const char* type, double value, const char* unit, const char* meta, uint32_t ageMs) {
  return keep(type, {nullptr, value}, unit, meta, ageMs);
}

bool DeviceKit::record(const char* type, const char* text, const char* unit, const char* meta, uint32_t ageMs) {
  return keep(type, {text, 0}, unit, meta, ageMs);
}

/** The log has an event as it will be sent, without what is the same in all of them. */
bool DeviceKit::keep(const char* type, const Value& value, const char* unit, const char* meta, uint32_t ageMs) {
  uint32_t room = session_.payloadCapacity() - prefix_ - SUFFIX;
  char bytes[MAX_EVENT];
  Text text(bytes, (room < MAX_EVENT - STAMP ? room : MAX_EVENT - STAMP));
  text.raw("\"event_type\":").quoted(type).raw(",\"value\":");
  if (value.text != nullptr) text.quoted(value.text);
  else text.number(value.number);
  if (unit != nullptr) text.raw(",\"unit\":").quoted(unit);
  if (meta != nullptr) text.raw(",\"meta\":").raw(meta);
  int64_t time;
  uint8_t isUnix = config_.clock->unixMs(time);
  if (!isUnix) time = static_cast<int64_t>(config_.clock->uptimeMs());
  time -= ageMs;
  memcpy(bytes + text.length(), &time, sizeof(time));
  bytes[text.length() + sizeof(time)] = static_cast<char>(isUnix);
  // One that is too long takes a number like any event that is refused.
  uint32_t length = text.isWhole() ? text.length() + STAMP : RingLog::MAX_LENGTH + 1;
  bool isKept = log_.record(bytes, static_cast<uint16_t>(length));
  if (isKept && !isUnix) untimedEnd_ = log_.next();
  return isKept;
}

void DeviceKit::loop() {
  session_.loop();
  noteTime();
  if (!session_.canPublish()) return;
  uint64_t now = config_.clock->uptimeMs();
  if (messageCount_ > 0 && now - messages_[0].sentAt >= static_cast<uint64_t>(RESEND_MS) << attempts_) {
    if (attempts_ < 3) attempts_++;
    restart();
  }
  if (now < quietUntil_) return;
  reportLoss(now);
  send(now);
}

bool DeviceKit::flush(uint32_t timeoutMs) {
  uint64_t end = config_.clock->uptimeMs() + timeoutMs;
  for (;;) {
    loop();
    if (waiting() == 0) return true;
    if (config_.clock->uptimeMs() >= end) return false;
    config_.clock->pause();
  }
}

/** Once the time of day is known, those of the events that were not sent yet are written down. */
void DeviceKit::noteTime() {
  int64_t now;
  if (untimedFirst_ >= untimedEnd_ || !config_.clock->unixMs(now)) return;
  TimeNote note;
  memset(&note, 0, sizeof(note));
  note.first = untimedFirst_;
  note.offsetMs = now - static_cast<int64_t>(config_.clock->uptimeMs());
  // Without a note they are sent with their age.
  if (log_.note(&note, sizeof(note))) hasOwnNote_ = true;
  untimedFirst_ = untimedEnd_;
  timeNoteEnd_ = 0;
}

/** What was lost is an event as well, at most once a minute, and only if there is room for it. */
void DeviceKit::reportLoss(uint64_t now) {
  uint32_t lost = log_.lost();
  if (lost == log_.mark() || now < reportAt_ || !log_.makeRoom(MAX_EVENT)) return;
  reportAt_ = now + REPORT_EVERY_MS;
  if (record("events_lost", lost)) log_.setMark(lost);
}

/**
 * Everything that waits is sent again. The device ack of a message that is never answered may be too large for the buffers
 * of an MQTT library, so after three tries messages have half as many events: the ack of one event fits 256 bytes.
 */
void DeviceKit::restart() {
  if (messageCount_ > 0 && ++unanswered_ >= 3 && messages_[0].count > 1) {
    perMessage_ = static_cast<uint8_t>(messages_[0].count / 2);
    answered_ = 0;
  }
  messageCount_ = 0;
  position_ = Position();
}

void DeviceKit::send(uint64_t now) {
  Text text(session_.payload(), session_.payloadCapacity());
  text.raw('[');
  Message message = {now, 0, 0, 0};
  while (messageCount_ < WINDOW && message.count < perMessage_) {
    Position before = position_;
    Entry entry;
    if (!appendEvent(text, message, entry)) {
      position_ = before;
      break;
    }
    if (message.count++ == 0) message.first = entry.number;
    if (entry.number < aloneBelow_) break;
  }
  if (message.count == 0) {
    if (messageCount_ == 0 && waiting() > 0) position_ = Position();
    return;
  }
  text.raw(']');
  message.packetId = session_.publish(text.length());
  messages_[messageCount_++] = message;
}

/** The next event that waits, if it fits the message: consecutive numbers, so that one answer settles all of them. */
bool DeviceKit::appendEvent(Text& text, const Message& message, Entry& entry) {
  uint32_t comma = message.count > 0 ? 1 : 0;
  uint32_t used = text.length() + comma + prefix_ + SUFFIX;
  uint32_t room = session_.payloadCapacity() > used ? session_.payloadCapacity() - used : 0;
  char* content = session_.payload() + text.length() + comma + prefix_;
  if (!log_.read(position_, entry, content, static_cast<uint16_t>(room))) return false;
  if (entry.number - log_.low() >= SettledWindow::SIZE) return false;
  if (message.count > 0 && entry.number != message.first + message.count) return false;
  if (entry.number < aloneBelow_ && (messageCount_ > 0 || message.count > 0)) return false;
  if (entry.length > room || entry.length < STAMP) {
    // It was kept by a program with a larger buffer.
    if (message.count == 0) refuse(entry.number, "TOO_LONG");
    return false;
  }
  int64_t time;
  memcpy(&time, content + entry.length - STAMP, sizeof(time));
  bool isUnix = content[entry.length - 1] != 0;
  if (comma) text.raw(',');
  const char* deviceId = config_.account.deviceId;
  text.raw(SCHEMA).raw(deviceId).raw('-').hex(log_.epoch()).raw('-').integer(entry.number, 10);
  text.raw(DEVICE).raw(deviceId).raw("\",").skip(entry.length - STAMP);
  appendTime(text, time, isUnix, entry.number);
  text.raw('}');
  return true;
}

void DeviceKit::appendTime(Text& text, int64_t time, bool isUnix, uint32_t number) {
  if (!isUnix && findTimeNote(number)) {
    isUnix = true;
    time += timeNote_.offsetMs;
  }
  if (isUnix) {
    text.raw(",\"ts_device\":").integer(time);
  } else if (number >= bootFirst_) {
    text.raw(",\"age_ms\":").integer(static_cast<int64_t>(config_.clock->uptimeMs()) - time);
    // From now on it has no time of day.
    if (untimedFirst_ <= number) untimedFirst_ = number + 1;
  }
}

/** Looks for the note that has the time of day of this event. Notes are behind the events that they are about. */
bool DeviceKit::findTimeNote(uint32_t number) {
  if (number >= bootFirst_ && !hasOwnNote_) return false;
  if (timeNote_.first <= number && number < timeNoteEnd_) return hasTimeNote_;
  uint32_t next = log_.next();
  Position position;
  Entry entry;
  TimeNote note;
  while (log_.readNote(position, entry, &note, sizeof(note))) {
    if (entry.length != sizeof(note) || entry.number <= number) continue;
    if (note.first <= number) {
      timeNote_ = note;
      timeNoteEnd_ = entry.number;
      return hasTimeNote_ = true;
    }
    if (note.first < next) next = note.first;
  }
  timeNote_.first = number;
  timeNoteEnd_ = number < bootFirst_ && bootFirst_ < next ? bootFirst_ : next;
  return hasTimeNote_ = false;
}

void DeviceKit::onReady() {
  restart();
  parser_.reset();
  runCount_ = 0;
}

void DeviceKit::onPuback(uint16_t packetId) {
  if (config_.settledBy != SettledBy::Puback) return;
  for (uint8_t index = 0; index < messageCount_; index++) {
    if (messages_[index].packetId != packetId) continue;
    const Message message = messages_[index];
    settle(message.first, message.count);
    return;
  }
}

void DeviceKit::onMessageBytes(const uint8_t* bytes, uint32_t length) {
  for (uint32_t i = 0; i < length; i++) {
    if (parser_.feed(static_cast<char>(bytes[i]))) takeAck(parser_.ack());
  }
}

void DeviceKit::onMessageEnd() {
  settleRun();
  parser_.reset();
}

void DeviceKit::takeAck(const DeviceAck& ack) {
  bool isRejected = strcmp(ack.status, "rejected") == 0;
  if (ack.eventId[0] == '\0') {
    if (isRejected) takeNameless(ack);
    return;
  }
  uint32_t number;
  if (!numberOf(ack.eventId, number)) return;
  if (!isRejected && strcmp(ack.status, "stored") != 0 && strcmp(ack.status, "duplicate") != 0) return;
  if (isRejected) {
    bool isMessage = strcmp(ack.code, "MESSAGE_TOO_LARGE") == 0 || strcmp(ack.code, "TOO_MANY_EVENTS") == 0;
    // The message was refused, not the event, unless that was alone.
    if (isMessage && !(isAlone() && messages_[0].first == number)) return sendOneByOne();
    if (rejected_ != nullptr && !log_.isSettled(number)) rejected_(ack.eventId, ack.code, ack.message);
  }
  if (runCount_ > 0 && number != runFirst_ + runCount_) settleRun();
  if (runCount_++ == 0) runFirst_ = number;
}

/** A message was refused and none of its events is named: sent one by one, the next such answer says which it is. */
void DeviceKit::takeNameless(const DeviceAck& ack) {
  if (messageCount_ == 0) return;
  if (isAlone()) refuse(messages_[0].first, ack.code);
  else sendOneByOne();
}

bool DeviceKit::isAlone() const {
  return messageCount_ == 1 && messages_[0].count == 1 && messages_[0].first < aloneBelow_;
}

void DeviceKit::sendOneByOne() {
  aloneBelow_ = log_.next();
  restart();
  // Until then the other messages that are in flight have been answered.
  quietUntil_ = config_.clock->uptimeMs() + RESEND_MS;
}

void DeviceKit::refuse(uint32_t number, const char* code) {
  char id[128];
  Text text(id, sizeof(id) - 1);
  text.raw(config_.account.deviceId).raw('-').hex(log_.epoch()).raw('-').integer(number, 10);
  id[text.length()] = '\0';
  if (rejected_ != nullptr) rejected_(id, code, "");
  settle(number, 1);
}

void DeviceKit::settleRun() {
  if (runCount_ == 0) return;
  uint16_t count = runCount_;
  runCount_ = 0;
  settle(runFirst_, count);
}

void DeviceKit::settle(uint32_t first, uint16_t count) {
  uint32_t before = log_.waiting();
  log_.settle(first, count);
  if (log_.waiting() == before) return;
  attempts_ = unanswered_ = 0;
  // Once in 256 answers, more is tried again.
  if (++answered_ == 0 && perMessage_ < MOST_PER_MESSAGE) perMessage_ *= 2;
  session_.hasProgress();
  uint8_t kept = 0;
  for (uint8_t index = 0; index < messageCount_; index++) {
    const Message message = messages_[index];
    bool isSettled = true;
    for (uint32_t each = 0; each < message.count; each++) isSettled = isSettled && log_.isSettled(message.first + each);
    if (!isSettled) messages_[kept++] = message;
  }
  messageCount_ = kept;
}

/** Of an event of this log; ids end with ten digits. */
bool DeviceKit::numberOf(const char* eventId, uint32_t& number) const {
  char prefix[128];
  Text text(prefix, sizeof(prefix));
  text.raw(config_.account.deviceId).raw('-').hex(log_.epoch()).raw('-');
  if (strncmp(eventId, prefix, text.length()) != 0) return false;
  number = 0;
  const char* at = eventId + text.length();
  for (int digits = 0; digits < 10; digits++, at++) {
    if (*at < '0' || *at > '9') return false;
    number = number * 10 + static_cast<uint32_t>(*at - '0');
  }
  return *at == '\0' && number < log_.next();
}

}  // namespace qskit
