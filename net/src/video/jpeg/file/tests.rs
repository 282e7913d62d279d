use super::*;
use crate::video::jpeg::JpegCodec;
use crate::video::jpeg::tables::computed;
use crate::video::pattern::Pattern;
use crate::video::stream::VideoCodec;
use proptest::prelude::*;
use std::time::Duration;

const NOW: Duration = Duration::ZERO;

fn jpeg() -> Vec<u8> {
    JpegCodec::new(60).encode(&Pattern::new(176, 144).picture(1), true, NOW).unwrap()
}

/// A file with something changed that stands behind a marker.
fn changed(marker: u8, behind: usize, value: u8) -> (usize, Vec<u8>) {
    let mut file = write(&read(&jpeg()).unwrap().0, &[0; 400]);
    let at = file.windows(2).position(|two| two == [0xFF, marker]).unwrap() + behind;
    file[at] = value;
    (at, file)
}

#[test]
fn a_file_is_its_head_and_its_scan() {
    let file = jpeg();
    let (head, scan) = read(&file).unwrap();
    let tables = computed(60).unwrap();
    let (width, height, sampling) = (176, 144, Sampling::Quarter);
    assert_eq!(head, Head { width, height, sampling, restart: None, tables });
    let again = write(&head, scan);
    assert_eq!(read(&again).unwrap(), (head, scan));
    let codec = &mut JpegCodec::new(60);
    assert_eq!(codec.decode(&again).unwrap(), codec.decode(&file).unwrap());
}

#[test]
fn the_usual_tables_are_put_in_where_there_are_none() {
    let file = jpeg();
    let first = file.windows(2).position(|two| two == [0xFF, 0xC4]).unwrap();
    let scan = file.windows(2).position(|two| two == [0xFF, 0xDA]).unwrap();
    let bare = [&file[..first], &file[scan..]].concat();
    assert_eq!(read(&with_huffman(&bare)).unwrap(), read(&file).unwrap());
    for whole in [&file[..], &file[..first], &[]] {
        assert_eq!(*with_huffman(whole), *whole);
    }
}

#[test]
fn restart_markers_and_wide_tables_stay() {
    let mut codec = JpegCodec::new(60).with_restarts(11);
    let file = codec.encode(&Pattern::new(176, 144).picture(1), true, NOW).unwrap();
    let (mut head, scan) = read(&file).unwrap();
    assert_eq!(head.restart, Some(11));
    assert_eq!(scan.windows(2).filter(|two| two[0] == 0xFF && two[1] & 0xF8 == 0xD0).count(), 8);
    head.tables[0][7] = 300;
    let again = write(&head, scan);
    assert_eq!(read(&again).unwrap(), (head, scan));
}

#[test]
fn a_file_that_the_payload_cannot_carry_is_refused_where_it_differs() {
    assert_eq!(
        read(b"GIF8").unwrap_err().to_string(),
        "at octet 0: expected the start of a JPEG image, found 4749"
    );
    // Marker; octet behind it that is changed, into what; where the fault is seen, and which.
    let cases = [
        (0xC0, 1, 0xC2, 0, "a baseline JPEG image, found 0xC2"),
        (0xC0, 4, 12, 4, "8 bits, found 12"),
        (0xC0, 6, 5, 5, "a side of 8 to 2040, a multiple of 8, found 5"),
        (0xC0, 9, 1, 4, "a frame of three components, found 0800"),
        (0xC0, 11, 0x11, 11, "sampling 21 11 11 or 22 11 11, found 11 11 11"),
        (0xC0, 18, 0, 18, "one table for both chroma components, found 0"),
        (0xC4, 21, 5, 4, "the usual Huffman table, found 0"),
        (0xDB, 4, 0x20, 4, "a precision of 0 or 1, found 2"),
        (0xDB, 4, 4, 4, "a quantization table 0 to 3, whole, found 4"),
        (0xDB, 5, 0, 5, "quantizers that are not zero, found 0"),
        (0xDA, 11, 1, 4, "one baseline scan of all components, found 0301"),
        (0xDA, 2, 200, 2, "a length that fits the file, found 51212"),
    ];
    for (marker, behind, value, seen, told) in cases {
        let (at, file) = changed(marker, behind, value);
        let wanted = format!("at octet {}: expected {told}", at - behind + seen);
        assert_eq!(read(&file).unwrap_err().to_string(), wanted);
    }
    let (_, file) = changed(0xDB, 4, 2);
    let fault = read(&file).unwrap_err();
    assert_eq!(fault.expected, "the quantization tables of the frame");
    let file = write(&read(&jpeg()).unwrap().0, &[1, 2, 0xFF, 0xD3, 4]);
    let fault = read(&file).unwrap_err();
    assert_eq!(fault.expected, "a scan without restart markers");
    assert_eq!(fault.at as usize, file.len() - 5);
}

#[test]
fn a_scan_ends_before_the_first_foreign_marker() {
    assert_eq!(scan_end(&[1, 0xFF, 0, 2, 0xFF, 0xD9, 3], false), Ok(4));
    assert_eq!(scan_end(&[1, 0xFF, 0xD0, 2, 0xFF, 0xC4], true), Ok(4));
    // What fills is not the scan's, or a file that is read and written would lose an octet.
    assert_eq!(scan_end(&[1, 0xFF, 0xFF, 0xFF, 0xD9], false), Ok(1));
    assert_eq!(scan_end(&[1, 0xFF, 0xFF], false), Ok(1));
    assert_eq!(scan_end(&[1, 0xFF, 0xFF, 0xD1, 2], true), Ok(5));
    assert_eq!(scan_end(&[1, 0xFF], false), Ok(1));
    assert_eq!(scan_end(&[], false), Ok(0));
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused(
        at in 0..2000usize, with in prop::collection::vec(any::<u8>(), 0..8), cut in 0..4000usize,
    ) {
        let mut file = jpeg();
        let at = at % file.len();
        let end = (at + with.len()).min(file.len());
        file.splice(at..end, with);
        file.truncate(cut.max(1));
        if let Ok((head, scan)) = read(&file) {
            let again = write(&head, scan);
            prop_assert_eq!(read(&again).unwrap(), (head, scan));
            let _ = JpegCodec::new(60).decode(&again);
        }
    }
}
