"""Reserved for posts, groups, channels and follows (API.md, Social); their code comes later."""
