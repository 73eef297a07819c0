"""How the JSON Schemas of tools are made."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema


class Untitled(GenerateJsonSchema):
    """Leaves out the titles of fields, which say nothing and cost a model tokens."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Answer no."""
        return False
