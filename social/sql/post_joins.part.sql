-- The tables of post_columns.part.sql behind a table `found` of ids.
JOIN social_post p ON p.id = found.id
JOIN accounts_user a ON a.id = p.author_id
JOIN social_postcounts n ON n.post_id = p.id
LEFT JOIN social_group g ON g.id = p.group_id
LEFT JOIN social_channel h ON h.id = p.channel_id
LEFT JOIN campaigns_campaign k ON k.id = p.campaign_id
CROSS JOIN LATERAL (
    SELECT array_agg(f.id ORDER BY m.position) AS ids, array_agg(f.storage_name ORDER BY m.position) AS names,
           array_agg(f.content_type ORDER BY m.position) AS types, array_agg(f.width ORDER BY m.position) AS widths,
           array_agg(f.height ORDER BY m.position) AS heights, array_agg(m.alt ORDER BY m.position) AS alts,
           array_agg(f.visibility ORDER BY m.position) AS visibilities
      FROM social_postmedia m JOIN uploads f ON f.id = m.file_id
     WHERE m.post_id = p.id) s
