-- The messages of a conversation that are there for :viewer, newest first, a page of them, and whether the sender and the
-- author of what is replied to are hidden from the viewer. No row when the conversation is not there for the viewer; one
-- row with nothing but NULL when it has no such message.
--
--   conversation                which
--   below_seq, above_seq        a window of places
--   after_seq                   the row that the page before ended with
--
-- Indexes: person_is_in_a_conversation_once, message_has_its_own_place, attachment_has_its_own_place, those of
-- accounts_hidden_from.
SELECT m.*,
       s.first_name AS sender_first_name, s.last_name AS sender_last_name, s.profile_photo AS sender_profile_photo,
       s.badges AS sender_badges,
       r.seq AS reply_seq, left(r.content, 200) AS reply_content, r.deleted_at AS reply_deleted_at,
       r.hidden_at AS reply_hidden_at,
       r.sender_id AS reply_sender_id, t.first_name AS reply_sender_first_name, t.last_name AS reply_sender_last_name,
       t.profile_photo AS reply_sender_profile_photo, t.badges AS reply_sender_badges,
       c.type = 'group' AND EXISTS (SELECT 1 FROM accounts_hidden_from(:viewer::uuid) h
                                     WHERE h.person_id = m.sender_id) AS is_hidden,
       c.type = 'group' AND EXISTS (SELECT 1 FROM accounts_hidden_from(:viewer::uuid) h
                                     WHERE h.person_id = r.sender_id) AS reply_is_hidden,
       ARRAY(SELECT a.file_id FROM chat_attachment a WHERE a.message_id = m.id ORDER BY a.position) AS file_ids
  FROM chat_member me
  JOIN chat_conversation c ON c.id = me.conversation_id
  LEFT JOIN LATERAL (
       SELECT id, conversation_id, seq, sender_id, content, reply_to_id, client_id, created_at, edited_at, deleted_at,
              hidden_at
         FROM chat_message
        WHERE conversation_id = me.conversation_id AND seq > me.cleared_seq
          AND seq < :below_seq::bigint  -- if below_seq
          AND seq > :above_seq::bigint  -- if above_seq
          AND seq < :after_seq::bigint  -- if after_seq
        ORDER BY seq DESC
        LIMIT :limit
       OFFSET :start::bigint  -- if start
       ) m ON true
  LEFT JOIN accounts_user s ON s.id = m.sender_id
  LEFT JOIN chat_message r ON r.id = m.reply_to_id
  LEFT JOIN accounts_user t ON t.id = r.sender_id
 WHERE me.conversation_id = :conversation::uuid AND me.user_id = :viewer::uuid
   AND (me.gone_at_seq IS NULL OR c.last_seq > me.gone_at_seq) AND NOT c.is_blocked
 ORDER BY m.seq DESC
