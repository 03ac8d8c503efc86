"""Writing campaigns: `drafts`, `review`, `funding`, `closing`; every change of status goes through `steps`."""
