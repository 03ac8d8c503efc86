"""The settings of development, for measuring what a login costs beside its hash: the cheapest hash that Django has."""

from vectragrow.settings.dev import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
