const PURE = 'test/broker/conformance.test.ts: '
const WIRE = 'test/embedded/broker/conformance.test.ts: '

/** Tests that show statements of both standards, as `file: name`. */
export const NAMED_TESTS = {
  sentAgain: `${PURE}what is not acknowledged is sent again after a reconnect, with its identifier, and at no other time`,
  flags: `${PURE}each other value of the reserved flags ends the connection as a malformed packet`,
  longTopic: `${PURE}a topic of 65,535 bytes passes whole, as a name and as a filter`,
  largeAnswer: `${PURE}an answer that exceeds the maximum packet size of the client ends the connection`,
  level: `${WIRE}a CONNECT with an unknown level of MQTT gets return code 1 and no session, whatever the level`,
  transports: `${WIRE}over TCP and WebSocket nothing is lost, doubled or out of order, whatever the sizes of messages`,
  pieces: `${WIRE}a conversation that arrives byte by byte is the same as one that arrives at once`,
} as const
