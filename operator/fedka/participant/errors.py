"""What can be wrong with an app, by what its author can do about it."""


class AppUnloadable(Exception):
    """The entrypoint does not lead to an app. Where the app's own module raised, that is the cause."""


class AppMisused(Exception):
    """The app breaks the rules of the app API: a function is missing, or returned the wrong thing."""


class ConfigRefused(Exception):
    """The configuration in the resource does not fit the type that the app declares."""


class ModelUnusable(Exception):
    """The model cannot travel: an unknown dtype, a number out of range, a layout that changed."""


class Interrupted(BaseException):
    """SIGTERM or SIGINT. Not an Exception: an app's own `except Exception` must not swallow it."""


class AppRaised(Exception):
    """The app's own code raised; the cause is what it raised."""

    def __init__(self, function: str, cause: BaseException) -> None:
        """`function` is the role of the app's function that raised."""
        super().__init__(f"the {function} function raised {type(cause).__name__}: {_words(cause)}")


def _words(cause: BaseException) -> str:
    try:
        return str(cause)
    except Exception as error:  # noqa: BLE001  the app's own class may raise whatever it likes
        return f"(its message cannot be had: {type(error).__name__})"
