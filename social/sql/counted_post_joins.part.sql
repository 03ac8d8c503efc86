-- As post_joins.part.sql, with the counts that this statement has written (`counted`), which the table does not show yet.
JOIN social_post p ON p.id = found.id
JOIN accounts_user a ON a.id = p.author_id
JOIN (SELECT * FROM counted UNION ALL
      SELECT * FROM social_postcounts WHERE post_id = :post::uuid AND NOT EXISTS (SELECT FROM counted)) n ON true
LEFT JOIN social_group g ON g.id = p.group_id
LEFT JOIN social_channel h ON h.id = p.channel_id
LEFT JOIN campaigns_campaign k ON k.id = p.campaign_id
