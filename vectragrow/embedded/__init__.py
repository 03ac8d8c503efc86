"""
The launcher behind `make up` and `make test`: an environment, a PostgreSQL, a Valkey and our own processes.

It begins before anything is installed, so nothing in this package imports more than the standard library.
docs/running.md tells the story.
"""
