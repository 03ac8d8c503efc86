// The community's pages by Express with Sequelize: models, associations, `include`, and the visibility rule as a `where`.

import { DataTypes, Op } from 'sequelize'
import { CARD, Rendition, StoredFile, User, db, id, session } from './database.js'
import { Refused, card, mediaCard, page, range, serve, ten } from './server.js'
import { z } from 'zod'

const { DATE, INTEGER, JSONB, STRING, TEXT, UUID } = DataTypes

const Group = db.define('social_group', { id, name: STRING, visibility: STRING, hidden_at: DATE })
const Channel = db.define('social_channel', { id, name: STRING, hidden_at: DATE })
const Membership = db.define('social_membership', { id, group_id: UUID, user_id: UUID, status: STRING })
const ChannelMember = db.define('social_channelmember', { id, channel_id: UUID, user_id: UUID })
const Campaign = db.define('campaigns_campaign', { id, title: STRING, slug: STRING })
const Post = db.define('social_post', {
  id, created_at: DATE, author_id: UUID, content: TEXT, visibility: STRING, group_id: UUID, channel_id: UUID,
  campaign_id: UUID, author_role: STRING, edited_at: DATE, deleted_at: DATE, hidden_at: DATE, held_at: DATE,
})
const PostCounts = db.define('social_postcounts', {
  post_id: { type: UUID, primaryKey: true }, like_count: INTEGER, comment_count: INTEGER, reactions: JSONB,
})
const PostMedia = db.define('social_postmedia', { id, post_id: UUID, file_id: UUID, position: INTEGER })
const PostTag = db.define('social_posttag', { id, post_id: UUID, tag: STRING })
const PostMention = db.define('social_postmention', { id, post_id: UUID, user_id: UUID })
const Reaction = db.define('social_reaction', { id, post_id: UUID, user_id: UUID, emoji: STRING })
const Comment = db.define('social_comment', {
  id, created_at: DATE, post_id: UUID, parent_id: UUID, author_id: UUID, content: TEXT, author_role: STRING,
  replies_count: INTEGER, like_count: INTEGER, edited_at: DATE, deleted_at: DATE, hidden_at: DATE, held_at: DATE,
})
const CommentMention = db.define('social_commentmention', { id, comment_id: UUID, user_id: UUID })
const CommentLike = db.define('social_commentlike', { id, comment_id: UUID, user_id: UUID })

Post.belongsTo(User, { as: 'author', foreignKey: 'author_id' })
Post.belongsTo(Group, { as: 'group', foreignKey: 'group_id' })
Post.belongsTo(Channel, { as: 'channel', foreignKey: 'channel_id' })
Post.belongsTo(Campaign, { as: 'campaign', foreignKey: 'campaign_id' })
Post.hasOne(PostCounts, { as: 'counts', foreignKey: 'post_id' })
Post.hasMany(PostMedia, { as: 'media', foreignKey: 'post_id' })
Post.hasMany(PostTag, { as: 'tags', foreignKey: 'post_id' })
Post.hasMany(PostMention, { as: 'mentions', foreignKey: 'post_id' })
Post.hasMany(Reaction, { as: 'mine', foreignKey: 'post_id' })
PostMedia.belongsTo(StoredFile, { as: 'file', foreignKey: 'file_id' })
PostMention.belongsTo(User, { as: 'user', foreignKey: 'user_id' })
Comment.belongsTo(User, { as: 'author', foreignKey: 'author_id' })
Comment.hasMany(CommentMention, { as: 'mentions', foreignKey: 'comment_id' })
Comment.hasMany(CommentLike, { as: 'mine', foreignKey: 'comment_id' })
CommentMention.belongsTo(User, { as: 'user', foreignKey: 'user_id' })

// --- Who sees what --------------------------------------------------------------------------------------------------

