// Express with SQL by hand: the statements have names, so that pg prepares each once per connection.

import pg from 'pg'
import { campaignCard, campaignPage, conversation, investment, message, notification, serve } from './server.js'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 8, idleTimeoutMillis: 0, application_name: 'peer-pg' })
const query = async (name, text, values) => (await pool.query({ name, text, values })).rows

const VISIBLE = `(c.status IN ('live', 'funded', 'failed', 'cancelled', 'settled') OR c.owner_id = $1
  OR ($2 IN ('moderator', 'admin') AND c.status IN ('in_review', 'rejected')))`
const CAMPAIGN = `c.id, c.title, c.slug, c.summary, k.slug AS category, c.status, c.outcome, c.goal_minor, c.max_minor,
  c.min_investment_minor, c.currency, c.raised_minor, c.reserved_minor, c.offered_minor, c.settled_minor,
  c.first_ends_at, c.investor_count, c.starts_at, c.ends_at,
  c.created_at, c.owner_id, o.first_name AS o_first_name, o.last_name AS o_last_name,
  o.profile_photo AS o_profile_photo, o.badges AS o_badges,
  (SELECT f.storage_name FROM campaigns_campaignmedia m JOIN uploads f ON f.id = m.file_id
    WHERE m.campaign_id = c.id ORDER BY m.position LIMIT 1) AS cover`
const CAMPAIGN_TABLES = `campaigns_campaign c JOIN accounts_user o ON o.id = c.owner_id
  JOIN campaigns_category k ON k.id = c.category_id`
const MESSAGE = `m.id, m.conversation_id, m.seq, m.content, m.client_id, m.created_at, m.edited_at, m.deleted_at,
  s.id AS s_id, s.first_name AS s_first_name, s.last_name AS s_last_name, s.profile_photo AS s_profile_photo,
  s.badges AS s_badges, r.id AS r_id, r.seq AS r_seq, r.content AS r_content, r.deleted_at AS r_deleted_at,
  t.id AS t_id, t.first_name AS t_first_name, t.last_name AS t_last_name, t.profile_photo AS t_profile_photo,
  t.badges AS t_badges`
const MESSAGE_TABLES = `chat_message m JOIN accounts_user s ON s.id = m.sender_id
  LEFT JOIN chat_message r ON r.id = m.reply_to_id LEFT JOIN accounts_user t ON t.id = r.sender_id`

const person = (row, prefix, id) => ({
  id,
  first_name: row[`${prefix}_first_name`],
  last_name: row[`${prefix}_last_name`],
  profile_photo: row[`${prefix}_profile_photo`],
  badges: row[`${prefix}_badges`],
})
const owner = (row) => person(row, 'o', row.owner_id)

function messageOf(row, pictures, hidden) {
  const reply = row.r_id && { id: row.r_id, seq: row.r_seq, content: row.r_content, deleted_at: row.r_deleted_at }
  return message(row, person(row, 's', row.s_id), reply, reply && person(row, 't', row.t_id), pictures.get(row.id), hidden)
}

async function hiddenFrom(viewer) {
  const rows = await query('hidden', 'SELECT person_id FROM accounts_hidden_from($1)', [viewer.id])
  return new Set(rows.map((row) => row.person_id))
}

async function picturesOf(messages) {
  const found = new Map()
  const rows = await query(
    'pictures',
    `SELECT a.message_id, f.id, f.content_type, f.width, f.height FROM chat_attachment a JOIN uploads f ON f.id = a.file_id
      WHERE a.message_id = ANY($1::uuid[]) ORDER BY a.message_id, a.position`,
    [messages.map((row) => row.id)],
  )
  for (const row of rows) {
    const picture = { id: row.id, type: row.content_type, width: row.width, height: row.height, alt: '' }
    found.set(row.message_id, [...(found.get(row.message_id) ?? []), picture])
  }
  return found
}

