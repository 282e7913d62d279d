//! Any datagram at a media port that begins like STUN (P57, P58).
#![no_main]

use libfuzzer_sys::fuzz_target;
use presently_fuzz::media::Datagram;

fuzz_target!(|datagram: Datagram| datagram.read());
