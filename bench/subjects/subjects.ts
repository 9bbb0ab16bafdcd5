import type { SubjectName } from '../scenario.ts'
import { ingester } from './ingester.ts'
import { nodeRed } from './node-red.ts'
import { oneByOne } from './one-by-one.ts'
import type { Subject } from './subject.ts'
import { telegraf } from './telegraf.ts'
import { up } from './up.ts'

export const SUBJECTS: Readonly<Record<SubjectName, Subject>> = {
  ingester,
  up,
  'one-by-one': oneByOne,
  telegraf,
  'node-red': nodeRed,
}
