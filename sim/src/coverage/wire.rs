//! Rows that are messages on the wire, and races that are orders of arrival.

use super::{Coverage, Row};
use crate::plan::{Act, Party};
use crate::record::{Fate, Record, What};
use crate::world::is_stranger;
use presently::facts::user_of;
use presently_engine::message::{Message, Method, Name, Request, Response};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// How often a NOTIFY leaves before its time is up (Timer E until Timer F, RFC 3261 §17.1.2.2).
const SENDS: u32 = 11;

/// What a request was, for the answer that comes to it.
struct Asked {
    method: Method,
    from: SocketAddr,
    credentials: Option<(String, u32)>,
    if_match: bool,
    body: bool,
    ends: bool,
    binds: bool,
    in_dialog: bool,
    call_id: String,
    sends: u32,
}

/// When the first messages of a subscription arrive.
#[derive(Default)]
struct Arrivals {
    ok_ms: Option<u64>,
    notify_ms: Option<u64>,
}

struct Wire<'a> {
    coverage: &'a mut Coverage,
    /// By branch and method.
    asked: BTreeMap<(String, String), Asked>,
    /// By Call-ID.
    subscriptions: BTreeMap<String, Arrivals>,
    /// Highest count taken, by nonce.
    counts: BTreeMap<String, u32>,
    /// Where a registration came from last, by Call-ID.
    flows: BTreeMap<String, SocketAddr>,
    restarted: bool,
}

pub(super) fn read(record: &Record, coverage: &mut Coverage) {
    let mut wire = Wire {
        coverage,
        asked: BTreeMap::new(),
        subscriptions: BTreeMap::new(),
        counts: BTreeMap::new(),
        flows: BTreeMap::new(),
        restarted: false,
    };
    for entry in &record.entries {
        match &entry.what {
            What::Datagram { from, bytes, fate, .. } => match Message::parse(bytes.clone()) {
                Ok(Message::Request(request)) => wire.request(entry.at_ms, *from, *fate, &request),
                Ok(Message::Response(response)) => wire.response(entry.at_ms, *fate, &response),
                Err(_) => {}
            },
            What::Step(step) if step.act == Act::Crash(Party::Server) => wire.restarted = true,
            What::Step(_) | What::Told { .. } | What::Trouble { .. } => {}
        }
    }
    let overtaken = |arrivals: &&Arrivals| match (arrivals.notify_ms, arrivals.ok_ms) {
        (Some(notify), Some(ok)) => notify < ok,
        (Some(_) | None, None) | (None, Some(_)) => false,
    };
    for _ in wire.subscriptions.values().filter(overtaken) {
        wire.coverage.reach(Row::NotifyFirst);
    }
}

