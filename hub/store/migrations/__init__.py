"""Alembic's migrations of the store, run by ``hub.store.engine.Store.open(create=True)``."""
