//! One RTP session of two (RFC 3550): what we send gets its numbers here, what we hear is believed
//! or not here, and the reports about both are made here.
//!
//! The other side is one sender. If its SSRC was announced, nobody else is heard. If not, the
//! first that sends from the agreed address is it, until it says BYE or has been silent for a
//! while; who comes after it has to send two packets in sequence (RFC 3550 §8.2 and appendix A.1).
//! Of one that sends nothing, the first that reports what it received is it.
//! Where packets come from is somebody else's question: only what came from the right address is
//! handed in.

#[cfg(test)]
mod tests;

use super::rtcp::Pace;
use super::{Packet, Part, Report, SenderInfo, Source, time, units};
use bytes::Bytes;
use std::time::Duration;

/// Silence after which somebody else may take the place of a sender that nobody announced.
const QUIET: Duration = Duration::from_secs(2);
/// Packets after which a sender keeps its place.
const FIRM: u32 = 2;
/// Octets of UDP and IPv4 headers, which count in RTCP's share (RFC 3550 §6.2).
const HEADERS: f64 = 28.0;
/// How far back doubled packets are known.
const WINDOW: u32 = 128;

/// What a session begins with. Whatever has to be random comes from here.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Start {
    /// Our SSRC.
    pub ssrc: u32,
    /// The other's, if it was announced.
    pub remote_ssrc: Option<u32>,
    /// Of our first packet.
    pub sequence: u16,
    /// Of our first sample.
    pub timestamp: u32,
    /// Units of timestamps a second.
    pub clock_rate: u32,
    /// Bandwidth of the session in kbit/s, for the pace of reports.
    pub bandwidth: u32,
    /// NTP time, 32.32 bits, when the time handed in is zero.
    pub ntp: u64,
    /// Our canonical name (RFC 3550 §6.5.1).
    pub cname: Box<str>,
    /// Dice for the pace of reports.
    pub dice: u64,
}

/// Why a packet does not count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Refusal {
    /// Another sender than the one of this session, or ourselves.
    Source,
    /// Its sequence number makes no sense, or not yet.
    Sequence,
    /// It was here before.
    Duplicate,
}

/// What a control packet says that somebody has to act on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Notice {
    /// The other side of this session left.
    Bye,
    /// The other side wants a whole picture.
    PictureWanted,
}

/// What a session has seen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Statistics {
    /// Packets sent.
    pub sent: u64,
    /// Octets of payload sent.
    pub sent_octets: u64,
    /// Packets that counted.
    pub received: u64,
    /// Octets of payload in them.
    pub received_octets: u64,
    /// Packets that did not come; less than none if some came twice.
    pub lost: i32,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Packets that came after a later one.
    pub reordered: u64,
    /// Packets that were refused for their source or sequence number.
    pub refused: u64,
    /// Interarrival jitter.
    pub jitter: Duration,
    /// What the other side lost of ours, as it says.
    pub remote_lost: i32,
    /// The same of its last interval, in 256ths.
    pub remote_fraction_lost: u8,
    /// The other side's interarrival jitter.
    pub remote_jitter: Duration,
    /// From here to there and back.
    pub round_trip: Option<Duration>,
}

/// The sender we hear.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Heard {
    ssrc: u32,
    source: Source,
    /// Which of the last numbers came: bit 0 is `newest`.
    window: u128,
    newest: u32,
    at: Duration,
    /// The middle of its last sender report's NTP time, and when it came.
    report: Option<(u32, Duration)>,
}

/// Where a sequence number belongs among those that came before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// After all.
    Newest,
    /// Between them.
    Earlier,
    /// It was there.
    Known,
}

impl Heard {
    fn place(&mut self, number: u32) -> Order {
        let behind = self.newest.wrapping_sub(number);
        if behind < WINDOW {
            let bit = 1u128 << behind;
            let known = self.window & bit != 0;
            self.window |= bit;
            return if known { Order::Known } else { Order::Earlier };
        }
        // Ahead, or a new start.
        let ahead = number.wrapping_sub(self.newest);
        self.window = if ahead < WINDOW { self.window << ahead | 1 } else { 1 };
        self.newest = number;
        Order::Newest
    }
}

/// A session. See the module.
#[derive(Clone, PartialEq, Debug)]
pub struct Session {
    start: Start,
    sequence: u16,
    /// Timestamp of the last packet sent, and when.
    last_sent: Option<(u32, Duration)>,
    /// Packets we had sent at our last two reports: whether we are a sender now.
    sent_before: [u64; 2],
    heard: Option<Heard>,
    /// Who reports, of those that send nothing.
    reporter: Option<u32>,
    statistics: Statistics,
    next_report: Duration,
    average_size: f64,
    dice: u64,
}

impl Session {
    /// A session whose first report is due at once (RFC 3550 §6.2 for two).
    pub fn new(start: Start, now: Duration) -> Self {
        Self {
            sequence: start.sequence,
            last_sent: None,
            sent_before: [0; 2],
            heard: None,
            reporter: None,
            statistics: Statistics::default(),
            next_report: now,
            average_size: 0.0,
            dice: start.dice,
            start,
        }
    }

