//! Scenes for requirements that no other test shows, by the RFC that states them. What each of
//! them is evidence for stands in `tests/conformance/`.

mod digest;
mod events;
mod messages;
mod pager;
mod presence;
mod proxy;
mod publish;
mod responses;
mod transactions;
mod user_agents;
