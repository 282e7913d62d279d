use super::*;

#[tokio::test]
async fn literal_addresses_are_used_as_they_are() {
    for (text, address) in [
        ("192.0.2.7", "192.0.2.7:5060"),
        ("192.0.2.7:5070", "192.0.2.7:5070"),
        ("[2001:db8::7]:5070", "[2001:db8::7]:5070"),
        ("[2001:db8::7]", "[2001:db8::7]:5060"),
        ("2001:db8::7", "[2001:db8::7]:5060"),
    ] {
        assert_eq!(resolve(text).await.unwrap().to_string(), address, "{text}");
    }
}

#[tokio::test]
async fn a_name_is_looked_up() {
    let address = resolve("localhost:5080").await.unwrap();
    assert!(address.ip().is_loopback());
    assert_eq!(address.port(), 5080);
}

#[tokio::test]
async fn what_is_no_address_is_named_in_the_error() {
    for text in
        ["", ":5060", "host:", "host:0", "host:99999", "host:1:2", "[::1", "[x]:1", "[::1]5", "a b"]
    {
        let error = resolve(text).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("{text:?} is no address: ")), "{error}");
        assert!(error.ends_with("(allowed: HOST, HOST:PORT, [IPv6]:PORT)"), "{error}");
    }
}
