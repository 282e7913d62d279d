//! Reports of calls, direct flows and what streams in them.

use super::{Report, report};
use crate::ua::phone::{Notice, StreamName};
use presently_engine::agent::negotiation::Flow;
use presently_engine::agent::{CallPhase, Event, FlowPhase, StopReason, Way};
use presently_engine::body::sdp::Direction;
use serde_json::{Value, json};
use std::time::Duration;

/// The report of an event of a call or flow; `None` for any other.
pub(super) fn report(event: &Event) -> Option<Report> {
    Some(match event {
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
    pub fn of_stream(name: StreamName, notice: &Notice) -> Self {
        let (kind, id, line) = match name {
            StreamName::Call(call, line) => ("call", call.0, Some(line)),
            StreamName::Flow(flow) => ("flow", flow.0, None),
        };
        let mut report = report!("media", of = kind, id = id, line = line);
        let more = match notice {
            Notice::FirstSent(after) => {
                report!("media", state = "first-sent", after_ms = after.map(in_ms))
            }
            Notice::FirstPlayed(after) => {
                report!("media", state = "first-played", after_ms = after.map(in_ms))
            }
            Notice::Statistics(all) => report!(
                "media",
                state = "statistics",
                sent = all.sent,
                received = all.received,
                lost = all.lost,
                late = all.late,
                concealed = all.concealed,
                jitter_ms = all.jitter_ms,
                round_trip_ms = all.round_trip_ms
            ),
        };
        report.fields.extend(more.fields);
        report
    }
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
