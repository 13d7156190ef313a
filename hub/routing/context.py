"""What the pipeline judges by: one immutable snapshot of directory, rules, trust and limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hub.codes import AgencyCode, Environment, MessageId
from hub.routing.access import AccessRules
from hub.routing.directory import Directory
from hub.schemas.validate import Validator
from hub.settings import Settings, TimeSection
from hub.signing.keys import SigningKey
from hub.signing.verifier import Verifier
from hub.store.rows import RepresentsRow


@dataclass(frozen=True, slots=True)
class Context:
    """One snapshot; a new one is made when the store's revision moves."""

    hub: AgencyCode
    """The hub's own code: receipts and pongs are signed under it."""
    environment: Environment
    time: TimeSection
    directory: Directory
    access: AccessRules
    verifier: Verifier
    validator: Validator
    key: SigningKey = field(repr=False)
    new_id: Callable[[datetime], MessageId]
    """Makes a message id; rows take theirs from it too."""
    rungs_s: tuple[int, ...]
    """The retry ladder, shortest first."""
    represents: Mapping[str, tuple[RepresentsRow, ...]] = field(default_factory=dict)
    """Who may send for an agency, by the agency's canonical code."""

    @classmethod
    def of(
        cls,
        settings: Settings,
        *,
        directory: Directory,
        access: AccessRules,
        verifier: Verifier,
        key: SigningKey,
        new_id: Callable[[datetime], MessageId],
        represents: Iterable[RepresentsRow] = (),
    ) -> Context:
        """Make a snapshot for a home; raises ``CodeMalformed`` for a bad ``hub.code``."""
        rows: dict[str, tuple[RepresentsRow, ...]] = {}
        for row in represents:
            rows[row.agency] = (*rows.get(row.agency, ()), row)
        return cls(
            hub=AgencyCode.parse(settings.hub.code, settings.hub.environment),
            environment=settings.hub.environment,
            time=settings.time,
            directory=directory,
            access=access,
            verifier=verifier,
            validator=Validator(),
            key=key,
            new_id=new_id,
            rungs_s=tuple(sorted(settings.broker.rungs_s)),
            represents=rows,
        )

    def may_speak_for(self, account: str, sender: AgencyCode, at: datetime) -> bool:
        """Whether a broker account is the sender's own, or of a gateway that acts for it now."""
        if account == sender.value:
            return True
        return any(
            row.gateway == account
            and row.valid_from <= at
            and (row.valid_to is None or at < row.valid_to)
            for row in self.represents.get(sender.value, ())
        )
