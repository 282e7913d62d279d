use super::*;
use crate::video::pattern::{Pattern, number};
use proptest::prelude::*;

fn refused(file: &[u8]) -> String {
    match Reader::new(file) {
        Err(error) => error.to_string(),
        Ok(mut reader) => loop {
            match reader.picture() {
                Err(error) => break error.to_string(),
                Ok(Some(_)) => {}
                Ok(None) => break "nothing wrong".to_owned(),
            }
        },
    }
}

#[test]
fn what_was_written_is_read_again() {
    let (pattern, mut file) = (Pattern::new(320, 240), Vec::new());
    let mut writer = Writer::new(&mut file, Rate::new(30_000, 1001).unwrap());
    for number in 0..3 {
        writer.picture(&pattern.picture(number)).unwrap();
    }
    writer.finish().unwrap();
    let mut reader = Reader::new(&file[..]).unwrap();
    assert_eq!((reader.width(), reader.height()), (320, 240));
    assert_eq!(reader.rate(), Rate::new(30_000, 1001).unwrap());
    for wanted in 0..3 {
        let picture = reader.picture().unwrap().unwrap();
        assert_eq!(number(&picture), Some(wanted));
        assert_eq!(picture, pattern.picture(wanted));
    }
    assert!(reader.picture().unwrap().is_none());
}

#[test]
fn odd_sizes_and_others_files_are_read() {
    let mut file = b"YUV4MPEG2 W3 H3 F25:1 I? C420mpeg2 Xmade-by\nFRAME Ip\n".to_vec();
    file.extend(0..17);
    let mut reader = Reader::new(&file[..]).unwrap();
    assert_eq!(reader.picture().unwrap().unwrap().planes()[2], [13, 14, 15, 16]);
}

#[test]
fn a_fault_says_where_it_is_and_what_was_expected() {
    let cases: [(&[u8], &str); 13] = [
        (b"", "at octet 0: expected a header that begins with YUV4MPEG2, found the end"),
        (b"RIFF W4\n", r#"at octet 0: expected YUV4MPEG2, found "RIFF""#),
        (b"YUV4MPEG2 W4", "at octet 12: expected the end of a line, found the end"),
        (b"YUV4MPEG2 W4\n", "at octet 12: expected H and a height, found the end of the header"),
        (b"YUV4MPEG2 H4\n", "at octet 12: expected W and a width, found the end of the header"),
        (b"YUV4MPEG2 W0 H4\n", r#"at octet 11: expected a side of 1 to 4096, found "0""#),
        (b"YUV4MPEG2 W4 H9999\n", r#"at octet 14: expected a side of 1 to 4096, found "9999""#),
        (
            b"YUV4MPEG2 W4 H4 F0:0\n",
            r#"at octet 17: expected pictures:seconds, 1 to 240 a second, found "0:0""#,
        ),
        (b"YUV4MPEG2 W4 H4 It\n", r#"at octet 17: expected p, progressive, found "t""#),
        (b"YUV4MPEG2 W4 H4 C444\n", r#"at octet 16: expected C420, 8 bits, found "C444""#),
        (b"YUV4MPEG2 W4 H4\nFRAMES\n", r#"at octet 16: expected FRAME, found "FRAMES""#),
        (
            b"YUV4MPEG2 W4 H4\nFRAME\n12345",
            "at octet 27: expected the samples of a whole picture, found the end after 5 of 24",
        ),
        (
            b"YUV4MPEG2 \xFF\n",
            "at octet 10: expected a header that begins with YUV4MPEG2, \
             found octets that are no text",
        ),
    ];
    for (file, fault) in cases {
        assert_eq!(refused(file), fault);
    }
    let long = [b"YUV4MPEG2 ".to_vec(), vec![b'X'; 4000]].concat();
    assert!(refused(&long).ends_with("found a line over 1024 octets"));
}

#[test]
fn a_file_has_one_size() {
    let mut writer = Writer::new(Vec::new(), Rate::default());
    writer.picture(&Picture::grey(8, 8)).unwrap();
    let error = writer.picture(&Picture::grey(8, 6)).unwrap_err();
    assert_eq!(error.to_string(), "a picture of 8×6 does not fit a file of 8×8");
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused(tail in prop::collection::vec(any::<u8>(), 0..200), good: bool) {
        let head: &[u8] = if good { b"YUV4MPEG2 W4 H2 F25:1\nFRAME\n" } else { b"" };
        let told = refused(&[head, &tail].concat());
        prop_assert!(told == "nothing wrong" || told.starts_with("at octet "), "{}", told);
    }
}
