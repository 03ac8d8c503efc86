"""
The launcher behind `make up` and `make test`: an environment, a PostgreSQL, a Valkey and our own processes.

It runs before anything is installed, so this package imports nothing but the standard library.
See docs/running.md.
"""
