use super::super::fixture::{BOOT, Phone, REALM, key, param, request, terms};
use super::*;
use crate::message::Message;
use proptest::prelude::*;
use std::fmt::Write;

const LIMITS: NonceLimits = NonceLimits {
    life: Duration::from_secs(300),
    window: 64,
    table: 65_536,
    sha256: true,
    md5: true,
    legacy_no_qop: false,
};
const REGISTRAR: &str = "sip:example.org";

fn at(seconds: u64) -> Instant {
    BOOT + Duration::from_secs(seconds)
}

/// Alice and bob exist; the former has the password `wonderland`, the latter `biloxi`.
fn users(name: &str, algorithm: Algorithm) -> Option<Cow<'static, Ha1>> {
    let password = match name {
        "alice" | "b\"ob" => "wonderland",
        "bob" => "biloxi",
        _ => return None,
    };
    Some(Cow::Owned(Ha1::of(algorithm, name, REALM, password)))
}

/// A nonce issued `seconds` after boot.
fn nonce(key: &NonceKey, seconds: u64) -> String {
    let cause = request("REGISTER", REGISTRAR, "", "");
    let asked = challenges(&terms(key, &LIMITS, at(seconds)), false, &cause);
    param(&asked[0], "nonce").to_owned()
}

fn judge(nonces: &mut Nonces, seconds: u64, request: &Request) -> Ruling {
    nonces.judge(&terms(&key(1), &LIMITS, at(seconds)), request, false, &users)
}

fn accepted(ruling: &Ruling) -> bool {
    matches!(ruling, Ruling::Accepted { .. })
}

/// One cell of the M7 table: what a request comes to, and what it leaves behind.
struct Case {
    what: &'static str,
    phone: Phone,
    uri: &'static str,
    minimum: Qop,
    seconds: u64,
}

impl Case {
    fn judge(&self, nonces: &mut Nonces) -> Ruling {
        let credentials = self.phone.credentials("REGISTER", self.uri, "");
        let extra = format!("Authorization: {credentials}\r\n");
        let request = request("REGISTER", REGISTRAR, &extra, "");
        let (key, now) = (key(1), at(self.seconds));
        let terms = Terms { minimum: self.minimum, ..terms(&key, &LIMITS, now) };
        nonces.judge(&terms, &request, false, &users)
    }
}

/// Every event of M7 for one nonce; `nc` 100 was used where the nonce is in use.
fn cases(nonce: &str, seconds: u64) -> Vec<Case> {
    let alice = Phone { nc: 101, ..Phone::alice(nonce) };
    let case = |what, phone| Case { what, phone, uri: REGISTRAR, minimum: Qop::Auth, seconds };
    let mut cases = vec![
        case("right, nc above", alice.clone()),
        case("right, nc within the window", Phone { nc: 90, ..alice.clone() }),
        case("right, nc seen", Phone { nc: 100, ..alice.clone() }),
        case("right, nc below the window", Phone { nc: 36, ..alice.clone() }),
        case("right, qop auth", Phone { qop: Qop::Auth, ..alice.clone() }),
        case("right, no qop", Phone { qop: Qop::None, ..alice.clone() }),
        case("right, other algorithm", Phone { algorithm: Algorithm::Md5, ..alice.clone() }),
        case("right, other user", Phone { user: "bob", password: "biloxi", ..alice.clone() }),
        case("wrong password", Phone { password: "guess", ..alice.clone() }),
        case("unknown user", Phone { user: "mallory", ..alice.clone() }),
    ];
    let other_uri = case("right, but for another uri", alice.clone());
    cases.push(Case { uri: "sip:bob@example.org", ..other_uri });
    let too_weak = case("right, qop auth where auth-int is due", alice.clone());
    let phone = Phone { qop: Qop::Auth, ..alice };
    cases.push(Case { phone, minimum: Qop::AuthInt, ..too_weak });
    cases
}

fn describe(nonces: &Nonces) -> String {
    let show = |(t, state): (u64, &super::super::NonceState)| {
        format!("[t {t} {} nc {} window {:x}]", state.user, state.max_nc, state.window)
    };
    nonces.iter().map(show).collect::<Vec<_>>().join(" ")
}

