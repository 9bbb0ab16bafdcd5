import { setTimeout as wait } from 'node:timers/promises'
import { AlertMuteSchema, AlertRuleSchema, AlertsSchema, AlertTestSchema } from '@qs-telemetry/protocol/api'
import Type from 'typebox'
import { listChannels } from '../../alerts/channels.ts'
import { listFiring, listHistory } from '../../alerts/read-alerts.ts'
import { listRules, muteRule, putRule, removeRule } from '../../alerts/rules.ts'
import { startTest, testOutcome } from '../../alerts/test-channel.ts'
import type { Ask } from '../../database/query-pool.ts'
import { QsError } from '../../errors/qs-error.ts'
import type { RouteContext, RouteServer } from '../route-server.ts'

const tags = ['alerts']
const params = Type.Object({ name: Type.String({ maxLength: 63 }) })
const response = { 200: AlertsSchema }
const HISTORY = 50
/** A test that takes longer is still sent; its outcome is in the list. */
const [PATIENCE_MS, ASK_EVERY_MS] = [12_000, 250]

async function alertsOf(ask: Ask) {
  return {
    firing: [...(await listFiring(ask))],
    rules: (await listRules(ask)).map((rule) => ({ ...rule, channels: [...rule.channels] })),
    channels: [...(await listChannels(ask))],
    history: [...(await listHistory(ask, HISTORY))],
  }
}

export function alertRoutes(server: RouteServer, { read, write, audit }: RouteContext): void {
  server.get(
    '/api/alerts',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'What fires now, rules, channels, history', response },
    },
    async () => alertsOf(read),
  )

  server.put(
    '/api/alerts/rules/:name',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Add or replace a rule; a mute stays',
        params,
        body: AlertRuleSchema,
        response,
      },
    },
    async (request) => {
      const rule = { ...request.body, name: request.params.name }
      await putRule(write, rule, false)
      const { name, kind, devices, types, rooms, above, below } = rule
      await audit(request, {
        action: 'alert rule changed',
        detail: { rule: name, kind, devices, types, rooms, above, below },
      })
      return alertsOf(write)
    },
  )

  server.delete(
    '/api/alerts/rules/:name',
    {
      config: { access: 'operator' },
      schema: { tags, summary: 'Remove a rule; its history stays', params, response },
    },
    async (request) => {
      const { name } = request.params
      if (!(await removeRule(write, name))) throw new QsError('NOT_FOUND', `There is no rule ${name}`)
      await audit(request, { action: 'alert rule removed', detail: { rule: name } })
      return alertsOf(write)
    },
  )

  server.post(
    '/api/alerts/rules/:name/mute',
    {
      config: { access: 'operator' },
      schema: { tags, summary: 'Send nothing of a rule for a time', params, body: AlertMuteSchema, response },
    },
    async (request) => {
      const { name } = request.params
      const { forSeconds } = request.body
      const until =
        forSeconds === null ? 'infinity' : forSeconds === 0 ? null : new Date(Date.now() + forSeconds * 1000)
      if (!(await muteRule(write, name, until))) throw new QsError('NOT_FOUND', `There is no rule ${name}`)
      const muted = until instanceof Date ? until.toISOString() : (until ?? 'no longer')
      await audit(request, { action: 'alert rule muted', detail: { rule: name, until: muted } })
      return alertsOf(write)
    },
  )

  server.post(
    '/api/alerts/channels/:name/test',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Send a test message through a channel',
        params,
        response: { 200: AlertTestSchema },
      },
    },
    async (request) => {
      const { name } = request.params
      const started = await startTest(write, name)
      await audit(request, { action: 'alert channel tested', detail: { channel: name } })
      const deadline = Date.now() + PATIENCE_MS
      let outcome = await testOutcome(write, started)
      while (outcome.kind === 'waiting' && Date.now() < deadline) {
        await wait(ASK_EVERY_MS)
        outcome = await testOutcome(write, started)
      }
      return { result: outcome.kind, error: outcome.kind === 'failed' ? outcome.error : null }
    },
  )
}
