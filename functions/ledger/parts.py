"""What the ledger consists of, once connected."""

from dataclasses import dataclass, field

from functions.ledger.background import Background
from functions.ledger.budget_apply import BudgetFiles
from functions.ledger.budget_mount import MountedBudgets
from functions.ledger.budgets import Budgets
from functions.ledger.door import Door
from functions.ledger.finishing import Endings
from functions.ledger.outbox import Outbox
from functions.ledger.reports import Reports
from functions.ledger.rerating import Rerates
from functions.ledger.reserving import Reservations
from functions.ledger.switch import Switch
from functions.ledger.tally import Tally


@dataclass(frozen=True, slots=True)
class Parts:
    """What answers."""

    door: Door
    reservations: Reservations
    endings: Endings
    budgets: Budgets
    files: BudgetFiles
    mounted: MountedBudgets
    rerates: Rerates
    reports: Reports
    outbox: Outbox
    switch: Switch
    background: Background
    tally: Tally = field(default_factory=Tally)
