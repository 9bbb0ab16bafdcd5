/** A row, and the open transaction that wrote it; null once it is committed. */
export interface Row<T> {
  value: T
  owner: Transaction | null
}

interface Change {
  readonly commit: () => void
  readonly undo: () => void
}

/** An error of PostgreSQL as `pg` reports it. */
export class DatabaseError extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * One transaction, read committed. Its changes go to the tables at once, marked as its own; other transactions do not
 * see them and, for the same key, wait for its end. A wait that would close a cycle is refused as a deadlock.
 */
export class Transaction {
  isAborted = false
  #isOver = false
  #changes: Change[] = []
  #savepoints: number[] = []
  #waitsFor: Transaction | null = null
  #waiting: (() => void)[] = []

  sees({ owner }: Row<unknown>): boolean {
    return owner === null || owner === this
  }

  changed(change: Change): void {
    this.#changes.push(change)
  }

  /** Resolves when the other may have released what this one needs. @throws DatabaseError if that cannot happen */
  async waitFor(other: Transaction): Promise<void> {
    for (let each: Transaction | null = other; each !== null; each = each.#waitsFor) {
      if (each === this) throw new DatabaseError('40P01', 'deadlock detected')
    }
    this.#waitsFor = other
    await new Promise<void>((resolve) => other.#waiting.push(resolve))
    this.#waitsFor = null
    if (this.#isOver) throw new DatabaseError('57P01', 'the session ended while it waited')
  }

  get hasSavepoint(): boolean {
    return this.#savepoints.length > 0
  }

  savepoint(): void {
    this.#savepoints.push(this.#changes.length)
  }

  release(): void {
    this.#savepoints.pop()
  }

  rollbackToSavepoint(): void {
    this.#undo(this.#savepoints.at(-1) ?? 0)
    this.isAborted = false
  }

  /** An error undoes the changes since the last savepoint and releases their keys; the rest waits for a rollback. */
  abort(): void {
    this.isAborted = true
    this.#undo(this.#savepoints.at(-1) ?? 0)
  }

  commit(): void {
    this.#isOver = true
    for (const { commit } of this.#changes) commit()
    this.#changes = []
    this.#wake()
  }

  rollback(): void {
    this.#isOver = true
    this.#undo(0)
  }

  #undo(from: number): void {
    for (const { undo } of this.#changes.splice(from).reverse()) undo()
    this.#wake()
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
