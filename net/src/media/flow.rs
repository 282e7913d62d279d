//! One flow: a session, its keys and its two ends, as one value that is handed datagrams and time.

use super::ends::{Captured, Ends, Rendered};
use super::port::{Out, Told};
use super::stream::{Id, Stream};
use crate::rtp::dtmf::Keys;
use crate::rtp::{Kind, Notice, Packet, Part, Session, Srtp, Start, Statistics, rtcp};
use bytes::Bytes;
use std::net::SocketAddr;
use std::time::Duration;

/// Between two [`Told::Heard`] and two [`Told::Statistics`].
const SECOND: Duration = Duration::from_secs(1);
/// A clock that stood still for longer is not caught up with.
const STANDSTILL: Duration = Duration::from_millis(500);
/// So many refusals of the network in so much time, and the other side cannot be reached (M21).
const REFUSALS: (usize, Duration) = (3, Duration::from_secs(2));

/// What a flow has seen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Figures {
    /// Packets.
    pub packets: Statistics,
    /// What was played of them.
    pub rendered: Rendered,
    /// Packets that were not believed: SRTP.
    pub unproved: u64,
    /// Packets of payload types that nobody agreed on.
    pub other_types: u64,
}

/// What has to be random in a flow.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Chance {
    /// SSRC, if none was announced.
    pub ssrc: u32,
    /// First sequence number.
    pub sequence: u16,
    /// First timestamp.
    pub timestamp: u32,
    /// For the pace of reports.
    pub dice: u64,
}

/// A flow.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) id: Id,
    pub(super) stream: Stream,
    pub(super) session: Session,
    srtp: Option<Srtp>,
    ends: Ends,
    keys: Keys,
    began: Duration,
    /// We do not send.
    hold: bool,
    over: bool,
    first_sent: bool,
    first_played: bool,
    told_heard: Option<Duration>,
    next_statistics: Duration,
    refused: Vec<Duration>,
    unproved: u64,
    other_types: u64,
}

impl Flow {
    pub(super) fn new(id: Id, stream: Stream, mut ends: Ends, setting: Setting<'_>) -> Self {
        let Setting { now, ntp, cname, chance } = setting;
        wish(&mut ends, &stream);
        let bandwidth = ends.capture.as_ref().map_or(80, |capture| capture.bandwidth());
        let start = Start {
            ssrc: stream.ssrc.unwrap_or(chance.ssrc),
            remote_ssrc: stream.remote_ssrc,
            sequence: chance.sequence,
            timestamp: chance.timestamp,
            clock_rate: clock_rate(&stream.codec.rtpmap),
            bandwidth,
            ntp,
            cname: cname.into(),
            dice: chance.dice,
        };
        Self {
            id,
            srtp: stream.keys.as_ref().map(|(send, receive)| Srtp::new(send, receive)),
            stream,
            session: Session::new(start, now),
            ends,
            keys: Keys::default(),
            began: now,
            hold: false,
            over: false,
            first_sent: false,
            first_played: false,
            told_heard: None,
            next_statistics: now + SECOND,
            refused: Vec::new(),
            unproved: 0,
            other_types: 0,
        }
    }

    /// The other side moved or answered, or the direction changed. Keys and session stay, unless
    /// the keys are others.
    pub(super) fn change(&mut self, stream: Stream) {
        self.session.announce(stream.remote_ssrc);
        if stream.keys != self.stream.keys {
            self.srtp = stream.keys.as_ref().map(|(send, receive)| Srtp::new(send, receive));
        }
        self.refused.clear();
        wish(&mut self.ends, &stream);
        self.stream = stream;
    }

    pub(super) fn hold(&mut self, hold: bool) {
        self.hold = hold;
    }

    pub(super) fn dial(&mut self, keys: &str) {
        if let Some(capture) = &mut self.ends.capture
            && self.stream.events.is_some()
        {
            capture.dial(keys);
        }
    }

    pub(super) fn figures(&self) -> Figures {
        Figures {
            packets: self.session.statistics(),
            rendered: self.ends.render.as_ref().map(|one| one.rendered()).unwrap_or_default(),
            unproved: self.unproved,
            other_types: self.other_types,
        }
    }

