//! The two ends of a video stream, as values: pictures to payloads, packets to pictures.
//!
//! A picture that is not whole is not shown: the last whole one stays. Motion JPEG recovers with
//! the next frame; H.264 waits for a key frame, which the receiver asks for (RFC 4585 §6.3.1).

use super::assembly::{Assembly, Outcome, Packet, Taken};
use super::fault::Fault;
use super::jpeg::{self, JpegCodec, JpegPacketizer};
use super::picture::Picture;
use std::time::Duration;

/// Most octets of one payload: with RTP, SRTP, UDP and IPv6 under every path's limit.
pub const PAYLOAD_LIMIT: usize = 1200;
/// Ticks of the RTP clock of all video in a second.
pub const CLOCK: u32 = 90_000;
/// Shortest time between two key frames that were asked for. Shorter than the second in which a
/// picture must be back, because the key frame can be lost too and has to be asked for again.
pub const KEY_SPACING: Duration = Duration::from_millis(250);
/// Shortest time between two requests for a key frame.
pub const REQUEST_SPACING: Duration = Duration::from_millis(200);

/// Payload of one RTP packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payload {
    /// Its octets.
    pub octets: Vec<u8>,
    /// Whether it is the last of its frame.
    pub marker: bool,
}

/// Pictures to coded frames and back.
pub trait VideoCodec: Send {
    /// Codes a picture, taken at `now`; as a key frame if asked to. Nothing, if the rate that is
    /// aimed at asks for a pause.
    ///
    /// # Errors
    /// The codec cannot carry this picture.
    fn encode(&mut self, picture: &Picture, key: bool, now: Duration) -> Result<Vec<u8>, Fault>;

    /// Decodes a frame. A frame may hold no picture.
    ///
    /// # Errors
    /// The frame is damaged, or built on one that is not there.
    fn decode(&mut self, frame: &[u8]) -> Result<Option<Picture>, Fault>;

    /// Whether every frame is a key frame, so that none need ever be asked for.
    fn stands_alone(&self) -> bool;
}

/// Coded frames to payloads and back.
pub trait Packetizer: Send {
    /// Cuts a frame into payloads of at most `limit` octets.
    ///
    /// # Errors
    /// The payload format cannot carry the frame.
    fn pack(&mut self, frame: &[u8], limit: usize) -> Result<Vec<Payload>, Fault>;

    /// Puts the payloads of one frame together, all of them, in order.
    ///
    /// # Errors
    /// A payload is malformed, or they are not of one frame.
    fn unpack(&mut self, payloads: &[Vec<u8>]) -> Result<Vec<u8>, Fault>;

    /// Whether this payload can only be the first of a frame.
    fn begins(&self, payload: &[u8]) -> bool;

    /// Whether a frame can be decoded without any before it.
    fn is_key(&self, frame: &[u8]) -> bool;
}

/// A codec and its payload format.
pub type Pair = (Box<dyn VideoCodec>, Box<dyn Packetizer>);

/// The codec of an rtpmap (`JPEG/90000`) with its format parameters.
///
/// # Errors
/// There is no such codec here, or the parameters are malformed.
pub fn codec(rtpmap: &str, fmtp: Option<&str>) -> Result<Pair, Fault> {
    if rtpmap.eq_ignore_ascii_case("JPEG/90000") {
        let codec = JpegCodec::new(jpeg::QUALITY);
        return Ok((Box::new(codec), Box::new(JpegPacketizer::default())));
    }
    #[cfg(feature = "h264")]
    if rtpmap.eq_ignore_ascii_case("H264/90000") {
        let parameters = super::h264::Parameters::parse(fmtp.unwrap_or(""))?;
        let codec = super::h264::H264Codec::new(&parameters)?;
        return Ok((Box::new(codec), Box::new(super::h264::H264Packetizer::new(&parameters))));
    }
    let _ = fmtp;
    Err(Fault::new(0, "a codec that is built in", format_args!("{rtpmap:?}")))
}

/// What was sent.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Sent {
    /// Frames.
    pub frames: u64,
    /// Key frames, of codecs that have others.
    pub keys: u64,
    /// Payloads.
    pub payloads: u64,
    /// Octets of payloads.
    pub octets: u64,
}

/// Pictures to payloads.
pub struct VideoSender {
    codec: Box<dyn VideoCodec>,
    packetizer: Box<dyn Packetizer>,
    limit: usize,
    key_wanted: bool,
    last_key: Option<Duration>,
    sent: Sent,
}

impl VideoSender {
    /// A sender of this codec, with payloads of at most [`PAYLOAD_LIMIT`] octets.
    pub fn new((codec, packetizer): Pair) -> Self {
        let (key_wanted, last_key, sent) = (true, None, Sent::default());
        Self { codec, packetizer, limit: PAYLOAD_LIMIT, key_wanted, last_key, sent }
    }

