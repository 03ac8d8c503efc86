-- How long people took to answer in direct conversations: of the answers that were written in a time, how many took less
-- than each of :bounds seconds and no less than the one before, by the place of the bound from 0; the last place is for
-- those that took longer. An answer is a message behind one of the other person; it took as long as the first message
-- waited that came since the answerer's last one. Messages that were deleted since count: their place stays.
--
--   first, last    the ids of messages from the time (they grow with it)
--   person         only the answers of this one
-- Indexes: the primary key, or that of the sender; message_has_its_own_place.
SELECT width_bucket(extract(epoch FROM m.created_at - asked.created_at)::float8, :bounds::float8[]) AS place,
       count(*) AS answers
  FROM chat_message m
  JOIN chat_conversation c ON c.id = m.conversation_id AND c.type = 'direct'
  JOIN chat_message before ON before.conversation_id = m.conversation_id AND before.seq = m.seq - 1
 CROSS JOIN LATERAL (
       SELECT f.created_at FROM chat_message f
        WHERE f.conversation_id = m.conversation_id AND f.seq < m.seq AND f.seq > COALESCE((
              SELECT o.seq FROM chat_message o
               WHERE o.conversation_id = m.conversation_id AND o.seq < m.seq AND o.sender_id = m.sender_id
               ORDER BY o.seq DESC LIMIT 1), 0)
        ORDER BY f.seq LIMIT 1) asked
 WHERE m.id >= :first::uuid AND m.id < :last::uuid AND before.sender_id <> m.sender_id
   AND m.sender_id = :person::uuid  -- if person
 GROUP BY 1
