import type { Rejection } from './message.ts'

/** What became of one element. Partial failure is data: outcomes stand at the index of their element. */
export type Outcome =
  | { readonly kind: 'stored'; readonly tsServer: string }
  /** `tsServer` is that of the event that was there first. */
  | { readonly kind: 'duplicate'; readonly tsServer: string }
  | Rejection

/** Outcomes by message of the batch and element of the message; all of them committed. */
export type BatchResult = readonly (readonly Outcome[])[]
