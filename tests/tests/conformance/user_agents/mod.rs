//! User agents and the registrar: RFC 3261 §8–15.

mod dialogs;
mod registrar;
mod talk;
mod uac;
mod uas;
