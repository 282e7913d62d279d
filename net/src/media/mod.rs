//! Media at work: ports, flows, devices and the clock that paces them, beside the agent's driver.
//!
//! The agent decides what may flow and says so in events; this carries it out. A [`Media`] opens
//! ports, hands the STUN that comes there to its owner, sends what it is told to, and runs flows:
//! packets leave every tick of the clock and are played every tick of the clock, whenever they
//! came. RTP is heard only from the address a flow is bound to (M22); everything else is counted,
//! dropped and never answered. Only where the paper's form is spoken, the agent says from which
//! hosts it may be asked for a flow by RTP alone.
//!
//! [`Port`] is the whole of it without sockets, and takes the time as an argument; the task of a
//! port (`driver`) reads sockets and the clock for it.

mod driver;
pub mod ends;
mod flow;
mod knock;
mod pictures;
pub mod port;
#[cfg(test)]
pub(crate) mod rig;
mod socket;
mod stream;

pub use driver::{Begun, Happening, Knock, Media, Setup, Sockets, Stun};
pub use ends::{Capture, Ends, Render, Rendered};
pub use flow::{Chance, Figures};
pub use pictures::{Camera, Screen};
pub use port::{Dropped, Order, Out, Port, Taken, Told};
pub use stream::{Id, Stream};
