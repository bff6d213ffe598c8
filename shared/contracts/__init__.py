"""START HERE: every event that one service publishes for others.

Contracts are thin: ids and the coded facets that matching needs. Names, addresses and sentences travel only inside
`EncryptedFields`, readable by the one service that needs them. Each event about a request carries `version`, which grows by one
with each change of that request: a reader keeps the newest state and may get the events in any order.

One module for each service that speaks.
"""

from shared.contracts.common import *
from shared.contracts.intake import *
from shared.contracts.matching import *
from shared.contracts.notify import *
