"""Who asks when nobody is signed in. The person is `accounts.User`; both answer the same questions."""


class Anonymous:
    is_authenticated = False
    is_anonymous = True
    is_active = False
    is_staff = False
    pk = None
    id = None
    role = ""
