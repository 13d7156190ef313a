"""The demo's scenario: citizens, clerks, attackers and the post act, and what they see is judged.

``python -m hub.testing.scenario prepare --home DIR`` makes the partners' systems and the
connectors' settings in a home; ``… run --home DIR`` plays every step against the running system
and prints one line of JSON for each. Nothing here reaches into the hub: it acts through partners'
systems and agencies' own broker accounts, and looks into inboxes, databases, folders and the hub's
evidence.
"""
