"""The roof of the house: settings, urls, the servers' entry points. Nobody imports it."""
