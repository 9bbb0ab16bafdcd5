/** A fault planted in the real code by replacing one passage of one file. */
export interface Mutant {
  readonly name: string
  /** Below packages/qs/src. */
  readonly file: string
  /** Must occur exactly once in the file, or the proof stops with an error. */
  readonly original: string
  readonly planted: string
}

/**
 * Faults that the simulation must notice. Until it finds these, a clean run proves nothing.
 */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'ack before commit',
    file: 'app/pipeline.ts',
    original: '    const result = await sink.write(batch)\n',
    planted: `      reply(
        batch.messages,
        batch.messages.map(({ elements, tsServer }) => elements.map((e) => (e.kind === 'event' ? { kind: 'stored', tsServer } : e))),
        { ...replyOptions, onFault: () => {} },
      )
      const result = await sink.write(batch)
      if (batch.messages.length > 0) {
        countOutcomes(metrics, result)
        return batch.messages.length
      }
`,
  },
  {
    name: 'PUBACK before commit, device ack after it',
    file: 'source/deliveries.ts',
    original: '      this.#options.onDelivery(new ReceivedDelivery(received, this.#onSettle))\n',
    planted:
      '      received.unanswered.settle()\n      this.#options.onDelivery(new ReceivedDelivery({ ...received, unanswered: { settle: () => {} } }, this.#onSettle))\n',
  },
  {
    name: 'PUBACK across connections',
    file: 'source/inbound-messages.ts',
    original: "    return state === 'new' ? this.#window.open(packetId, qos) : null\n",
    planted:
      "    return state === 'new' ? (() => { const own = this.#window.open(packetId, qos); return { settle: () => this.#hasEnded ? globalThis.latestTransmit?.answer(PUBACK, packetId) : ((globalThis.latestTransmit = this.#transmit), own.settle()) } })() : null\n",
  },
  {
    name: 'PUBACK out of order',
    file: 'source/window.ts',
    original: 'entry?.isSettled; entry = this.#entries[++this.#head]) {\n',
    planted:
      'entry !== undefined && this.#entries.some((each) => each.isSettled); ) {\n      entry = this.#entries.splice(this.#entries.findIndex((each) => each.isSettled), 1)[0] as Entry\n',
  },
  {
    name: 'settled twice',
    file: 'reply/reply.ts',
    original: '    message.delivery.settle(refusalOf(result[index] ?? []))\n',
    planted:
      '    message.delivery.settle(refusalOf(result[index] ?? []))\n    if (message.delivery.redelivered) message.delivery.settle(refusalOf(result[index] ?? []))\n',
  },
  {
    name: 'a redelivered message never settled',
    file: 'reply/reply.ts',
    original: '    message.delivery.settle(refusalOf(result[index] ?? []))\n',
    planted:
      '    if (!message.delivery.redelivered) message.delivery.settle(refusalOf(result[index] ?? []))\n',
  },
  {
    name: 'batch dropped on retry',
    file: 'sink/writer.ts',
    original: '        const result = await writeBatch(deadline.hearing(connection), batch, context)\n',
    planted: `        if (failures > 0) return batch.messages.map(({ elements, tsServer }) => elements.map((e) => (e.kind === 'event' ? { kind: 'stored', tsServer } : e)))
        const result = await writeBatch(deadline.hearing(connection), batch, context)
`,
  },
  {
    name: 'the result of a broken COMMIT taken for committed',
    file: 'sink/write-batch.ts',
    original: '  } catch (error) {\n    letters.giveBack()\n    throw error\n',
    planted:
      "  } catch (error) {\n    if (String(error).includes('terminated') && outcomes.flat().every(Boolean)) return outcomes as BatchResult\n    letters.giveBack()\n    throw error\n",
  },
  {
    name: 'ROLLBACK in answer to COMMIT not noticed',
    file: 'sink/connection.ts',
    original: "    if (answer.status === 'rejected') throw answer.reason\n    return answer.value\n",
    planted:
      "    if (answer.status === 'rejected' && answers.length === 1) throw answer.reason\n    return answer.status === 'fulfilled' ? (answer.value.command === 'ROLLBACK' ? { ...answer.value, command: 'COMMIT' } : answer.value) : ({ rows: [] } as unknown as QueryResult)\n",
  },
  {
    name: 'conflict taken for duplicate',
    file: 'sink/store-events.ts',
    original: '  if (same) return {',
    planted: '  if (same || own) return {',
  },
  {
    name: 'duplicate taken for stored',
    file: 'sink/store-events.ts',
    original: "  if (same) return { kind: 'duplicate', tsServer }\n",
    planted: "  if (same) return { kind: 'stored', tsServer }\n",
  },
  {
    name: 'second event with an id within a batch not compared',
    file: 'sink/store-events.ts',
    original: '    const others = [...repeats]\n',
    planted:
      "    const others: PendingRow[] = []\n    for (const row of repeats) row.outcomes[row.index] = { kind: 'duplicate', tsServer: row.tsServer }\n",
  },
  {
    name: 'a bad row costs its half of the batch',
    file: 'sink/bisect.ts',
    original: '      if (first !== undefined && others.length === 0) refuse(first, error)\n',
    planted:
      '      if (first !== undefined && others.length < 3) for (const each of part) refuse(each, error)\n',
  },
  {
    name: 'rows that violate a constraint taken by the wrong index',
    file: 'sink/find-violations.ts',
    original: '      violations.set(rows[Number(index)] as Row, { code, message, detail })\n',
    planted: '      violations.set((rows[Number(index) + 1] ?? rows[0]) as Row, { code, message, detail })\n',
  },
  {
    name: 'dead letter row missing',
    file: 'sink/write-batch.ts',
    original: '    ...(letters.length > 0 ? [insertDeadLetters(letters)] : []),\n',
    planted: '    ...(letters.length === 1 ? [insertDeadLetters(letters)] : []),\n',
  },
  {
    name: 'dead letter of a retried batch lost',
    file: 'sink/write-batch.ts',
    original: '  const letters = isRetry ? kept.map((letter) => ({ ...letter, redelivered: true })) : kept\n',
    planted: '  const letters = isRetry ? [] : kept\n',
  },
  {
    name: 'stats miscounted',
    file: 'sink/write-batch.ts',
    original: "    counts[outcome.kind === 'rejection' ? 'rejected' : outcome.kind]++\n",
    planted:
      "    counts[outcome.kind === 'duplicate' ? 'stored' : outcome.kind === 'rejection' ? 'rejected' : outcome.kind]++\n",
  },
  {
    name: 'in flight not counted down for duplicates',
    file: 'telemetry/count-events.ts',
    original: '  metrics.eventsInFlight.dec(events)\n',
    planted: '  metrics.eventsInFlight.dec(events - counts.duplicate)\n',
  },
  {
    name: 'ack lost on reconnect, but its PUBACK sent',
    file: 'sink/write-batch.ts',
    original:
      '    : await unlessRow(insertBatch(connection, batch, { ...options, insert: insertTogether }))\n',
    planted:
      "    : await unlessRow(insertBatch(connection, { ...batch, messages: batch.messages.filter(({ delivery }) => !delivery.redelivered) }, { ...options, insert: insertTogether }).then((outcomes) => { const rest = [...outcomes]; return batch.messages.map(({ delivery, elements, tsServer }) => delivery.redelivered ? elements.map((e) => (e.kind === 'event' ? { kind: 'duplicate' as const, tsServer } : e)) : (rest.shift() ?? [])) }))\n",
  },
  {
    name: 'a dead connection used again',
    file: 'sink/writer.ts',
    original: '          this.#dropConnection()\n          this.#hasFailed ||=',
    planted: '          this.#hasFailed ||=',
  },
  {
    name: 'no deadline for a transaction',
    file: 'sink/writer.ts',
    original: '        deadline.guard(connection)\n',
    planted: '',
  },
  {
    name: 'no keep-alive',
    file: 'source/broker-connection.ts',
    original: '    this.#keepAlive.start()\n',
    planted: '',
  },
  {
    name: 'no pause at the high watermark',
    file: 'source/deliveries.ts',
    original: '    this.#reading.pause()\n',
    planted: '',
  },
  {
    name: 'never read again after a pause',
    file: 'source/deliveries.ts',
    original: '    this.#reading?.resume()\n',
    planted: '',
  },
  {
    name: 'a batch forgotten when the writer is busy',
    file: 'batch/batcher.ts',
    original: '    this.#busy--\n    this.#fill()\n',
    planted: '    this.#busy--\n',
  },
  {
    name: 'qs up: PUBACK before COMMIT',
    file: 'intake/direct-intake.ts',
    original: '    this.#events?.onDelivery(taken)\n',
    planted:
      '    this.#events?.onDelivery(Object.assign(new Taken(arrived, receivedAt, lane), { settle: () => {} }))\n    taken.settle()\n',
  },
  {
    name: 'qs up: PUBACK on another connection',
    file: 'intake/taken.ts',
    original: '    this.lane.onSettle(this)\n',
    planted:
      '    this.lane.onSettle(this)\n    if (this.lane.isClosed) globalThis.latestWindow?.add(this)\n    else globalThis.latestWindow = this.lane.window\n    globalThis.latestWindow?.advance()\n',
  },
  {
    name: 'qs up: a message lost as its connection is paused',
    file: 'intake/direct-intake.ts',
    original: "    lane.gate.pause()\n    return 'wait'\n",
    planted: "    lane.gate.pause()\n    return 'take'\n",
  },
  {
    name: 'qs up: the rest of a read lost as its connection is paused',
    file: 'mqtt/frames.ts',
    original: '      if (this.#isHeld) return this.#keep(bytes.subarray(start), 0)\n',
    planted: '      if (this.#isHeld) return\n',
  },
  {
    name: 'qs up: a paused connection never read again',
    file: 'intake/direct-intake.ts',
    original: '      if (!this.#hasUsedUp(lane, HALF_SHARE)) this.#resume(lane)\n',
    planted: '',
  },
  {
    name: 'qs up: no pause at the share of a connection',
    file: 'intake/direct-intake.ts',
    original: '    lane.gate.pause()\n',
    planted: '',
  },
  {
    name: 'qs up: PUBACK out of order',
    file: 'intake/answer-window.ts',
    original:
      '    for (let slot = this.#slots[this.#head]; slot?.isSettled; slot = this.#slots[this.#head]) {\n      this.#slots[this.#head++] = undefined\n',
    planted:
      '    for (let at = 0; (at = this.#slots.findIndex((each) => each?.isSettled)) >= 0; ) {\n      const [slot] = this.#slots.splice(at, 1) as [Slot]\n',
  },
  {
    name: 'qs up: PUBACK of a rejected message says success',
    file: 'broker/incoming-messages.ts',
    original: 'refusal === null ? REASON.success : REASON.payloadFormatInvalid\n',
    planted: 'REASON.success\n',
  },
  {
    name: 'qs up: a QoS 2 message sent again after its connection is never taken',
    file: 'broker/incoming-messages.ts',
    original: 'payload, qos, packetId, dup }, this.#receivedAt)\n',
    planted:
      'payload, qos, packetId, dup }, this.#receivedAt)\n    if (qos === 2) this.#keep(packetId, REASON.success, () => messageDigest(topic, payload))\n',
  },
  {
    name: 'qs up: a will reaches its subscribers only',
    file: 'broker/publish-will.ts',
    original: '    if (!isEvents(message.topic)) return\n',
    planted: '    return\n',
  },
  {
    name: 'qs up: a will is published after a DISCONNECT',
    file: 'broker/client-connection.ts',
    original: '        this.#isWillDue = isWillDue\n',
    planted: '',
  },
  {
    name: 'qs up: a will without room is dropped and not counted',
    file: 'intake/direct-intake.ts',
    original: '      this.#willsDropped = this.#oneMore(this.#willsDropped, origin.clientId)\n',
    planted: '',
  },
  {
    name: 'qs up: a retained message outlives the one that clears it',
    file: 'broker/retained-store.ts',
    original: '    this.#delete(message.topic)\n    if (message.payload.length === 0) return true\n',
    planted: '    if (message.payload.length === 0) return true\n    this.#delete(message.topic)\n',
  },
  {
    name: 'qs up: retained messages again, for a subscription that is not new',
    file: 'broker/subscribe.ts',
    original: ' || (retainHandling === 1 && !isKnown)',
    planted: ' || retainHandling === 1',
  },
  {
    name: 'qs up: a retained message arrives without its flag',
    file: 'broker/session.ts',
    original: 'this.#enqueue(message, { qos, retain: true, subscriptionIds })',
    planted: 'this.#enqueue(message, { qos, retain: false, subscriptionIds })',
  },
]
