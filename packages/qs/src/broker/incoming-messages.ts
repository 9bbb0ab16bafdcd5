import type { Instant } from '@qs-telemetry/protocol'
import { AnswerWindow, type Slot } from '../intake/answer-window.ts'
import type { Admission } from '../intake/direct-intake.ts'
import type { Lane, Origin } from '../intake/lane.ts'
import { Taken } from '../intake/taken.ts'
import type { Connect } from '../mqtt/connect-packet.ts'
import type { Frames } from '../mqtt/frames.ts'
import { PUBACK, PUBCOMP, PUBREC } from '../mqtt/packet-types.ts'
import { NO_PROPERTIES, PROPERTY } from '../mqtt/properties.ts'
import { IncomingPublish } from '../mqtt/publish-packet.ts'
import { ProtocolFault, REASON, type Reason } from '../mqtt/reasons.ts'
import { isReserved, isTopicName } from '../mqtt/topics.ts'
import { type BrokerParts, type Client, RECEIVE_MAXIMUM, TOPIC_ALIAS_MAXIMUM } from './broker-parts.ts'
import { NO_FORWARDED } from './message.ts'
import { messageDigest } from './message-digest.ts'
import type { Peer } from './rules.ts'
import type { Session } from './session.ts'

/** A message that needs no commit: answered at once, or after those before it. */
class Plain implements Slot {
  readonly packetId: number
  readonly qos: 1 | 2
  readonly reason: Reason
  readonly isSettled = true
  readonly refusal = null

  constructor(packetId: number, qos: 1 | 2, reason: Reason) {
    this.packetId = packetId
    this.qos = qos
    this.reason = reason
  }
}

/** Topics that a connection knows. */
const MAX_KNOWN = 1_000
/** Longer ones, which no device of the contract has, are looked up each time: a thousand could be 64 MB. */
const MAX_KNOWN_LENGTH = 256
/** Sixteen of them for each connection. */
const MAX_ALIASED_LENGTH = 1_024

/** What is known about a topic: a device publishes to the same one again and again, and a gateway to many in turn. */
interface KnownTopic {
  readonly topic: string
  /** Of the rights and of the subscriptions, at the look-up. */
  readonly revision: unknown
  readonly subscriptions: number
  readonly isAllowed: boolean
  readonly isEvents: boolean
  readonly isHeard: boolean
}

/** What clients without an account have in common is their address. */
export function originOf({ clientId, address }: Peer, { account }: Pick<Session, 'account'>): Origin {
  return { clientId, owner: account === '' ? address : `account ${account}` }
}

/**
 * The messages that one client publishes: events go to the intake, all others to their subscribers, and events to their
 * subscribers too. Answers leave in the order of arrival.
 */
export class IncomingMessages {
  readonly #connection: Client
  readonly #session: Session
  readonly #parts: BrokerParts & { readonly connect: Connect }
  readonly #publish: IncomingPublish
  readonly #window: AnswerWindow
  readonly #lane: Lane | null
  readonly #aliases = new Map<number, string>()
  /** By topic; the latest without a look-up. */
  #known: Map<string, KnownTopic> | null = null
  #latest: KnownTopic | null = null
  #receivedAt: Instant

