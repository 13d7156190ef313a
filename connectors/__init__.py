"""One deployable process for each concrete legacy system; they know ``hub.adapters`` only."""
