"""Exchange: batches come up, records go down, pokes say that there is something new."""
