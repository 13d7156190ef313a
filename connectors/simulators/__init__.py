"""Stand-ins for partners' servers, for demo and tests; no production code imports them."""