const isModerator = (viewer) => ['moderator', 'admin'].includes(viewer.role)
const notHidden = (viewer, column) => {
  const me = db.escape(viewer.id)
  return db.literal(`NOT EXISTS (SELECT FROM accounts_block b WHERE (b.blocker_id = ${me} AND b.blocked_id = ${column})
                                                                 OR (b.blocked_id = ${me} AND b.blocker_id = ${column}))`)
}
const isMember = (me) => `EXISTS (SELECT FROM social_membership m
  WHERE m.group_id = "social_post"."group_id" AND m.user_id = ${me} AND m.status = 'member')`
const isBanned = (me) => `EXISTS (SELECT FROM social_membership m
  WHERE m.group_id = "social_post"."group_id" AND m.user_id = ${me} AND m.status = 'banned')`
const isSubscriber = (me) => `EXISTS (SELECT FROM social_channelmember m
  WHERE m.channel_id = "social_post"."channel_id" AND m.user_id = ${me})`
const isFollower = (me) => `EXISTS (SELECT FROM social_follow f
  WHERE f.follower_id = ${me} AND f.followed_id = "social_post"."author_id")`

// Which posts somebody may read; with the associations `author`, `group` and `channel`.
function visibleTo(viewer) {
  if (isModerator(viewer)) return { deleted_at: null, [Op.or]: [{ visibility: { [Op.ne]: 'private' } }, { author_id: viewer.id }] }
  const me = db.escape(viewer.id)
  const audience = {
    [Op.or]: [
      { visibility: 'public', group_id: null },
      { '$group.visibility$': 'public', [Op.and]: db.literal(`NOT ${isBanned(me)}`) },
      { group_id: { [Op.ne]: null }, [Op.and]: db.literal(isMember(me)) },
      { visibility: 'followers', channel_id: { [Op.ne]: null }, [Op.and]: db.literal(isSubscriber(me)) },
      { visibility: 'followers', channel_id: null, group_id: null, [Op.and]: db.literal(isFollower(me)) },
    ],
  }
  const shown = {
    '$author.status$': 'active', hidden_at: null, held_at: null, '$group.hidden_at$': null, '$channel.hidden_at$': null,
    [Op.and]: [notHidden(viewer, '"social_post"."author_id"'), audience],
  }
  return { deleted_at: null, [Op.or]: [{ author_id: viewer.id }, shown] }
}

// Which comments under a post that somebody may read they see; with the association `author`.
function commentsFor(viewer) {
  if (isModerator(viewer)) return {}
  const shown = {
    '$author.status$': 'active', held_at: null, [Op.and]: notHidden(viewer, '"social_comment"."author_id"'),
  }
  return { [Op.or]: [{ deleted_at: { [Op.ne]: null } }, { author_id: viewer.id }, shown] }
}

async function accessPerson(viewer, userId) {
  const where = { id: userId, status: { [Op.ne]: 'deleted' }, [Op.and]: notHidden(viewer, '"accounts_user"."id"') }
  if (!(await User.findOne({ where, attributes: ['id'] }))) throw new Refused(404, 'Not found')
}

async function accessGroup(viewer, groupId) {
  const inside = `EXISTS (SELECT FROM social_membership m WHERE m.group_id = "social_group"."id"
    AND m.user_id = ${db.escape(viewer.id)} AND m.status IN ('member', 'invited'))`
  const shown = { hidden_at: null, [Op.or]: [{ visibility: { [Op.ne]: 'secret' } }, db.literal(inside)] }
  const where = isModerator(viewer) ? { id: groupId } : { id: groupId, ...shown }
  if (!(await Group.findOne({ where, attributes: ['id'] }))) throw new Refused(404, 'Not found')
}

async function accessPost(viewer, postId) {
  const places = [
    { model: User, as: 'author', attributes: [] },
    { model: Group, as: 'group', attributes: [] },
    { model: Channel, as: 'channel', attributes: [] },
  ]
  const where = { id: postId, ...visibleTo(viewer) }
  if (!(await Post.findOne({ where, attributes: ['id'], include: places }))) throw new Refused(404, 'Not found')
}

// --- What they show -------------------------------------------------------------------------------------------------

