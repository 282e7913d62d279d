use super::*;

#[test]
fn the_number_is_read_from_the_picture() {
    for size in [(128, 32), (176, 144), (320, 240), (640, 480), (1280, 720), (322, 242)] {
        let pattern = Pattern::new(size.0, size.1);
        for wanted in [0, 1, 2, 255, 65_536, 0xFF_FFFF] {
            assert_eq!(number(&pattern.picture(wanted)), Some(wanted), "{size:?}");
        }
    }
}

#[test]
fn a_picture_without_code_has_no_number() {
    assert_eq!(number(&Picture::grey(320, 240)), None);
    for luma in [0, 255] {
        let mut flat = Picture::grey(320, 240);
        flat.planes_mut()[0].fill(luma);
        assert_eq!(number(&flat), None);
    }
    assert_eq!(number(&Picture::grey(64, 64)), None);
}

#[test]
fn every_picture_differs_from_the_one_before_far_from_the_code_too() {
    let pattern = Pattern::new(320, 240);
    for number in 0..100 {
        let (one, two) = (pattern.picture(number), pattern.picture(number + 1));
        let below = 320 * 120;
        assert_ne!(one.planes()[0][below..], two.planes()[0][below..], "{number}");
    }
}
