"""Events of the installation itself."""

from accounts.models import User
from core.events import Kind, declare

declare(
    Kind("account.demo_password_set", about=User),
    Kind("account.install_admin_made", about=User),
)