    /// Payloads of at most so many octets.
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The payloads of a picture. All have the timestamp of the picture, [`timestamp`] of `now`.
    ///
    /// # Errors
    /// The codec or its payload format cannot carry the picture; the next one may be sent.
    pub fn encode(&mut self, picture: &Picture, now: Duration) -> Result<Vec<Payload>, Fault> {
        let rested = self.last_key.is_none_or(|last| now.saturating_sub(last) >= KEY_SPACING);
        let frame = self.codec.encode(picture, self.key_wanted && rested, now)?;
        if frame.is_empty() {
            return Ok(Vec::new());
        }
        if !self.codec.stands_alone() && self.packetizer.is_key(&frame) {
            (self.key_wanted, self.last_key) = (false, Some(now));
            self.sent.keys += 1;
        }
        let payloads = self.packetizer.pack(&frame, self.limit)?;
        self.sent.frames += 1;
        self.sent.payloads += payloads.len() as u64;
        self.sent.octets += payloads.iter().map(|payload| payload.octets.len() as u64).sum::<u64>();
        Ok(payloads)
    }

    /// The other side asked for a key frame (PLI or FIR). It gets one with the next picture that
    /// comes [`KEY_SPACING`] after the last; asking more often brings no more.
    pub fn want_key(&mut self) {
        self.key_wanted = true;
    }

    /// What was sent.
    pub fn sent(&self) -> Sent {
        self.sent
    }
}

/// Ticks of the RTP clock at this time, counted from zero; the caller adds its random offset.
pub fn timestamp(now: Duration) -> u32 {
    (now.as_micros() * u128::from(CLOCK) / 1_000_000) as u32
}

/// A picture that came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// RTP timestamp.
    pub timestamp: u32,
    /// The picture.
    pub picture: Picture,
}

/// What came, and what became of it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Received {
    /// Packets.
    pub packets: u64,
    /// Packets that were here before.
    pub copies: u64,
    /// Packets that came after their frame was given up.
    pub late: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Pictures shown.
    pub shown: u64,
    /// Frames of which something was missing.
    pub damaged: u64,
    /// Whole frames that were malformed or could not be decoded.
    pub refused: u64,
    /// Whole frames that were passed over because one before them was missing.
    pub passed_over: u64,
    /// Times a key frame was asked for.
    pub requests: u64,
    /// Why the last frame was refused.
    pub last_fault: Option<Fault>,
}

/// Packets to pictures.
pub struct VideoReceiver {
    codec: Box<dyn VideoCodec>,
    packetizer: Box<dyn Packetizer>,
    assembly: Assembly,
    received: Received,
    /// Nothing can be decoded before a key frame comes.
    needs_key: bool,
    /// It will not come by itself.
    misses_key: bool,
    last_request: Option<Duration>,
}

impl VideoReceiver {
    /// A receiver of this codec.
    pub fn new((codec, packetizer): Pair) -> Self {
        Self {
            codec,
            packetizer,
            assembly: Assembly::default(),
            received: Received::default(),
            needs_key: true,
            misses_key: false,
            last_request: None,
        }
    }

    /// Takes a packet in and gives out the pictures that are whole now, in order; mostly none or
    /// one.
    pub fn receive(&mut self, packet: Packet<'_>, now: Duration) -> Vec<Frame> {
        self.received.packets += 1;
        match self.assembly.push(packet, now) {
            Taken::Held => {}
            Taken::Copy => self.received.copies += 1,
            Taken::Late => self.received.late += 1,
        }
        self.poll(now)
    }

    /// Pictures that became ready because time went by: a hole before them is given up.
    pub fn poll(&mut self, now: Duration) -> Vec<Frame> {
        let mut frames = Vec::new();
        loop {
            let packetizer = &self.packetizer;
            match self.assembly.take(now, |payload| packetizer.begins(payload)) {
                None => return frames,
                Some(Outcome::Broken { packets, frames }) => {
                    self.received.lost += packets;
                    self.received.damaged += frames;
                    (self.needs_key, self.misses_key) = (true, true);
                }
                Some(Outcome::Whole { timestamp, payloads }) => match self.decode(&payloads) {
                    Ok(Some(picture)) => {
                        self.received.shown += 1;
                        frames.push(Frame { timestamp, picture });
                    }
                    Ok(None) => {}
                    Err(fault) => {
                        self.received.refused += 1;
                        self.received.last_fault = Some(fault);
                        (self.needs_key, self.misses_key) = (true, true);
                    }
                },
            }
        }
    }

    fn decode(&mut self, payloads: &[Vec<u8>]) -> Result<Option<Picture>, Fault> {
        let frame = self.packetizer.unpack(payloads)?;
        if self.needs_key && !self.packetizer.is_key(&frame) {
            self.received.passed_over += 1;
            self.misses_key = true;
            return Ok(None);
        }
        let picture = self.codec.decode(&frame)?;
        (self.needs_key, self.misses_key) = (false, false);
        Ok(picture)
    }

    /// Whether to ask the other side for a key frame now (PLI, RFC 4585 §6.3.1). Ask this after
    /// every packet; it says yes at most every [`REQUEST_SPACING`], until one came.
    pub fn request_key(&mut self, now: Duration) -> bool {
        let rested =
            self.last_request.is_none_or(|last| now.saturating_sub(last) >= REQUEST_SPACING);
        let ask = !self.codec.stands_alone() && self.misses_key && rested;
        if ask {
            self.last_request = Some(now);
            self.received.requests += 1;
        }
        ask
    }

    /// What came, and what became of it.
    pub fn received(&self) -> &Received {
        &self.received
    }

    /// Octets held for frames that are not whole.
    pub fn held(&self) -> usize {
        self.assembly.octets()
    }
}

#[cfg(test)]
mod tests;
