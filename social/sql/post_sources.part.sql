-- A post p with its author a, its group g and its channel h.
social_post p
JOIN accounts_user a ON a.id = p.author_id
LEFT JOIN social_group g ON g.id = p.group_id
LEFT JOIN social_channel h ON h.id = p.channel_id
