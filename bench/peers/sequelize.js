// Express with Sequelize: models, associations, `include`.

import { DataTypes, Op } from 'sequelize'
import { CARD, Rendition, StoredFile, User, db, id, session } from './database.js'
import { campaignCard, campaignPage, conversation, investment, message, notification, serve } from './server.js'

const { BIGINT, BOOLEAN, DATE, DECIMAL, INTEGER, JSONB, STRING, TEXT, UUID } = DataTypes

const Category = db.define('campaigns_category', { id, slug: STRING })
const Campaign = db.define('campaigns_campaign', {
  id, created_at: DATE, owner_id: UUID, category_id: UUID, title: STRING, slug: STRING, summary: STRING,
  description: TEXT, currency: STRING, goal_minor: BIGINT, max_minor: BIGINT, min_investment_minor: BIGINT,
  starts_at: DATE, ends_at: DATE, expected_return_percent: DECIMAL, status: STRING, review_note: TEXT,
  published_at: DATE, closed_at: DATE, outcome: STRING, settled_at: DATE, raised_minor: BIGINT, reserved_minor: BIGINT,
  offered_minor: BIGINT, settled_minor: BIGINT, first_ends_at: DATE, rules: STRING, rules_version: STRING,
  country: STRING, time_zone: STRING, fiscal_year_end: STRING, terms_version: INTEGER,
  investor_count: INTEGER, version: INTEGER, updated_at: DATE,
})
const CampaignMedia = db.define('campaigns_campaignmedia', { id, campaign_id: UUID, file_id: UUID, position: INTEGER })
const Backing = db.define('campaigns_backing', {
  id, campaign_id: UUID, backer_id: UUID, committed_minor: BIGINT, since: DATE,
})
const Audience = db.define('campaigns_campaignaudience', {
  campaign_id: { type: UUID, primaryKey: true }, follower_count: INTEGER,
})
const Follow = db.define('campaigns_campaignfollow', { id, campaign_id: UUID, follower_id: UUID })
const Conversation = db.define('chat_conversation', {
  id, type: STRING, title: STRING, last_seq: BIGINT, active_at: DATE, is_blocked: BOOLEAN,
})
const Member = db.define('chat_member', {
  id, created_at: DATE, conversation_id: UUID, user_id: UUID, last_read_seq: BIGINT, muted: BOOLEAN,
  cleared_seq: BIGINT, gone_at_seq: BIGINT,
})
const Message = db.define('chat_message', {
  id, created_at: DATE, conversation_id: UUID, seq: BIGINT, sender_id: UUID, client_id: UUID, content: TEXT,
  reply_to_id: UUID, edited_at: DATE, deleted_at: DATE,
})
const Attachment = db.define('chat_attachment', {
  id: { type: BIGINT, primaryKey: true }, message_id: UUID, file_id: UUID, position: INTEGER,
})
const Block = db.define('accounts_block', { id, blocker_id: UUID, blocked_id: UUID })
const Notification = db.define('notifications_notification', {
  id, created_at: DATE, user_id: UUID, kind: STRING, title: STRING, body: TEXT, data: JSONB, read_at: DATE,
  group_key: STRING, supersedes: UUID,
})
const PaymentMethod = db.define('investments_paymentmethod', { id, type: STRING, brand: STRING, last4: STRING })
const Investment = db.define('investments_investment', {
  id, created_at: DATE, campaign_id: UUID, investor_id: UUID, method_id: UUID, amount_minor: BIGINT, currency: STRING,
  status: STRING, reference: STRING, reflection_ends_at: DATE,
})
const Payment = db.define('investments_payment', {
  id, investment_id: UUID, refunded_minor: BIGINT, action_url: STRING, failure_code: STRING,
})

