// What both peers share: Express, the bearer token, its session, the shapes of the answers.
//
//   DATABASE_URL=... JWT_KEY=... MEDIA_URL=... PORT=... PEER=... node pg.js      (or sequelize.js, community.js)
//
// `store` answers each question from the database: `session`, `campaigns`, `campaign`, `conversation`, `messages`,
// `conversations`, `notifications`, `investments`. community.js has routes of its own.

import express from 'express'
import jwt from 'jsonwebtoken'
import { z } from 'zod'

const { JWT_KEY, MEDIA_URL, PORT } = process.env

const pageQuery = (limit) =>
  z.object({
    page: z.coerce.number().int().min(1).max(10_000).default(1),
    limit: z.coerce.number().int().min(1).max(100).default(limit),
  })
export const ten = pageQuery(10)
const fifty = pageQuery(50)

export class Refused extends Error {
  constructor(status, title) {
    super(title)
    this.status = status
  }
}

export const money = (minor) => (minor === null ? null : (Number(minor) / 100).toFixed(2))
export const card = (p) => ({
  id: p.id,
  firstName: p.first_name,
  lastName: p.last_name,
  profilePhoto: p.profile_photo || null,
  badges: p.badges,
})
export const mediaUrl = (name) => (name ? MEDIA_URL + name : null)

export const mediaCard = (file) => {
  const isVideo = file.content_type.startsWith('video/')
  const renditions = file.renditions.toSorted((a, b) => a.width - b.width)
  const poster = renditions.find((one) => one.kind === 'poster')
  return {
    id: file.id,
    url: mediaUrl(file.storage_name),
    kind: isVideo ? 'video' : 'image',
    type: file.content_type,
    width: file.width,
    height: file.height,
    alt: file.alt || null,
    processing: file.state === 'processing',
    failed: file.state === 'failed' && isVideo,
    placeholder: file.placeholder || null,
    sizes: renditions
      .filter((one) => one.kind === 'size')
      .map((one) => ({ width: one.width, height: one.height, url: mediaUrl(one.storage_name) })),
    poster: poster ? mediaUrl(poster.storage_name) : null,
    durationSeconds: file.duration_ms === null ? null : file.duration_ms / 1000,
  }
}

export const campaignCard = (c, owner) => ({
  id: c.id,
  title: c.title,
  slug: c.slug,
  summary: c.summary,
  category: c.category,
  status: c.status,
  outcome: c.outcome || null,
  phase: phase(c),
  acceptsInvestments: phase(c) === 'open' && available(c) > 0,
  owner: card(owner),
  goalAmount: money(c.goal_minor),
  maxAmount: money(c.max_minor),
  minInvestment: money(c.min_investment_minor),
  currency: c.currency,
  raisedAmount: money(c.raised_minor),
  reservedAmount: money(Number(c.reserved_minor) + Number(c.offered_minor)),
  committedAmount: money(Number(c.raised_minor) - Number(c.settled_minor)),
  settledAmount: money(c.settled_minor),
  investorCount: c.investor_count,
  progressPercent: Math.floor((Number(c.raised_minor) * 10_000) / Number(c.goal_minor)) / 100,
  startsAt: c.starts_at,
  endsAt: deadline(c),
  coverImage: mediaUrl(c.cover),
  shareUrl: PUBLIC.includes(c.status) ? `${process.env.PUBLIC_URL}/s/campaign/${c.id}` : null,
  createdAt: c.created_at,
})

export const campaignPage = (c, owner, media, backing, viewer, audience) => ({
  ...campaignCard(c, owner),
  description: c.description,
  expectedReturnPercent: c.expected_return_percent === null ? null : Number(c.expected_return_percent),
  media: media.map(mediaCard),
  myInvestment: backing && { amount: money(backing.committed_minor), currency: c.currency, since: backing.since },
  rules: c.rules,
  rulesVersion: c.rules_version || null,
  country: c.country || null,
  timeZone: c.time_zone,
  fiscalYearEnd: c.fiscal_year_end,
  termsVersion: c.terms_version,
  firstEndsAt: c.first_ends_at,
  followerCount: audience.follower_count,
  followedByMe: audience.followed_by_me,
  missing: null,
  history: null,
  reporting: null,
  authorRole: backing ? 'investor' : null,
  reviewNote: (c.owner_id === viewer.id && c.review_note) || null,
  publishedAt: c.published_at,
  closedAt: c.closed_at,
  settledAt: c.settled_at,
  updatedAt: c.updated_at,
  version: c.version,
})

// What may be done on the page (`allowedActions`) is ours alone, and so are its fees.
const PUBLIC = ['live', 'funded', 'failed', 'cancelled', 'settled']
const CANCEL_WINDOW = 48 * 3_600_000

function deadline(c) {
  const missed = c.first_ends_at && c.status === 'live' && c.ends_at <= new Date() && !Number(c.reserved_minor) &&
    Number(c.raised_minor) < Number(c.goal_minor)
  return missed ? c.first_ends_at : c.ends_at
}

function phase(c) {
  const now = new Date()
  if (c.status !== 'live' || c.starts_at === null) return c.status
  if (now < c.starts_at) return 'upcoming'
  return now < deadline(c) ? 'open' : 'ended'
}

const available = (c) =>
  Number(c.max_minor ?? 1e15) - Number(c.raised_minor) - Number(c.reserved_minor) - Number(c.offered_minor)