/// A nonce in every state of M7: text, table, and the second at which it is shown.
fn states() -> Vec<(&'static str, String, Nonces, u64)> {
    let issued = nonce(&key(1), 10);
    let mut in_use = Nonces::default();
    let hundredth = Phone { nc: 100, ..Phone::alice(&issued) };
    assert!(accepted(&judge(&mut in_use, 10, &hundredth.register())));
    let mut floored = Nonces::default();
    let small = NonceLimits { table: 1, ..LIMITS };
    for second in [20, 21] {
        let other = Phone::alice(&nonce(&key(1), second)).register();
        floored.judge(&terms(&key(1), &small, at(22)), &other, false, &users);
    }
    let none = Nonces::default;
    vec![
        ("issued", issued.clone(), none(), 11),
        ("in use", issued.clone(), in_use.clone(), 11),
        ("in use, past half of its life", issued.clone(), in_use.clone(), 200),
        ("issued, below the floor", issued.clone(), floored, 22),
        ("expired", issued.clone(), none(), 311),
        ("expired in use", issued, in_use, 311),
        ("of another boot", nonce(&key(2), 10), none(), 11),
        ("forged", "not-a-nonce".to_owned(), none(), 11),
    ]
}

#[test]
fn every_state_of_a_nonce_answers_every_event() {
    let mut table = String::new();
    for (state, nonce, nonces, seconds) in states() {
        writeln!(table, "{state}: {}", describe(&nonces)).expect("a string takes text");
        for case in cases(&nonce, seconds) {
            let mut after = nonces.clone();
            let ruling = match case.judge(&mut after) {
                Ruling::Accepted { user, info } => {
                    let next = if info.is_some() { ", nextnonce" } else { "" };
                    format!("accepted {user}{next}")
                }
                Ruling::Challenge { stale: true } => "401 stale".to_owned(),
                Ruling::Challenge { stale: false } => "401".to_owned(),
                Ruling::Wrong { user } => format!("401, counted against {user}"),
                Ruling::Bad(why) => format!("400 {why}"),
            };
            let kept = if after == nonces { String::new() } else { describe(&after) };
            writeln!(table, "  {:<40} {ruling:<34} {kept}", case.what).expect("text");
        }
    }
    let table: String = table.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    insta::assert_snapshot!("nonce_states", table);
}

#[test]
fn a_challenge_offers_the_strongest_first_and_one_nonce() {
    let cause = request("REGISTER", REGISTRAR, "", "");
    let key = key(0xb007);
    let terms = terms(&key, &LIMITS, at(1));
    let [sha256, md5] = &challenges(&terms, false, &cause)[..] else { panic!("two challenges") };
    assert_eq!(param(sha256, "nonce"), param(md5, "nonce"));
    let rest = sha256.replace(param(sha256, "nonce"), "N");
    assert_eq!(
        rest,
        "Digest realm=\"example.org\", nonce=\"N\", opaque=\"000000000000b007\", \
         algorithm=SHA-256, qop=\"auth,auth-int\""
    );
    assert!(
        md5.contains("algorithm=MD5, qop=\"auth,"),
        "Linphone 5.1 reads this word alone: {md5}"
    );
    let strict = Terms { minimum: Qop::AuthInt, ..terms };
    let limits = NonceLimits { md5: false, ..LIMITS };
    let strict = Terms { limits: &limits, ..strict };
    let [only] = &challenges(&strict, true, &cause)[..] else { panic!("one challenge") };
    assert!(only.contains("qop=\"auth-int\", stale=true"), "{only}");
}

#[test]
fn credentials_for_other_realms_and_schemes_are_not_ours_to_judge() {
    let foreign = Phone::alice("theirs").credentials("REGISTER", REGISTRAR, "");
    let foreign = foreign.replace("realm=\"example.org\"", "realm=\"example.com\"");
    let lines = format!("Authorization: Bearer abc.def\r\nAuthorization: {foreign}\r\n");
    let mut nonces = Nonces::default();
    let alone = request("REGISTER", REGISTRAR, &lines, "");
    assert_eq!(judge(&mut nonces, 1, &alone), Ruling::Challenge { stale: false });
    let ours = Phone::alice(&nonce(&key(1), 1)).credentials("REGISTER", REGISTRAR, "");
    let both = request("REGISTER", REGISTRAR, &format!("{lines}Authorization: {ours}\r\n"), "");
    assert!(accepted(&judge(&mut nonces, 1, &both)));
}

#[test]
fn either_header_counts_in_either_role() {
    let credentials = Phone::alice(&nonce(&key(1), 1)).credentials("REGISTER", REGISTRAR, "");
    for (header, proxy) in [("Authorization", true), ("Proxy-Authorization", false)] {
        let mixed = request("REGISTER", REGISTRAR, &format!("{header}: {credentials}\r\n"), "");
        let mut nonces = Nonces::default();
        let ruling = nonces.judge(&terms(&key(1), &LIMITS, at(1)), &mixed, proxy, &users);
        assert!(accepted(&ruling), "{header}: {ruling:?}");
    }
}

