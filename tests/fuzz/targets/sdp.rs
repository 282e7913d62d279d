//! Any body where a session description is expected (P57, P58).
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| presently_fuzz::media::sdp(data));
