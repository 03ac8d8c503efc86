// Tracking by Express with pg, zod and rate-limiter-flexible: the same checks, the same limit of each person, counted in
// Redis, and the same durable write as ours, in a statement by hand.

import { createHash, randomUUID } from 'node:crypto'
import express from 'express'
import { Redis } from 'ioredis'
import pg from 'pg'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { z } from 'zod'
import { Refused, serve } from './server.js'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 8, idleTimeoutMillis: 0, application_name: 'peer-tracking' })
const query = async (name, text, values) => (await pool.query({ name, text, values })).rows

const perPerson = new RateLimiterRedis({ storeClient: new Redis(process.env.REDIS_URL), keyPrefix: 'peer', points: 12_000, duration: 60 })
const limit = (user, points) => perPerson.consume(user.id, points).catch(() => { throw new Refused(429, 'Too many') })

const NAMES = {
  page_view: { title: 'string', durationMs: 'number' },
  search: { type: 'string', results: 'number' },
  campaign_view: {},
  campaign_click: { target: 'string' },
}
const AHEAD = 5 * 60_000
const LATEST = 72 * 3600_000
const MAIL = /[^\s@<>"']+@[^\s@<>"']+\.[^\s@<>"'.]{2,}/
const PHONE = /(?<!\w)(?:\+|00)[ (]{0,2}[1-9](?:[ ().-]{0,2}\d){7,13}(?!\d)/
const LONG_NUMBER = /(?<![\w-])\d(?:[ -]?\d){11,18}(?![\w-])/
const IBAN = /(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?!\w)/
const DOCUMENT_LINE = /[PIACV][A-Z<][A-Z<]{3}[A-Z0-9<]{20,}/
const PERSONAL = new Set(['email', 'mail', 'phone', 'mobile', 'password', 'token', 'cardnumber', 'cvv', 'iban', 'ssn', 'passport', 'firstname', 'lastname'])

const event = z.strictObject({
  eventType: z.string().regex(/^[a-z][a-z0-9_.]{0,59}$/),
  eventId: z.uuid().nullish(),
  at: z.iso.datetime({ offset: true }).nullish(),
  eventData: z.record(z.string(), z.unknown()).nullish(),
  campaignId: z.uuid().nullish(),
  subjectId: z.uuid().nullish(),
  page: z.string().max(2000).nullish(),
  referrer: z.string().max(2000).nullish(),
})
const single = z.object({ eventType: z.string().max(60), eventData: z.record(z.string(), z.unknown()).optional() })
const batch = z.object({ events: z.array(z.unknown()).min(1).max(1000), sentAt: z.iso.datetime({ offset: true }).optional() })

function refuseText(text) {
  if (text.includes('\0')) throw new Refused(400, 'NUL')
  if (MAIL.test(text) || DOCUMENT_LINE.test(text)) throw new Refused(400, 'Personal data')
  if (/\d/.test(text) && (LONG_NUMBER.test(text) || PHONE.test(text) || IBAN.test(text))) throw new Refused(400, 'Personal data')
}

function refusePersonalData(value) {
  if (typeof value === 'string' || typeof value === 'number') refuseText(String(value))
  else if (Array.isArray(value)) value.forEach(refusePersonalData)
  else if (value && typeof value === 'object') {
    for (const [name, member] of Object.entries(value)) {
      if (PERSONAL.has(name.replaceAll(/[_-]/g, '').toLowerCase())) throw new Refused(400, 'Personal data')
      refuseText(name)
      refusePersonalData(member)
    }
  }
}

const count = (value) =>
  Array.isArray(value)
    ? value.reduce((sum, member) => sum + count(member), 0)
    : value && typeof value === 'object'
      ? Object.values(value).reduce((sum, member) => sum + 1 + count(member), 0)
      : 0

function source(page, referrer) {
  const address = new URL(page || '/', 'http://bench.example')
  const named = address.searchParams.get('utm_source')
  if (named) return { page: address.pathname, source: named.toLowerCase(), medium: address.searchParams.get('utm_medium') ?? 'campaign' }
  const host = referrer ? new URL(referrer, 'http://bench.example').hostname.replace(/^www\./, '') : ''
  return { page: page ? address.pathname : '', source: host === 'bench.example' ? '' : host, medium: host ? 'referral' : '' }
}

function read(given, user, now, skew) {
  const { eventType, eventId, at, eventData, campaignId, subjectId, page, referrer } = event.parse(given)
  const properties = eventData ?? {}
  if (count(properties) > 50) throw new Refused(400, 'Too many properties')
  if (Buffer.byteLength(JSON.stringify(properties)) > 8192) throw new Refused(400, 'Properties too large')
  refusePersonalData(properties)
  const types = NAMES[eventType]
  for (const [name, type] of Object.entries(types ?? {})) {
    if (properties[name] !== undefined && typeof properties[name] !== type) throw new Refused(400, 'Another type')
  }
  const moment = at ? new Date(at).getTime() + skew : now
  if (moment > now + AHEAD || moment < now - LATEST) throw new Refused(400, 'Another time')
  refuseText(page ?? '')
  const id = eventId
    ? createHash('sha256').update(user.id + eventId).digest('hex').slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    : randomUUID()
  return {
    id, name: eventType, occurred_at: new Date(moment), received_at: new Date(now), audience: 'person',
    has_own_id: Boolean(eventId), is_known: types !== undefined, user_id: user.id, campaign_id: campaignId,
    subject_id: subjectId, ...source(page, referrer), label: '', properties,
  }
}

async function append(events) {
  const rows = await query(
    'append',
    `WITH incoming AS MATERIALIZED (
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS e(id uuid, name text, occurred_at timestamptz, received_at timestamptz,
         audience text, has_own_id boolean, is_known boolean, user_id uuid, campaign_id uuid, subject_id uuid, page text,
         source text, medium text, label text, properties jsonb)
     ), fresh AS (
       INSERT INTO analytics_receivedid (id, received_at) SELECT id, received_at FROM incoming WHERE has_own_id ORDER BY id
       ON CONFLICT DO NOTHING RETURNING id
     )
     INSERT INTO analytics_rawevent (id, name, occurred_at, received_at, audience, is_known, user_id, visitor_id, campaign_id,
       subject_id, page, source, medium, label, properties)
     SELECT id, name, occurred_at, received_at, audience, is_known, user_id, NULL, campaign_id, subject_id, page, source,
       medium, label, properties FROM incoming WHERE NOT has_own_id OR id IN (SELECT id FROM fresh) RETURNING id`,
    [JSON.stringify(events)],
  )
  return new Set(rows.map((row) => row.id))
}

async function visible(user, ids) {
  if (!ids.length) return new Set()
  const rows = await query(
    'campaigns',
    `SELECT id FROM campaigns_campaign WHERE id = ANY($1::uuid[])
       AND (status IN ('live', 'funded', 'failed', 'cancelled', 'settled') OR owner_id = $2)`,
    [ids, user.id],
  )
  return new Set(rows.map((row) => row.id))
}

async function take(given, user, sentAt) {
  const now = Date.now()
  const skew = sentAt && Math.abs(now - new Date(sentAt)) > AHEAD ? now - new Date(sentAt) : 0
  const items = given.map((one, index) => {
    try {
      return { index, event: read(one, user, now, skew) }
    } catch (error) {
      return { index, status: 'refused', detail: error.message }
    }
  })
  const seen = await visible(user, [...new Set(items.map((item) => item.event?.campaign_id).filter(Boolean))])
  for (const item of items) {
    if (item.event?.campaign_id && !seen.has(item.event.campaign_id)) Object.assign(item, { event: null, status: 'refused', detail: 'No such campaign' })
  }
  const good = new Map(items.filter((item) => item.event).map((item) => [item.event.id, item.event]))
  const written = good.size ? await append([...good.values()]) : new Set()
  for (const item of items) {
    if (item.event) item.status = written.has(item.event.id) ? 'stored' : 'duplicate'
    delete item.event
  }
  return items
}

async function session(sid, now) {
  const [found] = await query(
    'session',
    `SELECT u.* FROM accounts_session s JOIN accounts_user u ON u.id = s.user_id
      WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > $2`,
    [sid, now],
  )
  return found
}

serve({ session }, (app) => {
  const json = express.json({ limit: '5mb' })
  app.post('/api/analytics/track/event', json, async (request, response) => {
    await limit(request.user, 1)
    const [item] = await take([single.parse(request.body)], request.user)
    if (item.status === 'refused') throw new Refused(400, item.detail)
    response.json({ message: 'Event tracked successfully', status: item.status })
  })
  app.post('/api/analytics/track/batch', json, async (request, response) => {
    const { events, sentAt } = batch.parse(request.body)
    await limit(request.user, events.length)
    const items = await take(events, request.user, sentAt)
    const number = (status) => items.filter((item) => item.status === status).length
    response.json({ stored: number('stored'), duplicates: number('duplicate'), ignored: 0, refused: number('refused'), items })
  })
})
