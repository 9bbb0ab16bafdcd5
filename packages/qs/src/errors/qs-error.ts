import { ERRORS, type ErrorCode, type ErrorEntry } from './errors.ts'

/** An error that a person can meet. `message` says what happened and what to do; `code` is for programs. */
export class QsError extends Error {
  override readonly name = 'QsError'
  readonly code: ErrorCode
  /** What happened in this case, without the advice. */
  readonly problem: string

  /** @param problem what happened, as a sentence; the advice of the code follows it */
  constructor(code: ErrorCode, problem: string, options?: ErrorOptions) {
    // A list ends with a line of its own.
    const end = problem.endsWith('\n') ? '' : /[.!?…]$/.test(problem) ? ' ' : '. '
    super(`${problem}${end}${ERRORS[code].advice}`, options)
    this.code = code
    this.problem = problem
  }

  get entry(): ErrorEntry {
    return ERRORS[this.code]
  }
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code)
}

/** Whether it is the error with this code. */
export function hasCode(error: unknown, code: ErrorCode): error is QsError {
  return error instanceof QsError && error.code === code
}
