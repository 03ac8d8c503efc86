"""What is recorded of files: what operators do with them."""

from core import events
from core.events import Kind
from uploads.models import StoredFile

events.declare(Kind("stored_file.retried", about=StoredFile))
