-- The inbox of :user, newest first, a page of it, and beside each entry how many are unread in all of it. Without an
-- entry one row, whose other columns are NULL.
--
--   unread          only those that are not read
--   after_id        the entry that the page before ended with
--
-- Indexes: notification_inbox, notification_unread.
SELECT n.*, u.unread_count
  FROM (SELECT count(*) AS unread_count
          FROM notifications_notification
         WHERE user_id = :user::uuid AND read_at IS NULL) u
  LEFT JOIN LATERAL (
       SELECT id, kind, title, body, data::text AS data, read_at, created_at, group_key, supersedes
         FROM (SELECT id  -- from the index alone, so that the order is its own whatever number of rows is guessed
                 FROM notifications_notification
                WHERE user_id = :user::uuid
                  AND read_at IS NULL  -- if unread
                  AND id < :after_id::uuid  -- if after_id
                ORDER BY id DESC
                LIMIT :limit
               OFFSET :start::bigint  -- if start
              ) page
         JOIN notifications_notification USING (id)
       ) n ON true
 ORDER BY n.id DESC
