"""Posts, groups, channels, follows (API.md, Social). The room is reserved; its code comes with its own change."""
