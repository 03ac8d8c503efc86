-- Campaigns as cards, a page of them: what went live is for everyone, the rest for its owner; a moderator also sees
-- what waits for review or was rejected (as `CampaignQuerySet.visible_to`).
--
--   viewer, moderator       who asks, and whether with the rights of a moderator
--   own                     the viewer's own only
--   category, status        filters
--   rules                   filter
--   open_at, upcoming_at, ended_at    only what is live and in this phase at a moment
--   newest, ending, most_funded, trending    the order, one of them; the ids of campaigns are unique
--   after_...               the row that the page before ended with
--
-- plan each time with: category, status, rules
-- Some have a handful of campaigns and some half of all, and a plan for the average would read through all of them.
--
-- Indexes: campaign_newest, campaign_ending, campaign_most_funded, campaign_trending, campaign_by_owner,
-- campaign_by_category, campaign_by_status.
SELECT c.id, c.created_at, c.title, c.slug, c.summary, k.slug AS category, c.status, c.outcome, c.currency,
       c.goal_minor, c.max_minor, c.min_investment_minor, c.raised_minor, c.reserved_minor, c.offered_minor,
       c.settled_minor, c.first_ends_at, c.investor_count, c.trend,
       c.starts_at, c.ends_at,
       c.owner_id, o.first_name AS owner_first_name, o.last_name AS owner_last_name,
       o.profile_photo AS owner_profile_photo, o.badges AS owner_badges,
       (SELECT f.storage_name FROM campaigns_campaignmedia m JOIN uploads f ON f.id = m.file_id
         WHERE m.campaign_id = c.id ORDER BY m.position LIMIT 1) AS cover
  FROM campaigns_campaign c
  JOIN campaigns_category k ON k.id = c.category_id
  JOIN accounts_user o ON o.id = c.owner_id
 WHERE (c.owner_id = :viewer::uuid
        OR c.status IN ('live', 'funded', 'failed', 'cancelled', 'settled')
        OR c.status IN ('in_review', 'rejected')  -- if moderator
       )
   AND c.owner_id = :viewer::uuid  -- if own
   AND c.category_id = (SELECT id FROM campaigns_category WHERE slug = :category::text)  -- if category
   AND c.status = :status::text  -- if status
   AND c.rules = :rules::text  -- if rules
   AND c.status = 'live' AND c.starts_at <= :open_at::timestamptz AND c.ends_at > :open_at::timestamptz  -- if open_at
   AND c.status = 'live' AND c.starts_at > :upcoming_at::timestamptz  -- if upcoming_at
   AND c.status = 'live' AND c.ends_at <= :ended_at::timestamptz  -- if ended_at
   AND (c.created_at, c.id) < (:after_created_at::timestamptz, :after_id::uuid)  -- if newest, after_id
   AND (c.ends_at, c.id) > (:after_ends_at::timestamptz, :after_id::uuid)  -- if ending, after_id
   AND (c.raised_minor, c.id) < (:after_raised_minor::bigint, :after_id::uuid)  -- if most_funded, after_id
   AND (c.trend, c.id) < (:after_trend::float8, :after_id::uuid)  -- if trending, after_id
 ORDER BY c.created_at DESC, c.id DESC  -- if newest
 ORDER BY c.ends_at, c.id  -- if ending
 ORDER BY c.raised_minor DESC, c.id DESC  -- if most_funded
 ORDER BY c.trend DESC, c.id DESC  -- if trending
 LIMIT :limit
OFFSET :start::bigint  -- if start
