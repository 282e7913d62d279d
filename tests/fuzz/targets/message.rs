//! Any datagram: read it, answer it, edit it, write it again (P57, P58).
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| presently_fuzz::message::datagram(data));
