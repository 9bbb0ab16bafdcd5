-- Sealing deletes a day of rows each day. With a fifth of the table, PostgreSQL's default, autovacuum would leave six of thirty days
-- dead. docs/decisions/0033-indexes-and-bloat.md has what each share costs.
alter table events set (autovacuum_vacuum_scale_factor = 0.05);
