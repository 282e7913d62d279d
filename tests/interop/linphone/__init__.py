"""Linphone as a peer: its configuration, and its command line."""
