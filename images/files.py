"""Files under names made from their content."""

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage


def store(name: str, content: bytes) -> None:
    """Write bytes under a name that is made from content, so that an existing file is the same file.

    Raises OSError where they could not be written; then there is no file.
    """
    if default_storage.exists(name):
        if default_storage.size(name) == len(content):
            return
        default_storage.delete(name)  # cut off by a crash or a full disk
    try:
        default_storage.save(name, ContentFile(content))
    except OSError:
        default_storage.delete(name)  # a disk that is full leaves half a file
        raise
