interface Node<T> {
  readonly children: Map<string, Node<T>>
  /** Values by key, of filters that end here. */
  readonly values: Map<string, T>
}

/**
 * Values by topic filter, found by topic: a tree with one level for each topic level, so the cost grows with the depth
 * of the topic and not with the number of subscriptions.
 */
export class TopicTree<T> {
  readonly #root: Node<T> = node()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @returns the value that it replaces */
  set(filter: string, key: string, value: T): T | undefined {
    let at = this.#root
    for (const level of filter.split('/')) {
      let next = at.children.get(level)
      if (next === undefined) {
        next = node()
        at.children.set(level, next)
      }
      at = next
    }
    const replaced = at.values.get(key)
    if (replaced === undefined) this.#size++
    at.values.set(key, value)
    return replaced
  }

  get(filter: string, key: string): T | undefined {
    let at: Node<T> | undefined = this.#root
    for (const level of filter.split('/')) at = at?.children.get(level)
    return at?.values.get(key)
  }

  delete(filter: string, key: string): void {
    const path = [this.#root]
    const levels = filter.split('/')
    for (const level of levels) {
      const next = path.at(-1)?.children.get(level)
      if (next === undefined) return
      path.push(next)
    }
    if (path.at(-1)?.values.delete(key)) this.#size--
    for (let depth = levels.length; depth > 0; depth--) {
      const { children, values } = path[depth] as Node<T>
      if (children.size > 0 || values.size > 0) return
      path[depth - 1]?.children.delete(levels[depth - 1] as string)
    }
  }

  /** Appends the values of all filters that match. */
  match(topic: string, found: T[]): void {
    if (this.#size > 0) matchFrom(this.#root, { topic, found }, 0)
  }
}

interface Search<T> {
  readonly topic: string
  readonly found: T[]
}

/** @param start of the level in the topic; beyond its end: all levels are matched */
function matchFrom<T>(at: Node<T>, search: Search<T>, start: number): void {
  const { topic, found } = search
  // Wildcards at the first level do not match topics that begin with $ [MQTT-4.7.2-1].
  const takesWildcards = start > 0 || topic.charCodeAt(0) !== 0x24
  // "a/#" matches "a" too [4.7.1.2].
  const rest = takesWildcards ? at.children.get('#') : undefined
  if (rest !== undefined) for (const value of rest.values.values()) found.push(value)
  if (start > topic.length) {
    for (const value of at.values.values()) found.push(value)
    return
  }
  const slash = topic.indexOf('/', start)
  const end = slash < 0 ? topic.length : slash
  const exact = at.children.get(topic.slice(start, end))
  if (exact !== undefined) matchFrom(exact, search, end + 1)
  const any = takesWildcards ? at.children.get('+') : undefined
  if (any !== undefined) matchFrom(any, search, end + 1)
}

function node<T>(): Node<T> {
  return { children: new Map(), values: new Map() }
}
