/** What every query names: the data source of provisioning/datasources/qs.yaml. */
export const DATA_SOURCE = { type: 'grafana-postgresql-datasource', uid: 'qs' } as const
