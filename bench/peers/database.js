// What the peers with Sequelize share: the connection, people and their sessions, files and their sizes.

import { DataTypes, Op, Sequelize } from 'sequelize'

export const db = new Sequelize(process.env.DATABASE_URL, {
  logging: false,
  pool: { max: 8, idle: 600_000 },
  dialectOptions: { application_name: `peer-${process.env.PEER}` },
  define: { timestamps: false, underscored: true, freezeTableName: true },
})

const { DATE, INTEGER, STRING, TEXT, UUID, ARRAY } = DataTypes
export const id = { type: UUID, primaryKey: true }

export const User = db.define('accounts_user', {
  id, created_at: DATE, updated_at: DATE, email: STRING, first_name: STRING, last_name: STRING, phone_number: STRING,
  bio: TEXT, location: STRING, website: STRING, profile_photo: STRING, cover_photo: STRING, badges: ARRAY(STRING),
  role: STRING, status: STRING, email_verified_at: DATE, phone_verified_at: DATE, identity_verified_at: DATE,
  two_factor_enabled_at: DATE,
})
const Session = db.define('accounts_session', { id, user_id: UUID, revoked_at: DATE, expires_at: DATE })
Session.belongsTo(User, { as: 'user', foreignKey: 'user_id' })

export const StoredFile = db.define('uploads', {
  id, content_type: STRING, width: INTEGER, height: INTEGER, storage_name: STRING, state: STRING, placeholder: STRING,
  duration_ms: INTEGER, alt: STRING,
})
export const Rendition = db.define('uploads_rendition', {
  id, file_id: UUID, kind: STRING, width: INTEGER, height: INTEGER, storage_name: STRING,
})
StoredFile.hasMany(Rendition, { as: 'renditions', foreignKey: 'file_id' })

export const CARD = ['id', 'first_name', 'last_name', 'profile_photo', 'badges']

export async function session(sid, now) {
  const where = { id: sid, revoked_at: null, expires_at: { [Op.gt]: now } }
  return (await Session.findOne({ where, include: { model: User, as: 'user' } }))?.user
}
