"""What the worker does: because of a change (topics of the outbox), and by the clock."""

from collections.abc import Sequence
from uuid import UUID

from core import clock
from core.jobs import outbox
from core.jobs.backoff import MAX_ATTEMPTS
from core.jobs.outbox import NotYet
from core.jobs.runner import Job, register
from core.models import OutboxEvent
from uploads import stores
from uploads.models import State, StoredFile
from uploads.services import moves, orphans, renditions, videos
from uploads.videos import CannotRewrite


@outbox.on("uploads.process_file")
def process_file(event_id: UUID, file_id: str) -> None:
    """
    Make the sizes of a picture, rewrite a video. The last try that fails gives up, so that nothing is processing for
    ever; a video that cannot be rewritten has no second one.
    """
    attempt = OutboxEvent.objects.get(pk=event_id).attempts
    stored = StoredFile.objects.with_bytes().filter(pk=file_id, state=State.PROCESSING).first()
    if stored is None:
        return
    if attempt > MAX_ATTEMPTS:  # the process was killed each time
        renditions.give_up(stored.pk)
        return
    try:
        if stored.is_video:
            videos.process_video(stored, now=clock.now())
        else:
            renditions.process_image(stored, now=clock.now())
    except NotYet:
        raise
    except CannotRewrite:
        renditions.give_up(stored.pk)
    except Exception:
        if attempt == MAX_ATTEMPTS:
            renditions.give_up(stored.pk)
        raise


@outbox.on("uploads.move_file")
def move_file(event_id: UUID, file_id: str) -> None:
    moves.move_file(UUID(file_id), now=clock.now())


@outbox.on("uploads.delete_bytes")
def delete_bytes(event_id: UUID, names: Sequence[tuple[str, str]]) -> None:
    """:param names: of a store, and in it"""
    for store, name in names:
        stores.delete(store, name)


DELETE_ORPHANS = register(
    Job(
        "uploads.delete_orphans",
        "Delete bytes in the store that no row points to.",
        due=orphans.orphans,
        work=orphans.delete_orphan,
        batch=5000,
    )
)
