import type { Attack } from './attack.ts'
import { consoleBadParameters } from './attempts/console-bad-parameters.ts'
import {
  consoleForeignHost,
  consoleForeignPage,
  consoleUnknownProxy,
} from './attempts/console-foreign-page.ts'
import { consoleHeavyPages } from './attempts/console-heavy-pages.ts'
import { consoleSpellings } from './attempts/console-spellings.ts'
import { counterInType } from './attempts/counter-in-type.ts'
import { deafSubscriber } from './attempts/deaf-subscriber.ts'
import { floodOfEvents, floodOfRefusals } from './attempts/flood.ts'
import { foreignTopics } from './attempts/foreign-topics.ts'
import { idOfAnother } from './attempts/id-of-another.ts'
import { malformedPackets } from './attempts/malformed-packets.ts'
import { nanInArray } from './attempts/nan-in-array.ts'
import { oversizedConnect } from './attempts/oversized-connect.ts'
import { qos2Publish } from './attempts/qos2-publish.ts'
import { qos2Will } from './attempts/qos2-will.ts'
import { silentConnections } from './attempts/silent-connections.ts'
import { wrongLogins } from './attempts/wrong-logins.ts'

/** Every attack in the order of execution, the heaviest last. */
export const ATTACKS: readonly Attack[] = [
  foreignTopics,
  idOfAnother,
  qos2Publish,
  qos2Will,
  nanInArray,
  counterInType,
  malformedPackets,
  silentConnections,
  wrongLogins,
  oversizedConnect,
  consoleSpellings,
  consoleForeignPage,
  consoleForeignHost,
  consoleUnknownProxy,
  consoleBadParameters,
  consoleHeavyPages,
  deafSubscriber,
  floodOfEvents,
  floodOfRefusals,
]
