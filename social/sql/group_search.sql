-- Groups whose name or description holds what was asked for (core/search.py), the best first: whole words before
-- parts of words before typing errors, and among those that are alike in this the larger one, in steps of twice as large.
--
--   q, terms, without             `core.search.Asked`
--   viewer, reader, moderator, anonymous    who asks; who sees what is as in `GroupQuerySet.visible_to`
--   after_score, after_id         the row that the page before ended with
--
-- What more than 1,000 groups hold is looked for among 1,000 of them. Indexes: group_words, person_is_in_a_group_once.
WITH asked AS MATERIALIZED (
    SELECT search_query(:q::text, search_terms(:terms::text[], 0), :without::text[]) AS words,
           search_query(:q::text, search_terms(:terms::text[], 1), :without::text[]) AS parts,
           search_query(:q::text, search_terms(:terms::text[], 2), :without::text[]) AS errors
), found AS MATERIALIZED (
    (SELECT i.group_id AS id, 3 AS nearness FROM social_groupindex i WHERE i.words @@ (SELECT words FROM asked) LIMIT 1000)
    UNION ALL
    (SELECT i.group_id, 2 FROM social_groupindex i WHERE i.words @@ (SELECT parts FROM asked) LIMIT 1000)
    UNION ALL
    (SELECT i.group_id, 1 FROM social_groupindex i WHERE i.words @@ (SELECT errors FROM asked) LIMIT 1000)
)
SELECT * FROM (
    SELECT c.id, c.name, c.description, c.visibility, c.join_policy, c.member_count, m.status AS my_status,
           (SELECT json_build_array(u.media)::text FROM uploads_media u WHERE u.file_id = c.profile_image_id) AS profile_image,
           f.nearness * 1000 + floor(log(2, 1 + c.member_count))::integer AS score
      FROM (SELECT id, max(nearness) AS nearness FROM found GROUP BY id) f
      JOIN social_group c ON c.id = f.id
      LEFT JOIN social_membership m ON m.group_id = c.id AND m.user_id = :viewer::uuid
     WHERE true  -- if moderator
     WHERE c.hidden_at IS NULL  -- if reader
       AND (c.visibility <> 'secret' OR coalesce(m.status IN ('member', 'invited'), false))  -- if reader
     WHERE c.hidden_at IS NULL AND c.visibility <> 'secret'  -- if anonymous
) scored
 WHERE (score, id) < (:after_score::integer, :after_id::uuid)  -- if after_id
 ORDER BY score DESC, id DESC
 LIMIT :limit
OFFSET :start::bigint  -- if start
