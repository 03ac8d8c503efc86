-- How many investments in a campaign were begun on each day (UTC), and by how many people. Index: investment_by_campaign.
SELECT
    (i.created_at AT TIME ZONE 'UTC')::date AS day,
    count(*) AS started,
    count(DISTINCT i.investor_id) AS people
FROM investments_investment i
WHERE i.campaign_id = :campaign::uuid
  AND i.created_at >= :since::timestamptz AND i.created_at < :until::timestamptz
GROUP BY 1