Campaign.belongsTo(User, { as: 'owner', foreignKey: 'owner_id' })
Campaign.belongsTo(Category, { as: 'kind', foreignKey: 'category_id' })
Campaign.hasMany(CampaignMedia, { as: 'media', foreignKey: 'campaign_id' })
CampaignMedia.belongsTo(StoredFile, { as: 'file', foreignKey: 'file_id' })
Member.belongsTo(Conversation, { as: 'conversation', foreignKey: 'conversation_id' })
Member.belongsTo(User, { as: 'user', foreignKey: 'user_id' })
Message.belongsTo(User, { as: 'sender', foreignKey: 'sender_id' })
Message.belongsTo(Message, { as: 'reply', foreignKey: 'reply_to_id' })
Message.hasMany(Attachment, { as: 'attachments', foreignKey: 'message_id' })
Attachment.belongsTo(StoredFile, { as: 'file', foreignKey: 'file_id' })
Investment.belongsTo(Campaign, { as: 'campaign', foreignKey: 'campaign_id' })
Investment.belongsTo(PaymentMethod, { as: 'method', foreignKey: 'method_id' })
Investment.hasOne(Payment, { as: 'payment', foreignKey: 'investment_id' })

const CAMPAIGN_CARD = [
  'id', 'title', 'slug', 'summary', 'status', 'outcome', 'goal_minor', 'max_minor', 'min_investment_minor', 'currency',
  'raised_minor', 'reserved_minor', 'offered_minor', 'settled_minor', 'first_ends_at', 'investor_count', 'starts_at', 'ends_at', 'created_at', 'owner_id',
]
// Functions, since Sequelize changes the objects that it is given.
const owner = () => ({ model: User, as: 'owner', attributes: CARD })
const kind = () => ({ model: Category, as: 'kind', attributes: ['slug'] })
const media = () => ({
  model: CampaignMedia, as: 'media', attributes: ['position'], separate: true, order: ['position'],
  include: { model: StoredFile, as: 'file' },
})
const pictures = () => ({
  ...media(),
  include: { model: StoredFile, as: 'file', include: { model: Rendition, as: 'renditions' } },
})
const sender = () => ({ model: User, as: 'sender', attributes: CARD })
const messageParts = () => [
  sender(),
  { model: Message, as: 'reply', attributes: ['id', 'seq', 'content', 'deleted_at'], include: sender() },
  { model: Attachment, as: 'attachments', separate: true, order: ['position'], include: { model: StoredFile, as: 'file' } },
]

const visibleTo = (viewer) => {
  const seen = [{ status: ['live', 'funded', 'failed', 'cancelled', 'settled'] }, { owner_id: viewer.id }]
  if (['moderator', 'admin'].includes(viewer.role)) seen.push({ status: ['in_review', 'rejected'] })
  return { [Op.or]: seen }
}
const there = {
  '$conversation.is_blocked$': false,
  [Op.or]: [
    { gone_at_seq: null },
    { '$conversation.last_seq$': { [Op.gt]: db.col('chat_member.gone_at_seq') } },
  ],
}
const cardOf = (row) => campaignCard(cardShape(row), row.owner)
const messageOf = (row, hidden) =>
  message(
    row,
    row.sender,
    row.reply,
    row.reply?.sender,
    row.attachments.map(({ file }) => ({
      id: file.id, type: file.content_type, width: file.width, height: file.height, alt: '',
    })),
    hidden,
  )
const hiddenFrom = async (viewer) => {
  const blocks = await Block.findAll({ where: { [Op.or]: [{ blocker_id: viewer.id }, { blocked_id: viewer.id }] } })
  return new Set(blocks.map((block) => (block.blocker_id === viewer.id ? block.blocked_id : block.blocker_id)))
}

