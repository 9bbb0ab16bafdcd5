import { bytesOf, detached, hasExpired, type Message } from './message.ts'
import { TurnBudget } from './turn-budget.ts'

/** Limits of all retained messages together; without them, one client that varies its topic takes all memory. */
const MAX_MESSAGES = 100_000
const MAX_BYTES = 64 * 1024 * 1024
/** Memory of a node of the tree: 400 measured with 94,000 of them. */
const NODE_BYTES = 400

type Retainable = Pick<Message, 'topic' | 'payload' | 'forwarded'>

/** One level of the topics that begin in the same way. */
interface Node {
  /** null: a leaf. */
  children: Map<string, Node> | null
  message: Message | null
}

/** A node, and how many levels of the filter match it and what is above it. */
interface Place {
  readonly node: Node
  readonly depth: number
}

/**
 * The last message with the retain flag of each topic [MQTT-3.3.1-5]: a tree with one level for each topic level, so a
 * filter is compared only with topics that begin as it does.
 */
export class RetainedStore {
  /** Shared by all look-ups. */
  readonly turn = new TurnBudget()
  readonly #root: Node = { children: null, message: null }
  readonly #maxMessages: number
  #size = 0
  #bytes = 0

  constructor(maxMessages = MAX_MESSAGES) {
    this.#maxMessages = maxMessages
  }

  get size(): number {
    return this.#size
  }

  /** Whether this message can be retained. One that removes another always can. */
  hasRoom(message: Retainable): boolean {
    const { topic, payload } = message
    if (payload.length === 0) return true
    const levels = topic.split('/')
    const path = this.#path(levels)
    const older = path.length > levels.length ? (path.at(-1)?.message ?? null) : null
    const isOver = older === null && this.#size >= this.#maxMessages
    const more = bytesOf(message) + NODE_BYTES * (levels.length + 1 - path.length)
    return !isOver && this.#bytes + more - (older === null ? 0 : bytesOf(older)) <= MAX_BYTES
  }

  /**
   * An empty payload removes it [MQTT-3.3.1-6], [MQTT-3.3.1-7]. Without room for the new message, the older one stays.
   *
   * @returns false without room
   */
  put(message: Message): boolean {
    if (!this.hasRoom(message)) return false
    this.#delete(message.topic)
    if (message.payload.length === 0) return true
    let node = this.#root
    for (const level of message.topic.split('/')) {
      node.children ??= new Map()
      let next = node.children.get(level)
      if (next === undefined) {
        next = { children: null, message: null }
        node.children.set(level, next)
        this.#bytes += NODE_BYTES
      }
      node = next
    }
    node.message = detached({ ...message, retain: true })
    this.#bytes += bytesOf(message)
    this.#size++
    return true
  }

  /**
   * Those that match, read one by one: what is replaced meanwhile arrives as it is then. Yields once for each node on
   * its way, null without a message there, so that a reader can go on in a later turn.
   */
  *matching(filter: string, nowMs: () => number): Generator<Message | null, void, undefined> {
    const levels = filter.split('/')
    const open: Iterator<Place>[] = [[{ node: this.#root, depth: 0 }].values()]
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const { value: place, done } = top.next()
      if (done) {
        open.pop()
        continue
      }
      const level = levels[place.depth]
      const { message } = place.node
      // "a/#" matches "a" too [4.7.1.2].
      if (message === null || (level !== undefined && level !== '#')) yield null
      else if (hasExpired(message, nowMs())) this.#delete(message.topic)
      else yield message
      if (level !== undefined) open.push(below(place, level, place.node === this.#root))
    }
  }

  #delete(topic: string): void {
    const levels = topic.split('/')
    const path = this.#path(levels)
    const last = path.at(-1) as Node
    if (path.length <= levels.length || last.message === null) return
    this.#bytes -= bytesOf(last.message)
    this.#size--
    last.message = null
    for (let depth = levels.length; depth > 0; depth--) {
      const { children, message } = path[depth] as Node
      if (children !== null || message !== null) return
      const parent = path[depth - 1] as Node
      parent.children?.delete(levels[depth - 1] as string)
      if (parent.children?.size === 0) parent.children = null
      this.#bytes -= NODE_BYTES
    }
  }

  /** The root, and the nodes of these levels as far as there are any. */
  #path(levels: readonly string[]): readonly Node[] {
    const path = [this.#root]
    for (const level of levels) {
      const next = path.at(-1)?.children?.get(level)
      if (next === undefined) break
      path.push(next)
    }
    return path
  }
}

/** The nodes below one at which this level of the filter is due. */
function* below({ node, depth }: Place, level: string, isFirst: boolean): Generator<Place> {
  if (node.children === null) return
  if (level !== '+' && level !== '#') {
    const exact = node.children.get(level)
    if (exact !== undefined) yield { node: exact, depth: depth + 1 }
    return
  }
  const nextDepth = level === '+' ? depth + 1 : depth
  for (const [name, child] of node.children) {
    // Wildcards at the first level do not match topics that begin with $ [MQTT-4.7.2-1].
    if (!isFirst || !name.startsWith('$')) yield { node: child, depth: nextDepth }
  }
}
