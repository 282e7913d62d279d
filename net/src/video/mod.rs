//! Pictures: where they come from, how they are coded and packed into RTP payloads, how frames are
//! put together again, and where they are shown.
//!
//! Read [`stream`] first: [`VideoSender`] turns a picture into payloads, [`VideoReceiver`] turns
//! packets into pictures. Both are plain values that take the time as an argument; the RTP header,
//! sockets and pacing are their driver's. Below them a [`VideoCodec`] turns pictures into coded
//! frames and a [`Packetizer`] frames into payloads: Motion JPEG ([`jpeg`], RFC 2435) always,
//! H.264 (`h264`, RFC 6184) as a feature.

pub mod assembly;
#[cfg(all(feature = "camera", target_os = "linux"))]
mod camera;
pub mod device;
pub mod fault;
#[cfg(feature = "h264")]
pub mod h264;
pub mod jpeg;
pub mod pattern;
pub mod picture;
pub mod png;
pub mod stream;
pub mod y4m;

pub use assembly::Packet;
pub use device::{DeviceError, Rate, Sink, Source, sink, source};
pub use fault::Fault;
pub use picture::Picture;
pub use stream::{Frame, Packetizer, Payload, VideoCodec, VideoReceiver, VideoSender};
