"""What keeps the platform tidy: the retention job, and new tries for what was parked."""
