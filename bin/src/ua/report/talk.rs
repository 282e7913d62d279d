//! Reports of messages, calls, direct flows and what streams in them.

use super::{Report, message_phase_name, report};
use crate::ua::phone::Notice;
use presently_engine::agent::negotiation::Flow;
use presently_engine::agent::{CallPhase, Event, FlowPhase, StopReason, Way};
use presently_engine::body::sdp::Direction;
use presently_net::media::{Figures, Id};
use serde_json::{Value, json};
use std::time::Duration;

/// The report of a message, or of an event of a call or flow; `None` for any other.
pub(super) fn report(event: &Event) -> Option<Report> {
    Some(match event {
        Event::Message { from, id, content_type, text, stored, expired } => report!(
            "message",
            from = from.as_str(),
            id = id,
            content_type = content_type,
            text = text,
            stored = stored,
            expired = expired
        ),
        Event::MessageStatus { ticket, target, phase, status } => report!(
            "message-status",
            id = ticket,
            target = target.as_str(),
            state = message_phase_name(*phase),
            status = status
        ),
        Event::Call { call, peer, phase, flows, status, reason } => report!(
            "call",
            id = call.0,
            peer = peer,
            state = call_phase_name(*phase),
            codec = flows.first().map(|flow| &flow.codec.rtpmap),
            streams = flows.iter().map(stream).collect::<Vec<_>>(),
            status = status,
            reason = reason
        ),
        Event::Flow { flow, peer, media, way, phase, stream, reason } => report!(
            "flow",
            id = flow.0,
            peer = peer.as_str(),
            media = media,
            way = way_name(*way),
            state = flow_phase_name(*phase),
            codec = stream.as_ref().map(|stream| &stream.codec.rtpmap),
            remote = stream.as_ref().map(|stream| stream.remote.to_string()),
            srtp = stream.as_ref().map(|stream| stream.keys.is_some()),
            reason = reason.map(StopReason::as_str)
        ),
        _ => return None,
    })
}

impl Report {
    /// The report of how a stream fares. Times are in milliseconds.
    pub fn of_stream(id: Id, notice: &Notice) -> Self {
        let (kind, id, line) = match id {
            Id::Call(call, line) => ("call", call.0, Some(line)),
            Id::Direct(flow) => ("flow", flow.0, None),
        };
        let mut report = report!("media", of = kind, id = id, line = line);
        let more = match notice {
            Notice::FirstSent(after) => {
                report!("media", state = "first-sent", after_ms = after.map(in_ms))
            }
            Notice::FirstPlayed(after) => {
                report!("media", state = "first-played", after_ms = after.map(in_ms))
            }
            Notice::SourceOver => report!("media", state = "source-over"),
            Notice::Key(key) => report!("media", state = "key", key = key),
            Notice::Statistics(figures) => statistics("statistics", figures),
            Notice::Stopped(figures) => statistics("stopped", figures),
        };
        report.fields.extend(more.fields);
        report
    }
}

fn statistics(state: &str, figures: &Figures) -> Report {
    let Figures { packets, rendered, unproved, .. } = figures;
    report!(
        "media",
        state = state,
        sent = packets.sent,
        received = packets.received,
        lost = packets.lost,
        late = rendered.late,
        concealed = rendered.concealed,
        played = rendered.played,
        delay_ms = in_ms(rendered.delay),
        jitter_ms = in_ms(packets.jitter),
        round_trip_ms = packets.round_trip.map(in_ms),
        remote_lost = packets.remote_lost,
        unproved = unproved
    )
}

fn in_ms(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}

/// A stream of a call.
fn stream(flow: &Flow) -> Value {
    json!({
        "media": flow.media,
        "codec": flow.codec.rtpmap,
        "remote": flow.to.map(|to| to.to_string()),
        "direction": direction_name(flow.direction),
        "srtp": flow.keys.is_some(),
    })
}

fn call_phase_name(phase: CallPhase) -> &'static str {
    match phase {
        CallPhase::Calling => "calling",
        CallPhase::Ringing => "ringing",
        CallPhase::Incoming => "incoming",
        CallPhase::Up => "up",
        CallPhase::Ended => "ended",
    }
}

fn flow_phase_name(phase: FlowPhase) -> &'static str {
    match phase {
        FlowPhase::Checking => "checking",
        FlowPhase::Streaming => "streaming",
        FlowPhase::Stopped => "stopped",
    }
}

fn way_name(way: Way) -> &'static str {
    match way {
        Way::Out => "out",
        Way::In => "in",
    }
}

fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::SendRecv => "sendrecv",
        Direction::SendOnly => "sendonly",
        Direction::RecvOnly => "recvonly",
        Direction::Inactive => "inactive",
    }
}
