"""Files and folders for nobody but the user who runs us: orders, addresses and keys lie in them."""

import os
import tempfile
from pathlib import Path


def private_folder(folder: Path) -> Path:
    """Create the folder, and those above it, 0700; one that is there stays as it is. Raises OSError."""
    missing: list[Path] = []
    for one in (folder, *folder.parents):
        if one.is_dir():
            break
        missing.append(one)
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)
    return folder


def private_file(file: Path) -> Path:
    """Create the file, empty and 0600, in a private folder; one that is there stays as it is. Raises OSError.

    What SQLite puts beside its database (`-wal`, `-shm`, `-journal`) gets the same mode. One that is there is not
    even opened: closing it would take from this process all of SQLite's locks on it, and lose what is written.
    """
    private_folder(file.parent)
    if not file.exists():
        descriptor, new = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        os.close(descriptor)
        try:
            os.link(new, file)
        except FileExistsError:
            pass  # somebody else was quicker
        finally:
            os.unlink(new)
    return file
