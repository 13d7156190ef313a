"""What every document management system shares: edXML packets ↔ ``document.*`` messages.

Nothing here knows how a vendor's system is reached. The packet's bytes travel as they are; the
payload is only an index of them for people and for routing.
"""
