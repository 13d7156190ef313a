"""Attacks on signed envelopes, by name, each with the code that must refuse it.

Used by the tests of the verifier, the demo and fuzzers: ``for attack in MUTATIONS:
attack.apply(raw, pki)``. Most of them sign anew, so that every value is right by the general
standard and only the profile, or the trust, refuses.
"""

from __future__ import annotations

from hub.testing.mutations import algorithms, content, keys, structure, xml
from hub.testing.mutations.base import Mutation

MUTATIONS: tuple[Mutation, ...] = (
    *content.MUTATIONS,
    *structure.MUTATIONS,
    *algorithms.MUTATIONS,
    *keys.MUTATIONS,
    *xml.MUTATIONS,
)
"""Every attack; the names are unique."""

__all__ = ["MUTATIONS", "Mutation"]
