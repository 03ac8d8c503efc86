-- People whose names hold what was asked for (core/search.py), as cards, the best first: whole words before parts of words
-- before typing errors, and among those who are alike in this whom more people follow, in steps of twice as many.
--
--   q, terms, without    `core.search.Asked`
--   viewer               who asks, or NULL; who is hidden from them is not found
--   after_score, after_id    the row that the page before ended with
--
-- A name that more than 1,000 people have is looked for among 1,000 of them.
-- Indexes: person_words, the primary keys, those of accounts_hidden_from.
WITH asked AS MATERIALIZED (
    SELECT search_query(:q::text, search_terms(:terms::text[], 0), :without::text[]) AS words,
           search_query(:q::text, search_terms(:terms::text[], 1), :without::text[]) AS parts,
           search_query(:q::text, search_terms(:terms::text[], 2), :without::text[]) AS errors
), found AS MATERIALIZED (
    (SELECT i.person_id AS id, 3 AS nearness FROM accounts_personindex i WHERE i.words @@ (SELECT words FROM asked) LIMIT 1000)
    UNION ALL
    (SELECT i.person_id, 2 FROM accounts_personindex i WHERE i.words @@ (SELECT parts FROM asked) LIMIT 1000)
    UNION ALL
    (SELECT i.person_id, 1 FROM accounts_personindex i WHERE i.words @@ (SELECT errors FROM asked) LIMIT 1000)
)
SELECT * FROM (
    SELECT u.id, u.first_name, u.last_name, u.profile_photo, u.badges,
           f.nearness * 1000 + floor(log(2, 1 + coalesce(p.followers_count, 0)))::integer AS score
      FROM (SELECT id, max(nearness) AS nearness FROM found GROUP BY id) f
      JOIN accounts_user u ON u.id = f.id
      LEFT JOIN accounts_profile p ON p.user_id = u.id
     WHERE u.status = 'active'
       AND NOT EXISTS (SELECT FROM accounts_hidden_from(:viewer::uuid) b WHERE b.person_id = u.id)
) scored
 WHERE (score, id) < (:after_score::integer, :after_id::uuid)  -- if after_id
 ORDER BY score DESC, id DESC
 LIMIT :limit
OFFSET :start::bigint  -- if start
