"""The project package: settings, URLs and the entry points of the servers. No app imports it."""
