"""The one exception that means: the input is wrong, and here is the way out."""


class InputError(Exception):
    """Bad input, told in one sentence that names it and says what to do instead."""
