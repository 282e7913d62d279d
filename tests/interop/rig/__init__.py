"""What the interop drivers share: processes driven by their lines, our server and agents on a
loopback address of their own, raw SIP users, captured traffic, and the table in README.md."""
