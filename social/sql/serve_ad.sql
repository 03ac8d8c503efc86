-- Chooses an ad for :viewer and counts the impression, in one statement: of the ads that run now, the one with the fewest
-- impressions of the day. Never the viewer's own, and never of somebody hidden from them. The cap is checked by the row
-- that counts, in its newest version, so that it holds however many ask at once: not `is_counted` is an ad whose last
-- impression somebody else took just now. No row: there is no ad.
--
--   viewer       who gets it; nothing of them is kept
--   now, day     the moment, and its day in UTC
--
-- Indexes: ad_running, ad_has_a_day_once, the primary keys.
WITH chosen AS (
    SELECT a.id, a.daily_cap
      FROM social_ad a
      JOIN accounts_user u ON u.id = a.advertiser_id
      LEFT JOIN social_adday d ON d.ad_id = a.id AND d.day = :day::date
     WHERE a.status = 'approved' AND a.hidden_at IS NULL
       AND a.ends_at > :now::timestamptz AND a.starts_at <= :now::timestamptz
       AND (a.daily_cap IS NULL OR coalesce(d.impressions, 0) < a.daily_cap)
       AND u.status = 'active' AND a.advertiser_id <> :viewer::uuid
       AND NOT EXISTS (SELECT FROM accounts_hidden_from(:viewer::uuid) b WHERE b.person_id = a.advertiser_id)
     ORDER BY coalesce(d.impressions, 0), a.id
     LIMIT 1
), counted AS (
    INSERT INTO social_adday AS d (ad_id, day, impressions, clicks) SELECT id, :day::date, 1, 0 FROM chosen
        ON CONFLICT (ad_id, day) DO UPDATE SET impressions = d.impressions + 1
     WHERE d.impressions < coalesce((SELECT daily_cap FROM chosen), 2147483647)
    RETURNING d.ad_id
)
SELECT counted.ad_id IS NOT NULL AS is_counted, a.id, a.title, a.body, a.target_url,
       (SELECT json_build_array(m.media)::text FROM uploads_media m WHERE m.file_id = a.file_id) AS media,
       a.advertiser_id, u.first_name AS advertiser_first_name, u.last_name AS advertiser_last_name,
       u.profile_photo AS advertiser_profile_photo, u.badges AS advertiser_badges
  FROM chosen
  LEFT JOIN counted ON counted.ad_id = chosen.id
  JOIN social_ad a ON a.id = chosen.id
  JOIN accounts_user u ON u.id = a.advertiser_id
