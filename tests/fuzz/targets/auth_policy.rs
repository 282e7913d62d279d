//! Any body where the rules of an owner are expected (P57, P58).
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| presently_fuzz::body::auth_policy(data));
