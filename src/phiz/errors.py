"""The errors phiz raises. Every one says what was expected, what it got and what to do."""

from __future__ import annotations


class PhizError(Exception):
    """Base of every error that phiz raises on purpose."""


class ImageError(PhizError):
    """A picture could not be read. The message names the picture and the reason.

    code: the kind of reason in one word, for programs that say it in words of their own.
    """

    def __init__(self, message: object, code: str = "unreadable") -> None:
        super().__init__(message)
        self.code = code


class ModelError(PhizError):
    """A model, its card or its weights are missing, damaged or do not fit each other."""


class DataError(PhizError):
    """A data set, a split file or a record is not what its format promises."""


class RecipeError(PhizError):
    """A training recipe has an unknown key, a missing key or a value out of range."""


class OutputError(PhizError):
    """Results could not be written where the user wants them, or not all of them."""

    exit_status = 1
