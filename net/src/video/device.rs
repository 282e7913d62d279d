//! Where pictures come from and where they go, by name: `pattern`, `y4m:FILE`, `png:DIR`, `null`,
//! and with feature `camera`, on Linux, `camera` and `camera:/dev/videoN`.
//!
//! A device has no clock: whoever drives it pulls a picture when one is due by [`Source::rate`].

use super::pattern::Pattern;
use super::picture::{LONGEST_SIDE, Picture};
use super::{png, y4m};
use std::fmt;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::time::Duration;

/// Pictures in so many seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// So many pictures
    pub pictures: u32,
    /// in so many seconds.
    pub seconds: u32,
}

impl Rate {
    /// A rate of 1 to 240 pictures a second.
    pub fn new(pictures: u32, seconds: u32) -> Option<Self> {
        let fits = seconds > 0 && pictures >= seconds && pictures <= seconds.saturating_mul(240);
        fits.then_some(Self { pictures, seconds })
    }

    /// When the picture with this number is due, after the first.
    pub fn due(self, number: u64) -> Duration {
        let nanos = u128::from(number) * u128::from(self.seconds) * 1_000_000_000
            / u128::from(self.pictures);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

impl Default for Rate {
    fn default() -> Self {
        Self { pictures: 15, seconds: 1 }
    }
}

/// Why a device does not do.
#[derive(Debug)]
pub struct DeviceError {
    /// Its name, as it was asked for.
    pub device: Box<str>,
    /// What is wrong.
    pub reason: Box<str>,
}

impl DeviceError {
    pub(super) fn new(device: &str, reason: impl fmt::Display) -> Self {
        Self { device: device.into(), reason: reason.to_string().into() }
    }
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.device, self.reason)
    }
}

impl std::error::Error for DeviceError {}

/// Gives out pictures.
pub trait Source: Send {
    /// Pictures in a second.
    fn rate(&self) -> Rate;

    /// The next picture; nothing at the end.
    ///
    /// # Errors
    /// The device fails; it will not recover.
    fn pull(&mut self) -> Result<Option<Picture>, DeviceError>;
}

/// Takes pictures.
pub trait Sink: Send {
    /// Shows a picture.
    ///
    /// # Errors
    /// The device fails.
    fn push(&mut self, picture: &Picture) -> Result<(), DeviceError>;

    /// Ends: everything shown is on the disk afterwards.
    ///
    /// # Errors
    /// The device fails.
    fn finish(&mut self) -> Result<(), DeviceError>;
}

/// Opens a source: `pattern`, `pattern:640x480@15`, `y4m:FILE`, `camera`, `camera:PATH`, `null`.
///
/// # Errors
/// There is no such source, or it does not open.
pub fn source(name: &str) -> Result<Box<dyn Source>, DeviceError> {
    match name.split_once(':').unwrap_or((name, "")) {
        ("pattern", form) => {
            let (width, height, rate) =
                if form.is_empty() { Some((640, 480, Rate::default())) } else { parse_form(form) }
                    .ok_or_else(|| DeviceError::new(name, "say it like pattern:640x480@15"))?;
            Ok(Box::new(PatternSource { pattern: Pattern::new(width, height), rate, next: 0 }))
        }
        ("y4m", file) if !file.is_empty() => {
            let opened = File::open(file).map_err(|error| DeviceError::new(name, error))?;
            let reader = y4m::Reader::new(BufReader::new(opened))
                .map_err(|error| DeviceError::new(name, error))?;
            Ok(Box::new(FileSource { name: name.into(), reader }))
        }
        ("null", "") => Ok(Box::new(Null)),
        #[cfg(all(feature = "camera", target_os = "linux"))]
        ("camera", path) => Ok(Box::new(super::camera::Camera::open(path)?)),
        #[cfg(not(all(feature = "camera", target_os = "linux")))]
        ("camera", _) => {
            let why = "this is a build without cameras; build on Linux with --features camera";
            Err(DeviceError::new(name, why))
        }
        _ => Err(DeviceError::new(name, "pictures come from pattern, y4m:FILE, camera or null")),
    }
}

/// Opens a sink: `y4m:FILE`, `png:DIR`, `null`. The rate is what a file says of itself.
///
/// # Errors
/// There is no such sink, or it does not open.
pub fn sink(name: &str, rate: Rate) -> Result<Box<dyn Sink>, DeviceError> {
    let failed = |error| DeviceError::new(name, error);
    match name.split_once(':').unwrap_or((name, "")) {
        ("y4m", file) if !file.is_empty() => {
            let output = BufWriter::new(File::create(file).map_err(failed)?);
            Ok(Box::new(FileSink { name: name.into(), writer: y4m::Writer::new(output, rate) }))
        }
        ("png", path) if !path.is_empty() => {
            let folder = png::Folder::new(Path::new(path)).map_err(failed)?;
            Ok(Box::new(FolderSink { name: name.into(), folder }))
        }
        ("null", "") => Ok(Box::new(Null)),
        _ => Err(DeviceError::new(name, "pictures go to y4m:FILE, png:DIR or null")),
    }
}

/// `640x480` or `640x480@15`.
fn parse_form(form: &str) -> Option<(u16, u16, Rate)> {
    let (size, rate) = match form.split_once('@') {
        Some((size, rate)) => (size, Rate::new(rate.parse().ok()?, 1)?),
        None => (form, Rate::default()),
    };
    let (width, height) = size.split_once('x')?;
    let (width, height) = (width.parse().ok()?, height.parse().ok()?);
    let fits = (super::pattern::NARROWEST..=LONGEST_SIDE).contains(&width)
        && (32..=LONGEST_SIDE).contains(&height);
    fits.then_some((width, height, rate))
}

struct PatternSource {
    pattern: Pattern,
    rate: Rate,
    next: u32,
}

impl Source for PatternSource {
    fn rate(&self) -> Rate {
        self.rate
    }

    fn pull(&mut self) -> Result<Option<Picture>, DeviceError> {
        let picture = self.pattern.picture(self.next);
        self.next = self.next.wrapping_add(1);
        Ok(Some(picture))
    }
}

struct FileSource {
    name: Box<str>,
    reader: y4m::Reader<BufReader<File>>,
}

impl Source for FileSource {
    fn rate(&self) -> Rate {
        self.reader.rate()
    }

    fn pull(&mut self) -> Result<Option<Picture>, DeviceError> {
        self.reader.picture().map_err(|error| DeviceError::new(&self.name, error))
    }
}

struct FileSink {
    name: Box<str>,
    writer: y4m::Writer<BufWriter<File>>,
}

impl Sink for FileSink {
    fn push(&mut self, picture: &Picture) -> Result<(), DeviceError> {
        self.writer.picture(picture).map_err(|error| DeviceError::new(&self.name, error))
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        self.writer.finish().map_err(|error| DeviceError::new(&self.name, error))
    }
}

struct FolderSink {
    name: Box<str>,
    folder: png::Folder,
}

impl Sink for FolderSink {
    fn push(&mut self, picture: &Picture) -> Result<(), DeviceError> {
        self.folder.picture(picture).map_err(|error| DeviceError::new(&self.name, error))
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }
}

/// Gives nothing and keeps nothing.
struct Null;

impl Source for Null {
    fn rate(&self) -> Rate {
        Rate::default()
    }

    fn pull(&mut self) -> Result<Option<Picture>, DeviceError> {
        Ok(None)
    }
}

impl Sink for Null {
    fn push(&mut self, _picture: &Picture) -> Result<(), DeviceError> {
        Ok(())
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
