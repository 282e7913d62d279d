//! Control packets (RFC 3550 §6): compound packets as lists of values, and when they are sent.
//!
//! Sender and receiver reports, CNAME, BYE, and of RFC 4585 and RFC 5104 the two ways to ask for a
//! whole picture. What else comes in a compound packet is kept as [`Part::Other`], so that its
//! neighbours are still heard. Whether a compound packet begins with a report is not asked:
//! feedback may come alone (RFC 5506).

#[cfg(test)]
mod tests;

use super::Malformed;
use rtcp_types::{
    Bye, Compound, CompoundBuilder, Fir, Packet, PayloadFeedback, Pli, ReceiverReport, ReportBlock,
    ReportBlockBuilder, RtcpPacketWriter, RtcpPacketWriterExt, Sdes, SdesChunk, SdesItem,
    SenderReport,
};
use std::time::Duration;

/// What a sender says of its own time and traffic (RFC 3550 §6.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SenderInfo {
    /// Wall time as NTP writes it, 32.32 bits.
    pub ntp: u64,
    /// The same moment by the clock of the media.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Octets of payload sent.
    pub octets: u32,
}

/// What somebody heard of one sender (RFC 3550 §6.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Report {
    /// Of whom.
    pub ssrc: u32,
    /// Lost since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Lost since the beginning; less than none if packets came twice. 24 bits.
    pub lost: i32,
    /// Highest sequence number, with the number of its wraps above it.
    pub highest: u32,
    /// Interarrival jitter in units of the media's clock.
    pub jitter: u32,
    /// The middle of the NTP time of the last sender report, 0 if there was none.
    pub last_report: u32,
    /// Time since that report in 65,536ths of a second.
    pub delay: u32,
}

/// One packet of a compound packet.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Part {
    /// RFC 3550 §6.4.1.
    SenderReport {
        /// Whose.
        ssrc: u32,
        /// What it sent.
        info: SenderInfo,
        /// What it heard.
        reports: Vec<Report>,
    },
    /// RFC 3550 §6.4.2.
    ReceiverReport {
        /// Whose.
        ssrc: u32,
        /// What it heard.
        reports: Vec<Report>,
    },
    /// RFC 3550 §6.5; of its items only the one that must be there.
    Description {
        /// Of whom.
        ssrc: u32,
        /// Canonical name.
        cname: Box<str>,
    },
    /// RFC 3550 §6.6.
    Bye {
        /// Who leaves.
        sources: Vec<u32>,
    },
    /// A picture was lost (RFC 4585 §6.3.1).
    PictureLoss {
        /// Who says so.
        from: u32,
        /// Whose picture.
        media: u32,
    },
    /// Somebody wants a whole picture (RFC 5104 §4.3.1).
    FullIntra {
        /// Who.
        from: u32,
        /// From whom.
        media: u32,
        /// Another number for another wish.
        sequence: u8,
    },
    /// Something else.
    Other,
}

/// Reads a compound packet.
///
/// # Errors
/// A wrong version, or lengths that do not fit each other.
pub fn parse(datagram: &[u8]) -> Result<Vec<Part>, Malformed> {
    let mut parts = Vec::new();
    for packet in Compound::parse(datagram).map_err(|_| Malformed)? {
        match packet.map_err(|_| Malformed)? {
            Packet::Sr(packet) => parts.push(Part::SenderReport {
                ssrc: packet.ssrc(),
                info: SenderInfo {
                    ntp: packet.ntp_timestamp(),
                    timestamp: packet.rtp_timestamp(),
                    packets: packet.packet_count(),
                    octets: packet.octet_count(),
                },
                reports: packet.report_blocks().map(|block| report(&block)).collect(),
            }),
            Packet::Rr(packet) => parts.push(Part::ReceiverReport {
                ssrc: packet.ssrc(),
                reports: packet.report_blocks().map(|block| report(&block)).collect(),
            }),
            Packet::Sdes(packet) => parts.extend(packet.chunks().filter_map(description)),
            Packet::Bye(packet) => parts.push(Part::Bye { sources: packet.ssrcs().collect() }),
            Packet::PayloadFeedback(packet) => feedback(&packet, &mut parts),
            Packet::App(_) | Packet::TransportFeedback(_) | Packet::Xr(_) | Packet::Unknown(_) => {
                parts.push(Part::Other);
            }
        }
    }
    Ok(parts)
}

fn report(block: &ReportBlock<'_>) -> Report {
    Report {
        ssrc: block.ssrc(),
        fraction_lost: block.fraction_lost(),
        // 24 bits with a sign.
        lost: ((block.cumulative_lost() << 8) as i32) >> 8,
        highest: block.extended_sequence_number(),
        jitter: block.interarrival_jitter(),
        last_report: block.last_sender_report_timestamp(),
        delay: block.delay_since_last_sender_report_timestamp(),
    }
}