    /// Our SSRC.
    pub fn ssrc(&self) -> u32 {
        self.start.ssrc
    }

    /// The SSRC of the other side, if it is known.
    pub fn remote_ssrc(&self) -> Option<u32> {
        self.start.remote_ssrc.or(self.heard.as_ref().map(|heard| heard.ssrc))
    }

    /// The other side has announced its SSRC meanwhile, or takes that back.
    pub fn announce(&mut self, remote_ssrc: Option<u32>) {
        self.start.remote_ssrc = remote_ssrc;
    }

    /// Units of timestamps a second.
    pub fn clock_rate(&self) -> u32 {
        self.start.clock_rate
    }

    /// Makes a packet of media that was sampled `media_time` units after the first sample.
    pub fn send(
        &mut self,
        now: Duration,
        payload_type: u8,
        marker: bool,
        media_time: u32,
        payload: Bytes,
    ) -> Packet {
        let timestamp = self.start.timestamp.wrapping_add(media_time);
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        self.last_sent = Some((timestamp, now));
        self.statistics.sent += 1;
        self.statistics.sent_octets += payload.len() as u64;
        Packet { marker, payload_type, sequence, timestamp, ssrc: self.start.ssrc, payload }
    }

    /// Takes a packet; the answer is its sequence number with the wraps before it.
    ///
    /// # Errors
    /// It must not be played.
    pub fn receive(&mut self, now: Duration, packet: &Packet) -> Result<u32, Refusal> {
        let known = self.hear(now, packet);
        if let Err(refusal) = known {
            match refusal {
                Refusal::Duplicate => self.statistics.duplicates += 1,
                Refusal::Source | Refusal::Sequence => self.statistics.refused += 1,
            }
        }
        known
    }

    fn hear(&mut self, now: Duration, packet: &Packet) -> Result<u32, Refusal> {
        let clock_rate = self.start.clock_rate;
        let heard = self.source_of(now, packet)?;
        let number = heard.source.update_seq(packet.sequence).ok_or(Refusal::Sequence)?;
        heard.at = now;
        let order = heard.place(number);
        if order == Order::Known {
            return Err(Refusal::Duplicate);
        }
        heard.source.arrived(now, packet.timestamp, clock_rate);
        self.statistics.reordered += u64::from(order == Order::Earlier);
        self.statistics.received += 1;
        self.statistics.received_octets += packet.payload.len() as u64;
        Ok(number)
    }

    /// The sender a packet belongs to, if it is the one of this session.
    fn source_of(&mut self, now: Duration, packet: &Packet) -> Result<&mut Heard, Refusal> {
        let Packet { ssrc, sequence, .. } = *packet;
        let announced = self.start.remote_ssrc;
        if ssrc == self.start.ssrc || announced.is_some_and(|one| one != ssrc) {
            return Err(Refusal::Source);
        }
        let mut trusted = true;
        if let Some(heard) = &self.heard
            && heard.ssrc != ssrc
        {
            // One packet alone does not keep others out; two do, until they have long been silent.
            let firm = heard.source.received() >= FIRM;
            if firm && now.saturating_sub(heard.at) < QUIET {
                return Err(Refusal::Source);
            }
            trusted = false;
            self.statistics = self.statistics();
            self.heard = None;
        }
        Ok(self.heard.get_or_insert_with(|| Heard {
            ssrc,
            source: match trusted {
                true => Source::announced(sequence),
                false => Source::unknown(sequence),
            },
            window: 0,
            newest: u32::from(sequence).wrapping_sub(1),
            at: now,
            report: None,
        }))
    }

    /// Takes a compound packet.
    pub fn receive_rtcp(&mut self, now: Duration, parts: &[Part]) -> Vec<Notice> {
        let mut notices = Vec::new();
        let mut theirs = self.remote_ssrc().or(self.reporter);
        for part in parts {
            match part {
                Part::SenderReport { ssrc, info, reports } if theirs.is_none_or(|s| s == *ssrc) => {
                    if let Some(heard) = self.heard.as_mut().filter(|heard| heard.ssrc == *ssrc) {
                        heard.report = Some(((info.ntp >> 16) as u32, now));
                    }
                    self.learn(now, reports);
                }
                Part::ReceiverReport { ssrc, reports } if theirs.is_none_or(|s| s == *ssrc) => {
                    if theirs.is_none() && *ssrc != self.start.ssrc {
                        self.reporter = Some(*ssrc);
                        theirs = self.reporter;
                    }
                    self.learn(now, reports);
                }
                Part::Bye { sources } if theirs.is_some_and(|ssrc| sources.contains(&ssrc)) => {
                    notices.push(Notice::Bye);
                    self.statistics = self.statistics();
                    self.heard = None;
                }
                Part::PictureLoss { media, .. } | Part::FullIntra { media, .. }
                    if *media == self.start.ssrc =>
                {
                    notices.push(Notice::PictureWanted);
                }
                Part::SenderReport { .. }
                | Part::ReceiverReport { .. }
                | Part::Description { .. }
                | Part::Bye { .. }
                | Part::PictureLoss { .. }
                | Part::FullIntra { .. }
                | Part::Other => {}
            }
        }
        notices
    }

