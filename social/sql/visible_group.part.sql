-- Whether who asks may see the group g, in which they are m (or nothing): `GroupQuerySet.visible_to`, word for word. As
-- in visible_post.part.sql one of reader, moderator and anonymous is given (`social.access.asker`).
true  -- if moderator
g.hidden_at IS NULL AND (g.visibility <> 'secret' OR m.status IN ('member', 'invited'))  -- if reader
g.hidden_at IS NULL AND g.visibility <> 'secret'  -- if anonymous
