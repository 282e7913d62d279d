use super::*;

#[test]
fn colours_come_out_as_they_are() {
    let known = [
        ([255, 128, 128], [255, 255, 255]),
        ([0, 128, 128], [0, 0, 0]),
        ([76, 85, 255], [254, 0, 0]),
        ([150, 44, 21], [0, 255, 1]),
        ([29, 255, 107], [0, 0, 254]),
    ];
    for (yuv, wanted) in known {
        let mut picture = Picture::grey(2, 2);
        picture.fill(0, 0, (2, 2), yuv);
        assert_eq!(rgb(&picture)[..3], wanted, "{yuv:?}");
    }
}

#[test]
fn a_written_file_shows_the_picture() {
    let folder = tempfile::tempdir().unwrap();
    let mut out = Folder::new(&folder.path().join("new/deep")).unwrap();
    let mut picture = Picture::grey(6, 5);
    picture.fill(0, 0, (4, 3), [76, 85, 255]);
    out.picture(&Picture::grey(2, 2)).unwrap();
    out.picture(&picture).unwrap();
    let file = std::fs::File::open(folder.path().join("new/deep/000002.png")).unwrap();
    let mut reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().unwrap();
    let mut samples = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut samples).unwrap();
    assert_eq!((info.width, info.height, info.color_type), (6, 5, png::ColorType::Rgb));
    assert_eq!(samples, rgb(&picture));
}
