"""The error tree of the hub; every leaf owns a stable code, two sentences and a disposition.

::

    HubError
    ├─ XmlError, ProfileError, SignatureInvalid, TrustError      QUARANTINE, never answered
    ├─ SchemaError, HeaderError, RoutingError, Duplicate…,
    │  AttachmentError, EdxmlError                               REJECT, answered
    ├─ SinkUnavailable, BrokerUnavailable, StoreUnavailable …    RETRY
    └─ SourceError, SinkUnknown, Unroutable, Config…, …          PARK, an operator's turn

Raise a leaf, never a family. ``REGISTRY`` maps each code to its class; ``docs/reference/errors.md``
is generated from it.
"""

from hub.errors.base import NOWHERE, REGISTRY, Disposition, HubError, Lang, Place, printable
from hub.errors.edge import *
from hub.errors.edxml import *
from hub.errors.ops import *
from hub.errors.wire import *

__all__ = ["NOWHERE", "REGISTRY", "Disposition", "HubError", "Lang", "Place", "printable"]
__all__ += sorted(leaf.__name__ for leaf in REGISTRY.values())
