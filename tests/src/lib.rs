//! What the cross-crate tests share: a stage in virtual time and phones that speak raw SIP.

pub mod conformance;
pub mod phone;
pub mod stage;
pub mod world;

pub use phone::{Phone, Told, Watch};
pub use stage::Stage;
pub use world::{Carried, World};
