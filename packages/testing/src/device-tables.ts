/** Names of all tables whose rows belong to a device; `sealing` only notes how far the job is. */
export const DEVICE_TABLES = `
select table_name as name from information_schema.columns join information_schema.tables using (table_schema, table_name)
where column_name = 'device_id' and table_schema = 'public' and table_type = 'BASE TABLE'
  and table_name <> 'sealing'`
