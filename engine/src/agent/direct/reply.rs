//! X13: the one who is heard speaks back, to where the voice comes from.
//!
//! Let a flow with the sid S go from A to B, checked with the token T that A has for B's offer,
//! and let A have set RECV in DM-INFO. B may start a flow of its own to the address it is bound
//! to, and needs no subscription to A for it. Its checks are as any other (§6.5), but:
//!
//! * key id: the letter `r` and S as 16 hex digits, so USERNAME is `r<S>:<sid>` where `sid` is the
//!   fresh one of the flow back. Key ids of tokens have 12 characters, so none is taken for it.
//! * password, and input of the SRTP keys (§6.8): the 22 characters of base64url of the first 16
//!   octets of HMAC-SHA-256(key = the 22 characters of T, "dm1 reply" ‖ S as 8 octets, the most
//!   significant first).
//! * payload type and codec: those of the flow from A to B, which A has to be able to decode too
//!   if it sets RECV. RECV is not set in turn.
//! * the flow leaves from the port on which A is heard, since A knows B's address by its answer.
//!
//! A accepts this while its own flow streams, from the address that flow goes to, and only until
//! its user decides against B. Neither side needs to be a watcher of the other for longer.

use super::receiving::Door;
use super::*;
use crate::mint::Id;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What the sender of a flow allows the one who hears it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Permit {
    pub(super) media: Box<str>,
    pub(super) peer: Aor,
    /// The only address it may come from.
    pub(super) from: SocketAddr,
    /// Our port.
    pub(super) port: u16,
    pub(super) key: ReplyKey,
    pub(super) codec: Codec,
    pub(super) srtp: bool,
    /// The owner decided against it, and it hears so.
    pub(super) refused: bool,
}

/// The reply credential.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct ReplyKey {
    pub(crate) key_id: Box<str>,
    pub(crate) token: Box<str>,
}

/// How the one who is heard may be answered.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Back {
    /// The flow that is answered.
    pub(super) sid: u64,
    pub(super) to: SocketAddr,
    pub(super) port: u16,
    pub(super) key: ReplyKey,
    pub(super) codec: Codec,
    pub(super) srtp: bool,
}

impl ReplyKey {
    /// The credential of the flow `sid`, which was checked with `token`.
    pub(crate) fn of(token: &str, sid: u64) -> Self {
        let mac = Hmac::<Sha256>::new_from_slice(token.as_bytes());
        let mac = mac.expect("HMAC takes keys of any length").chain_update(b"dm1 reply");
        let mac = mac.chain_update(sid.to_be_bytes()).finalize().into_bytes();
        let key_id = format!("r{}", Id(sid)).into();
        Self { key_id, token: URL_SAFE_NO_PAD.encode(&mac[..16]).into() }
    }
}

impl Direct {
    /// Level-triggered: who hears us may speak back while we speak, unless the owner decided
    /// against it.
    pub(crate) fn hear_replies(
        &mut self,
        cx: &mut Cx<'_>,
        refused: impl Fn(&Aor) -> bool,
    ) -> Vec<News> {
        let permits = self.sending.values().filter_map(sending::Sending::permit);
        let judged = permits.map(|permit| Permit { refused: refused(&permit.peer), ..permit });
        let permits: Vec<Permit> = judged.collect();
        for permit in &permits {
            if !self.doors.contains_key(&permit.media) {
                self.open(cx.now, private(permit));
            }
        }
        let mut news = Vec::new();
        for (media, door) in &mut self.doors {
            let own = permits.iter().filter(|permit| permit.media == *media).cloned().collect();
            news.extend(door.permit(cx, media, own));
        }
        if self.doors.values().any(Door::is_idle) {
            self.shut(cx.now, Door::is_idle);
        }
        news
    }
}

/// A door that nobody is told of: it opens to replies only.
pub(super) fn private(permit: &Permit) -> OpenOffer {
    OpenOffer {
        media: permit.media.clone(),
        tuple: "".into(),
        port: permit.port,
        codecs: Vec::new(),
        secret: None,
        ends: Instant::default(),
        srtp: permit.srtp,
        busy: false,
    }
}
