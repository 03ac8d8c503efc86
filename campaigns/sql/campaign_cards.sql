-- The campaigns of :ids as cards, for lists of something else that names campaigns; who may see them is for the caller.
-- No order. Index: the primary key.
SELECT c.id, c.created_at, c.title, c.slug, c.summary, k.slug AS category, c.status, c.outcome, c.currency,
       c.goal_minor, c.max_minor, c.min_investment_minor, c.raised_minor, c.reserved_minor, c.offered_minor,
       c.settled_minor, c.first_ends_at, c.investor_count,
       c.starts_at, c.ends_at,
       c.owner_id, o.first_name AS owner_first_name, o.last_name AS owner_last_name,
       o.profile_photo AS owner_profile_photo, o.badges AS owner_badges,
       (SELECT f.storage_name FROM campaigns_campaignmedia m JOIN uploads f ON f.id = m.file_id
         WHERE m.campaign_id = c.id ORDER BY m.position LIMIT 1) AS cover
  FROM campaigns_campaign c
  JOIN campaigns_category k ON k.id = c.category_id
  JOIN accounts_user o ON o.id = c.owner_id
 WHERE c.id = ANY(:ids::uuid[])
