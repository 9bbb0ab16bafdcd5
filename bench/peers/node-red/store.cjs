const { Pool } = require('pg')

// Two connections, as `qs ingest` has.
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 2 })

const SQL = `
insert into events (event_id, device_id, event_type, value_num, unit, ts, ts_device, ts_server, schema, meta)
select event_id, device_id, event_type, value, unit, ts_device, ts_device, $2, schema, meta
from jsonb_to_recordset($1::jsonb) as e (event_id text, device_id text, event_type text, value double precision,
  unit text, ts_device timestamptz, schema smallint, meta jsonb)
on conflict (event_id) do nothing
returning event_id`

/** For the function node: one INSERT for the messages gathered by the join node. Returns their device acks. */
async function store(gathered) {
  const tsServer = new Date().toISOString()
  const messages = gathered.map(({ topic, payload }) => ({ topic, content: JSON.parse(payload) }))
  const events = messages.flatMap(({ content }) => content)
  const query = { name: 'store', text: SQL, values: [JSON.stringify(events), tsServer] }
  const { rows } = await pool.query(query)
  const stored = new Set(rows.map((row) => row.event_id))

  const ackOf = ({ event_id }) => ({
    event_id,
    status: stored.delete(event_id) ? 'stored' : 'duplicate',
    ts_server: tsServer,
  })
  return messages.map(({ topic, content }) => ({
    topic: topic.replace('/events', '/acks'),
    payload: JSON.stringify(Array.isArray(content) ? content.map(ackOf) : ackOf(content)),
  }))
}

module.exports = { store }
