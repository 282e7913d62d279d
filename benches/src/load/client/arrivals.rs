//! What comes from the server: answers to what we asked, and requests that we answer.

use super::requests::PUBLICATION;
use super::{Client, Deed, End, Look, Notice};
use crate::load::Nanos;
use crate::load::crowd::Remote;
use crate::load::login::{Account, Login};
use crate::load::tally::Surprise;
use crate::load::wire::Branch;
use crate::load::wire::read::{
    Answer, Datagram, Method, Request, decimal, hexadecimal, number_after, tag, uri, value,
};
use crate::load::wire::write::Writer;

/// How often one operation lets itself be asked for credentials: once, and once more because the
/// nonce had become stale.
const CHALLENGES: u8 = 2;

/// What is read from the head of a request while its answer is written.
#[derive(Default)]
struct Seen<'a> {
    cseq: u32,
    call: &'a [u8],
    is_terminated: bool,
}

impl Client {
    /// One datagram.
    pub(crate) fn receive(&mut self, now: Nanos, datagram: &[u8]) {
        match Datagram::of(datagram) {
            Datagram::Answer(answer) => self.answered(now, &answer),
            Datagram::Request(request) => match request.method {
                Method::Notify => self.notified(now, &request),
                Method::Message => self.delivered(&request),
                Method::Other => {
                    self.tally.surprise(Surprise::Method);
                    self.reply("200 OK", &request);
                }
            },
            Datagram::Unreadable => self.tally.surprise(Surprise::Unreadable),
        }
    }

    fn answered(&mut self, now: Nanos, answer: &Answer<'_>) {
        let Some(branch) = answer.branch else {
            return self.tally.surprise(Surprise::ForeignAnswer);
        };
        let Some(operation) = self.find(branch).filter(|found| !found.stage.is_answered) else {
            self.tally.received.repeated += u64::from(answer.status >= 200);
            return;
        };
        let (deed, challenges) = (operation.deed, operation.challenges);
        if answer.status < 200 {
            self.operations[branch.operation as usize].stage.is_proceeding = true;
            return;
        }
        self.tally.received.answers += 1;
        let is_challenge = matches!(answer.status, 401 | 407) && challenges < CHALLENGES;
        if is_challenge && self.challenged(deed, answer) {
            self.tally.received.challenges += 1;
            self.operations[branch.operation as usize].challenges += 1;
            self.send(now, branch.operation);
        } else if is_success(deed, answer.status) {
            self.succeeded(deed, answer);
            self.operations[branch.operation as usize].stage.is_answered = true;
            self.settle(now, branch.operation);
        } else {
            let retry_after = answer.header("Retry-After").is_some();
            self.refused(deed, answer.status);
            self.end(now, branch.operation, End::Refused { status: answer.status, retry_after });
        }
    }

    /// Whether the challenge can be met.
    fn challenged(&mut self, deed: Deed, answer: &Answer<'_>) -> bool {
        let Some(user) = self.actor(deed) else { return false };
        let before = self.user(user).login.take().map(|login| *login);
        let name = self.house.name(user);
        let account = Account { user: &name, password: &self.house.password };
        let login = Login::challenged(answer, account, before).map(Box::new);
        self.user(user).login = login;
        self.user(user).login.is_some()
    }

    /// Keeps what a 2xx says for later requests.
    fn succeeded(&mut self, deed: Deed, answer: &Answer<'_>) {
        if let Some(user) = self.actor(deed)
            && let Some(login) = self.user(user).login.as_mut()
        {
            login.succeeded(answer);
        }
        match deed {
            Deed::Subscribe { dialog } => {
                let row = &mut self.dialogs[dialog as usize];
                let tag = answer.header("To").and_then(tag);
                let target = answer.header("Contact").and_then(uri);
                if let (None, Some(tag), Some(target)) = (&row.remote, tag, target) {
                    row.remote = Some(Remote { tag: tag.into(), target: target.into() });
                }
            }
            Deed::Publish { user } => {
                self.user(user).etag = answer.header("SIP-ETag").map(Into::into);
            }
            Deed::Unpublish { user } => self.user(user).etag = None,
            Deed::Register { user } => self.user(user).is_registered = true,
            Deed::Unregister { user } => self.user(user).is_registered = false,
            Deed::End { .. } | Deed::Message { .. } | Deed::Echo { .. } => {}
        }
    }

    /// Forgets what the server has forgotten (RFC 3903 §4.3).
    fn refused(&mut self, deed: Deed, status: u16) {
        if let (Deed::Publish { user }, 412) = (deed, status) {
            self.user(user).etag = None;
        }
    }

