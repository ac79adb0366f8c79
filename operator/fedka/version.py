"""The one place that says which version this is; `started` and `hello` records carry it."""

VERSION = "0.1.0"
SOFTWARE = f"fedka {VERSION}"
