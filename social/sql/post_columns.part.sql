-- What `PostOutput.of_row` shows of the posts that `found` names by id, beside the id; :viewer may be NULL.
p.content, p.visibility, p.author_role, p.created_at, p.edited_at, p.hidden_at, p.held_at,
-- As visible_post.part.sql says for anonymous.
(a.status = 'active' AND p.hidden_at IS NULL AND p.held_at IS NULL AND g.hidden_at IS NULL AND h.hidden_at IS NULL
 AND p.visibility = 'public' AND (p.group_id IS NULL OR g.visibility = 'public')) AS is_public,
p.author_id, a.first_name AS author_first_name, a.last_name AS author_last_name,
a.profile_photo AS author_profile_photo, a.badges AS author_badges,
p.group_id, g.name AS group_name, p.channel_id, h.name AS channel_name,
p.campaign_id, k.title AS campaign_title, k.slug AS campaign_slug,
n.like_count, n.comment_count, n.reactions::text AS reactions,
ARRAY(SELECT r.emoji FROM social_reaction r WHERE r.post_id = p.id AND r.user_id = :viewer::uuid) AS mine,
(SELECT json_agg(u.media ORDER BY m.position)::text
   FROM social_postmedia m JOIN uploads_media u ON u.file_id = m.file_id WHERE m.post_id = p.id) AS media,
ARRAY(SELECT y.tag FROM social_posttag y WHERE y.post_id = p.id ORDER BY y.id) AS tags,
(SELECT json_agg(json_build_array(u.id, u.first_name, u.last_name, u.profile_photo, u.badges) ORDER BY x.id)::text
   FROM social_postmention x JOIN accounts_user u ON u.id = x.user_id
  WHERE x.post_id = p.id AND u.status = 'active'
    AND NOT EXISTS (SELECT FROM accounts_hidden_from(:viewer::uuid) b WHERE b.person_id = u.id)) AS mentions
