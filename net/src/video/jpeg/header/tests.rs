use super::*;
use crate::video::jpeg::tables::computed;
use proptest::prelude::*;

const FORM: Form =
    Form { sampling: Sampling::Quarter, restart: None, q: 70, width: 40, height: 30 };

fn refused(payload: &[u8]) -> String {
    Fragment::parse(payload).unwrap_err().to_string()
}

#[test]
fn headers_stand_where_the_rfc_draws_them() {
    let fragment =
        Fragment { form: FORM, offset: 0x010203, tables: InBand::Absent, data: &[9, 8, 7] };
    let payload = fragment.write();
    assert_eq!(payload, [0, 1, 2, 3, 1, 70, 40, 30, 9, 8, 7]);
    assert_eq!(Fragment::parse(&payload), Ok(fragment));
    let form = Form { restart: Some(0x0102), sampling: Sampling::Wide, q: 200, ..FORM };
    let mut wide = computed(50).unwrap();
    wide[1][63] = 0x0304;
    let tables = InBand::Tables(Box::new(wide));
    let fragment = Fragment { form, offset: 0, tables, data: &[5] };
    let payload = fragment.write();
    // Type 64, the restart header with F, L and no count, tables of 8 and of 16 bits.
    assert_eq!(payload[..16], [0, 0, 0, 0, 64, 200, 40, 30, 1, 2, 0xFF, 0xFF, 0, 2, 0, 192]);
    assert_eq!(payload[16 + 190..], [3, 4, 5]);
    assert_eq!(Fragment::parse(&payload), Ok(fragment));
}

#[test]
fn what_the_restart_header_says_of_chunks_is_no_matter() {
    // F only, count 5: the frame is put together anyway.
    let payload = [0, 0, 0, 9, 65, 70, 40, 30, 0, 4, 0x80, 5, 1];
    let fragment = Fragment::parse(&payload).unwrap();
    assert_eq!((fragment.form.restart, fragment.data), (Some(4), &[1][..]));
}

#[test]
fn values_without_a_meaning_are_ignored() {
    assert!(Fragment::parse(&[4, 0, 0, 0, 1, 70, 40, 30]).is_ok());
    // More tables than the type needs: bits and octets beyond are passed over.
    let mut payload = vec![0, 0, 0, 0, 1, 128, 40, 30, 0, 0xF0, 0, 192];
    payload.extend([1; 192]);
    payload.push(7);
    assert_eq!(Fragment::parse(&payload).unwrap().data, [7]);
}

#[test]
fn a_fault_says_where_it_is_and_what_was_expected() {
    let cases: [(&[u8], &str); 15] = [
        (&[], "at octet 0: expected a main header of 8 octets, found the end"),
        (&[0; 7], "at octet 7: expected a main header of 8 octets, found the end"),
        (&[1, 0, 0, 0, 1, 70, 1, 1], "at octet 0: expected a progressive frame (0), found 1"),
        (&[0, 0, 0, 0, 2, 70, 1, 1], "at octet 4: expected type 0, 1, 64 or 65, found 2"),
        (&[0, 0, 0, 0, 129, 70, 1, 1], "at octet 4: expected type 0, 1, 64 or 65, found 129"),
        (&[0, 0, 0, 0, 1, 0, 1, 1], "at octet 5: expected a Q of 1 to 99 or 128 to 255, found 0"),
        (
            &[0, 0, 0, 0, 1, 100, 1, 1],
            "at octet 5: expected a Q of 1 to 99 or 128 to 255, found 100",
        ),
        (&[0, 0, 0, 0, 1, 70, 0, 1], "at octet 6: expected a side of 1 to 255 blocks, found 0"),
        (&[0, 0, 0, 0, 1, 70, 1, 0], "at octet 7: expected a side of 1 to 255 blocks, found 0"),
        (
            &[0, 0, 0, 0, 65, 70, 1, 1, 0, 1, 0],
            "at octet 11: expected a restart marker header of 4 octets, found the end",
        ),
        (
            &[0, 0, 0, 0, 65, 70, 1, 1, 0, 0, 0xFF, 0xFF],
            "at octet 8: expected a restart interval that is not zero, found 0",
        ),
        (
            &[0, 0, 0, 0, 1, 128, 1, 1, 0, 0, 0],
            "at octet 11: expected a quantization table header of 4 octets, found the end",
        ),
        (
            &[0, 0, 0, 0, 1, 255, 1, 1, 0, 0, 0, 0],
            "at octet 10: expected tables, because Q is 255, found a length of 0",
        ),
        (
            &[0, 0, 0, 0, 1, 128, 1, 1, 0, 0, 0, 128, 1, 1],
            "at octet 10: expected as many octets of tables as the length says, found 2 for a \
             length of 128",
        ),
        (
            &[0, 0, 0, 0, 1, 128, 1, 1, 0, 0, 0, 2, 1, 1],
            "at octet 10: expected the length of two tables, found 2",
        ),
    ];
    for (payload, fault) in cases {
        assert_eq!(refused(payload), fault);
    }
    let mut zero = vec![0, 0, 0, 0, 1, 128, 1, 1, 0, 0, 0, 128];
    zero.extend([1; 128]);
    zero[12 + 64 + 5] = 0;
    assert_eq!(refused(&zero), "at octet 81: expected a quantizer that is not zero, found 0");
    let far = [&[0, 0xFF, 0xFF, 0xFF, 1, 70, 1, 1][..], &[0; 2]].concat();
    assert_eq!(
        refused(&far),
        "at octet 1: expected a fragment that ends within 2^24 octets, found 16777215"
    );
}

proptest! {
    #[test]
    fn any_payload_is_read_or_refused(
        head in prop::array::uniform8(any::<u8>()),
        q in prop_oneof![Just(255u8), any::<u8>()],
        tail in prop::collection::vec(any::<u8>(), 0..300),
        cut in 0..310usize,
    ) {
        let mut payload = [&head[..], &tail].concat();
        payload[4] &= 0x41;
        payload[5] = q;
        payload.truncate(cut);
        if let Ok(fragment) = Fragment::parse(&payload) {
            let again = fragment.write();
            prop_assert_eq!(Fragment::parse(&again), Ok(fragment));
        }
    }
}
