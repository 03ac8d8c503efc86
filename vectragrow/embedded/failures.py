"""Errors that the operator can fix."""


class Failure(Exception):
    """Printed as one sentence, without a traceback; the launcher then ends with status 1."""


class Stopped(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal. Not an Exception, so that nothing on the way swallows it."""
