"""What every post shares: tracking, slips, orders, the cursor with overlap, judged replies.

Nothing here knows how a post's system is reached: connectors fetch rows and hand orders over.
"""
