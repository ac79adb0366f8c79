"""Errors of tasks that ran together: the first one to fail had the others cancelled, so it is the cause."""


def first_error(error: BaseException) -> BaseException:
    """The first error of a group, however deep; an error that is no group is itself."""
    return first_error(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
