use super::*;

#[test]
fn mu_law_has_the_values_of_its_table() {
    // G.711 table 2: ends of the scale and both zeros, as 16 bits.
    for (code, sample) in
        [(0x80, 32_124), (0x00, -32_124), (0xff, 0), (0x7f, 0), (0x8f, 16_764), (0xf0, 120)]
    {
        assert_eq!(from_ulaw(code), sample, "{code:x}");
    }
    assert_eq!([0, 32_767, -32_768, -1].map(to_ulaw), [0xff, 0x80, 0x00, 0x7f]);
}

#[test]
fn a_law_has_the_values_of_its_table() {
    for (code, sample) in
        [(0xaa, 32_256), (0x2a, -32_256), (0xd5, 8), (0x55, -8), (0x80, 5504), (0xc5, 264)]
    {
        assert_eq!(from_alaw(code), sample, "{code:x}");
    }
    assert_eq!([0, 32_767, -32_768, -1].map(to_alaw), [0xd5, 0xaa, 0x2a, 0x55]);
}

#[test]
fn every_code_comes_back_as_itself() {
    for code in 0..=255u8 {
        assert_eq!(to_alaw(from_alaw(code)), code);
        // There are two zeros in µ-law.
        let again = to_ulaw(from_ulaw(code));
        assert!(again == code || (code == 0x7f && again == 0xff), "{code:x} {again:x}");
    }
}

#[test]
fn every_sample_keeps_five_bits_of_what_it_is() {
    for sample in i16::MIN..=i16::MAX {
        let size = i32::from(sample).abs();
        for heard in [from_ulaw(to_ulaw(sample)), from_alaw(to_alaw(sample))] {
            // Sixteen steps in each octave, and half a step of error. Near zero A-law has steps
            // of 16; above its scale, which ends early, µ-law is off by 644.
            let error = (i32::from(heard) - i32::from(sample)).abs();
            assert!(error <= (size + 132) / 32 + 8 && error <= 644, "{sample} → {heard}");
        }
    }
}
