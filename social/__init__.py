"""The community: posts, comments, reactions, groups, channels, follows."""
