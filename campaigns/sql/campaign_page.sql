-- Everything about the campaign :id, if :viewer may see it (as in campaign_list.sql): its pictures in their order, for
-- `uploads.outputs.media_cards`, what the viewer has put in, and whether they follow it. One row or none. Index: the primary key.
--
--   moderator       whether the viewer has the rights of a moderator
SELECT c.id, c.created_at, c.title, c.slug, c.summary, k.slug AS category, c.status, c.outcome, c.currency,
       c.goal_minor, c.max_minor, c.min_investment_minor, c.raised_minor, c.reserved_minor, c.offered_minor,
       c.settled_minor, c.waiting_count, c.investor_count,
       c.starts_at, c.ends_at, c.description, c.expected_return_percent::float8 AS expected_return_percent,
       c.rules, c.rules_version, c.country, c.time_zone, c.fiscal_year_end, c.terms_version, c.first_ends_at,
       c.fee_schedule, c.fee_schedule_version,
       c.review_note, c.published_at, c.closed_at, c.settled_at, c.updated_at, c.version,
       c.owner_id, o.first_name AS owner_first_name, o.last_name AS owner_last_name,
       o.profile_photo AS owner_profile_photo, o.badges AS owner_badges,
       p.names[1] AS cover, p.media,
       b.committed_minor AS backed_minor, b.since AS backed_since,
       coalesce(t.follower_count, 0) AS follower_count,
       EXISTS (SELECT FROM campaigns_campaignfollow f
                WHERE f.campaign_id = c.id AND f.follower_id = :viewer::uuid) AS followed_by_me
  FROM campaigns_campaign c
  JOIN campaigns_category k ON k.id = c.category_id
  JOIN accounts_user o ON o.id = c.owner_id
  LEFT JOIN campaigns_backing b
    ON b.campaign_id = c.id AND b.backer_id = :viewer::uuid AND b.committed_minor > 0
  LEFT JOIN campaigns_campaignaudience t ON t.campaign_id = c.id
 CROSS JOIN LATERAL (
       SELECT array_agg(f.storage_name ORDER BY m.position) AS names,
              json_agg(u.media ORDER BY m.position)::text AS media
         FROM campaigns_campaignmedia m JOIN uploads f ON f.id = m.file_id JOIN uploads_media u ON u.file_id = f.id
        WHERE m.campaign_id = c.id) p
 WHERE c.id = :id::uuid
   AND (c.owner_id = :viewer::uuid
        OR c.status IN ('live', 'funded', 'failed', 'cancelled', 'settled')
        OR c.status IN ('in_review', 'rejected')  -- if moderator
       )
