import type { Rejection } from './message.ts'

/** What became of one element. Partial failure is data: each outcome has the index of its element. */
export type Outcome =
  | { readonly kind: 'stored'; readonly tsServer: string }
  /** `tsServer` is that of the event stored first. */
  | { readonly kind: 'duplicate'; readonly tsServer: string }
  | Rejection

/** Outcomes by message of the batch, then by element of the message; all committed. */
export type BatchResult = readonly (readonly Outcome[])[]
