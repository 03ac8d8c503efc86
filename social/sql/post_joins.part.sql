-- The tables of post_columns.part.sql behind a table `found` of ids.
JOIN social_post p ON p.id = found.id
JOIN accounts_user a ON a.id = p.author_id
JOIN social_postcounts n ON n.post_id = p.id
LEFT JOIN social_group g ON g.id = p.group_id
LEFT JOIN social_channel h ON h.id = p.channel_id
LEFT JOIN campaigns_campaign k ON k.id = p.campaign_id
