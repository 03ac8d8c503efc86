"""What works (API.md, Analytics). The room is reserved; its code comes with its own change."""
