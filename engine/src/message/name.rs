//! Methods and header names: tokens that become numbers (RFC 3261 §7.1, §7.3, §20).
//!
//! Names are looked up for every header line of every message, so the table is a perfect hash
//! made by the compiler, which refuses to build it with a collision.

macro_rules! methods {
    ($($variant:ident = $text:literal),* $(,)?) => {
        /// A request method (RFC 3261 §7.1 and extensions we serve); others are
        /// [`Method::Other`].
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum Method {
            $(#[doc = concat!("`", $text, "`.")] $variant,)*
            /// Any other: ask the message for its text.
            Other,
        }

        impl Method {
            /// Every method that is known by name.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The method of a token; methods are case-sensitive.
            pub fn of(token: &str) -> Self {
                match token {
                    $($text => Self::$variant,)*
                    _ => Self::Other,
                }
            }

            /// The token; empty for [`Method::Other`] (ask the message for its text).
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other => "",
                }
            }
        }
    };
}

methods! {
    Invite = "INVITE", Ack = "ACK", Cancel = "CANCEL", Bye = "BYE", Register = "REGISTER",
    Options = "OPTIONS", Subscribe = "SUBSCRIBE", Notify = "NOTIFY", Publish = "PUBLISH",
    Message = "MESSAGE", Update = "UPDATE", Info = "INFO", Prack = "PRACK", Refer = "REFER",
}

macro_rules! names {
    ($($variant:ident = $text:literal),* $(,)?) => {
        /// A header name we know, in canonical spelling; compact forms map to the same name.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum Name {
            $(#[doc = concat!("`", $text, "`.")] $variant,)*
            /// Any other header: ask by its text with `Headers::other`.
            Other,
        }

        impl Name {
            /// Every name but [`Name::Other`].
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The first so many names are those that every message is asked for: an index
            /// remembers where they are.
            pub(crate) const KEYS: usize = Self::ContentLength as usize + 1;

            /// The canonical spelling (`Call-ID`, `SIP-ETag`, `DM-Message-ID`).
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other => "",
                }
            }
        }
    };
}

names! {
    Via = "Via", From = "From", To = "To", CallId = "Call-ID", CSeq = "CSeq",
    Contact = "Contact", MaxForwards = "Max-Forwards", ContentLength = "Content-Length",
    Route = "Route",
    RecordRoute = "Record-Route", Expires = "Expires", MinExpires = "Min-Expires",
    Event = "Event", SubscriptionState = "Subscription-State", AllowEvents = "Allow-Events",
    Allow = "Allow", Accept = "Accept", AcceptEncoding = "Accept-Encoding",
    AcceptLanguage = "Accept-Language", ContentType = "Content-Type",
    ContentEncoding = "Content-Encoding",
    ContentDisposition = "Content-Disposition", Authorization = "Authorization",
    ProxyAuthorization = "Proxy-Authorization", WwwAuthenticate = "WWW-Authenticate",
    ProxyAuthenticate = "Proxy-Authenticate", AuthenticationInfo = "Authentication-Info",
    Require = "Require", ProxyRequire = "Proxy-Require", Supported = "Supported",
    Unsupported = "Unsupported", SipEtag = "SIP-ETag", SipIfMatch = "SIP-If-Match",
    RetryAfter = "Retry-After", Date = "Date", UserAgent = "User-Agent", Server = "Server",
    Warning = "Warning", MaxBreadth = "Max-Breadth", Path = "Path",
    DmMessageId = "DM-Message-ID", DmStored = "DM-Stored",
}

/// Compact forms (RFC 3261 §7.3.3, RFC 6665 §8.2) of names we know.
const COMPACT: &[(&str, Name)] = &[
    ("v", Name::Via),
    ("f", Name::From),
    ("t", Name::To),
    ("i", Name::CallId),
    ("m", Name::Contact),
    ("l", Name::ContentLength),
    ("c", Name::ContentType),
    ("e", Name::ContentEncoding),
    ("k", Name::Supported),
    ("o", Name::Event),
    ("u", Name::AllowEvents),
];

/// Compact forms of names we do not know, for those who ask by text.
const COMPACT_OTHERS: &[(&str, &str)] = &[
    ("s", "Subject"),
    ("r", "Refer-To"),
    ("b", "Referred-By"),
    ("x", "Session-Expires"),
    ("d", "Request-Disposition"),
    ("a", "Accept-Contact"),
    ("j", "Reject-Contact"),
    ("y", "Identity"),
];

type Entry = Option<(&'static str, Name)>;

static TABLE: [Entry; 256] = table();

const fn table() -> [Entry; 256] {
    let mut table: [Entry; 256] = [None; 256];
    let mut at = 0;
    while at < Name::ALL.len() {
        insert(&mut table, Name::ALL[at].as_str(), Name::ALL[at]);
        at += 1;
    }
    at = 0;
    while at < COMPACT.len() {
        insert(&mut table, COMPACT[at].0, COMPACT[at].1);
        at += 1;
    }
    table
}

const fn insert(table: &mut [Entry; 256], text: &'static str, name: Name) {
    let bucket = bucket(text.as_bytes());
    assert!(table[bucket].is_none(), "two names in one bucket: choose other factors");
    table[bucket] = Some((text, name));
}

/// Where a name would be: by its length and its first and last letter, any case.
const fn bucket(token: &[u8]) -> usize {
    let first = (token[0] | 0x20) as usize;
    let last = (token[token.len() - 1] | 0x20) as usize;
    (token.len() + 2 * first + 11 * last) & 255
}

impl Name {
    /// The name of a header field token, long or compact form, any case.
    pub fn of(token: &str) -> Self {
        Self::of_bytes(token.as_bytes())
    }

    pub(crate) fn of_bytes(token: &[u8]) -> Self {
        if token.is_empty() {
            return Self::Other;
        }
        match TABLE[bucket(token)] {
            Some((text, name)) if text.as_bytes() == token => name,
            Some((text, name)) if text.as_bytes().eq_ignore_ascii_case(token) => name,
            Some(_) | None => Self::Other,
        }
    }
}

/// Whether header field token `token` means the header that a caller asks for as `wanted`.
pub(crate) fn means(token: &str, wanted: &str) -> bool {
    token.eq_ignore_ascii_case(wanted)
        || (token.len() == 1
            && COMPACT_OTHERS.iter().any(|(short, long)| {
                token.eq_ignore_ascii_case(short) && wanted.eq_ignore_ascii_case(long)
            }))
}

#[cfg(test)]
mod tests;
