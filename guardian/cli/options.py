"""Options that belong together: a command gets them as one typed object, not as a dozen arguments."""

import functools
from collections.abc import Callable
from dataclasses import fields
from typing import Any

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def option_group(kind: type, parameter: str, *options: Decorator) -> Decorator:
    """Return a decorator that adds options to a command, and passes their values on as one object.

    `kind` is a dataclass whose fields are the names of these options; the command gets it as `parameter`. The options
    may also stand above the decorator, one by one, which is how those of a single command are written.
    """
    names = [field.name for field in fields(kind)]

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def with_object(*arguments: Any, **values: Any) -> Any:
            grouped = kind(**{name: values.pop(name) for name in names})
            return function(*arguments, **values, **{parameter: grouped})

        command: Callable[..., Any] = with_object
        for option in reversed(options):
            command = option(command)
        return command

    return add