// `hidden` has the ids of those whom a block hides from the viewer: of their messages in a group only the place is left.
export const message = (m, sender, reply, replySender, media = [], hidden = new Set()) => {
  const place = { id: m.id, conversationId: m.conversation_id, seq: Number(m.seq), createdAt: m.created_at }
  if (hidden.has(sender.id)) {
    const nothing = { sender: null, content: '', media: [], replyTo: null, clientId: null, editedAt: null, deletedAt: null }
    return { ...place, ...nothing, hidden: true }
  }
  return {
    ...place,
    sender: card(sender),
    content: m.content,
    media,
    replyTo: reply && repliedTo(reply, replySender, hidden),
    clientId: m.client_id,
    editedAt: m.edited_at,
    deletedAt: m.deleted_at,
    hidden: false,
  }
}

const repliedTo = (reply, sender, hidden) => {
  const place = { id: reply.id, seq: Number(reply.seq) }
  if (hidden.has(sender.id)) return { ...place, sender: null, content: '', deletedAt: null, hidden: true }
  return { ...place, sender: card(sender), content: reply.content.slice(0, 200), deletedAt: reply.deleted_at, hidden: false }
}

export const conversation = (place, participants, total, last) => ({
  id: place.conversation_id,
  type: place.type,
  title: place.title || null,
  participants: participants.map(card),
  participantCount: Number(total),
  lastMessage: last,
  lastSeq: Number(place.last_seq),
  unreadCount: Number(place.last_seq) - Number(place.last_read_seq),
  muted: place.muted,
  updatedAt: place.active_at,
})

export const notification = (n) => ({
  id: n.id,
  kind: n.kind,
  title: n.title,
  body: n.body,
  data: n.data,
  readAt: n.read_at,
  createdAt: n.created_at,
  groupKey: n.group_key || null,
  supersedes: n.supersedes,
})

export const investment = (i, campaign, owner, payment, method) => ({
  id: i.id,
  campaign: campaignCard(campaign, owner),
  amount: money(i.amount_minor),
  refundedAmount: money(payment.refunded_minor),
  currency: i.currency,
  status: i.status,
  reference: i.reference,
  paymentMethod: { id: method.id, type: method.type, brand: method.brand, last4: method.last4 },
  nextAction: payment.action_url ? { type: 'redirect', url: payment.action_url } : null,
  failureCode: payment.failure_code || null,
  cancellableUntil: i.reflection_ends_at ?? new Date(deadline(campaign) - CANCEL_WINDOW),
  createdAt: i.created_at,
})

const me = (u) => ({
  id: u.id,
  email: u.email,
  firstName: u.first_name,
  lastName: u.last_name,
  phoneNumber: u.phone_number || null,
  profilePhoto: u.profile_photo || null,
  coverPhoto: u.cover_photo || null,
  bio: u.bio,
  location: u.location,
  website: u.website,
  emailVerified: u.email_verified_at !== null,
  phoneVerified: u.phone_verified_at !== null,
  kycVerified: u.identity_verified_at !== null,
  twoFactorEnabled: u.two_factor_enabled_at !== null,
  role: u.role,
  status: u.status,
  createdAt: u.created_at,
  updatedAt: u.updated_at,
})

// One row more than the page tells whether there are more.
export const page = (rows, { page, limit }) => ({ items: rows.slice(0, limit), page, limit, hasMore: rows.length > limit })
export const range = ({ page, limit }) => ({ limit: limit + 1, offset: (page - 1) * limit })

export function serve(store, addRoutes = hotReads) {
  const app = express()
  app.disable('x-powered-by')
  app.set('etag', false)

  app.use('/api', async (request, response, next) => {
    const [scheme, token] = (request.headers.authorization ?? '').split(' ')
    if (scheme !== 'Bearer') throw new Refused(401, 'No token')
    let claims
    try {
      claims = jwt.verify(token, JWT_KEY, { algorithms: ['HS256'] })
    } catch {
      throw new Refused(401, 'Token not valid')
    }
    request.user = await store.session(claims.sid, new Date())
    if (!request.user || request.user.status !== 'active') throw new Refused(401, 'Token not valid')
    response.set('Cache-Control', 'no-store')
    next()
  })

  app.get('/api/auth/me', (request, response) => response.json(me(request.user)))
  addRoutes(app, store)

  app.use((error, request, response, next) => {
    const status = error instanceof z.ZodError ? 400 : (error.status ?? 500)
    if (status === 500) console.error(error)
    response.status(status).json({ status, title: status === 500 ? 'Internal error' : error.message })
  })
  app.listen(Number(PORT), '127.0.0.1')
}

function hotReads(app, store) {
  app.get('/api/campaigns', async (request, response) => {
    const query = ten.parse(request.query)
    response.json(page(await store.campaigns(request.user, range(query)), query))
  })
  app.get('/api/campaigns/:id', async (request, response) => {
    const found = await store.campaign(request.user, z.uuid().parse(request.params.id))
    if (!found) throw new Refused(404, 'Not found')
    response.json(found)
  })
  app.get('/api/chat/conversations', async (request, response) => {
    const query = ten.parse(request.query)
    response.json(page(await store.conversations(request.user, range(query)), query))
  })
  app.get('/api/chat/conversations/:id/messages', async (request, response) => {
    const query = fifty.parse(request.query)
    const member = await store.member(request.user, z.uuid().parse(request.params.id))
    if (!member) throw new Refused(404, 'Not found')
    response.json(page(await store.messages(request.user, member, range(query)), query))
  })
  app.get('/api/notifications', async (request, response) => {
    const query = ten.parse(request.query)
    const { rows, unreadCount } = await store.notifications(request.user, range(query))
    response.json({ ...page(rows, query), unreadCount })
  })
  app.get('/api/investments', async (request, response) => {
    const query = ten.parse(request.query)
    response.json(page(await store.investments(request.user, range(query)), query))
  })
}
