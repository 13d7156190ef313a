"""Signatures on envelopes: one strict profile, the keys that sign, the trust that judges.

``verifier`` is the only maker of a ``VerifiedEnvelope``; what it returns holds nothing but what the
signature covers.
"""