  constructor(connection: Client, session: Session, parts: BrokerParts & { readonly connect: Connect }) {
    this.#connection = connection
    this.#session = session
    this.#parts = parts
    this.#publish = new IncomingPublish(parts.connect.level === 5)
    this.#window = new AnswerWindow((slot) => this.#answer(slot))
    this.#lane =
      parts.intake?.open(originOf(connection, session), { window: this.#window, gate: connection }) ?? null
    this.#receivedAt = parts.clock.now()
  }

  /** Everything in one read has the same server time, as has what waited for the intake and is read now. */
  beginRead(): void {
    this.#receivedAt = this.#parts.clock.now()
  }

  get isQos0Waiting(): boolean {
    return this.#lane?.isPaused === true && this.#lane.isQos0
  }

  close(): void {
    if (this.#lane !== null) this.#parts.intake?.close(this.#lane)
    this.#window.close()
  }

  /** @throws ProtocolFault */
  publish(frame: Frames): void {
    const publish = this.#publish
    publish.read(frame)
    const topic = this.#topicOf(publish)
    const { qos, packetId, payload } = publish
    if (qos === 2 && this.#isRepeated(publish, topic)) return this.#repeated(packetId)
    if (publish.dup && this.#isWaiting(publish, topic)) return
    const { isAllowed, isEvents, isHeard } = this.#look(topic)
    const lane = isAllowed && isEvents ? this.#lane : null
    const admission = this.#admission(qos, lane)
    if (admission === 'wait') return
    const { rules } = this.#parts
    const bytes = frame.end - frame.start
    const pauseMs = rules.published(this.#connection, { topic, isAllowed, isEvents, payload, bytes })
    if (pauseMs > 0) this.#connection.pauses.forMs(pauseMs)
    if (!isAllowed) {
      rules.refused(this.#connection, 'publish', topic)
      // A 3.1.1 client cannot be told; closing the connection would make a board reconnect in a loop [MQTT-3.3.5-2].
      return this.#settled(topic, REASON.notAuthorized)
    }
    if (!isEvents && this.#isTold && !this.#canRetain(topic)) {
      rules.refused(this.#connection, 'retained', topic)
      return this.#settled(topic, REASON.quotaExceeded)
    }
    this.#hand(topic, isHeard)
    if (lane === null) this.#settled(topic, REASON.success)
    else if (admission === 'take') this.#take(topic, lane)
  }

  /** A message that comes too late: a client keeps its own copy, except with QoS 0. @throws ProtocolFault */
  unheard(frame: Frames): void {
    const publish = this.#publish
    publish.read(frame)
    if (publish.qos > 0) return
    const { isAllowed, isEvents } = this.#look(this.#topicOf(publish))
    if (isAllowed && isEvents) this.#parts.intake?.dropped(this.#connection.clientId)
  }

  /** Whether its answer can carry a reason. What finds no room and cannot be refused still reaches its subscribers. */
  get #isTold(): boolean {
    return this.#publish.qos > 0 && this.#parts.connect.level === 5
  }

  /** An event is stored in any case. */
  #canRetain(topic: string): boolean {
    const { retain, payload, properties } = this.#publish
    return !retain || this.#parts.router.retained.hasRoom({ topic, payload, forwarded: properties.forwarded })
  }

  /** PUBREL: the packet identifier is free for another message. @returns whether it was known */
  released(packetId: number): boolean {
    const isKnown = this.#session.incoming.delete(packetId)
    this.#connection.output.answer(PUBCOMP, packetId, isKnown ? REASON.success : REASON.packetIdNotFound)
    return isKnown
  }

  #take(topic: string, lane: Lane): void {
    const { qos, packetId, payload, dup } = this.#publish
    this.#parts.intake?.take(lane, { topic, payload, qos, packetId, dup }, this.#receivedAt)
  }

  /** To subscribers and retained messages; nobody listens to most events. */
  #hand(topic: string, isHeard: boolean): void {
    const { qos, retain, payload, properties } = this.#publish
    const { router, control, clock } = this.#parts
    const answer = control.get(topic)
    if (answer !== undefined) return answer(this.#connection, payload)
    if (!retain && !isHeard) return
    const expiry = properties.numbers.get(PROPERTY.messageExpiry)
    router.publish({
      ...{ topic, payload, qos, retain, from: this.#connection.clientId },
      forwarded: properties === NO_PROPERTIES ? NO_FORWARDED : properties.forwarded,
      expiresAtMs: expiry === undefined ? null : clock.monotonicMs() + expiry * 1_000,
    })
  }

  /** It is taken, or refused, whatever becomes of the connection; its answer follows those before it. */
  #settled(topic: string, reason: Reason): void {
    const { qos, packetId, payload } = this.#publish
    if (qos === 0) return
    if (qos === 2) this.#keep(packetId, reason, () => messageDigest(topic, payload))
    this.#window.add(new Plain(packetId, qos, reason))
    this.#window.advance()
  }

  #answer(slot: Slot): void {
    const { packetId, qos, refusal } = slot
    const reason =
      slot instanceof Plain ? slot.reason : refusal === null ? REASON.success : REASON.payloadFormatInvalid
    const text = this.#parts.connect.wantsProblems ? refusal : null
    const { output } = this.#connection
    if (qos === 1) return output.answer(PUBACK, packetId, reason, text)
    // Before its commit, PUBREC would lose the event if it is sent again on another connection.
    if (slot instanceof Taken) this.#keep(packetId, reason, () => messageDigest(slot.topic, slot.payload))
    output.answer(PUBREC, packetId, reason, text)
  }

  /** Until PUBREL. An error ends the exchange [MQTT 5, 4.3.3]; a 3.1.1 client, which cannot see it, goes on to PUBREL. */
  #keep(packetId: number, reason: Reason, digest: () => string): void {
    const isOver = this.#parts.connect.level === 5 && reason >= 0x80
    if (isOver) this.#session.incoming.delete(packetId)
    else this.#session.incoming.set(packetId, digest())
  }

  /**
   * Whether this QoS 2 message was taken before. Another message with the identifier comes from a board that restarted
   * before its PUBREL, and whose session is kept: it has lost the first one and counts from 1 again. A PUBREC alone
   * would lose the second one. Mosquitto compares the content too.
   */
  #isRepeated({ packetId, payload }: IncomingPublish, topic: string): boolean {
    const taken = this.#session.incoming.get(packetId)
    return taken !== undefined && taken === messageDigest(topic, payload)
  }

  /** Its PUBREC was sent and is sent again, in its place [MQTT-4.6.0-3]; or it will be sent. */
  #repeated(packetId: number): void {
    if (this.#window.find(packetId) !== undefined) return
    this.#window.add(new Plain(packetId, 2, REASON.success))
    this.#window.advance()
  }

  /**
   * A message waits, and comes again later, if it is an event without room in the intake; so does anything while there
   * are too many answers, which wait behind those of events.
   *
   * @throws ProtocolFault if an MQTT 5 client sends more than the Receive Maximum at once [MQTT-3.3.4-9]
   */
  #admission(qos: 0 | 1 | 2, lane: Lane | null): Admission {
    const isFull = qos > 0 && this.#window.size >= RECEIVE_MAXIMUM
    if (isFull && this.#parts.connect.level === 5)
      throw new ProtocolFault(REASON.receiveMaximumExceeded, `more than ${RECEIVE_MAXIMUM} messages at once`)
    const asked = isFull ? this.#lane : lane
    if (asked === null) return 'take'
    return this.#parts.intake?.admit(asked, qos) ?? 'take'
  }

  /**
   * Whether it is sent again while it waits for its commit, as ESP-IDF does each second, although a client should do so
   * only after a reconnect [MQTT-4.4.0-1]. Taken again and again, it would use up the share of the device.
   */
  #isWaiting({ packetId, payload }: IncomingPublish, topic: string): boolean {
    const waiting = this.#window.find(packetId)
    return waiting instanceof Taken && waiting.topic === topic && waiting.payload.equals(payload)
  }

  #look(topic: string): KnownTopic {
    const { rules, router, isEvents } = this.#parts
    const { revision } = rules
    const { revision: subscriptions } = router
    const known = this.#latest?.topic === topic ? this.#latest : this.#known?.get(topic)
    if (known !== undefined && known.revision === revision && known.subscriptions === subscriptions) {
      this.#latest = known
      return known
    }
    // A 3.1.1 client gets a PUBACK, since nothing can tell it the reason.
    if (!isTopicName(topic) || (isReserved(topic) && this.#parts.connect.level === 5))
      throw new ProtocolFault(REASON.topicNameInvalid, 'an invalid topic')
    const isAllowed = rules.mayPublish(this.#connection, topic)
    const isHeard = router.isHeard(topic)
    const found: KnownTopic = {
      topic,
      revision,
      subscriptions,
      isAllowed,
      isEvents: isEvents(topic),
      isHeard,
    }
    this.#remember(found)
    return found
  }

  /** Most clients publish to one topic, and need no map. */
  #remember(found: KnownTopic): void {
    const former = this.#latest
    this.#latest = found
    if (former === null || former.topic === found.topic) return
    this.#known ??= new Map()
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    for (const each of [former, found])
      if (each.topic.length <= MAX_KNOWN_LENGTH) this.#known.set(each.topic, each)
  }

  /** [3.3.2.3.4] */
  #topicOf({ topic, properties }: IncomingPublish): string {
    if (properties === NO_PROPERTIES) return topic
    const alias = properties.numbers.get(PROPERTY.topicAlias)
    if (alias === undefined) return topic
    // [MQTT-3.3.2-8], [MQTT-3.3.2-9]
    if (alias === 0 || alias > TOPIC_ALIAS_MAXIMUM)
      throw new ProtocolFault(REASON.topicAliasInvalid, `a topic alias of ${alias}`)
    if (topic.length > MAX_ALIASED_LENGTH)
      throw new ProtocolFault(
        REASON.quotaExceeded,
        `a topic alias for more than ${MAX_ALIASED_LENGTH} characters`,
      )
    if (topic !== '') {
      this.#aliases.set(alias, topic)
      return topic
    }
    const known = this.#aliases.get(alias)
    if (known === undefined) throw new ProtocolFault(REASON.protocolError, 'a topic alias without its topic')
    return known
  }
}
