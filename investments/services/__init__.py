"""
Writing investments: `methods` (what is charged), `investing` (placing one), `payments` (its charge, to the end),
`refunds` (the way back), `closing` (when a campaign ends), `provider_events` (what providers tell us).
"""
