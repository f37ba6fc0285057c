"""Files and folders for nobody but the user who runs us: orders, addresses and keys lie in them."""

import errno
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


def write_privately(file: Path, text: str) -> None:
    """Write the text, 0600; whoever reads the file finds all of the old text or all of the new. Raises OSError,
    also where the file is a folder or a device."""
    if file.exists() and not file.is_file():
        raise OSError(errno.EINVAL, "is no file", str(file))
    if not file.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "its folder is not there", str(file))
    descriptor, new = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(descriptor)
        os.replace(new, file)
    except BaseException:
        os.unlink(new)
        raise
