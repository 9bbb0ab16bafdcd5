/*
 * What a store of events on a device promises, whatever it is written in: scripts of commands that such a store runs
 * through power cuts, and a judge of what it answers.
 *
 * new SEED SIZE drop|refuse    an empty store, of so many sectors or files
 * power COST                   power is on, and will be cut after so many bytes; -1: never
 * boot                         → boot EPOCH NEXT
 * record CONTENT               → kept|refused|off FIRST LAST: the numbers that this took
 * send                         → sent NUMBER CONTENT, or nothing: the next event that waits
 * again                        sending starts again with the oldest event
 * answer FROM COUNT            → settled FIRST COUNT saved|unsaved, or none: device acks for a part of what was sent
 * note TEXT                    something else that is written
 * drain                        → drained NUMBER:CONTENT… NEXT LOST: sends and settles until nothing waits
 *
 * While the power is off every answer is "off".
 */

export interface World {
  readonly commands: readonly string[]
  readonly refuses: boolean
  readonly isNeverFull: boolean
}

/** Mulberry32: the same numbers for the same seed. */
export function randomOf(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

/** A store that is never full, filling or full, through so many cuts. */
export function worldOf(seed: number, cuts: number): World {
  const random = randomOf(seed)
  const load = seed % 3
  const refuses = Math.floor(seed / 3) % 2 === 1
  const size = 2 + random(5) + (load === 0 ? 8 * cuts : 0)
  const records = [30, 45, 65][load] ?? 0
  const commands = [`new ${seed} ${size} ${refuses ? 'refuse' : 'drop'}`]
  let events = 0
  for (let cut = 0; cut < cuts; cut++) {
    commands.push(`power ${random(random(4) === 0 ? 12_000 : 2_500)}`, 'boot')
    for (let step = 10 + random(60); step > 0; step--) {
      const dice = random(100)
      const length = random(20) === 0 ? random(600) : random(90)
      if (dice < records) commands.push(`record ${events++}-${'x'.repeat(length)}`)
      else if (dice >= 96) commands.push(`note n${random(1_000)}`)
      else if (random(2) === 0) commands.push('send')
      else if (random(4) === 0) commands.push('again')
      else commands.push(`answer ${random(4) === 0 ? random(9) : 0} ${1 + random(8)}`)
    }
  }
  return { commands: [...commands, 'power -1', 'boot', 'drain'], refuses, isNeverFull: load === 0 }
}

/** The first promise that is broken, and where; null if all are kept. */
export function judge(world: World, answers: readonly string[]): string | null {
  const server = new Judge(world)
  for (const [index, command] of world.commands.entries()) {
    const problem = server.hear(command, answers[index] ?? 'no answer')
    if (problem !== null) return `line ${index}, ${command} → ${answers[index]}: ${problem}`
  }
  return null
}

class Judge {
  readonly #world: World
  readonly #kept = new Set<number>()
  /** By number: the contents that it may have, and what the server has. */
  readonly #attempted = new Map<number, Set<string>>()
  readonly #delivered = new Map<number, string>()
  readonly #settled = new Set<number>()
  #unsaved = new Set<number>()
  #epoch = ''
  #newest = -1

  constructor(world: World) {
    this.#world = world
  }

  hear(command: string, answer: string): string | null {
    const [name = '', content = ''] = command.split(' ')
    const [what = '', ...rest] = answer.split(' ')
    if (name === 'boot') return this.#boot(what, rest)
    if (name === 'record') return this.#record(what, content, rest.map(Number))
    if (what === 'sent') return this.#send(Number(rest[0]), rest[1] ?? '')
    if (what === 'settled') return this.#settle(Number(rest[0]), Number(rest[1]), rest[2] === 'saved')
    if (name === 'drain') return this.#drain(what, rest)
    return null
  }

  #boot(what: string, [epoch = '', next]: readonly string[]): string | null {
    this.#unsaved = new Set()
    if (what !== 'boot') return null
    const newest = Math.max(-1, ...this.#kept)
    if (newest >= 0 && epoch !== this.#epoch) return 'the store was begun anew although it had events'
    if (Number(next) <= newest) return 'a number is given out again'
    this.#epoch = epoch
    return null
  }

  #record(what: string, content: string, [first = 0, last = -1]: readonly number[]): string | null {
    for (let number = first; number <= last; number++) {
      this.#attempted.set(number, (this.#attempted.get(number) ?? new Set()).add(content))
    }
    if (what === 'kept') this.#kept.add(last)
    if (what === 'refused' && !this.#world.refuses) return 'it was refused although the oldest may go'
    return null
  }

  #send(number: number, content: string): string | null {
    if (!this.#attempted.get(number)?.has(content)) return 'it was never recorded'
    if (this.#settled.has(number)) return 'it is sent again after it was settled'
    const known = this.#delivered.get(number)
    if (known !== undefined && known !== content) return 'it is sent with other content: a conflict'
    if (known === undefined && this.#kept.has(number)) {
      if (number < this.#newest) return 'it is sent out of order'
      this.#newest = number
    }
    this.#delivered.set(number, content)
    return null
  }

  #settle(first: number, count: number, isSaved: boolean): string | null {
    for (let number = first; number < first + count; number++) this.#unsaved.add(number)
    if (!isSaved) return null
    for (const number of this.#unsaved) this.#settled.add(number)
    this.#unsaved.clear()
    return null
  }

  #drain(what: string, answer: readonly string[]): string | null {
    const events = answer.filter((part) => part.includes(':'))
    const [next, lost, ...more] = answer.filter((part) => part !== '' && !part.includes(':'))
    if (what !== 'drained' || more.length > 0)
      return 'waiting counts events that are not there, or a write was wrong'
    for (const event of events) {
      const [number = '', content = ''] = event.split(':')
      const problem = this.#send(Number(number), content)
      if (problem !== null) return `event ${number}: ${problem}`
    }
    if (Number(lost) > Number(next) - this.#settled.size) return 'an event that was settled counts as lost'
    if (Number(lost) < Number(next) - this.#delivered.size)
      return 'an event that was never sent does not count'
    const missing = [...this.#kept].filter((number) => !this.#delivered.has(number))
    if (missing.length > 0 && (this.#world.refuses || this.#world.isNeverFull)) {
      return `event ${missing[0]} was dropped although ${this.#world.refuses ? 'new ones are to be refused' : 'there was room'}`
    }
    return null
  }
}