    /// When [`Flow::run`] has something to do.
    pub(super) fn due(&self) -> Duration {
        let capture = self.ends.capture.as_ref().filter(|_| !self.over);
        let render = self.ends.render.as_ref().and_then(|render| render.due());
        [
            Some(self.session.report_due()),
            Some(self.next_statistics),
            capture.map(|capture| self.began + capture.due()),
            render,
        ]
        .into_iter()
        .flatten()
        .min()
        .expect("reports are always due some time")
    }

    /// Does what is due.
    pub(super) fn run(&mut self, now: Duration, out: &mut Vec<Out>) {
        self.capture(now, out);
        self.render(now, out);
        if self.session.report_due() <= now {
            let report = self.session.report(now);
            if self.stream.budget.is_none() {
                self.control(&report, out);
            }
        }
        if self.next_statistics <= now {
            self.next_statistics = now + SECOND;
            out.push(Out::Tell(self.id, Told::Statistics(Box::new(self.figures()))));
        }
    }

    fn capture(&mut self, now: Duration, out: &mut Vec<Out>) {
        let sends = self.stream.direction.sends() && !self.hold;
        while !self.over {
            let may_send = self.may_send();
            let Some(capture) = &mut self.ends.capture else { return };
            let due = self.began + capture.due();
            if due > now {
                return;
            }
            // What should have been sent long ago is of no use any more.
            let late = now - due >= STANDSTILL;
            match capture.capture(sends && may_send && !late) {
                Captured::Over => {
                    self.over = true;
                    out.push(Out::Tell(self.id, Told::SourceOver));
                }
                Captured::Pieces(pieces) => {
                    for piece in pieces {
                        if !self.may_send() {
                            break;
                        }
                        let payload_type = match (piece.is_event, self.stream.events) {
                            (true, Some((to_send, _))) => to_send,
                            (true, None) => continue,
                            (false, _) => self.stream.codec.pt,
                        };
                        let (marker, time) = (piece.marker, piece.media_time);
                        let packet =
                            self.session.send(now, payload_type, marker, time, piece.payload);
                        self.send(&packet, out);
                    }
                }
            }
        }
    }

    /// Whether there is somebody to send to, who consented or will stand one packet more (X9).
    fn may_send(&self) -> bool {
        let sent = self.session.statistics().sent;
        self.stream.remote.is_some() && self.stream.budget.is_none_or(|most| sent < u64::from(most))
    }

    fn send(&mut self, packet: &Packet, out: &mut Vec<Out>) {
        let Some(to) = self.stream.remote else { return };
        let mut bytes = Vec::with_capacity(Packet::HEADER + packet.payload.len() + 16);
        packet.write(&mut bytes);
        if let Some(srtp) = &mut self.srtp {
            srtp.protect(&mut bytes);
        }
        out.push(Out::Send { control: false, to, bytes: bytes.into() });
        if !self.first_sent {
            self.first_sent = true;
            out.push(Out::Tell(self.id, Told::FirstSent));
        }
    }

    /// Sends control packets.
    pub(super) fn control(&mut self, parts: &[Part], out: &mut Vec<Out>) {
        let Some(to) = self.stream.control else { return };
        let mut bytes = rtcp::write(parts);
        if let Some(srtp) = &mut self.srtp {
            srtp.protect_rtcp(&mut bytes);
        }
        out.push(Out::Send { control: self.stream.is_split(), to, bytes: bytes.into() });
    }

    /// Whether this SSRC of ours and these keys are its own.
    pub(super) fn is_ours(&self, ssrc: u32, keys: &super::port::Keys) -> bool {
        self.session.ssrc() == ssrc && self.stream.keys == *keys
    }

    /// Lets its devices go.
    pub(super) fn release(&mut self) {
        self.ends = Ends::default();
    }

    pub(super) fn bye(&mut self, now: Duration, out: &mut Vec<Out>) {
        let bye = self.session.bye(now);
        self.control(&bye, out);
    }

    fn render(&mut self, now: Duration, out: &mut Vec<Out>) {
        let Some(render) = &mut self.ends.render else { return };
        while let Some(due) = render.due().filter(|due| *due <= now) {
            render.render(if now - due < STANDSTILL { due } else { now });
        }
        if !self.first_played && render.rendered().played > 0 {
            self.first_played = true;
            out.push(Out::Tell(self.id, Told::FirstPlayed));
        }
        if render.wants_picture(now)
            && let Some(wish) = self.session.picture_wanted(now)
        {
            self.control(&wish, out);
        }
    }

