-- Settings of the database, which Citus passes on to the workers. distribute.sql runs this file; it can be run again at any time.
--
-- The first one: one connection a worker and transaction. In parallel, Citus opens one for each shard, which costs the
-- nodes about four to five and a half times the CPU and makes it refuse the functions of functions.sql while the table is being distributed.
--
-- The others: a session on a worker whose coordinator has vanished ends within seconds. By the defaults of Linux, its
-- transaction would lock the ids that it inserted for two hours (qs_ingester's for 60 s, by roles.sh), and the same batch would wait. New
-- sessions have the settings: restart the ingesters.
select format('alter database %I set %s', current_database(), setting) from unnest(array[
  'citus.multi_shard_modify_mode = sequential',
  'tcp_keepalives_idle = 5', 'tcp_keepalives_interval = 2', 'tcp_keepalives_count = 3',
  'tcp_user_timeout = 11000', 'client_connection_check_interval = 2000'
]) as setting \gexec