    /// What the other side heard of us (RFC 3550 §6.4.1).
    fn learn(&mut self, now: Duration, reports: &[Report]) {
        let Some(report) = reports.iter().find(|report| report.ssrc == self.start.ssrc) else {
            return;
        };
        self.statistics.remote_lost = report.lost;
        self.statistics.remote_fraction_lost = report.fraction_lost;
        self.statistics.remote_jitter = time(report.jitter.into(), self.start.clock_rate);
        if report.last_report != 0 {
            let now = (self.ntp(now) >> 16) as u32;
            let there_and_back = now.wrapping_sub(report.last_report).wrapping_sub(report.delay);
            // A delay that is longer than the time since cannot be true.
            if there_and_back < u32::MAX / 2 {
                self.statistics.round_trip = Some(time(there_and_back.into(), 65_536));
            }
        }
    }

    /// NTP time, 32.32 bits.
    fn ntp(&self, now: Duration) -> u64 {
        let fraction = (u64::from(now.subsec_nanos()) << 32) / 1_000_000_000;
        self.start.ntp.wrapping_add(now.as_secs() << 32).wrapping_add(fraction)
    }

    /// When [`Session::report`] is due.
    pub fn report_due(&self) -> Duration {
        self.next_report
    }

    /// The report that is due, and the time of the next. A receiver reports from the beginning, for
    /// who has sent nothing must not say BYE (RFC 3550 §6.3.7).
    pub fn report(&mut self, now: Duration) -> Vec<Part> {
        let parts = self.compound(now);
        let size = super::rtcp::write(&parts).len() as f64 + HEADERS;
        self.average_size =
            if self.average_size == 0.0 { size } else { size / 16.0 + self.average_size * 0.9375 };
        let we_send = self.we_send();
        self.sent_before = [self.sent_before[1], self.statistics.sent];
        let pace = Pace {
            members: 2,
            senders: u32::from(we_send) + u32::from(self.heard.is_some()),
            we_send,
            bandwidth: self.start.bandwidth,
            size: self.average_size,
        };
        self.next_report = now + pace.interval(self.throw());
        parts
    }

    /// The report with which we leave; to be sent three times (behaviour §6.7).
    pub fn bye(&mut self, now: Duration) -> Vec<Part> {
        let mut parts = self.compound(now);
        parts.push(Part::Bye { sources: vec![self.start.ssrc] });
        parts
    }

    /// A compound packet that asks for a whole picture; `None` while nobody is known to ask.
    pub fn picture_wanted(&mut self, now: Duration) -> Option<Vec<Part>> {
        let media = self.remote_ssrc()?;
        let mut parts = self.compound(now);
        parts.push(Part::PictureLoss { from: self.start.ssrc, media });
        Some(parts)
    }

    /// Whether we sent since the report before the last (RFC 3550 §6.4).
    fn we_send(&self) -> bool {
        self.statistics.sent > self.sent_before[0]
    }

    fn compound(&mut self, now: Duration) -> Vec<Part> {
        let ssrc = self.start.ssrc;
        let reports: Vec<Report> = self
            .heard
            .as_mut()
            .filter(|heard| heard.source.is_valid())
            .map(|heard| {
                let (last, delay) = heard.report.map_or((0, 0), |(ntp, at)| {
                    (ntp, units(now.saturating_sub(at), 65_536).min(u32::MAX.into()) as u32)
                });
                heard.source.report(heard.ssrc, last, delay)
            })
            .into_iter()
            .collect();
        let report = match self.last_sent.filter(|_| self.we_send()) {
            Some((timestamp, at)) => {
                let since = units(now.saturating_sub(at), self.start.clock_rate);
                let info = SenderInfo {
                    ntp: self.ntp(now),
                    timestamp: timestamp.wrapping_add(since as u32),
                    packets: self.statistics.sent as u32,
                    octets: self.statistics.sent_octets as u32,
                };
                Part::SenderReport { ssrc, info, reports }
            }
            None => Part::ReceiverReport { ssrc, reports },
        };
        vec![report, Part::Description { ssrc, cname: self.start.cname.clone() }]
    }

    /// The dice of the start, thrown once more (splitmix64).
    fn throw(&mut self) -> u16 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.dice ^ (self.dice >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (z >> 48) as u16
    }

    /// What was seen so far.
    pub fn statistics(&self) -> Statistics {
        let Some(heard) = self.heard.as_ref().filter(|heard| heard.source.is_valid()) else {
            return self.statistics;
        };
        let jitter = time(heard.source.jitter().into(), self.start.clock_rate);
        Statistics { lost: heard.source.lost(), jitter, ..self.statistics }
    }
}
