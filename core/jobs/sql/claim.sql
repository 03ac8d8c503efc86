-- Claim events for a delivery: those of :ids that wait and that no other process holds, in their order.
--
--   first_tries     only those of these topics that were never tried
--
-- What another delivery claims at this moment is left to it.
UPDATE core_outboxevent e
   SET attempts = attempts + 1, held_until = :until::timestamptz, due_at = :until::timestamptz
  FROM (SELECT id
          FROM core_outboxevent
         WHERE id = ANY(:ids::uuid[])
           AND delivered_at IS NULL AND parked_at IS NULL
           AND (held_until IS NULL OR held_until <= :now::timestamptz)
           AND attempts = 0 AND topic = ANY(:first_tries::text[])  -- if first_tries
         ORDER BY id
           FOR NO KEY UPDATE SKIP LOCKED) free
 WHERE e.id = free.id
RETURNING e.id, e.topic, e.facts::text AS facts, e.request_id, e.attempts
