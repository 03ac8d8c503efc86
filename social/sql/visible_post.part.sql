-- Whether who asks may read the post p by the person a, in the group g, in the channel h (post_sources.part.sql):
-- `PostQuerySet.visible_to`, word for word. One of these three is given (`social.access.asker`):
--
--   reader       somebody who is signed in, :viewer
--   moderator    somebody with the rights of a moderator, :viewer
--   anonymous    nobody is signed in
p.deleted_at IS NULL
AND (p.visibility <> 'private' OR p.author_id = :viewer::uuid)  -- if moderator
AND a.status = 'active' AND p.hidden_at IS NULL AND p.held_at IS NULL  -- if anonymous
AND g.hidden_at IS NULL AND h.hidden_at IS NULL  -- if anonymous
AND p.visibility = 'public' AND (p.group_id IS NULL OR g.visibility = 'public')  -- if anonymous
AND (p.author_id = :viewer::uuid OR (  -- if reader
    a.status = 'active' AND p.hidden_at IS NULL AND p.held_at IS NULL  -- if reader
    AND g.hidden_at IS NULL AND h.hidden_at IS NULL  -- if reader
    AND NOT EXISTS (SELECT FROM accounts_hidden_from(:viewer::uuid) b WHERE b.person_id = p.author_id)  -- if reader
    AND CASE  -- if reader
        WHEN p.group_id IS NOT NULL THEN  -- if reader
            COALESCE((SELECT m.status = 'member' OR g.visibility = 'public' AND m.status <> 'banned'  -- if reader
                        FROM social_membership m  -- if reader
                       WHERE m.group_id = p.group_id AND m.user_id = :viewer::uuid), g.visibility = 'public')  -- if reader
        WHEN p.visibility = 'public' THEN true  -- if reader
        WHEN p.visibility = 'private' THEN false  -- if reader
        WHEN p.channel_id IS NOT NULL THEN EXISTS (  -- if reader
            SELECT FROM social_channelmember m WHERE m.channel_id = p.channel_id AND m.user_id = :viewer::uuid)  -- if reader
        ELSE EXISTS (  -- if reader
            SELECT FROM social_follow f WHERE f.follower_id = :viewer::uuid AND f.followed_id = p.author_id)  -- if reader
    END  -- if reader
))  -- if reader
