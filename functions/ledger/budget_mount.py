"""Applies the mounted budget file when its text is another one."""

import hashlib
import logging
from pathlib import Path

from functions.ledger.budget_apply import BudgetFiles
from shared.errors import Permanent, Transient

log = logging.getLogger(__name__)


class MountedBudgets:
    """The file of `TOLLGATE_BUDGETS`; '' or a missing file are no budgets of anybody's."""

    def __init__(self, path: str, files: BudgetFiles) -> None:
        self._path, self._files = path, files
        self._seen = ""

    async def look(self) -> bool:
        """Apply the file if its text is new; return whether anything changed.

        A faulty file is named in the log, once, and changes nothing. With the store away it is
        tried again at the next look.
        """
        text = self._text()
        if text is None:
            return False
        from functions.ledger.budget_file import read  # only where there is a file

        digest = hashlib.sha256(text.encode()).hexdigest()
        if digest == self._seen:
            return False
        try:
            found = await self._files.apply(read(text), origin="file")
        except Permanent as error:
            log.exception("%s is not applied: %s", self._path, error.extra.get("errors"))
            found = {"changes": [], "warnings": []}
        except Transient as error:
            log.warning("%s is applied later: %s", self._path, error.detail)
            return False
        self._seen = digest
        for warning in found["warnings"]:
            log.warning("%s: %s", self._path, warning)
        log.info("%s changed %d budgets", self._path, len(found["changes"]))
        return bool(found["changes"])

    def _text(self) -> str | None:
        if not self._path:
            return None
        try:
            return Path(self._path).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError):
            log.exception("%s cannot be read", self._path)
            return None
