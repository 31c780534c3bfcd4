"""How cautious an answer shall be, as a request's query says it; the names are those of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from ..errors import ModelError
from ..models.card import ModelCard
from ..models.certainty import Caution, check_coverage
from .refusal import Code, Refused


class Asked(BaseModel):
    """The query of a request for answers; whatever else is in it is left alone."""

    coverage: float = Field(
        0.9, gt=0, lt=1, description="share of ages that lie in their interval: a level of the model's card"
    )
    min_gender_score: float = Field(0.5, ge=0.5, le=1, description="a gender less sure than this is null")
    strict: bool = Field(False, description="whether age and gender of a flagged face are null")


_EXPECTED = {
    "coverage": "a number such as 0.9",
    "min_gender_score": "a number from 0.5 to 1",
    "strict": "true or false",
}
#: The query in the OpenAPI document, since the endpoint reads it by itself.
PARAMETERS: dict[str, Any] = {
    "parameters": [
        {
            "name": name,
            "in": "query",
            "description": described["description"],
            "schema": {key: value for key, value in described.items() if key not in ("title", "description")},
        }
        for name, described in Asked.model_json_schema()["properties"].items()
    ]
}


def asked(query: Mapping[str, str], card: ModelCard) -> Caution:
    """Return what a query asks for. Raises Refused where that is none, or the model cannot."""
    try:
        caution = Caution(**Asked.model_validate(dict(query)).model_dump())
        check_coverage(card.certainty, caution.coverage, card.name)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        words = f"{name}: expected {_EXPECTED[name]}, got {query[name][:50]!r}"
        raise Refused(422, Code.bad_option, words) from None
    except ModelError as error:
        raise Refused(422, Code.bad_option, str(error)) from None
    return caution