impl Wire<'_> {
    fn reach(&mut self, row: Row) {
        self.coverage.reach(row);
    }

    fn request(&mut self, at_ms: u64, from: SocketAddr, fate: Fate, request: &Request) {
        let Some(key) = key(request, request.method_text()) else { return };
        self.fate(fate, Row::RequestDoubled);
        let call_id = request.call_id().unwrap_or_default().to_owned();
        if request.method() == Method::Notify {
            self.notify(at_ms, fate, request, &call_id);
        }
        let asked = self.asked.entry(key).or_insert_with(|| Asked {
            method: request.method(),
            from,
            credentials: credentials(request),
            if_match: request.first(Name::SipIfMatch).is_some(),
            body: !request.body().is_empty(),
            ends: ends(request),
            binds: request.first(Name::Contact).is_some(),
            in_dialog: request.to().is_ok_and(|to| to.tag().is_some()),
            call_id,
            sends: 0,
        });
        asked.sends += 1;
        if asked.method == Method::Notify && asked.sends == SENDS {
            self.reach(Row::NotifyUnanswered);
        }
    }

    fn notify(&mut self, at_ms: u64, fate: Fate, request: &Request, call_id: &str) {
        let state = request.subscription_state();
        let terminal = state.as_ref().is_some_and(|state| state.state == "terminated");
        let deactivated = state.is_some_and(|state| state.reason == Some("deactivated"));
        if deactivated {
            self.reach(Row::Deactivated);
        }
        match fate {
            Fate::Lost | Fate::Cut if terminal => self.reach(Row::TerminalLost),
            Fate::Lost | Fate::Cut => self.reach(Row::NotifyLost),
            Fate::Arrives { after_ms, .. } => {
                let arrivals = self.subscriptions.entry(call_id.to_owned()).or_default();
                let arrival = at_ms + after_ms;
                arrivals.notify_ms = Some(arrivals.notify_ms.map_or(arrival, |it| it.min(arrival)));
            }
            Fate::TooLarge | Fate::NobodyThere => {}
        }
        if request.event().is_some_and(|event| event.package == "presence.winfo") {
            let full = request.body().windows(12).any(|part| part == b"state=\"full\"");
            self.reach(if full { Row::WinfoFull } else { Row::WinfoPartial });
            let owner = request.from().map(|from| user_of(from.uri));
            if owner.is_ok() && owner != request.to().map(|to| user_of(to.uri)) {
                self.reach(Row::SelfView);
            }
        }
    }

    fn response(&mut self, at_ms: u64, fate: Fate, response: &Response) {
        let Ok(cseq) = response.cseq() else { return };
        self.fate(fate, Row::ResponseDoubled);
        let success = (200..300).contains(&response.status());
        if success && matches!(fate, Fate::Lost | Fate::Cut) {
            let row = match cseq.method {
                "SUBSCRIBE" => Some(Row::OkOfSubscribeLost),
                "PUBLISH" => Some(Row::OkOfPublishLost),
                "REGISTER" => Some(Row::OkOfRegisterLost),
                "MESSAGE" => Some(Row::OkOfMessageLost),
                _ => None,
            };
            row.into_iter().for_each(|row| self.reach(row));
        }
        if let (true, "SUBSCRIBE", Fate::Arrives { after_ms, .. }) = (success, cseq.method, fate) {
            let call_id = response.call_id().unwrap_or_default().to_owned();
            let arrivals = self.subscriptions.entry(call_id).or_default();
            arrivals.ok_ms.get_or_insert(at_ms + after_ms);
        }
        let Some(key) = key(response, cseq.method) else { return };
        // Each answer counts once: a copy is the transaction's doing.
        let Some(asked) = self.asked.remove(&key) else { return };
        self.proof(&asked, response);
        if let Some(row) = answered(&asked, response.status()) {
            self.reach(row);
        }
        if success && asked.method == Method::Register {
            let before = self.flows.insert(asked.call_id, asked.from);
            if before.is_some_and(|before| before != asked.from) {
                self.reach(Row::Rebound);
            }
        }
    }

    /// Rows of M7.
    fn proof(&mut self, asked: &Asked, response: &Response) {
        let stale = [Name::WwwAuthenticate, Name::ProxyAuthenticate]
            .iter()
            .any(|name| response.lines(*name).any(|line| line.contains("stale=true")));
        match (response.status(), &asked.credentials) {
            (401 | 407, None) => self.reach(Row::Challenged),
            (401 | 407, Some(_)) if is_stranger(asked.from) => self.reach(Row::Replayed),
            (401 | 407, Some(_)) if stale => {
                self.reach(Row::Stale);
                if self.restarted {
                    self.reach(Row::Restarted);
                }
            }
            (200..=299, Some((nonce, count))) => {
                self.reach(Row::Proven);
                let highest = self.counts.entry(nonce.clone()).or_default();
                let overtaken = *count < *highest;
                *highest = (*highest).max(*count);
                if overtaken {
                    self.reach(Row::OvertakenCount);
                }
            }
            _ => {}
        }
        let info = response.first(Name::AuthenticationInfo);
        if info.is_some_and(|info| info.contains("nextnonce")) {
            self.reach(Row::NextNonce);
        }
    }

    fn fate(&mut self, fate: Fate, doubled: Row) {
        if let Fate::Arrives { corrupted, copy, .. } = fate {
            if corrupted {
                self.reach(Row::Damaged);
            }
            if copy {
                self.reach(doubled);
            }
        }
    }
}

/// The row that an answer to a request is.
fn answered(asked: &Asked, status: u16) -> Option<Row> {
    let success = (200..300).contains(&status);
    match asked.method {
        Method::Register if success && asked.ends => Some(Row::Unbound),
        Method::Register if success && asked.binds => Some(Row::Bound),
        Method::Publish if status == 412 => Some(Row::EtagUnknown),
        Method::Publish if success && asked.ends => Some(Row::Removed),
        Method::Publish if success => Some(match (asked.if_match, asked.body) {
            (true, true) => Row::Modified,
            (true, false) => Row::Refreshed,
            (false, _) => Row::Published,
        }),
        Method::Subscribe if status == 403 => Some(Row::Blocked),
        Method::Subscribe if status == 481 => Some(Row::DialogGone),
        Method::Subscribe if success => match (asked.in_dialog, asked.ends) {
            (true, true) => Some(Row::Unsubscribed),
            (true, false) => Some(Row::RefreshedSubscription),
            (false, true) => Some(Row::Fetched),
            (false, false) => None,
        },
        Method::Notify if success => Some(Row::NotifyAnswered),
        Method::Notify if status == 481 => Some(Row::NotifyFatal),
        _ => None,
    }
}

/// What an answer has in common with its request.
fn key(message: &presently_engine::message::Headers, method: &str) -> Option<(String, String)> {
    let via = message.via().ok()?;
    Some((via.branch?.to_owned(), method.to_owned()))
}

/// Nonce and count, if there are credentials.
fn credentials(request: &Request) -> Option<(String, u32)> {
    let line =
        request.first(Name::Authorization).or_else(|| request.first(Name::ProxyAuthorization))?;
    let value = |name: &str| {
        let rest = &line[line.find(name)? + name.len()..];
        Some(rest.trim_start_matches('"').split(['"', ',', ' ']).next()?.to_owned())
    };
    let count = value("nc=").and_then(|count| u32::from_str_radix(&count, 16).ok());
    Some((value(" nonce=")?, count.unwrap_or(0)))
}

/// Whether a request takes something back: Expires 0, in the header or at the Contact.
fn ends(request: &Request) -> bool {
    let contact = request.first(Name::Contact).unwrap_or("");
    request.seconds(Name::Expires) == Some(0) || contact.contains("expires=0")
}
