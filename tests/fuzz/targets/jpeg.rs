//! Any payloads where a Motion JPEG stream is expected, and any file where one is to be sent.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| presently_fuzz::video::jpeg(data));
