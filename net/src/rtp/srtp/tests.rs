use super::*;
use crate::rtp::rig::Dice;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| std::str::from_utf8(pair).expect("ASCII").to_owned();
    digits.chunks(2).map(|two| u8::from_str_radix(&pair(two), 16).expect("hex")).collect()
}

const ALICE: MasterKey = [1; 30];
const BOB: MasterKey = [2; 30];

fn pair() -> (Srtp, Srtp) {
    (Srtp::new(&ALICE, &BOB), Srtp::new(&BOB, &ALICE))
}

fn packet(sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 7];
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(b"nobody but us hears this");
    packet
}

fn send(alice: &mut Srtp, sequence: u16) -> Vec<u8> {
    let mut sent = packet(sequence);
    alice.protect(&mut sent);
    sent
}

fn hear(bob: &mut Srtp, sent: &[u8]) -> Result<Vec<u8>, Unproved> {
    let mut heard = sent.to_vec();
    bob.unprotect(&mut heard).map(|()| heard)
}

#[test]
fn session_keys_are_those_of_appendix_b3() {
    let master = hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");
    let master: MasterKey = master.try_into().expect("30 octets");
    let keys = Keys::derive(&master, 0);
    assert_eq!(keys.salt[..], hex("30CBBC08863D8C85D49DB34A9AE1")[..]);
    let cipher = Aes128::new_from_slice(&hex("C61E7A93744F39EE10734AFE3FF7A087")).expect("16");
    let mut ours = [0; 16];
    let mut theirs = [0; 16];
    keys.apply(0, 0, &mut ours);
    let salted = Keys { cipher, salt: keys.salt, mac: keys.mac.clone() };
    salted.apply(0, 0, &mut theirs);
    assert_eq!(ours, theirs);
    // The authentication key shows in what it makes of nothing.
    let auth = hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4");
    let mac = <Hmac<Sha1> as KeyInit>::new_from_slice(&auth).expect("any length");
    assert_eq!(keys.mac(b"", b"").finalize().into_bytes(), mac.finalize().into_bytes());
}

#[test]
fn the_key_stream_is_that_of_appendix_b2() {
    let key = hex("2B7E151628AED2A6ABF7158809CF4F3C");
    let salt: [u8; 14] = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD").try_into().expect("14 octets");
    let cipher = Aes128::new_from_slice(&key).expect("16 octets");
    let mac = Keys::derive(&ALICE, 0).mac;
    let mut stream = [0; 48];
    Keys { cipher, salt, mac }.apply(0, 0, &mut stream);
    let expected = "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB
                    41E95B3BB0A2E8DD477901E4FCA894C0";
    assert_eq!(stream[..], hex(expected)[..]);
}

#[test]
fn a_packet_is_protected_as_libsrtp_does_it() {
    let master = hex("e1f97a0d3e018be0d64fa32c06de4139 0ec675ad498afeebb6960b3aabe6");
    let master: MasterKey = master.try_into().expect("30 octets");
    let plain = hex("800f1234decafbadcafebabe abababababababababababababababab");
    let sent =
        hex("800f1234decafbadcafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb");
    let mut packet = plain.clone();
    let mut both = Srtp::new(&master, &master);
    both.protect(&mut packet);
    assert_eq!(packet, sent);
    both.unprotect(&mut packet).expect("our own");
    assert_eq!(packet, plain);
}

#[test]
fn nothing_of_the_media_shows_and_the_other_side_reads_it() {
    let (mut alice, mut bob) = pair();
    let sent = send(&mut alice, 1);
    assert_eq!(sent.len(), packet(1).len() + TAG);
    assert!(!sent.windows(6).any(|part| part == b"nobody"));
    assert_eq!(hear(&mut bob, &sent), Ok(packet(1)));
}

