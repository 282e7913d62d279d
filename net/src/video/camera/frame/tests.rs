use super::*;
use crate::video::pattern::{Pattern, number};

/// A picture as a camera with YUYV has it, rows so many octets apart.
fn yuyv(picture: &Picture, stride: usize) -> Vec<u8> {
    let (columns, across) = (usize::from(picture.width()), usize::from(picture.chroma_size().0));
    let narrow = |sample: u8| (16 + i32::from(sample) * 219 / 255) as u8;
    let narrow_chroma = |sample: u8| (128 + (i32::from(sample) - 128) * 224 / 255) as u8;
    let [luma, u, v] = picture.planes();
    let mut octets = Vec::new();
    for row in 0..usize::from(picture.height()) {
        let begin = octets.len();
        for column in 0..columns {
            octets.push(narrow(luma[row * columns + column]));
            let plane = if column % 2 == 0 { u } else { v };
            octets.push(narrow_chroma(plane[row / 2 * across + column / 2]));
        }
        octets.resize(begin + stride, 0xEE);
    }
    octets
}

/// A JPEG file without the segments of one marker.
fn without(file: &[u8], marker: u8) -> Vec<u8> {
    let (mut out, mut rest) = (file[..2].to_vec(), &file[2..]);
    while rest[1] != 0xDA {
        let (segment, after) = rest.split_at(2 + usize::from(rest[2]) * 256 + usize::from(rest[3]));
        if segment[1] != marker {
            out.extend(segment);
        }
        rest = after;
    }
    [&out, rest].concat()
}

#[test]
fn yuyv_becomes_the_picture_that_was_taken() {
    let taken = Pattern::new(320, 240).picture(77);
    for stride in [640, 704] {
        let mut frames = Frames::new(Form::Yuyv, (320, 240), stride).unwrap();
        let seen = frames.picture(&yuyv(&taken, stride)).unwrap();
        assert_eq!(number(&seen), Some(77));
        let likeness = seen.psnr(&taken).unwrap();
        assert!(likeness > 45.0, "{likeness}");
    }
}

#[test]
fn black_white_and_colours_use_the_whole_range() {
    let one = |pixels: [u8; 4]| {
        let mut frames = Frames::new(Form::Yuyv, (2, 1), 0).unwrap();
        frames.picture(&pixels).unwrap().samples().to_vec()
    };
    assert_eq!(one([16, 128, 235, 128]), [0, 255, 128, 128]);
    assert_eq!(one([0, 16, 255, 240]), [0, 255, 0, 255]);
    assert_eq!(one([126, 128, 125, 128]), [128, 127, 128, 128]);
}

#[test]
fn colours_of_two_rows_are_mixed_and_an_odd_row_stands_alone() {
    let mut frames = Frames::new(Form::Yuyv, (2, 3), 4).unwrap();
    let rows = [[16, 100, 16, 128], [16, 156, 16, 128], [16, 128, 16, 240]].concat();
    let seen = frames.picture(&rows).unwrap();
    let [_, u, v] = seen.planes();
    assert_eq!((u, v), (&[128, 128][..], &[128, 255][..]));
}

/// Motion JPEG of cameras leaves out the tables that everybody has.
#[test]
fn jpeg_is_read_with_huffman_tables_and_without() {
    let taken = Pattern::new(320, 240).picture(5);
    let file = JpegCodec::new(90).encode(&taken, true, std::time::Duration::ZERO).unwrap();
    let bare = without(&file, 0xC4);
    assert!(bare.len() < file.len());
    let mut frames = Frames::new(Form::Jpeg, (320, 240), 0).unwrap();
    for octets in [file, bare] {
        let seen = frames.picture(&octets).unwrap();
        assert_eq!(number(&seen), Some(5));
        assert!(seen.psnr(&taken).unwrap() > 30.0);
    }
}

#[test]
fn what_is_not_whole_is_no_picture() {
    let mut frames = Frames::new(Form::Yuyv, (4, 2), 8).unwrap();
    assert!(frames.picture(&[128; 15]).is_err());
    assert!(frames.picture(&[128; 16]).is_ok());
    let mut frames = Frames::new(Form::Jpeg, (8, 8), 0).unwrap();
    assert!(frames.picture(&[0xFF, 0xD8, 0xFF]).is_err());
    assert!(Frames::new(Form::Yuyv, (3, 2), 6).is_err());
    assert!(Frames::new(Form::Jpeg, (5000, 2), 0).is_err());
}
