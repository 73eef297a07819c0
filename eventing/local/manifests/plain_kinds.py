"""Namespace, ConfigMap and Secret."""

import base64
import binascii
from typing import Annotated, Literal

from eventing.local.manifests.fields import Meta, NoEffect, Strict


class Namespace(Strict):
    """A namespace; here only a name."""

    api_version: Literal["v1"]
    kind: Literal["Namespace"]
    metadata: Meta


class ConfigMap(Strict):
    """Plain values, for environments and mounted files."""

    api_version: Literal["v1"]
    kind: Literal["ConfigMap"]
    metadata: Meta
    data: dict[str, str] = {}
    immutable: Annotated[bool, NoEffect] = False


class Secret(Strict):
    """Secret values; those that no manifest defines come from the local secrets file."""

    api_version: Literal["v1"]
    kind: Literal["Secret"]
    metadata: Meta
    type: Annotated[str, NoEffect] = "Opaque"
    data: dict[str, str] = {}
    string_data: dict[str, str] = {}
    immutable: Annotated[bool, NoEffect] = False

    def values(self) -> dict[str, str]:
        """Return the clear texts by key.

        Raises:
            ValueError: a value of `data` is not base64 of UTF-8.
        """
        return {k: _clear(v) for k, v in self.data.items()} | self.string_data


def _clear(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError(f"not base64 of UTF-8: {error}") from error