#[test]
fn a_packet_with_any_octet_changed_is_refused_and_forgotten() {
    let (mut alice, mut bob) = pair();
    let sent = send(&mut alice, 1);
    for place in 0..sent.len() {
        let mut changed = sent.clone();
        changed[place] ^= 0x20;
        assert!(hear(&mut bob, &changed).is_err(), "octet {place}");
    }
    for end in 0..sent.len() {
        assert!(hear(&mut bob, &sent[..end]).is_err(), "cut at {end}");
    }
    assert!(bob.senders.is_empty());
    assert_eq!(hear(&mut bob, &sent), Ok(packet(1)));
}

#[test]
fn a_packet_that_was_here_is_refused_however_old_it_is() {
    let (mut alice, mut bob) = pair();
    let sent: Vec<Vec<u8>> = (1..=400).map(|sequence| send(&mut alice, sequence)).collect();
    // The second comes after the third, and that is no replay.
    for index in [0, 2, 1].into_iter().chain(3..400) {
        assert!(hear(&mut bob, &sent[index]).is_ok(), "{index}");
    }
    for one in &sent {
        assert_eq!(hear(&mut bob, one), Err(Unproved::Replayed));
    }
}

#[test]
fn the_roll_over_counter_goes_up_with_the_wrap_even_out_of_order() {
    let (mut alice, mut bob) = pair();
    // One packet of twenty, over three wraps; what is swapped stays inside the window.
    let mut order: Vec<u32> = (65_000..65_536 * 3 + 1000).step_by(20).collect();
    let sent: Vec<Vec<u8>> = order.iter().map(|index| send(&mut alice, *index as u16)).collect();
    let mut sent: Vec<(u32, Vec<u8>)> = order.drain(..).zip(sent).collect();
    let mut dice = Dice::new(8);
    for block in sent.chunks_mut(6) {
        for index in 1..block.len() {
            block.swap(index, dice.below(index as u64 + 1) as usize);
        }
    }
    for (index, sent) in &sent {
        assert_eq!(hear(&mut bob, sent), Ok(packet(*index as u16)), "{index}");
    }
    assert_eq!(bob.senders[&7].newest >> 16, 3);
}

#[test]
fn both_sides_have_their_own_key() {
    let (mut alice, mut bob) = pair();
    let sent = send(&mut alice, 1);
    assert_eq!(hear(&mut alice, &sent), Err(Unproved::Tampered), "our own, sent back to us");
    assert_eq!(hear(&mut bob, &packet(1)), Err(Unproved::Tampered), "plain");
}

#[test]
fn control_packets_are_protected_from_reading_changing_and_replay() {
    let (mut alice, mut bob) = pair();
    let plain = [&[0x80, 201, 0, 1, 0, 0, 0, 7][..], b"cname of alice.."].concat();
    let mut first = plain.clone();
    alice.protect_rtcp(&mut first);
    assert!(!first.windows(5).any(|part| part == b"alice"));
    for place in 0..first.len() {
        let mut changed = first.clone();
        changed[place] ^= 1;
        assert!(bob.unprotect_rtcp(&mut changed).is_err(), "octet {place}");
    }
    let mut heard = first.clone();
    assert_eq!(bob.unprotect_rtcp(&mut heard), Ok(()));
    assert_eq!(heard, plain);
    assert_eq!(bob.unprotect_rtcp(&mut first.clone()), Err(Unproved::Replayed));
    let mut second = plain.clone();
    alice.protect_rtcp(&mut second);
    assert_ne!(first, second);
    assert_eq!(bob.unprotect_rtcp(&mut second), Ok(()));
}

#[test]
fn a_key_has_no_more_senders_than_are_remembered() {
    let (mut alice, mut bob) = pair();
    let from = |alice: &mut Srtp, ssrc: u8| {
        let mut sent = packet(1);
        sent[11] = ssrc;
        alice.sent = None;
        alice.protect(&mut sent);
        sent
    };
    for ssrc in 0..16 {
        let sent = from(&mut alice, ssrc);
        assert!(hear(&mut bob, &sent).is_ok());
    }
    let sent = from(&mut alice, 16);
    assert!(hear(&mut bob, &sent).is_err());
}
