export const event = (deviceId: string, id: string, fields: object) => ({
  schema: 1,
  event_id: id,
  device_id: deviceId,
  event_type: 'temp',
  ...fields,
})
export const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
export const range = (minutes: number) =>
  new URLSearchParams({
    from: minutesAgo(minutes),
    to: new Date(Date.now() + 1_000).toISOString(),
  }).toString()
