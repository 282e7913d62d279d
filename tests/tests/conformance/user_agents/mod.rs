//! User agents and the registrar, as `tests/conformance/rfc3261/user_agents.toml` lists them.

mod dialogs;
mod registrar;
mod talk;
mod uac;
mod uas;