serve({
  async session(id, now) {
    const [row] = await query(
      'session',
      `SELECT u.* FROM accounts_session s JOIN accounts_user u ON u.id = s.user_id
        WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > $2`,
      [id, now],
    )
    return row
  },

  async campaigns(viewer, { limit, offset }) {
    const rows = await query(
      'campaigns',
      `SELECT ${CAMPAIGN} FROM ${CAMPAIGN_TABLES} WHERE ${VISIBLE}
        ORDER BY c.created_at DESC, c.id DESC LIMIT $3 OFFSET $4`,
      [viewer.id, viewer.role, limit, offset],
    )
    return rows.map((row) => campaignCard(row, owner(row)))
  },

  async campaign(viewer, id) {
    const [[row], media, [backing], [audience]] = await Promise.all([
      query(
        'campaign',
        `SELECT ${CAMPAIGN}, c.description, c.expected_return_percent, c.review_note, c.published_at, c.closed_at,
            c.settled_at, c.updated_at, c.version, c.rules, c.rules_version, c.country, c.time_zone, c.fiscal_year_end,
            c.terms_version FROM ${CAMPAIGN_TABLES} WHERE ${VISIBLE} AND c.id = $3`,
        [viewer.id, viewer.role, id],
      ),
      query(
        'campaign media',
        `SELECT f.id, f.storage_name, f.content_type, f.width, f.height, f.state, f.placeholder, f.duration_ms, f.alt,
            COALESCE((SELECT json_agg(r) FROM uploads_rendition r WHERE r.file_id = f.id), '[]') AS renditions
          FROM campaigns_campaignmedia m
          JOIN uploads f ON f.id = m.file_id WHERE m.campaign_id = $1 ORDER BY m.position`,
        [id],
      ),
      query(
        'backing',
        'SELECT committed_minor, since FROM campaigns_backing WHERE campaign_id = $1 AND backer_id = $2 AND committed_minor > 0',
        [id, viewer.id],
      ),
      query(
        'audience',
        `SELECT COALESCE((SELECT follower_count FROM campaigns_campaignaudience WHERE campaign_id = $1), 0)::int AS follower_count,
          EXISTS (SELECT FROM campaigns_campaignfollow WHERE campaign_id = $1 AND follower_id = $2) AS followed_by_me`,
        [id, viewer.id],
      ),
    ])
    return row && campaignPage(row, owner(row), media, backing ?? null, viewer, audience)
  },

  async member(viewer, id) {
    const [row] = await query(
      'member',
      `SELECT m.conversation_id, m.cleared_seq, c.type FROM chat_member m
         JOIN chat_conversation c ON c.id = m.conversation_id
        WHERE m.user_id = $1 AND m.conversation_id = $2 AND (m.gone_at_seq IS NULL OR c.last_seq > m.gone_at_seq)
          AND NOT c.is_blocked`,
      [viewer.id, id],
    )
    return row
  },

  async messages(viewer, member, { limit, offset }) {
    const hidden = member.type === 'group' ? hiddenFrom(viewer) : new Set()
    const rows = await query(
      'messages',
      `SELECT ${MESSAGE} FROM ${MESSAGE_TABLES} WHERE m.conversation_id = $1 AND m.seq > $2
        ORDER BY m.seq DESC LIMIT $3 OFFSET $4`,
      [member.conversation_id, member.cleared_seq, limit, offset],
    )
    const [pictures, those] = await Promise.all([picturesOf(rows), hidden])
    return rows.map((row) => messageOf(row, pictures, those))
  },

  async conversations(viewer, { limit, offset }) {
    const places = await query(
      'conversations',
      `SELECT m.conversation_id, m.last_read_seq, m.cleared_seq, m.muted, c.type, c.title, c.last_seq, c.active_at
         FROM chat_member m JOIN chat_conversation c ON c.id = m.conversation_id
        WHERE m.user_id = $1 AND (m.gone_at_seq IS NULL OR c.last_seq > m.gone_at_seq) AND NOT c.is_blocked
        ORDER BY c.active_at DESC, c.id DESC LIMIT $2 OFFSET $3`,
      [viewer.id, limit, offset],
    )
    const ids = places.map((place) => place.conversation_id)
    const [people, last, hidden] = await Promise.all([
      query(
        'participants',
        `SELECT * FROM (SELECT m.conversation_id, row_number() OVER (PARTITION BY m.conversation_id
              ORDER BY m.created_at, m.id) AS place, count(*) OVER (PARTITION BY m.conversation_id) AS total,
              u.id, u.first_name, u.last_name, u.profile_photo, u.badges
            FROM chat_member m JOIN accounts_user u ON u.id = m.user_id WHERE m.conversation_id = ANY($1::uuid[])) p
          WHERE place <= 20 ORDER BY conversation_id, place`,
        [ids],
      ),
      query(
        'last messages',
        `SELECT ${MESSAGE} FROM ${MESSAGE_TABLES} JOIN chat_conversation c ON c.id = m.conversation_id
          WHERE m.conversation_id = ANY($1::uuid[]) AND m.seq = c.last_seq`,
        [places.filter((p) => Number(p.last_seq) > Number(p.cleared_seq)).map((p) => p.conversation_id)],
      ),
      hiddenFrom(viewer),
    ])
    const pictures = await picturesOf(last)
    const groups = new Set(places.filter((place) => place.type === 'group').map((place) => place.conversation_id))
    const inGroup = (row) => groups.has(row.conversation_id)
    const lastOf = new Map(
      last.map((row) => [row.conversation_id, messageOf(row, pictures, inGroup(row) ? hidden : new Set())]),
    )
    const peopleOf = Map.groupBy ? Map.groupBy(people, (row) => row.conversation_id) : groupBy(people)
    return places.map((place) => {
      const those = peopleOf.get(place.conversation_id)
      return conversation(place, those, those[0].total, lastOf.get(place.conversation_id) ?? null)
    })
  },

  async notifications(viewer, { limit, offset }) {
    const [rows, [{ unread }]] = await Promise.all([
      query(
        'notifications',
        'SELECT * FROM notifications_notification WHERE user_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3',
        [viewer.id, limit, offset],
      ),
      query(
        'unread',
        'SELECT count(*)::int AS unread FROM notifications_notification WHERE user_id = $1 AND read_at IS NULL',
        [viewer.id],
      ),
    ])
    return { rows: rows.map(notification), unreadCount: unread }
  },

  async investments(viewer, { limit, offset }) {
    const rows = await query(
      'investments',
      `SELECT ${CAMPAIGN}, i.id AS i_id, i.amount_minor, i.currency AS i_currency, i.status AS i_status, i.reference,
          i.reflection_ends_at, i.created_at AS i_created_at, p.refunded_minor, p.action_url, p.failure_code,
          w.id AS w_id, w.type AS w_type, w.brand AS w_brand, w.last4 AS w_last4
        FROM investments_investment i JOIN investments_payment p ON p.investment_id = i.id
          JOIN investments_paymentmethod w ON w.id = i.method_id JOIN campaigns_campaign c ON c.id = i.campaign_id
          JOIN accounts_user o ON o.id = c.owner_id JOIN campaigns_category k ON k.id = c.category_id
        WHERE i.investor_id = $1 ORDER BY i.created_at DESC, i.id DESC LIMIT $2 OFFSET $3`,
      [viewer.id, limit, offset],
    )
    return rows.map((row) => {
      const own = { ...row, id: row.i_id, currency: row.i_currency, status: row.i_status, created_at: row.i_created_at }
      const method = { id: row.w_id, type: row.w_type, brand: row.w_brand, last4: row.w_last4 }
      return investment(own, row, owner(row), row, method)
    })
  },
})

function groupBy(rows) {
  const groups = new Map()
  for (const row of rows) groups.set(row.conversation_id, [...(groups.get(row.conversation_id) ?? []), row])
  return groups
}
