"""
Writing investments: `methods` (what is charged), `investing` (placing one), `payments` (its charge, to the end),
`refunds`, `closing` (when a campaign ends), `provider_events` (webhooks).
"""