    /// Whether it takes packets of this kind whatever their SSRC: the other side has announced
    /// none. A direct flow that only sends hears reports and no media.
    pub(super) fn takes_any(&self, kind: Kind) -> bool {
        let speaks_only = matches!(self.id, Id::Direct(_)) && !self.stream.direction.receives();
        self.stream.remote_ssrc.is_none() && !(kind == Kind::Rtp && speaks_only)
    }

    /// Takes an RTP packet from the right address.
    pub(super) fn on_rtp(&mut self, now: Duration, datagram: &[u8], out: &mut Vec<Out>) {
        let mut bytes = datagram.to_vec();
        if let Some(srtp) = &mut self.srtp
            && srtp.unprotect(&mut bytes).is_err()
        {
            self.unproved += 1;
            return;
        }
        let Ok(packet) = Packet::parse(&Bytes::from(bytes)) else { return };
        let is_media = self.stream.heard.contains(&packet.payload_type);
        let is_event = self.stream.events.is_some_and(|(_, heard)| heard == packet.payload_type);
        if !is_media && !is_event {
            self.other_types += 1;
            return;
        }
        if self.session.receive(now, &packet).is_err() {
            return;
        }
        self.heard(now, out);
        if is_event {
            if let Some(key) = self.keys.receive(packet.timestamp, &packet.payload) {
                out.push(Out::Tell(self.id, Told::Key(key)));
            }
        } else if let Some(render) =
            self.ends.render.as_mut().filter(|_| self.stream.direction.receives())
        {
            render.insert(now, &packet);
        }
    }

    /// Takes a control packet from the right address.
    pub(super) fn on_rtcp(&mut self, now: Duration, datagram: &[u8], out: &mut Vec<Out>) {
        let mut bytes = datagram.to_vec();
        if let Some(srtp) = &mut self.srtp
            && srtp.unprotect_rtcp(&mut bytes).is_err()
        {
            self.unproved += 1;
            return;
        }
        let Ok(parts) = rtcp::parse(&bytes) else { return };
        self.heard(now, out);
        for notice in self.session.receive_rtcp(now, &parts) {
            match notice {
                Notice::Bye => out.push(Out::Tell(self.id, Told::Bye)),
                Notice::PictureWanted => {
                    if let Some(capture) = &mut self.ends.capture {
                        capture.picture_wanted();
                    }
                }
            }
        }
    }

    fn heard(&mut self, now: Duration, out: &mut Vec<Out>) {
        if self.told_heard.is_none_or(|told| now.saturating_sub(told) >= SECOND) {
            self.told_heard = Some(now);
            out.push(Out::Tell(self.id, Told::Heard));
        }
    }

    /// The network said that nobody listens where this flow sends to.
    pub(super) fn on_refused(&mut self, now: Duration, to: SocketAddr, out: &mut Vec<Out>) {
        if !self.stream.is_from(to) {
            return;
        }
        self.refused.retain(|at| now.saturating_sub(*at) < REFUSALS.1);
        self.refused.push(now);
        if self.refused.len() == REFUSALS.0 {
            out.push(Out::Tell(self.id, Told::Unreachable));
        }
    }
}

/// Tells what is captured how the other side would like it.
fn wish(ends: &mut Ends, stream: &Stream) {
    if let (Some(capture), Some(ptime)) = (&mut ends.capture, stream.ptime.filter(|ms| *ms > 0)) {
        capture.frame_wanted(Duration::from_millis(ptime.into()));
    }
}

/// What a flow is begun with, beside what flows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting<'a> {
    pub(super) now: Duration,
    pub(super) ntp: u64,
    pub(super) cname: &'a str,
    pub(super) chance: Chance,
}

/// The clock of an rtpmap. What it does not say is 8000, as in the oldest payload types.
fn clock_rate(rtpmap: &str) -> u32 {
    rtpmap
        .split('/')
        .nth(1)
        .and_then(|rate| rate.parse().ok())
        .filter(|rate| *rate > 0)
        .unwrap_or(8000)
}