const mentioned = (viewer) => ({
  as: 'mentions', separate: true, order: ['id'],
  include: {
    model: User, as: 'user', attributes: CARD, required: true,
    where: { status: 'active', [Op.and]: notHidden(viewer, '"user"."id"') },
  },
})
const parts = (viewer) => [
  { model: User, as: 'author', attributes: [...CARD, 'status'], required: true },
  { model: Group, as: 'group', attributes: ['id', 'name', 'visibility', 'hidden_at'] },
  { model: Channel, as: 'channel', attributes: ['id', 'name', 'hidden_at'] },
  { model: Campaign, as: 'campaign', attributes: ['id', 'title', 'slug'] },
  { model: PostCounts, as: 'counts' },
  {
    model: PostMedia, as: 'media', separate: true, order: ['position'],
    include: { model: StoredFile, as: 'file', include: { model: Rendition, as: 'renditions' } },
  },
  { model: PostTag, as: 'tags', separate: true, order: ['id'] },
  { model: PostMention, ...mentioned(viewer) },
  { model: Reaction, as: 'mine', separate: true, where: { user_id: viewer.id } },
]

const posts = (viewer, where, part) =>
  Post.findAll({
    where: { [Op.and]: [visibleTo(viewer), where] }, include: parts(viewer), order: [['id', 'DESC']], subQuery: false, ...part,
  })

const comments = (viewer, postId, part) =>
  Comment.findAll({
    where: { post_id: postId, parent_id: null, ...commentsFor(viewer) },
    include: [
      { model: User, as: 'author', attributes: CARD, required: true },
      { model: CommentMention, ...mentioned(viewer) },
      { model: CommentLike, as: 'mine', separate: true, where: { user_id: viewer.id } },
    ],
    order: [['id', 'DESC']],
    subQuery: false,
    ...part,
  })

function reactionCounts(counts, mine) {
  const sorted = Object.entries(counts).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  const shown = sorted.filter(([emoji], place) => place < 30 || mine.includes(emoji))
  return shown.map(([emoji, count]) => ({ emoji, count, mine: mine.includes(emoji) }))
}

// Only the author and moderators are given what others cannot read.
const moderation = (one) => (one.hidden_at ? 'hidden' : one.held_at ? 'held' : null)

// What anybody may read has a public page.
const isPublic = (p) =>
  p.author.status === 'active' && p.visibility === 'public' && !p.hidden_at && !p.held_at
  && !p.group?.hidden_at && !p.channel?.hidden_at && (!p.group_id || p.group.visibility === 'public')

function postOutput(p) {
  const mine = p.mine.map((one) => one.emoji)
  return {
    id: p.id,
    author: card(p.author),
    content: p.content,
    media: p.media.map((one) => mediaCard(one.file)),
    visibility: p.visibility,
    group: p.group && { id: p.group.id, name: p.group.name },
    channel: p.channel && { id: p.channel.id, name: p.channel.name },
    campaign: p.campaign && { id: p.campaign.id, title: p.campaign.title, slug: p.campaign.slug },
    authorRole: p.author_role || null,
    mentions: p.mentions.map((one) => card(one.user)),
    tags: p.tags.map((one) => one.tag),
    likeCount: p.counts.like_count,
    commentCount: p.counts.comment_count,
    likedByMe: mine.includes('👍'),
    reactions: reactionCounts(p.counts.reactions, mine),
    moderation: moderation(p),
    shareUrl: isPublic(p) ? new URL(`/s/post/${p.id}`, process.env.MEDIA_URL).href : null,
    createdAt: p.created_at,
    editedAt: p.edited_at,
  }
}

