use super::*;

#[test]
fn planes_lie_one_after_the_other_and_odd_sides_round_up() {
    let picture = Picture::new(5, 3, (0..5 * 3 + 2 * 3 * 2).collect()).unwrap();
    let [y, u, v] = picture.planes();
    assert_eq!((y.len(), u, v), (15, &[15, 16, 17, 18, 19, 20][..], &[21, 22, 23, 24, 25, 26][..]));
}

#[test]
fn a_picture_has_exactly_its_samples() {
    let fault = Picture::new(4, 4, vec![0; 23]).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "at octet 23: expected exactly the samples of three planes, found 23 for 4×4"
    );
    assert!(Picture::new(0, 4, Vec::new()).is_err());
    assert!(Picture::new(4097, 4, vec![0; samples_of(4097, 4)]).is_err());
}

#[test]
fn psnr_is_what_the_formula_says() {
    let grey = Picture::grey(16, 16);
    assert_eq!(grey.psnr(&grey), Some(f64::INFINITY));
    let mut other = grey.clone();
    for plane in other.planes_mut() {
        plane.fill(128 + 5);
    }
    // 20 log10(255 / 5)
    assert!((grey.psnr(&other).unwrap() - 34.1514).abs() < 1e-3);
    assert_eq!(grey.psnr(&Picture::grey(16, 8)), None);
}

#[test]
fn a_rectangle_over_the_edge_is_cut() {
    let mut picture = Picture::grey(8, 8);
    picture.fill(6, 6, (10, 10), [1, 2, 3]);
    picture.fill(100, 100, (10, 10), [9, 9, 9]);
    let [y, u, v] = picture.planes();
    assert_eq!(y.iter().filter(|&&sample| sample == 1).count(), 4);
    assert_eq!((u[15], v[15], u[14]), (2, 3, 128));
}
