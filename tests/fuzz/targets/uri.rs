//! Any text where a URI, an address or a header parameter is expected (P57, P58).
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| presently_fuzz::message::addresses(text));
