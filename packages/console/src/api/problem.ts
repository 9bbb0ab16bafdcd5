import type { Problem } from '@qs-telemetry/protocol/api'

/** An error response of the API; `message` is shown to the user. */
export class ApiError extends Error {
  readonly status: number

  constructor(status: number, detail: string) {
    super(detail)
    this.name = 'ApiError'
    this.status = status
  }
}

export async function problemOf(response: Response): Promise<ApiError> {
  try {
    const { detail } = (await response.json()) as Problem
    return new ApiError(response.status, detail)
  } catch {
    return new ApiError(response.status, `The server answered ${response.status}`)
  }
}
