//! What each deed says on the wire.

use super::{Client, Deed};
use crate::load::crowd::Package;
use crate::load::wire::Branch;
use crate::load::wire::write::{Call, Head, Writer, contact};

/// What stands before the number of a publication in its note.
pub(super) const PUBLICATION: &str = "presence-load-";

impl Client {
    /// Writes the request of `deed` as transaction `branch`.
    pub(super) fn write(&mut self, deed: Deed, branch: Branch, bytes: &mut Vec<u8>) {
        let mut out = Writer(bytes);
        match deed {
            Deed::Register { user } => {
                self.register(user, self.house.expires, branch, &mut out);
            }
            Deed::Unregister { user } => self.register(user, 0, branch, &mut out),
            Deed::Subscribe { dialog } => {
                self.subscribe(dialog, self.house.expires, branch, &mut out);
            }
            Deed::End { dialog } => self.subscribe(dialog, 0, branch, &mut out),
            Deed::Publish { user } => {
                self.publish(user, self.house.expires, branch, &mut out);
            }
            Deed::Unpublish { user } => self.publish(user, 0, branch, &mut out),
            Deed::Message { from, to } => self.message(from, to, branch, &mut out),
            Deed::Echo { size, answer } => {
                out.put("ECHO ").number(answer as usize, 5).put(" SIP/2.0\r\nVia: ");
                out.branch(branch).put("\r\n");
                bytes.resize(bytes.len().max(size as usize), b' ');
            }
        }
    }

    fn register(&mut self, user: u32, expires: u32, branch: Branch, out: &mut Writer<'_>) {
        let cseq = &mut self.user(user).cseq;
        *cseq += 1;
        let cseq = *cseq;
        let house = &self.house;
        let (aor, uri) = (house.aor(user), format!("sip:{}", house.domain));
        out.head(&Head {
            method: "REGISTER",
            uri: uri.as_bytes(),
            sent_by: &house.sent_by,
            branch,
            from: &aor,
            to: &aor,
            to_tag: b"",
            call: house.call(b'r', user),
            cseq,
        });
        out.put("Contact: <sip:").put(&house.prefix).number(user as usize, 6);
        out.put("@").put(&house.sent_by).put(">\r\nExpires: ").number(expires as usize, 1);
        out.put("\r\n");
        self.prove(user, "REGISTER", &uri, out);
        out.body("", b"");
    }

    fn subscribe(&mut self, dialog: u32, expires: u32, branch: Branch, out: &mut Writer<'_>) {
        let house = &self.house;
        let row = &mut self.dialogs[dialog as usize];
        row.cseq += 1;
        let (watcher, presentity) = (house.aor(row.watcher), house.aor(row.presentity));
        let target = row.remote.as_ref().map_or(&*presentity, |remote| &*remote.target);
        out.head(&Head {
            method: "SUBSCRIBE",
            uri: target,
            sent_by: &house.sent_by,
            branch,
            from: &watcher,
            to: &presentity,
            to_tag: row.remote.as_ref().map_or(b"", |remote| &remote.tag),
            call: house.call(b'd', dialog),
            cseq: row.cseq,
        });
        out.put("Contact: <sip:").put(contact(dialog)).put("@").put(&house.sent_by);
        out.put(match row.package {
            Package::Presence => ">\r\nEvent: presence\r\nAccept: application/pidf+xml\r\n",
            Package::Winfo => {
                ">\r\nEvent: presence.winfo\r\nAccept: application/watcherinfo+xml\r\n"
            }
        });
        out.put("Expires: ").number(expires as usize, 1).put("\r\n");
        let (user, uri) = (row.watcher, String::from_utf8_lossy(target).into_owned());
        self.prove(user, "SUBSCRIBE", &uri, out);
        out.body("", b"");
    }

    fn publish(&mut self, user: u32, expires: u32, branch: Branch, out: &mut Writer<'_>) {
        let row = self.user(user);
        row.published += 1;
        let (number, etag) = (row.published, row.etag.clone());
        let house = &self.house;
        let aor = house.aor(user);
        out.head(&Head {
            method: "PUBLISH",
            uri: &aor,
            sent_by: &house.sent_by,
            branch,
            from: &aor,
            to: &aor,
            to_tag: b"",
            call: house.call(b'p', user),
            cseq: number,
        });
        out.put("Event: presence\r\nExpires: ").number(expires as usize, 1).put("\r\n");
        if let Some(etag) = etag {
            out.put("SIP-If-Match: ").put(etag).put("\r\n");
        }
        let body = if expires > 0 { document(&aor, number, house.tuples) } else { Vec::new() };
        let uri = String::from_utf8_lossy(&aor).into_owned();
        self.prove(user, "PUBLISH", &uri, out);
        out.body("application/pidf+xml", &body);
    }

    fn message(&mut self, from: u32, to: u32, branch: Branch, out: &mut Writer<'_>) {
        let house = &self.house;
        let (sender, receiver) = (house.aor(from), house.aor(to));
        out.head(&Head {
            method: "MESSAGE",
            uri: &receiver,
            sent_by: &house.sent_by,
            branch,
            from: &sender,
            to: &receiver,
            to_tag: b"",
            // It comes back with what is relayed, and says which operation that belongs to.
            call: Call { letter: b'm', number: branch.operation, run: branch.serial },
            cseq: 1,
        });
        let uri = String::from_utf8_lossy(&receiver).into_owned();
        self.prove(from, "MESSAGE", &uri, out);
        out.body("text/plain", b"Shall we have lunch? I have found a place around the corner.");
    }

    /// Credentials, if the user has been asked for some.
    fn prove(&mut self, user: u32, method: &str, uri: &str, out: &mut Writer<'_>) {
        let name = || self.house.name(user);
        if let Some(login) = self.users.get_mut(user as usize).and_then(|row| row.login.as_mut()) {
            login.write(out, &name(), method, uri);
        }
    }
}

/// Publication `number` of `aor` (RFC 3863 §4.1): the first tuple has the news, others are as ever.
fn document(aor: &[u8], number: u32, tuples: u32) -> Vec<u8> {
    let mut body = Vec::with_capacity(400 * tuples as usize);
    let mut out = Writer(&mut body);
    out.put("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n")
        .put("<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"")
        .put(aor)
        .put("\">\r\n");
    for tuple in 1..=tuples {
        out.put("<tuple id=\"t")
            .number(tuple as usize, 1)
            .put("\">\r\n<status><basic>open</basic></status>\r\n<contact>")
            .put(aor)
            .put("</contact>\r\n<note>")
            .put(PUBLICATION)
            .number(if tuple == 1 { number } else { 0 } as usize, 1)
            .put("</note>\r\n</tuple>\r\n");
    }
    out.put("</presence>\r\n");
    body
}