#[test]
fn phones_quote_as_they_like_and_write_hex_in_either_case() {
    let plain = Phone::alice(&nonce(&key(1), 1)).credentials("REGISTER", REGISTRAR, "");
    let proof = param(&plain, "response").to_owned();
    for variant in [
        plain.replace("qop=auth-int", "qop=\"auth-int\""),
        plain.replace("algorithm=SHA-256", "algorithm=\"sha-256\""),
        plain.replace("nc=00000001", "nc=\"00000001\""),
        plain.replace(&proof, &proof.to_uppercase()),
        plain.replace(", ", ","),
        plain.replace("username=\"alice\"", "username=alice"),
    ] {
        let request = request("REGISTER", REGISTRAR, &format!("Authorization: {variant}\r\n"), "");
        let ruling = judge(&mut Nonces::default(), 1, &request);
        assert!(accepted(&ruling), "{variant}: {ruling:?}");
    }
}

#[test]
fn a_user_name_is_hashed_without_its_escapes() {
    let bob = Phone { user: "b\"ob", ..Phone::alice(&nonce(&key(1), 1)) };
    let escaped = bob.credentials("REGISTER", REGISTRAR, "").replace("b\"ob", "b\\\"ob");
    let request = request("REGISTER", REGISTRAR, &format!("Authorization: {escaped}\r\n"), "");
    let ruling = judge(&mut Nonces::default(), 1, &request);
    assert_eq!(ruling, Ruling::Accepted { user: "b\"ob".into(), info: None });
}

#[test]
fn credentials_that_cannot_be_read_are_refused_as_such() {
    let good = Phone::alice(&nonce(&key(1), 1)).credentials("REGISTER", REGISTRAR, "");
    let proof = param(&good, "response");
    for (broken, why) in [
        (good.replace("nc=00000001", "nc=1"), "nc is not 8 hex digits"),
        (good.replace("nc=00000001", "nc=0000000g"), "nc is not 8 hex digits"),
        (good.replace("nc=00000001", "nc=+0000001"), "nc is not 8 hex digits"),
        (format!("{good}, username*=UTF-8''alice"), "digest with two usernames"),
        (good.replace("nc=00000001, ", ""), "digest without nc"),
        (good.replace(", cnonce=\"0a4f113b\"", ""), "digest without cnonce"),
        (good.replace("realm=\"example.org\", ", ""), "digest without realm"),
        (good.replace("username=\"alice\", ", ""), "digest without username"),
        (good.replace(&format!("response=\"{proof}\", "), ""), "digest without response"),
        (good.replace("qop=auth-int", "qop=auth-conf"), "digest with unknown qop"),
        (good.replace("cnonce=\"0a4f113b\"", "cnonce=\"0a4f113b"), "unreadable credentials"),
        (format!("{good}, nc=00000001"), "unreadable credentials"),
    ] {
        let request = request("REGISTER", REGISTRAR, &format!("Authorization: {broken}\r\n"), "");
        let ruling = judge(&mut Nonces::default(), 1, &request);
        assert_eq!(ruling, Ruling::Bad(why), "{broken}");
    }
}

#[test]
fn a_name_announced_before_the_first_challenge_is_no_guess() {
    for (nonce, proof) in [("", ""), ("", "0123"), ("N", "")] {
        let announced = format!(
            "Authorization: Digest username=\"alice\", realm=\"example.org\", \
             nonce=\"{nonce}\", uri=\"sip:example.org\", response=\"{proof}\"\r\n"
        );
        let request = request("REGISTER", REGISTRAR, &announced, "");
        let ruling = judge(&mut Nonces::default(), 1, &request);
        assert_eq!(ruling, Ruling::Challenge { stale: false }, "{announced}");
    }
}

#[test]
fn what_is_offered_is_what_the_operator_wants() {
    let cause = request("REGISTER", REGISTRAR, "", "");
    let key = key(1);
    for (sha256, md5, offered) in [
        (true, true, &["SHA-256", "MD5"][..]),
        (true, false, &["SHA-256"]),
        (false, true, &["MD5"]),
        (false, false, &["SHA-256"]),
    ] {
        let limits = NonceLimits { sha256, md5, ..LIMITS };
        let asked = challenges(&terms(&key, &limits, at(1)), false, &cause);
        assert_eq!(asked.len(), offered.len());
        for (challenge, name) in asked.iter().zip(offered) {
            assert!(challenge.contains(&format!("algorithm={name}, ")), "{challenge}");
        }
    }
}