const commentOutput = (viewer) => (c) => {
  const isHidden = c.hidden_at !== null && c.author_id !== viewer.id && !isModerator(viewer)
  const isGone = c.deleted_at !== null || isHidden
  return {
    id: c.id,
    parentId: c.parent_id,
    author: isGone ? null : card(c.author),
    content: isGone ? '' : c.content,
    authorRole: isGone ? null : c.author_role || null,
    mentions: isGone ? [] : c.mentions.map((one) => card(one.user)),
    repliesCount: c.replies_count,
    likeCount: c.like_count,
    likedByMe: c.mine.length > 0,
    moderation: isGone ? null : moderation(c),
    createdAt: c.created_at,
    editedAt: c.edited_at,
    deletedAt: c.deleted_at,
  }
}

// --- The feed: everything of those whom somebody follows, found when they read -------------------------------------

async function feed(viewer, part) {
  const me = db.escape(viewer.id)
  const muted = `EXISTS (SELECT FROM accounts_mute m WHERE m.muter_id = ${me} AND m.muted_id = "social_post"."author_id"
    AND (m.until IS NULL OR m.until > now()))`
  const reasons = [isMember(me), isSubscriber(me), isFollower(me)].map(db.literal)
  const where = { [Op.and]: [{ [Op.or]: [{ author_id: viewer.id }, ...reasons] }, db.literal(`NOT ${muted}`)] }
  const found = await posts(viewer, where, part)
  const mine = { attributes: ['group_id'], where: { user_id: viewer.id, group_id: idsOf(found, 'group_id'), status: 'member' } }
  const subscribed = { attributes: ['channel_id'], where: { user_id: viewer.id, channel_id: idsOf(found, 'channel_id') } }
  const [groups, channels] = await Promise.all([Membership.findAll(mine), ChannelMember.findAll(subscribed)])
  const groupIds = groups.map((one) => one.group_id)
  const channelIds = channels.map((one) => one.channel_id)
  return found.map((p) => ({
    kind: 'post',
    why: why(p, viewer, groupIds, channelIds),
    post: postOutput(p),
    campaign: null,
    announcement: null,
    ad: null,
  }))
}

const idsOf = (rows, column) => [...new Set(rows.map((row) => row[column]).filter(Boolean))]

function why(p, viewer, groupIds, channelIds) {
  if (p.author_id !== viewer.id && groupIds.includes(p.group_id)) return { kind: 'group', id: p.group.id, name: p.group.name }
  if (p.author_id !== viewer.id && channelIds.includes(p.channel_id)) {
    return { kind: 'channel', id: p.channel.id, name: p.channel.name }
  }
  const name = `${p.author.first_name} ${p.author.last_name}`.trim()
  return { kind: p.author_id === viewer.id ? 'own' : 'follow', id: p.author_id, name }
}

serve({ session }, (app) => {
  const uuid = (request) => z.uuid().parse(request.params.id)

  app.get('/api/social/posts/:id', async (request, response) => {
    const query = ten.parse({})
    const [[post], found] = await Promise.all([
      posts(request.user, { id: uuid(request) }, { limit: 1 }),
      comments(request.user, uuid(request), range(query)),
    ])
    if (!post) throw new Refused(404, 'Not found')
    response.json({ ...postOutput(post), comments: page(found.map(commentOutput(request.user)), query) })
  })
  app.get('/api/social/posts/:id/comments', async (request, response) => {
    const query = ten.parse(request.query)
    await accessPost(request.user, uuid(request))
    const found = await comments(request.user, uuid(request), range(query))
    response.json(page(found.map(commentOutput(request.user)), query))
  })
  app.get('/api/social/users/:id/posts', async (request, response) => {
    const query = ten.parse(request.query)
    await accessPerson(request.user, uuid(request))
    const found = await posts(request.user, { author_id: uuid(request) }, range(query))
    response.json(page(found.map(postOutput), query))
  })
  app.get('/api/social/groups/:id/posts', async (request, response) => {
    const query = ten.parse(request.query)
    await accessGroup(request.user, uuid(request))
    const found = await posts(request.user, { group_id: uuid(request) }, range(query))
    response.json(page(found.map(postOutput), query))
  })
  app.get('/api/social/feed', async (request, response) => {
    const query = ten.parse(request.query)
    response.json(page(await feed(request.user, range(query)), query))
  })
})
