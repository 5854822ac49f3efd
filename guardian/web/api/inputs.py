"""What programs may send: strict models, and the kinds of texts in them."""

from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def is_storable(text: str) -> bool:
    """Return whether every database can keep a text: PostgreSQL no NUL, and none half of a surrogate pair (\\ud800)."""
    return "\x00" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("a text has no NUL character and no half of a surrogate pair")
    return text


Text = Annotated[str, AfterValidator(_storable)]
Name = Annotated[Text, Field(min_length=1, max_length=200)]
Note = Annotated[Text, Field(max_length=4_000)]

IdInPath = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,80}$", description="The whole id.")]


class Input(BaseModel):
    """A body or a query. An unknown field is an error, since it is most likely a misspelt one."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PageQuery(Input):
    """How much of a list is wanted, and from where on."""

    limit: int = Field(50, ge=1, le=200, description="How many items at most.")
    cursor: Text | None = Field(
        None, max_length=400, description="`next_cursor` of the page before; without it, the list begins."
    )