serve({
  session,

  async campaigns(viewer, range) {
    const order = [['created_at', 'DESC'], ['id', 'DESC']]
    const where = visibleTo(viewer)
    const rows = await Campaign.findAll({ where, attributes: CAMPAIGN_CARD, include: [owner(), kind(), media()], order, ...range })
    return rows.map(cardOf)
  },

  async campaign(viewer, campaignId) {
    const [row, backing, audience, following] = await Promise.all([
      Campaign.findOne({ where: { id: campaignId, ...visibleTo(viewer) }, include: [owner(), kind(), pictures()] }),
      Backing.findOne({ where: { campaign_id: campaignId, backer_id: viewer.id, committed_minor: { [Op.gt]: 0 } } }),
      Audience.findOne({ where: { campaign_id: campaignId } }),
      Follow.count({ where: { campaign_id: campaignId, follower_id: viewer.id } }),
    ])
    if (!row) return null
    const files = row.media.map((picture) => picture.file)
    const columns = { ...row.dataValues, category: row.kind.slug, cover: files[0]?.storage_name }
    const follows = { follower_count: audience?.follower_count ?? 0, followed_by_me: following > 0 }
    return campaignPage(columns, row.owner, files, backing, viewer, follows)
  },

  member(viewer, conversationId) {
    const where = { user_id: viewer.id, conversation_id: conversationId, ...there }
    return Member.findOne({ where, include: { model: Conversation, as: 'conversation' } })
  },

  async messages(viewer, member, range) {
    const where = { conversation_id: member.conversation_id, seq: { [Op.gt]: member.cleared_seq } }
    const [rows, hidden] = await Promise.all([
      Message.findAll({ where, include: messageParts(), order: [['seq', 'DESC']], ...range }),
      member.conversation.type === 'group' ? hiddenFrom(viewer) : new Set(),
    ])
    return rows.map((row) => messageOf(row, hidden))
  },

  async conversations(viewer, range) {
    const places = await Member.findAll({
      where: { user_id: viewer.id, ...there },
      include: { model: Conversation, as: 'conversation' },
      order: [[db.col('conversation.active_at'), 'DESC'], [db.col('conversation.id'), 'DESC']],
      ...range,
    })
    const visible = places.filter((p) => Number(p.conversation.last_seq) > Number(p.cleared_seq))
    const [people, last, hidden] = await Promise.all([
      Member.findAll({
        where: { conversation_id: places.map((place) => place.conversation_id) },
        include: { model: User, as: 'user', attributes: CARD },
        order: ['created_at', 'id'],
      }),
      Message.findAll({
        where: { [Op.or]: visible.map((p) => ({ conversation_id: p.conversation_id, seq: p.conversation.last_seq })) },
        include: messageParts(),
      }),
      hiddenFrom(viewer),
    ])
    const groups = new Set(places.filter((p) => p.conversation.type === 'group').map((p) => p.conversation_id))
    const hiddenIn = (row) => (groups.has(row.conversation_id) ? hidden : new Set())
    const lastOf = new Map(last.map((row) => [row.conversation_id, messageOf(row, hiddenIn(row))]))
    return places.map((place) => {
      const those = people.filter((member) => member.conversation_id === place.conversation_id)
      const shown = those.slice(0, 20).map((member) => member.user)
      const columns = { ...place.conversation.dataValues, ...place.dataValues }
      return conversation(columns, shown, those.length, lastOf.get(place.conversation_id) ?? null)
    })
  },

  async notifications(viewer, range) {
    const [rows, unreadCount] = await Promise.all([
      Notification.findAll({ where: { user_id: viewer.id }, order: [['id', 'DESC']], ...range }),
      Notification.count({ where: { user_id: viewer.id, read_at: null } }),
    ])
    return { rows: rows.map(notification), unreadCount }
  },

  async investments(viewer, range) {
    const rows = await Investment.findAll({
      where: { investor_id: viewer.id },
      include: [
        { model: Campaign, as: 'campaign', attributes: CAMPAIGN_CARD, include: [owner(), kind(), media()] },
        { model: PaymentMethod, as: 'method' },
        { model: Payment, as: 'payment' },
      ],
      order: [['created_at', 'DESC'], ['id', 'DESC']],
      ...range,
    })
    return rows.map((row) => investment(row, cardShape(row.campaign), row.campaign.owner, row.payment, row.method))
  },
})

function cardShape(row) {
  return { ...row.dataValues, category: row.kind.slug, cover: row.media[0]?.file.storage_name }
}
