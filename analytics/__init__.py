"""Reserved for analytics (API.md, Analytics); its code comes later."""
