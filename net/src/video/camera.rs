//! A camera of Video4Linux: `camera` for `/dev/video0`, or `camera:PATH`.
//!
//! A thread waits for its pictures; who asks is given the newest, again if there is no newer one,
//! and never waits.

mod frame;

#[cfg(test)]
mod tests;

use super::device::{DeviceError, Rate, Source};
use super::picture::Picture;
use frame::{Form, Frames};
use linuxvideo::format::{PixFormat, PixelFormat};
use linuxvideo::stream::ReadStream;
use linuxvideo::{BufType, Device, Fract};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// The camera that has no name.
const USUAL: &str = "/dev/video0";
/// What it is asked for; it may do otherwise.
const SIZE: (u32, u32) = (640, 480);
const RATE: Rate = Rate { pictures: 15, seconds: 1 };
/// The forms that are understood, the one without loss first.
const FORMS: [(PixelFormat, Form); 3] = [
    (PixelFormat::YUYV, Form::Yuyv),
    (PixelFormat::MJPG, Form::Jpeg),
    (PixelFormat::JPEG, Form::Jpeg),
];
/// So many pictures in a row that cannot be read are a fault of the camera.
const MOST_BAD: usize = 30;

/// Between the thread and whoever asks.
#[derive(Default)]
struct Shared {
    /// The newest picture, or why there are no more.
    newest: Mutex<Option<Result<Picture, Box<str>>>>,
    over: AtomicBool,
}

impl Shared {
    fn put(&self, newest: Result<Picture, Box<str>>) {
        *self.newest.lock().expect("nobody panics with it") = Some(newest);
    }
}

/// A camera.
pub(super) struct Camera {
    name: Box<str>,
    shared: Arc<Shared>,
    /// What was given last; grey before the first.
    last: Picture,
}

impl Camera {
    /// Opens a camera by its device file, [`USUAL`] if it has none.
    ///
    /// # Errors
    /// It is not there, somebody else has it, or it has no pictures that are understood.
    pub(super) fn open(path: &str) -> Result<Self, DeviceError> {
        let path = if path.is_empty() { USUAL } else { path };
        let name = format!("camera:{path}");
        let failed = |error: io::Error| {
            let remedy = "`ls /dev/video*` shows the cameras there are; pattern needs none";
            DeviceError::new(&name, format_args!("{error} ({remedy})"))
        };
        let (stream, frames) = begin(path).map_err(failed)?;
        let (width, height) = frames.size();
        let shared = Arc::new(Shared::default());
        let for_thread = shared.clone();
        let thread = std::thread::Builder::new().name("camera".to_owned());
        thread.spawn(move || film(stream, frames, &for_thread)).map_err(failed)?;
        Ok(Self { name: name.into(), shared, last: Picture::grey(width, height) })
    }
}

impl Source for Camera {
    fn rate(&self) -> Rate {
        RATE
    }

    fn pull(&mut self) -> Result<Option<Picture>, DeviceError> {
        match self.shared.newest.lock().expect("nobody panics with it").take() {
            Some(Ok(picture)) => self.last = picture,
            Some(Err(why)) => return Err(DeviceError::new(&self.name, why)),
            None => {}
        }
        Ok(Some(self.last.clone()))
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        // The thread sees it at the next picture.
        self.shared.over.store(true, Ordering::Relaxed);
    }
}

/// Asks for pictures in a form that is understood.
fn begin(path: &str) -> io::Result<(ReadStream, Frames)> {
    let device = Device::open(path)?;
    let offered = device.formats(BufType::VIDEO_CAPTURE);
    let offered: Vec<PixelFormat> =
        offered.map(|one| Ok(one?.pixel_format())).collect::<io::Result<_>>()?;
    let chosen = FORMS.iter().find(|(format, _)| offered.contains(format));
    let (format, form) = *chosen.ok_or_else(|| strange(&offered))?;
    let capture = device.video_capture(PixFormat::new(SIZE.0, SIZE.1, format))?;
    // A camera with a rate of its own is looked at by our clock all the same.
    let _ = capture.set_frame_interval(Fract::new(RATE.seconds, RATE.pictures));
    let agreed = capture.format();
    if agreed.pixel_format() != format {
        return Err(strange(&[agreed.pixel_format()]));
    }
    let size = (agreed.width(), agreed.height());
    let frames = Frames::new(form, size, agreed.bytes_per_line() as usize)
        .map_err(|fault| io::Error::other(fault.to_string()))?;
    Ok((capture.into_stream()?, frames))
}

fn strange(forms: &[PixelFormat]) -> io::Error {
    io::Error::other(format!("pictures as {forms:?}; known are YUYV, MJPG and JPEG"))
}

/// What the thread does until nobody asks any more.
fn film(mut stream: ReadStream, mut frames: Frames, shared: &Shared) {
    let mut bad = 0;
    while !shared.over.load(Ordering::Relaxed) {
        let taken = stream.dequeue(|view| Ok((!view.is_error()).then(|| frames.picture(&view))));
        match taken {
            Ok(Some(Ok(picture))) => {
                bad = 0;
                shared.put(Ok(picture));
            }
            // A picture that did not come through as a whole is passed over.
            Ok(None | Some(Err(_))) if bad < MOST_BAD => bad += 1,
            Ok(_) => return shared.put(Err("its pictures cannot be read".into())),
            Err(error) => return shared.put(Err(error.to_string().into())),
        }
    }
}
