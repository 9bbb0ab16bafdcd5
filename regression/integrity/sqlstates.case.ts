import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { poisonItem } from './item.ts'
import { scale } from './scale.ts'
import { openSession } from './session.ts'
import { openStage } from './stage.ts'

/** PostgreSQL manual, appendix A; at least one SQLSTATE of each class. */
const WORLD = scale(
  [
    ...['08000', '08006', '0A000', '25006', '25P02', '34000', '40001', '40003', '40P01', '53000', '53100'],
    ...['53200', '53300', '55000', '55006', '55P03', '57000', '57014', '57P01', '57P02', '57P03', '58000'],
    ...['58030', '72000', 'F0000', 'HV000', 'XX000', 'XX001'],
  ],
  ['08006', '25006', '40001', '53100', '55006', '57014', '58030', 'XX000'],
)
/** At the first start these end the ingester; later a password or privilege may be changed and restored. */
const SETUP = scale(['28000', '3D000', '42501', '42P01'], ['42P01'])
const ROW = ['22003', '22P02', '23502', '23505', '23514', '54000', '54001', 'P0001']
const LIMIT_MS = 8_000

test(`errors of ${WORLD.length + ROW.length + SETUP.length} SQLSTATEs: a row's is a dead letter, all others are tried again; none loses anything`, {
  skip: mosquittoMissing,
}, async (t) => {
  const stage = await openStage(t, {
    fault: `errors of ${WORLD.length + ROW.length + SETUP.length} SQLSTATEs`,
    settings: { DEAD_LETTER_RATE: '1000000' },
  })
  const { ingester } = stage
  const session = await openSession(t, stage.postgres)
  await session.query(`
    create table fault (sqlstate text, event_type text);
    grant select on fault to qs;
    create function fail() returns trigger language plpgsql as $$
    declare
      f fault;
    begin
      select * into f from fault;
      if f.sqlstate is not null and (f.event_type is null or f.event_type = new.event_type) then
        raise exception 'as the case wants it' using errcode = f.sqlstate;
      end if;
      return new;
    end $$;
    create trigger fail before insert on events for each row execute function fail()`)
  const fail = (sqlstate: string, eventType: string | null) =>
    session.query('insert into fault values ($1, $2)', [sqlstate, eventType])
  const mend = () => session.query('delete from fault')

  for (const sqlstate of [...WORLD, ...SETUP]) {
    await stage.more(50)
    const { retries = 0 } = (await ingester.gauges()) ?? {}
    await fail(sqlstate, null)
    const isTriedAgain = async () => ((await ingester.gauges())?.retries ?? 0) > retries + 1
    await until(isTriedAgain, `what failed with ${sqlstate} is tried again, twice`)
    await mend()
    await stage.flowing(LIMIT_MS, sqlstate)
  }

  for (const sqlstate of ROW) {
    await fail(sqlstate, 'poison')
    const poison = stage.addFleet({
      name: `poison-${sqlstate}`,
      devices: 1,
      eventsPerSecond: 50,
      makeItem: poisonItem,
      // A copy that arrives after the fault is gone would be stored.
      resendAfterMs: 60_000,
    })
    await poison.start()
    await until(() => poison.acked >= 20, `rows that fail with ${sqlstate} are refused`)
    poison.pause()
    await poison.flush(60_000)
    await mend()
    const { rows } = await session.query(
      "select distinct code, substring(trace from 'SQLSTATE (.....)') as sqlstate from dead_letters where device_id = $1",
      [`poison-${sqlstate}-0`],
    )
    assert.deepEqual(rows, [{ code: 'STORAGE_REJECTED', sqlstate }])
  }

  await stage.finish()
})
