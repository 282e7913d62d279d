use super::*;

/// Case, algorithm, user, realm, password, method, uri, qop, body, HA1, response. The nonce, nc
/// and cnonce follow from the realm.
struct Vector {
    algorithm: Algorithm,
    user: &'static str,
    realm: &'static str,
    password: &'static str,
    parts: Parts<'static>,
    ha1: &'static str,
    response: &'static str,
}

const BILOXI: Parts<'static> = Parts {
    method: "REGISTER",
    uri: "sip:biloxi.example.com",
    nonce: "84f1c1ae6cbe5ua9c8e88dfa3ecm3459",
    nc: "00000001",
    cnonce: "0a4f113b",
    qop: Qop::Auth,
    body: b"",
};

const RFC_7616: Parts<'static> = Parts {
    method: "GET",
    uri: "/dir/index.html",
    nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    nc: "00000001",
    cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    qop: Qop::Auth,
    body: b"",
};

const ALICE: &str = "sip:alice@biloxi.example.com";
const BOB_MD5: &str = "7fc33d266ff5f7fe764efb797bd4ba91";
const BOB_SHA256: &str = "99c7a074144922730f8c921decd75800202dc0534ebd20ab514af2c60ffc9073";

fn bob(parts: Parts<'static>, response: &'static str) -> Vector {
    let (user, realm, password) = ("bob", "biloxi.example.com", "zanzibar");
    Vector { algorithm: Algorithm::Md5, user, realm, password, parts, ha1: BOB_MD5, response }
}

fn published() -> Vec<Vector> {
    let mufasa = |algorithm, ha1, response| Vector {
        algorithm,
        user: "Mufasa",
        realm: "http-auth@example.org",
        password: "Circle of Life",
        parts: RFC_7616,
        ha1,
        response,
    };
    vec![
        // RFC 2617 §3.5.
        Vector {
            realm: "testrealm@host.com",
            password: "Circle Of Life",
            parts: Parts {
                nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
                cnonce: "0a4f113b",
                ..RFC_7616
            },
            ..mufasa(
                Algorithm::Md5,
                "939e7578ed9e3c518a452acee763bce9",
                "6629fae49393a05397450978507c4ef1",
            )
        },
        // RFC 7616 §3.9.1.
        mufasa(
            Algorithm::Md5,
            "3d78807defe7de2157e2b0b6573a855f",
            "8ca523f5e9506fed4657c9700eebdbec",
        ),
        mufasa(
            Algorithm::Sha256,
            "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
    ]
}

fn of_sip() -> Vec<Vector> {
    let watson = b"Watson, come here.";
    let message = Parts { method: "MESSAGE", uri: ALICE, qop: Qop::AuthInt, ..BILOXI };
    vec![
        bob(Parts { qop: Qop::None, ..BILOXI }, "0eda605e8fa78ad648d5a7a13dcfdf0d"),
        bob(BILOXI, "00f74d5fd06d8cb98629be265c4f0b62"),
        bob(Parts { nc: "00000002", ..BILOXI }, "816613ad16d1df67f02ecf9ff6b18860"),
        Vector {
            algorithm: Algorithm::Sha256,
            ha1: BOB_SHA256,
            ..bob(
                Parts { method: "SUBSCRIBE", uri: ALICE, ..BILOXI },
                "4d42ca8f6af2bd9304c19e5a950b95a4d6fc5885f314183b7d790580bc3f4dcd",
            )
        },
        bob(Parts { body: watson, ..message }, "f56be3c92205897dce79dd9c28883c6b"),
        bob(message, "177d96d85551d46fa927adef9eebd050"),
        // On the wire username="b\"ob".
        Vector {
            user: "b\"ob",
            ha1: "ecac7f4c3360e4a380a5226adfc2fdd0",
            ..bob(BILOXI, "63657737e195aba94d7ddc92aa023abb")
        },
        Vector {
            algorithm: Algorithm::Sha256,
            user: "Jäsøn Doe",
            password: "Secret, or not?é",
            ha1: "3fe947c739c4276f0f5452ece8dc2c0d54538556c90b4c3450018cc056ef2eab",
            ..bob(
                Parts { uri: "sips:biloxi.example.com", ..BILOXI },
                "3c399b4794b28c601300f895e37401fa6f09f1228ef732b49efc6b2c55c80653",
            )
        },
    ]
}

#[test]
fn vectors_of_the_rfcs_and_of_sip_come_out_right() {
    for vector in published().into_iter().chain(of_sip()) {
        let ha1 = Ha1::of(vector.algorithm, vector.user, vector.realm, vector.password);
        assert_eq!(ha1.as_str(), vector.ha1, "HA1 of {}", vector.user);
        let response = response(vector.algorithm, &ha1, &vector.parts);
        assert_eq!(response, vector.response, "response of {} to {:?}", vector.user, vector.parts);
    }
}

#[test]
fn a_users_file_may_hold_hex_of_either_case_and_of_the_right_length_only() {
    let upper = BOB_MD5.to_uppercase();
    let ha1 = Ha1::from_hex(Algorithm::Md5, &upper).expect("32 hex digits");
    assert_eq!(ha1.as_str(), BOB_MD5);
    assert_eq!(Ha1::from_hex(Algorithm::Sha256, BOB_MD5), None);
    assert_eq!(Ha1::from_hex(Algorithm::Md5, &BOB_MD5.replace('7', "g")), None);
}

#[test]
fn a_password_equivalent_is_not_printed() {
    let ha1 = Ha1::of(Algorithm::Md5, "bob", "biloxi.example.com", "zanzibar");
    assert_eq!(format!("{ha1:?}"), "Ha1(…)");
}

#[test]
fn algorithms_and_qualities_are_known_by_their_tokens_only() {
    assert_eq!(Algorithm::of("sha-256"), Some(Algorithm::Sha256));
    assert_eq!(Algorithm::of("MD5-sess"), None);
    assert_eq!(Algorithm::of("SHA-512-256"), None);
    assert_eq!(Qop::of("AUTH-INT"), Some(Qop::AuthInt));
    assert_eq!(Qop::of("auth-conf"), None);
    assert_eq!(Qop::of(""), None);
}
