"""Password rules: 10 to 128 of any characters, not common, not about us or the person (SECURITY-GOALS 22)."""

import re
import unicodedata
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MIN_LENGTH, MAX_LENGTH = 10, 128
OUR_WORDS = ("vectragrow", "vectra", "crowdfunding")


def normalise(password: str) -> str:
    """
    A password as it is validated, hashed and checked: Unicode's NFKC (NIST SP 800-63B-4 §3.1.1.2; ADR 9). A keyboard
    that composes `é` and one that sends `e` and an accent type the same password.
    """
    return unicodedata.normalize("NFKC", password)


class Argon2id(Argon2PasswordHasher):
    """
    Argon2id with the parameters that OWASP's Password Storage Cheat Sheet names first: 46 MiB, one pass, one lane.

    Django's own take 100 MiB and eight lanes for each login; a burst of logins should not use up a small machine.
    Change a number here, and every hash follows at its owner's next login.
    """

    memory_cost = 46 * 1024
    time_cost = 1
    parallelism = 1


class LengthValidator:
    """Counts code points after normalisation, as NIST has it."""

    def validate(self, password: str, user: Any = None) -> None:
        length = len(normalise(password))
        if length < MIN_LENGTH:
            raise ValidationError(
                _("Use at least %d characters; a few random words work well.") % MIN_LENGTH, "too_short"
            )
        if length > MAX_LENGTH:
            raise ValidationError(_("Use at most %d characters.") % MAX_LENGTH, "too_long")

    def get_help_text(self) -> str:
        return _("%(least)d to %(most)d characters.") % {"least": MIN_LENGTH, "most": MAX_LENGTH}


class CommonValidator(CommonPasswordValidator):
    """Django's list of 20,000, also with a few digits or signs around the word, which is what guessers try next."""

    def validate(self, password: str, user: Any = None) -> None:
        plain = normalise(password).lower().strip()
        word = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
        if plain in self.passwords or (word in self.passwords and len(plain) - len(word) < 6):
            raise ValidationError(
                _("This is one of the passwords that are tried first; a few random words work well."), "too_common"
            )


class ContextValidator:
    """Refuses a password that is hardly more than our name, the person's name or address."""

    def validate(self, password: str, user: Any = None) -> None:
        plain = _letters(password)
        for word in OUR_WORDS:
            if word in plain and len(plain) - len(word) < 6:
                raise ValidationError(
                    _("This is built around the name of this site; choose something else."), "too_guessable"
                )
        for attribute in ("email", "first_name", "last_name"):
            for word in re.split(r"[^a-z0-9]+", _letters(str(getattr(user, attribute, "") or ""), keep="@.-_ ")):
                if len(word) >= 4 and word in plain and len(plain) - len(word) < 6:
                    raise ValidationError(
                        _("This is built around your name or e-mail address; choose something else."), "too_personal"
                    )

    def get_help_text(self) -> str:
        return _("Not built around your name, your address or ours.")


def _letters(text: str, keep: str = "") -> str:
    folded = normalise(text).casefold()
    return "".join(letter for letter in folded if letter.isalnum() or letter in keep)


def simulate_check(password: str) -> None:
    """Take as long as checking a real password would, so that unknown accounts do not answer faster."""
    make_password(normalise(password))


def matches(password: str, user: Any) -> bool:
    """Check a password; an old kind of hash is replaced by the current one on the way."""

    def upgrade(raw: str) -> None:
        old, new = user.password, make_password(raw)
        # Only over the hash that was checked: a password changed meanwhile must not come back.
        if type(user).objects.filter(pk=user.pk, password=old).update(password=new):
            user.password = new

    return check_password(normalise(password), user.password, upgrade)
