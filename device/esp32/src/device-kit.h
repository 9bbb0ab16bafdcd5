#pragma once

#include <stdint.h>

#include "ack-parser.h"
#include "mqtt-session.h"
#include "ring-log.h"
#include "text.h"

#ifndef QS_MESSAGE_BYTES
/** Of the largest message, with its topic. It holds about six events. */
#define QS_MESSAGE_BYTES 1024
#endif

namespace qskit {

/** What ends the wait of an event. */
enum class SettledBy : uint8_t {
  /** The device ack, with every broker. */
  DeviceAck,
  /** The PUBACK. Only where the board connects to `qs up` itself: there it follows COMMIT. */
  Puback,
};

struct Config {
  Account account;
  Flash* flash;
  Link* link;
  Clock* clock;
  /** From a true source of randomness: it becomes part of the ids of a new log. */
  uint32_t random;
  WhenFull whenFull;
  SettledBy settledBy;
};

/** An event that can never be stored. The server keeps it as a dead letter. */
typedef void (*RejectedHandler)(const char* eventId, const char* code, const char* message);

/**
 * Keeps events on flash until the server has committed them.
 *
 * An id is `<device>-<epoch>-<number>`, of the ring log. An event that was measured before the time of day was known
 * is sent with its age. Once the time is known, a note in the log says what the others of that kind are to carry,
 * before the first of them is sent: each attempt to send an event has the same content.
 */
class DeviceKit : private MqttListener {
 public:
  static const uint32_t RESEND_MS = 10000;
  /** Messages that wait for an answer. */
  static const uint8_t WINDOW = 4;
  static const uint8_t MOST_PER_MESSAGE = 32;

  /** False: the flash does not work, or the account does not fit. */
  bool begin(const Config& config);
  /**
   * True: it is on flash. False: it is not, and counts as lost. `meta` is a JSON object, or null; `ageMs` says how long
   * ago it was measured.
   */
  bool record(const char* type, double value, const char* unit = nullptr, const char* meta = nullptr,
              uint32_t ageMs = 0);
  bool record(const char* type, const char* text, const char* unit = nullptr, const char* meta = nullptr,
              uint32_t ageMs = 0);
  /** Sends, receives, connects. Call it often; it does not block. */
  void loop();
  /** Loops until nothing waits: before deep sleep. False: something still does. */
  bool flush(uint32_t timeoutMs);
  uint32_t waiting() const { return log_.waiting(); }
  /** Since the log was created: refused or dropped because it was full, or gone with the power. */
  uint32_t lost() const { return log_.lost(); }
  void onRejected(RejectedHandler handler) { rejected_ = handler; }
  bool isConnected() const { return session_.isReady(); }
  /** Why there is no connection, or empty. */
  const char* problem() const { return session_.problem(); }

 private:
  struct Message {
    uint64_t sentAt;
    uint32_t first;
    uint16_t count;
    uint16_t packetId;
  };
  /** In the log: events without a time of day, from `first` to the note, have this one. */
  struct TimeNote {
    int64_t offsetMs;
    uint32_t first;
  };

  void onReady() override;
  void onPuback(uint16_t packetId) override;
  void onMessageBytes(const uint8_t* bytes, uint32_t length) override;
  void onMessageEnd() override;

  struct Value {
    const char* text;
    double number;
  };
  bool keep(const char* type, const Value& value, const char* unit, const char* meta, uint32_t ageMs);
  void noteTime();
  void reportLoss(uint64_t now);
  void restart();
  void send(uint64_t now);
  bool appendEvent(Text& text, const Message& message, Entry& entry);
  void appendTime(Text& text, int64_t time, bool isUnix, uint32_t number);
  bool findTimeNote(uint32_t number);
  void takeAck(const DeviceAck& ack);
  void takeNameless(const DeviceAck& ack);
  bool isAlone() const;
  void sendOneByOne();
  void refuse(uint32_t number, const char* code);
  void settleRun();
  void settle(uint32_t first, uint16_t count);
  bool numberOf(const char* eventId, uint32_t& number) const;

  Config config_;
  RingLog log_;
  MqttSession session_;
  AckParser parser_;
  RejectedHandler rejected_ = nullptr;
  Position position_;
  Message messages_[WINDOW];
  uint8_t messageCount_ = 0;
  /** Doublings of RESEND_MS. */
  uint8_t attempts_ = 0;
  /** How often everything was sent since the last answer, and answers since `perMessage_` changed. */
  uint8_t unanswered_ = 0;
  uint8_t answered_ = 0;
  /** At most so many events. */
  uint8_t perMessage_ = MOST_PER_MESSAGE;
  bool hasTimeNote_ = false;
  /** The log has a note about events of this start. */
  bool hasOwnNote_ = false;
  uint64_t quietUntil_ = 0;
  uint64_t reportAt_ = 0;
  /** Bytes of an event on the wire before what the log has of it. */
  uint32_t prefix_ = 0;
  /** Events below this are sent one by one: a message was refused without saying which of its events is meant. */
  uint32_t aloneBelow_ = 0;
  /** Device acks for consecutive events are one entry of the log. */
  uint32_t runFirst_ = 0;
  uint16_t runCount_ = 0;
  /** The first event of this start. */
  uint32_t bootFirst_ = 0;
  /** Events of this start from here to below `untimedEnd_` may be without a time of day, and were not sent. */
  uint32_t untimedFirst_ = 0;
  uint32_t untimedEnd_ = 0;
  /** The answer of the last look for a note: it holds for events from here to below `timeNoteEnd_`. */
  TimeNote timeNote_ = {0, 0};
  uint32_t timeNoteEnd_ = 0;
  uint8_t buffer_[QS_MESSAGE_BYTES];
};

}  // namespace qskit
