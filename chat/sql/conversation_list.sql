-- The conversations that are there for :viewer, latest activity first, a page of them, each with its first people (JSON
-- in the shape of a user card), how many unread messages are of people hidden from the viewer, and its last message, if
-- that is there for the viewer.
--
--   shown                                how many people of a conversation
--   after_active_at, after_conversation_id    the row that the page before ended with
--
-- Indexes: chat_member_by_user, the primary keys, person_is_in_a_conversation_once, message_has_its_own_place, those of
-- accounts_hidden_from.
SELECT p.*, people.cards AS participants, people.total AS participant_count,
       m.id, m.seq, m.sender_id, m.content, m.reply_to_id, m.client_id, m.created_at, m.edited_at, m.deleted_at,
       m.hidden_at,
       s.first_name AS sender_first_name, s.last_name AS sender_last_name, s.profile_photo AS sender_profile_photo,
       s.badges AS sender_badges,
       r.seq AS reply_seq, left(r.content, 200) AS reply_content, r.deleted_at AS reply_deleted_at,
       r.hidden_at AS reply_hidden_at,
       r.sender_id AS reply_sender_id, t.first_name AS reply_sender_first_name, t.last_name AS reply_sender_last_name,
       t.profile_photo AS reply_sender_profile_photo, t.badges AS reply_sender_badges,
       p.type = 'group' AND EXISTS (SELECT 1 FROM accounts_hidden_from(:viewer::uuid) h
                                     WHERE h.person_id = m.sender_id) AS is_hidden,
       p.type = 'group' AND EXISTS (SELECT 1 FROM accounts_hidden_from(:viewer::uuid) h
                                     WHERE h.person_id = r.sender_id) AS reply_is_hidden,
       CASE WHEN p.type = 'group' AND p.last_seq > p.last_read_seq
                 AND EXISTS (SELECT 1 FROM accounts_hidden_from(:viewer::uuid))
            THEN (SELECT count(*) FROM chat_message b
                   WHERE b.conversation_id = p.conversation_id AND b.seq > p.last_read_seq
                     AND EXISTS (SELECT 1 FROM accounts_hidden_from(:viewer::uuid) h WHERE h.person_id = b.sender_id))
            ELSE 0 END AS hidden_unread,
       ARRAY(SELECT a.file_id FROM chat_attachment a WHERE a.message_id = m.id ORDER BY a.position) AS file_ids
  FROM (SELECT c.id AS conversation_id, c.type, c.title, c.last_seq, c.active_at, me.last_read_seq, me.cleared_seq,
               me.muted
          FROM chat_member me
          JOIN chat_conversation c ON c.id = me.conversation_id
         WHERE me.user_id = :viewer::uuid AND (me.gone_at_seq IS NULL OR c.last_seq > me.gone_at_seq)
           AND NOT c.is_blocked
           AND (c.active_at, c.id) < (:after_active_at::timestamptz, :after_conversation_id::uuid)  -- if after_conversation_id
         ORDER BY c.active_at DESC, c.id DESC
         LIMIT :limit
        OFFSET :start::bigint  -- if start
       ) p
 CROSS JOIN LATERAL (
       SELECT max(first.total) AS total,
              json_agg(json_build_object('id', u.id, 'firstName', u.first_name, 'lastName', u.last_name,
                                         'profilePhoto', nullif(u.profile_photo, ''), 'badges', u.badges)
                       ORDER BY first.created_at, first.id)::text AS cards
         FROM (SELECT id, created_at, user_id, count(*) OVER () AS total
                 FROM chat_member
                WHERE conversation_id = p.conversation_id
                ORDER BY created_at, id
                LIMIT :shown::bigint) first
         JOIN accounts_user u ON u.id = first.user_id) people
  LEFT JOIN chat_message m
    ON m.conversation_id = p.conversation_id AND m.seq = p.last_seq AND p.last_seq > p.cleared_seq
  LEFT JOIN accounts_user s ON s.id = m.sender_id
  LEFT JOIN chat_message r ON r.id = m.reply_to_id
  LEFT JOIN accounts_user t ON t.id = r.sender_id
 ORDER BY p.active_at DESC, p.conversation_id DESC
