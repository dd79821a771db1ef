"""What a user can mend: the exception that says what is wrong, and here is the way out."""

import errno

#: Faults of a disk or a folder, as operating systems number them.
NOT_WRITABLE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EIO,
)


class InputError(Exception):
    """Bad input, told in one sentence that names it and says what to do instead."""