fn description(chunk: &SdesChunk<'_>) -> Option<Part> {
    let name = chunk.items().find(|item| item.type_() == SdesItem::CNAME)?;
    let cname = String::from_utf8_lossy(name.value()).into();
    Some(Part::Description { ssrc: chunk.ssrc(), cname })
}

fn feedback(packet: &PayloadFeedback<'_>, parts: &mut Vec<Part>) {
    let from = packet.sender_ssrc();
    if packet.parse_fci::<Pli<'_>>().is_ok() {
        parts.push(Part::PictureLoss { from, media: packet.media_ssrc() });
    } else if let Ok(wishes) = packet.parse_fci::<Fir<'_>>() {
        parts.extend(wishes.entries().map(|wish| Part::FullIntra {
            from,
            media: wish.ssrc(),
            sequence: wish.sequence(),
        }));
    } else {
        parts.push(Part::Other);
    }
}

/// Writes a compound packet. [`Part::Other`] is left out.
pub fn write(parts: &[Part]) -> Vec<u8> {
    let mut compound = Compound::builder();
    for part in parts {
        compound = add(compound, part);
    }
    let mut datagram = vec![0; compound.calculate_size().unwrap_or(0)];
    let length = compound.write_into(&mut datagram).unwrap_or(0);
    datagram.truncate(length);
    datagram
}

fn add<'a>(compound: CompoundBuilder<'a>, part: &'a Part) -> CompoundBuilder<'a> {
    match part {
        Part::SenderReport { ssrc, info, reports } => {
            let packet = SenderReport::builder(*ssrc)
                .ntp_timestamp(info.ntp)
                .rtp_timestamp(info.timestamp)
                .packet_count(info.packets)
                .octet_count(info.octets);
            compound.add_packet(
                reports
                    .iter()
                    .map(block)
                    .fold(packet, |packet, block| packet.add_report_block(block)),
            )
        }
        Part::ReceiverReport { ssrc, reports } => {
            let packet = ReceiverReport::builder(*ssrc);
            compound.add_packet(
                reports
                    .iter()
                    .map(block)
                    .fold(packet, |packet, block| packet.add_report_block(block)),
            )
        }
        Part::Description { ssrc, cname } => {
            let item = SdesItem::builder(SdesItem::CNAME, cname);
            let chunk = SdesChunk::builder(*ssrc).add_item(item);
            compound.add_packet(Sdes::builder().add_chunk(chunk))
        }
        Part::Bye { sources } => compound.add_packet(
            sources.iter().fold(Bye::builder(), |packet, source| packet.add_source(*source)),
        ),
        Part::PictureLoss { from, media } => compound.add_packet(
            PayloadFeedback::builder_owned(Pli::builder()).sender_ssrc(*from).media_ssrc(*media),
        ),
        Part::FullIntra { from, media, sequence } => compound.add_packet(
            PayloadFeedback::builder_owned(Fir::builder().add_ssrc(*media, *sequence))
                .sender_ssrc(*from),
        ),
        Part::Other => compound,
    }
}

fn block(report: &Report) -> ReportBlockBuilder {
    ReportBlock::builder(report.ssrc)
        .fraction_lost(report.fraction_lost)
        .cumulative_lost(report.lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff)
        .extended_sequence_number(report.highest)
        .interarrival_jitter(report.jitter)
        .last_sender_report_timestamp(report.last_report)
        .delay_since_last_sender_report_timestamp(report.delay)
}

/// What decides how often somebody reports (RFC 3550 §6.3.1, appendix A.7).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pace {
    /// Everybody in the session, ourselves included.
    pub members: u32,
    /// Those of them that send.
    pub senders: u32,
    /// Whether we do.
    pub we_send: bool,
    /// Bandwidth of the session in kbit/s.
    pub bandwidth: u32,
    /// Average octets of a compound packet, with headers of UDP and IP.
    pub size: f64,
}

impl Pace {
    /// The interval, before chance has its part: with the reduced minimum of RFC 3550 §6.2, which
    /// is 360 s divided by the session's bandwidth in kbit/s, but never above five seconds.
    pub fn deterministic(&self) -> Duration {
        let bandwidth = f64::from(self.bandwidth.max(1));
        let minimum = (360.0 / bandwidth).min(5.0);
        // Five percent of the session in octets each second.
        let mut share = bandwidth * 1000.0 / 8.0 * 0.05;
        let mut members = f64::from(self.members.max(1));
        let senders = f64::from(self.senders);
        if senders <= members * 0.25 {
            if self.we_send {
                share *= 0.25;
                members = senders.max(1.0);
            } else {
                share *= 0.75;
                members -= senders;
            }
        }
        Duration::from_secs_f64((self.size * members / share).max(minimum))
    }

    /// The interval with a throw of dice between 0 and 65,535: half to one and a half, divided by
    /// e − 3/2 since timer reconsideration ends below the average.
    pub fn interval(&self, throw: u16) -> Duration {
        let factor = (0.5 + f64::from(throw) / 65536.0) / (std::f64::consts::E - 1.5);
        self.deterministic().mul_f64(factor)
    }
}
