use super::*;

fn why(path: &str) -> String {
    let Err(error) = Camera::open(path) else { panic!("{path} is a camera") };
    error.to_string()
}

#[test]
fn a_camera_that_is_not_there_is_named_with_what_to_do() {
    let told = why("/dev/no-such-camera");
    assert!(told.starts_with("camera:/dev/no-such-camera: No such file or directory"), "{told}");
    assert!(told.ends_with("(`ls /dev/video*` shows the cameras there are; pattern needs none)"));
}

#[test]
fn what_is_no_camera_is_not_read() {
    let told = why("/dev/null");
    assert!(told.starts_with("camera:/dev/null: "), "{told}");
}

/// Who asks gets the newest picture, and the last one again while there is none.
#[test]
fn nobody_waits_for_a_picture() {
    let shared = Arc::new(Shared::default());
    let mut camera = Camera {
        name: "camera:/dev/video0".into(),
        shared: shared.clone(),
        last: Picture::grey(8, 8),
    };
    let mut pull = || camera.pull().map(|picture| picture.map(|it| it.width()));
    assert_eq!(pull().unwrap(), Some(8));
    shared.put(Ok(Picture::grey(10, 8)));
    shared.put(Ok(Picture::grey(12, 8)));
    assert_eq!((pull().unwrap(), pull().unwrap()), (Some(12), Some(12)));
    shared.put(Err("it was pulled out".into()));
    assert_eq!(pull().unwrap_err().to_string(), "camera:/dev/video0: it was pulled out");
}
