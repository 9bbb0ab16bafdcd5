/** The data source of every query, from provisioning/datasources/qs.yaml. */
export const DATA_SOURCE = { type: 'grafana-postgresql-datasource', uid: 'qs' } as const
