//! Any course of events at the server and between agents (P1, P21, P42, P58, P59).
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|play: presently_fuzz::Play| play.perform());