    fn notified(&mut self, now: Nanos, request: &Request<'_>) {
        let known = request.contact.strip_prefix(b"d").and_then(hexadecimal);
        let Some(dialog) = known.filter(|number| (*number as usize) < self.dialogs.len()) else {
            self.tally.surprise(Surprise::ForeignNotify);
            self.reply("481 Subscription Does Not Exist", request);
            return;
        };
        let seen = self.reply("200 OK", request);
        let row = &mut self.dialogs[dialog as usize];
        if seen.cseq < row.next_cseq {
            let is_last_again = seen.cseq + 1 == row.next_cseq;
            self.tally.received.repeated += u64::from(is_last_again);
            self.tally.received.overtaken += u64::from(!is_last_again);
            return;
        }
        row.next_cseq = seen.cseq.saturating_add(1);
        self.tally.received.notifies += 1;
        let number = match self.look {
            Look::Nowhere => None,
            Look::AtPublication => number_after(request.body(), PUBLICATION),
            Look::AtVersion => version(request.body()),
        };
        self.notices.push(Notice { dialog, at: now, number });
        let Some(index) = self.dialogs[dialog as usize].operation else { return };
        let operation = &mut self.operations[index as usize];
        let is_end = matches!(operation.deed, Deed::End { .. });
        if !is_end || seen.is_terminated {
            operation.stage.is_notified = true;
            self.settle(now, index);
        }
    }

    fn delivered(&mut self, request: &Request<'_>) {
        let seen = self.reply("200 OK", request);
        let numbers = seen.call.strip_prefix(b"m").and_then(|call| call.split_at_checked(8));
        let branch = numbers.and_then(|(number, run)| {
            let serial = hexadecimal(run.strip_prefix(b"-")?)?;
            Some(Branch { operation: hexadecimal(number)?, serial })
        });
        let fresh = branch.and_then(|branch| {
            self.find(branch)?;
            let entry = &mut self.operations[branch.operation as usize].is_delivered;
            (!std::mem::replace(entry, true)).then_some(())
        });
        match fresh {
            Some(()) => self.tally.received.messages += 1,
            None => self.tally.received.repeated += 1,
        }
    }

    /// Answers a request with the lines that an answer repeats (RFC 3261 §8.2.6.2).
    fn reply<'a>(&mut self, status: &str, request: &Request<'a>) -> Seen<'a> {
        let mut seen = Seen::default();
        let mut out = Writer(self.out.open());
        out.put("SIP/2.0 ").put(status).put("\r\n");
        for line in request.lines() {
            let copied = match line[0].to_ascii_lowercase() {
                b'v' => value(line, "Via", b'v').is_some(),
                b'f' => value(line, "From", b'f').is_some(),
                b'r' => value(line, "Record-Route", 0).is_some(),
                b't' => match value(line, "To", b't') {
                    Some(to) => {
                        out.put("To: ").put(to);
                        out.put(if tag(to).is_some() { "\r\n" } else { ";tag=load\r\n" });
                        false
                    }
                    None => false,
                },
                b'i' | b'c' => match (value(line, "Call-ID", b'i'), value(line, "CSeq", 0)) {
                    (Some(call), _) => {
                        seen.call = call;
                        true
                    }
                    (None, Some(cseq)) => {
                        let digits = cseq.iter().take_while(|byte| byte.is_ascii_digit()).count();
                        seen.cseq = decimal(&cseq[..digits]).unwrap_or(0);
                        true
                    }
                    (None, None) => false,
                },
                b's' => {
                    let state = value(line, "Subscription-State", 0);
                    seen.is_terminated |= state.is_some_and(|s| s.starts_with(b"terminated"));
                    false
                }
                _ => false,
            };
            if copied {
                out.put(line).put("\r\n");
            }
        }
        out.put("Content-Length: 0\r\n\r\n");
        self.out.close();
        self.tally.sent.answers += 1;
        seen
    }
}

/// A MESSAGE that was only stored has not been relayed (202).
fn is_success(deed: Deed, status: u16) -> bool {
    match deed {
        Deed::Message { .. } => status == 200,
        Deed::Register { .. }
        | Deed::Unregister { .. }
        | Deed::Subscribe { .. }
        | Deed::End { .. }
        | Deed::Publish { .. }
        | Deed::Unpublish { .. }
        | Deed::Echo { .. } => (200..300).contains(&status),
    }
}

/// The version of a watcherinfo document.
fn version(body: &[u8]) -> Option<u32> {
    let start = memchr::memmem::find(body, b"watcherinfo")?;
    number_after(&body[start..], " version=\"")
}