#[test]
fn an_algorithm_that_is_not_offered_is_asked_again() {
    let nonce = nonce(&key(1), 1);
    let md5 = Phone { algorithm: Algorithm::Md5, ..Phone::alice(&nonce) }.register();
    let limits = NonceLimits { md5: false, ..LIMITS };
    let mut nonces = Nonces::default();
    let ruling = nonces.judge(&terms(&key(1), &limits, at(1)), &md5, false, &users);
    assert_eq!(ruling, Ruling::Challenge { stale: false });
    let sess = Phone::alice(&nonce).credentials("REGISTER", REGISTRAR, "");
    let sess = sess.replace("SHA-256", "SHA-256-sess");
    let sess = request("REGISTER", REGISTRAR, &format!("Authorization: {sess}\r\n"), "");
    assert_eq!(judge(&mut nonces, 1, &sess), Ruling::Challenge { stale: false });
}

#[test]
fn a_body_changed_on_the_way_is_a_wrong_digest() {
    let phone = Phone::alice(&nonce(&key(1), 1));
    let uri = "sip:bob@example.org";
    let credentials = phone.credentials("MESSAGE", uri, "Watson, come here.");
    let line = format!("Authorization: {credentials}\r\n");
    let mut nonces = Nonces::default();
    let changed = request("MESSAGE", uri, &line, "Watson, go away.");
    assert_eq!(judge(&mut nonces, 1, &changed), Ruling::Wrong { user: "alice".into() });
    let whole = request("MESSAGE", uri, &line, "Watson, come here.");
    assert!(accepted(&judge(&mut nonces, 1, &whole)), "the wrong one used nothing up");
}

#[test]
fn an_equivalent_uri_will_do() {
    let phone = Phone::alice(&nonce(&key(1), 1));
    let credentials = phone.credentials("REGISTER", "sip:EXAMPLE.org", "");
    let request = request("REGISTER", REGISTRAR, &format!("Authorization: {credentials}\r\n"), "");
    assert!(accepted(&judge(&mut Nonces::default(), 1, &request)));
}

/// RFC 8760 §2.6 item 6 and behaviour M7: a registrar has many names, and only a REGISTER may
/// choose among them.
#[test]
fn a_register_may_take_any_name_of_the_registrar() {
    let phone = Phone::alice(&nonce(&key(1), 1));
    let is_ours = |uri: &Uri<'_>| matches!(uri.host, crate::message::Host::Ip(_));
    let judged = |method, asked, claimed| {
        let credentials = phone.credentials(method, claimed, "");
        let request = request(method, asked, &format!("Authorization: {credentials}\r\n"), "");
        let key = key(1);
        let terms = Terms { is_ours: &is_ours, ..terms(&key, &LIMITS, at(1)) };
        Nonces::default().judge(&terms, &request, false, &users)
    };
    let bad = Ruling::Bad("digest uri is not the Request-URI");
    assert!(accepted(&judged("REGISTER", REGISTRAR, "sip:192.0.2.1")));
    assert_eq!(judged("REGISTER", REGISTRAR, "sip:alice@192.0.2.1"), bad);
    assert_eq!(judged("REGISTER", REGISTRAR, "sip:example.com"), bad);
    assert_eq!(judged("REGISTER", REGISTRAR, "no uri"), bad);
    assert_eq!(judged("OPTIONS", REGISTRAR, "sip:192.0.2.1"), bad);
}

#[test]
fn an_old_phone_without_qop_gets_one_request_a_nonce_if_allowed() {
    let phone = Phone { qop: Qop::None, ..Phone::alice(&nonce(&key(1), 1)) };
    let limits = NonceLimits { legacy_no_qop: true, ..LIMITS };
    let (key, mut nonces) = (key(1), Nonces::default());
    let terms = terms(&key, &limits, at(1));
    assert!(accepted(&nonces.judge(&terms, &phone.register(), false, &users)));
    let again = nonces.judge(&terms, &phone.register(), false, &users);
    assert_eq!(again, Ruling::Challenge { stale: true });
    let strict = Terms { minimum: Qop::AuthInt, ..terms };
    let mut fresh = Nonces::default();
    let ruling = fresh.judge(&strict, &phone.register(), false, &users);
    assert_eq!(ruling, Ruling::Challenge { stale: false });
}

