"""Migrations of the store, forward only, each in one transaction.

There is no downgrade: it would have to forget evidence. A program that finds a newer schema refuses
to run and changes nothing; the way back is the newer program, or the backup made before.
"""
