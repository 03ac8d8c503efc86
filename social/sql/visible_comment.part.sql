-- Whether who asks may see the comment c by the person w under a post that they may read: `CommentQuerySet.visible_to`,
-- word for word. Who asks: as in visible_post.part.sql.
true
AND (c.deleted_at IS NOT NULL OR (w.status = 'active' AND c.held_at IS NULL))  -- if anonymous
AND (c.deleted_at IS NOT NULL OR c.author_id = :viewer::uuid OR (  -- if reader
    w.status = 'active' AND c.held_at IS NULL  -- if reader
    AND NOT EXISTS (SELECT FROM accounts_hidden_from(:viewer::uuid) b WHERE b.person_id = c.author_id)))  -- if reader
