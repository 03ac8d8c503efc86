-- The updates of the campaign :id that :viewer may read at :now, newest first (as `UpdateQuerySet.visible_to`). No row: the
-- campaign is not there, or not for them; a single row without an `update_id`: it has none that they may read.
--
--   viewer, moderator        who asks, and whether with the rights of a moderator; without a viewer somebody without an account
--   after_...                the row that the page before ended with
--
-- Indexes: the primary key of campaigns, update_by_campaign.
SELECT u.id AS update_id, u.id, u.kind, u.audience, u.author_role, u.title, u.content, u.publish_at, u.created_at,
       u.edited_at, u.media
  FROM campaigns_campaign c
  LEFT JOIN campaigns_backing b  -- if viewer
    ON b.campaign_id = c.id AND b.backer_id = :viewer::uuid AND b.committed_minor > 0  -- if viewer
  LEFT JOIN LATERAL (
       SELECT p.*,
              (SELECT json_agg(f.media ORDER BY m.position)::text
                 FROM campaigns_updatemedia m JOIN uploads_media f ON f.file_id = m.file_id
                WHERE m.update_id = p.id) AS media
         FROM campaigns_update p
        WHERE p.campaign_id = c.id AND p.deleted_at IS NULL
          AND ((p.publish_at <= :now::timestamptz
                AND (p.audience = 'public'
                     OR b.id IS NOT NULL  -- if viewer
                     OR true  -- if moderator
                    ))
               OR c.owner_id = :viewer::uuid  -- if viewer
              )
          AND (p.publish_at, p.id) < (:after_publish_at::timestamptz, :after_id::uuid)  -- if after_id
        ORDER BY p.publish_at DESC, p.id DESC
        LIMIT :limit
       OFFSET :start::bigint  -- if start
       ) u ON true
 WHERE c.id = :id::uuid
   AND (c.status IN ('live', 'funded', 'failed', 'cancelled', 'settled')
        OR c.owner_id = :viewer::uuid  -- if viewer
        OR c.status IN ('in_review', 'rejected')  -- if moderator
       )
 ORDER BY u.publish_at DESC, u.id DESC
