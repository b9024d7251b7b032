"""One small module a channel. Each has `send(wire, target, notice, now_ms) -> Told` and raises OSError for what
the network did, `NotAllowed` for an address that may not be asked."""
