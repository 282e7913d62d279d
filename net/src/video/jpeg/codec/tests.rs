use super::*;
use crate::video::pattern::{Pattern, number};

const NOW: Duration = Duration::ZERO;

#[test]
fn the_pattern_survives() {
    for (width, height) in [(320, 240), (640, 480)] {
        let (pattern, mut codec) = (Pattern::new(width, height), JpegCodec::new(70));
        for wanted in [0, 1000] {
            let picture = pattern.picture(wanted);
            let frame = codec.encode(&picture, false, NOW).unwrap();
            let back = codec.decode(&frame).unwrap().unwrap();
            assert_eq!(number(&back), Some(wanted));
            let psnr = picture.psnr(&back).unwrap();
            assert!(psnr > 33.0, "{psnr} dB at {width}×{height}, {} octets", frame.len());
        }
    }
}

#[test]
fn quality_is_paid_in_octets() {
    let picture = Pattern::new(320, 240).picture(5);
    let sizes: Vec<_> =
        [10, 50, 90].map(|q| JpegCodec::new(q).encode(&picture, false, NOW).unwrap().len()).into();
    assert!(sizes.is_sorted(), "{sizes:?}");
}

#[test]
fn chroma_is_halved_by_its_mean_at_odd_sides_too() {
    // 3×3 samples; chroma u counts from 0, v is 100 more.
    let full: Vec<u8> = (0..9).flat_map(|n| [200 + n, n, 100 + n]).collect();
    let picture = quarter(3, 3, &full);
    let [luma, u, v] = picture.planes();
    assert_eq!(luma[..3], [200, 201, 202]);
    assert_eq!(u, [2, 4, 7, 8]);
    assert_eq!(v, [102, 104, 107, 108]);
}

#[test]
fn what_is_no_frame_is_refused() {
    for frame in [&b""[..], b"\xFF\xD8", b"GIF89a", b"\xFF\xD8\xFF\xD9"] {
        assert!(JpegCodec::new(50).decode(frame).is_err(), "{frame:?}");
    }
}
