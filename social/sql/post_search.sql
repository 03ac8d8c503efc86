-- Posts that hold what was asked for (core/search.py), as far as who asks may read them (visible_post.part.sql), the best
-- first: as it was typed before what begins or is written nearly like it, and more of it before less.
--
--   q, terms, without        `core.search.Asked`
--   words                    whether there is anything in it beside hashtags
--   untagged, or tag, tags   without hashtags; or the first one, and all of them
--   viewer, reader, moderator, anonymous    who asks
--   after_score, after_id    the row that the page before ended with
--
-- The newest 500 posts that hold it are looked at. Indexes: post_words, post_by_tag, post_has_a_tag_once, those of
-- post_list.sql.
WITH asked AS MATERIALIZED (
    SELECT search_query(:q::text, search_terms(:terms::text[], 0), :without::text[]) AS words,
           search_query(:q::text, social_post_terms(:terms::text[]), :without::text[]) AS near
)
SELECT found.score,
p.id,
-- include social/sql/post_columns.part.sql
  FROM (SELECT scored.id, scored.score FROM (
        SELECT p.id, CASE WHEN i.words @@ asked.words THEN 1000 ELSE 0 END
                   + least(999, coalesce(ts_rank(i.words, asked.words), 0) * 1000)::integer AS score
          FROM asked
         CROSS JOIN LATERAL social_matching_posts(asked.near, 500) AS m (id)  -- if untagged
         CROSS JOIN LATERAL (SELECT t.post_id AS id FROM social_posttag t WHERE t.tag = :tag::text  -- if tag
                              ORDER BY t.post_id DESC LIMIT 500) AS m  -- if tag
          JOIN social_postindex i ON i.post_id = m.id
         CROSS JOIN
-- include social/sql/post_sources.part.sql
         WHERE p.id = m.id
           AND i.words @@ asked.near  -- if tag, words
           AND NOT EXISTS (SELECT FROM unnest(:tags::text[]) AS each (tag) WHERE NOT EXISTS (  -- if tags
               SELECT FROM social_posttag t WHERE t.post_id = p.id AND t.tag = each.tag))  -- if tags
           AND
-- include social/sql/visible_post.part.sql
        ) scored
         WHERE (scored.score, scored.id) < (:after_score::integer, :after_id::uuid)  -- if after_id
         ORDER BY scored.score DESC, scored.id DESC
         LIMIT :limit
        OFFSET :start::bigint  -- if start
       ) found
-- include social/sql/post_joins.part.sql
 ORDER BY found.score DESC, p.id DESC
