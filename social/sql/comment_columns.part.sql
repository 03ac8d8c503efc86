-- What `CommentOutput.of_row` shows of a comment c by the person w; :viewer may be NULL.
c.id, c.parent_id, c.content, c.author_role, c.replies_count, c.like_count, c.created_at, c.edited_at, c.deleted_at,
c.hidden_at, c.held_at, c.author_id, w.first_name AS author_first_name, w.last_name AS author_last_name,
w.profile_photo AS author_profile_photo, w.badges AS author_badges,
EXISTS (SELECT FROM social_commentlike l WHERE l.comment_id = c.id AND l.user_id = :viewer::uuid) AS liked,
(SELECT json_agg(json_build_array(u.id, u.first_name, u.last_name, u.profile_photo, u.badges) ORDER BY x.id)::text
   FROM social_commentmention x JOIN accounts_user u ON u.id = x.user_id
  WHERE x.comment_id = c.id AND u.status = 'active'
    AND NOT EXISTS (SELECT FROM accounts_hidden_from(:viewer::uuid) b WHERE b.person_id = u.id)) AS mentions
