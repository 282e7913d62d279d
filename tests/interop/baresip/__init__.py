"""baresip as a peer: its configuration, and its control socket."""
