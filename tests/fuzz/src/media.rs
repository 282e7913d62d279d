//! What media is begun by: session descriptions, and the checks of direct media.

use crate::{Bend, bent};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use presently_engine::agent::negotiation::{Abilities, Ability, answer};
use presently_engine::agent::wire::{Check, Info, Reply};
use presently_engine::body::pidf::Codec;
use presently_engine::body::sdp::{Description, Direction, Origin};
use std::net::SocketAddr;

const TOKEN: &str = "2hYpVt8mTgk0oY8wq7rZ1w";

/// A session description: what we would write of it reads the same from then on, and it can be
/// answered.
pub fn sdp(data: &[u8]) {
    let Ok(description) = Description::parse(data) else { return };
    let again = read(&description);
    assert_eq!(read(&again), again);
    let answer = answer(&again, &abilities(), origin()).answer;
    assert_eq!(answer.streams.len(), again.streams.len(), "RFC 3264 section 6");
    assert_eq!(read(&answer).streams.len(), again.streams.len());
}

fn read(description: &Description) -> Description {
    let text = description.write();
    match Description::parse(&text) {
        Ok(again) => again,
        Err(error) => panic!("{error}: {}", String::from_utf8_lossy(&text)),
    }
}

fn abilities() -> Abilities {
    let ability = |media: &str, pt, name: &str| Ability {
        media: media.into(),
        port: 40_000,
        codecs: vec![Codec { pt, rtpmap: name.into(), fmtp: None }],
        direction: Direction::SendRecv,
        key: Some([7; 30]),
        plain: true,
    };
    let streams = vec![ability("audio", 0, "PCMU/8000"), ability("video", 26, "JPEG/90000")];
    Abilities { address: [192, 0, 2, 1].into(), streams }
}

fn origin() -> Origin {
    let (username, session, address) = ("-".into(), "1".into(), "192.0.2.1".into());
    Origin { username, session, version: 1, address }
}

/// A datagram where a check or an answer is expected.
#[derive(Arbitrary, Clone, Debug)]
pub enum Datagram {
    /// Anything.
    Raw(Vec<u8>),
    /// A check as we write it, with some of it changed.
    Check {
        /// USERNAME has it.
        key_id: u32,
        /// Names the flow.
        sid: u64,
        /// 96 bits of it count.
        transaction: u128,
        /// Flags, payload type and media kind.
        rest: (bool, bool, u8, u8),
        /// What is changed.
        bend: Option<Bend>,
    },
    /// An answer as we write it, with some of it changed.
    Answer {
        /// 96 bits of it count.
        transaction: u128,
        /// 200, or the code of a refusal.
        status: u16,
        /// What is changed.
        bend: Option<Bend>,
    },
}

impl Datagram {
    /// Reads it as both ends would.
    pub fn read(&self) {
        let source: SocketAddr = ([192, 0, 2, 9], 4000).into();
        let info = Info { receives: false, srtp: true, pt: 0, kind: 1, ssrc: 9, nonce: [9; 8] };
        match self {
            Self::Raw(bytes) => read_anything(bytes),
            Self::Check { key_id, sid, transaction, rest, bend } => {
                let (receives, srtp, pt, kind) = *rest;
                let info = Info { receives, srtp, pt: pt % 128, kind, ..info };
                let transaction = transaction >> 32;
                let key_id = key_id.to_string().into();
                let check = Check { transaction, key_id, sid: *sid, info };
                let bytes = check.write(TOKEN);
                assert_eq!(Check::read(&bytes).as_ref(), Some(&check));
                assert!(Check::is_proven(&bytes, TOKEN) && !Check::is_proven(&bytes, "guessed"));
                let bytes = bent(bytes.to_vec(), bend.as_ref());
                read_anything(&bytes);
                if Check::is_proven(&bytes, TOKEN) {
                    assert_eq!(Check::read(&bytes), Some(check), "what is proven is unchanged");
                }
            }
            Self::Answer { transaction, status, bend } => {
                let transaction = transaction >> 32;
                let check = Check { transaction, key_id: "k".into(), sid: 1, info };
                let (bytes, outcome) = match status % 400 {
                    200 => (check.accept(TOKEN, source, info), Ok(info)),
                    status => (check.refuse(Some(TOKEN), status + 300), Err(status + 300)),
                };
                let reply = Reply { transaction, outcome, proven: true };
                assert_eq!(Reply::transaction(&bytes), Some(transaction));
                assert_eq!(Reply::read(&bytes, TOKEN).as_ref(), Some(&reply));
                let bytes = bent(bytes.to_vec(), bend.as_ref());
                read_anything(&bytes);
                if let Some(read) = Reply::read(&bytes, TOKEN).filter(|read| read.proven) {
                    assert_eq!(read, reply, "what is proven is unchanged");
                }
            }
        }
    }
}

/// No panic; a datagram is a check or an answer, not both; what is refused costs less than it did.
fn read_anything(bytes: &[u8]) {
    let reply = Reply::read(bytes, TOKEN);
    let Some(check) = Check::read(bytes) else { return };
    assert_eq!(reply, None);
    assert_eq!(Reply::transaction(bytes), None);
    assert!(check.refuse(None, 401).len() * 2 <= bytes.len() * 3);
    if Check::is_proven(bytes, TOKEN) {
        let source: SocketAddr = ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 4000).into();
        assert!(check.accept(TOKEN, source, check.info).len() * 2 <= bytes.len() * 3);
        assert!(check.refuse(Some(TOKEN), 403).len() * 2 <= bytes.len() * 3);
    }
}