#[test]
fn past_half_of_its_life_a_nonce_names_its_successor_and_proves_the_server() {
    let phone = Phone::alice(&nonce(&key(1), 0));
    let mut nonces = Nonces::default();
    let young = judge(&mut nonces, 150, &phone.register());
    assert_eq!(young, Ruling::Accepted { user: "alice".into(), info: None });
    let phone = Phone { nc: 2, ..phone };
    let old = judge(&mut nonces, 151, &phone.register());
    let Ruling::Accepted { info: Some(info), .. } = old else { panic!("{old:?}") };
    let next = param(&info, "nextnonce");
    assert_eq!(key(1).open(next, REALM).map(|nonce| nonce.t), Some(151_000));
    let parts = Parts {
        method: "",
        uri: REGISTRAR,
        nonce: &phone.nonce,
        nc: "00000002",
        cnonce: "0a4f113b",
        qop: Qop::AuthInt,
        body: b"",
    };
    let ha1 = Ha1::of(Algorithm::Sha256, "alice", REALM, "wonderland");
    assert_eq!(param(&info, "rspauth"), response(Algorithm::Sha256, &ha1, &parts));
    let rest = ", cnonce=\"0a4f113b\", nc=00000002";
    assert!(info.contains("qop=auth-int, ") && info.ends_with(rest), "{info}");
    // The old nonce stays good until its own end (R67).
    let phone = Phone { nc: 3, ..phone };
    assert!(accepted(&judge(&mut nonces, 300, &phone.register())));
}

#[test]
fn a_proxy_does_not_vouch_for_an_answer_it_has_not_seen() {
    let phone = Phone::alice(&nonce(&key(1), 0));
    let mut nonces = Nonces::default();
    let key = key(1);
    let terms = terms(&key, &LIMITS, at(200));
    let ruling = nonces.judge(&terms, &phone.register(), true, &users);
    let Ruling::Accepted { info: Some(info), .. } = ruling else { panic!("{ruling:?}") };
    assert!(info.starts_with("nextnonce=") && !info.contains("rspauth"), "{info}");
}

fn any_phone() -> impl Strategy<Value = Phone> {
    let user = prop::sample::select(vec!["alice", "bob", "mallory"]);
    let password = prop::sample::select(vec!["wonderland", "biloxi", "guess"]);
    let algorithm = prop::sample::select(vec![Algorithm::Md5, Algorithm::Sha256]);
    let qop = prop::sample::select(vec![Qop::None, Qop::Auth, Qop::AuthInt]);
    (user, password, algorithm, qop, 0_u64..4, any::<bool>(), 0_u32..80).prop_map(
        |(user, password, algorithm, qop, issued, ours, nc)| {
            let nonce = nonce(&key(u64::from(ours)), issued * 100);
            Phone { user, password, algorithm, qop, nonce, nc }
        },
    )
}

proptest! {
    /// P26: a wrong digest consumes no nc and creates nothing. P23: nothing runs twice. P42: what
    /// is not accepted leaves no trace at all.
    #[test]
    fn only_what_is_accepted_leaves_a_trace(phones in prop::collection::vec(any_phone(), 1..40)) {
        let mut nonces = Nonces::default();
        let mut executed = std::collections::BTreeSet::new();
        for (second, phone) in phones.iter().enumerate() {
            let before = nonces.clone();
            let ruling = judge(&mut nonces, 300 + second as u64, &phone.register());
            let right = matches!(
                (phone.user, phone.password),
                ("alice", "wonderland") | ("bob", "biloxi")
            );
            match ruling {
                Ruling::Accepted { user, .. } => {
                    prop_assert!(right && *user == *phone.user);
                    prop_assert!(executed.insert((phone.nonce.clone(), phone.nc)));
                }
                Ruling::Challenge { .. } | Ruling::Bad(_) => {
                    prop_assert!(right);
                    prop_assert_eq!(&nonces, &before);
                }
                Ruling::Wrong { user } => {
                    prop_assert!(!right && *user == *phone.user);
                    prop_assert_eq!(&nonces, &before);
                }
            }
        }
    }

    /// Whatever stands in the header, judging it does not panic and proves nobody.
    #[test]
    fn no_text_is_a_proof(text in "[ -~]{0,120}") {
        let line = format!("Authorization: Digest realm=\"example.org\",{text}\r\n");
        let message = format!(
            "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\n\
             Max-Forwards: 70\r\nFrom: <sip:alice@example.org>;tag=1\r\n\
             To: <sip:alice@example.org>\r\nCall-ID: a\r\nCSeq: 1 REGISTER\r\n{line}\r\n"
        );
        if let Ok(Message::Request(request)) = Message::parse(message.into()) {
            let mut nonces = Nonces::default();
            prop_assert!(!accepted(&judge(&mut nonces, 1, &request)));
            prop_assert!(nonces.is_empty());
        }
    }
}
