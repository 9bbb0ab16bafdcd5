import type { Aedes, AuthenticateError } from 'aedes'
import { aboutClient, type ClientComplaints } from './client-complaints.ts'
import { type Credentials, matches } from './credentials.ts'
import type { SessionLifetimes } from './session-lifetimes.ts'

const [SERVER_UNAVAILABLE, BAD_USERNAME_OR_PASSWORD] = [3, 4] as const

export interface LoginOptions {
  /** null: whoever can connect gets in. */
  readonly credentials: Credentials | null
  readonly complaints: ClientComplaints
  readonly lifetimes: SessionLifetimes
}

/** Only who is in may touch a session. */
export function login({ credentials, complaints, lifetimes }: LoginOptions): Aedes['authenticate'] {
  return (client, username, password, done) => {
    if (credentials === null || matches(credentials, username, password)) {
      lifetimes.begin(client).then(
        () => done(null, true),
        (error: Error) => done(refusal(error.message, SERVER_UNAVAILABLE), false),
      )
      return
    }
    complaints.say('credentials', aboutClient(client), 'a client with wrong username or password was refused')
    done(refusal('wrong username or password', BAD_USERNAME_OR_PASSWORD), false)
  }
}

function refusal(message: string, returnCode: number): AuthenticateError {
  return Object.assign(new Error(message), { returnCode })
}
