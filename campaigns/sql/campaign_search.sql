-- Campaigns that hold what was asked for (core/search.py), as cards, the best first: whole words before parts of words
-- before typing errors, and among those that are alike in this the one whose title or summary says it most.
--
--   q, terms, without        `core.search.Asked`
--   viewer, moderator        who asks, and whether with the rights of a moderator: who sees what is as in campaign_list.sql
--   after_score, after_id    the row that the page before ended with
--
-- What more than 1,000 campaigns hold is looked for among 1,000 of them. Indexes: campaign_words, the primary keys.
WITH asked AS MATERIALIZED (
    SELECT search_query(:q::text, search_terms(:terms::text[], 0), :without::text[]) AS words,
           search_query(:q::text, search_terms(:terms::text[], 1), :without::text[]) AS parts,
           search_query(:q::text, search_terms(:terms::text[], 2), :without::text[]) AS errors
), found AS MATERIALIZED (
    (SELECT i.campaign_id AS id, 3 AS nearness FROM campaigns_campaignindex i WHERE i.words @@ (SELECT words FROM asked) LIMIT 1000)
    UNION ALL
    (SELECT i.campaign_id, 2 FROM campaigns_campaignindex i WHERE i.words @@ (SELECT parts FROM asked) LIMIT 1000)
    UNION ALL
    (SELECT i.campaign_id, 1 FROM campaigns_campaignindex i WHERE i.words @@ (SELECT errors FROM asked) LIMIT 1000)
), scored AS (
    SELECT f.id, f.nearness * 1000 + least(999, coalesce(ts_rank(i.words, asked.words), 0) * 1000)::integer AS score
      FROM asked, (SELECT id, max(nearness) AS nearness FROM found GROUP BY id) f
      JOIN campaigns_campaignindex i ON i.campaign_id = f.id
)
SELECT s.score, c.id, c.created_at, c.title, c.slug, c.summary, k.slug AS category, c.status, c.outcome, c.currency,
       c.goal_minor, c.max_minor, c.min_investment_minor, c.raised_minor, c.reserved_minor, c.offered_minor,
       c.settled_minor, c.first_ends_at, c.investor_count,
       c.starts_at, c.ends_at,
       c.owner_id, o.first_name AS owner_first_name, o.last_name AS owner_last_name,
       o.profile_photo AS owner_profile_photo, o.badges AS owner_badges,
       (SELECT f.storage_name FROM campaigns_campaignmedia m JOIN uploads f ON f.id = m.file_id
         WHERE m.campaign_id = c.id ORDER BY m.position LIMIT 1) AS cover
  FROM scored s
  JOIN campaigns_campaign c ON c.id = s.id
  JOIN campaigns_category k ON k.id = c.category_id
  JOIN accounts_user o ON o.id = c.owner_id
 WHERE (c.owner_id = :viewer::uuid
        OR c.status IN ('live', 'funded', 'failed', 'cancelled', 'settled')
        OR c.status IN ('in_review', 'rejected')  -- if moderator
       )
   AND (s.score, c.id) < (:after_score::integer, :after_id::uuid)  -- if after_id
 ORDER BY s.score DESC, c.id DESC
 LIMIT :limit
OFFSET :start::bigint  -- if start
