//! What a user agent can hear and say: its devices by name, its codecs by preference.

use crate::config::rule::Rule;
use presently_engine::body::pidf::Codec;
use std::path::{Path, PathBuf};

/// Where sound or pictures come from or go to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Device {
    /// A sine tone.
    Tone {
        /// Its pitch.
        hertz: u32,
    },
    /// A WAV file.
    Wav {
        /// Which.
        file: PathBuf,
    },
    /// The sound card, with feature `sound`.
    Sound {
        /// Which; empty for the usual one.
        card: Box<str>,
    },
    /// A moving test picture.
    Pattern,
    /// A camera, with feature `camera`.
    Camera {
        /// Which device file.
        path: PathBuf,
    },
    /// Pictures one after the other, without compression.
    Y4m {
        /// Which file.
        file: PathBuf,
    },
    /// One PNG file a picture.
    Png {
        /// Into which folder.
        folder: PathBuf,
    },
    /// Silence, or no picture.
    Null,
}

/// The devices of a user agent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Devices {
    /// Where our sound comes from.
    pub audio_in: Device,
    /// Where the others' sound goes to.
    pub audio_out: Device,
    /// Where our pictures come from.
    pub video_in: Device,
    /// Where the others' pictures go to.
    pub video_out: Device,
}

impl Default for Devices {
    /// A tone, a test picture, and nobody who looks or listens.
    fn default() -> Self {
        Self {
            audio_in: Device::Tone { hertz: CONCERT_PITCH },
            audio_out: Device::Null,
            video_in: Device::Pattern,
            video_out: Device::Null,
        }
    }
}

const CONCERT_PITCH: u32 = 440;
/// The camera that has no name.
const CAMERA: &str = "/dev/video0";

impl Device {
    /// How a device to record from is written: a WAV file must be there.
    pub(crate) fn audio_in() -> Rule<Self> {
        let allowed = "tone[:HZ] (20 to 4000), wav:FILE of a file that can be read, \
                       sound[:CARD] in a build with feature sound, or null";
        Rule::text(allowed, |text| Self::sound(text).filter(Self::can_be_read))
    }

    /// How a device to play to is written: a WAV file's folder must be there.
    pub(crate) fn audio_out() -> Rule<Self> {
        let allowed = "wav:FILE in a folder that exists, \
                       sound[:CARD] in a build with feature sound, or null";
        let plays = |device: &Self| !matches!(device, Self::Tone { .. });
        let read = move |text: &str| Self::sound(text).filter(plays).filter(Self::can_be_written);
        Rule::text(allowed, read)
    }

    /// How a camera is written.
    pub(crate) fn video_in() -> Rule<Self> {
        let allowed = "pattern, y4m:FILE of a file that can be read, \
                       camera[:/dev/videoN] in a build with feature camera, or null";
        let films = |device: &Self| !matches!(device, Self::Png { .. });
        let read = move |text: &str| Self::picture(text).filter(films).filter(Self::can_be_read);
        Rule::text(allowed, read)
    }

    /// How a screen is written.
    pub(crate) fn video_out() -> Rule<Self> {
        let allowed = "y4m:FILE in a folder that exists, png:FOLDER that exists, or null";
        let shows = |device: &Self| !matches!(device, Self::Pattern | Self::Camera { .. });
        let read = move |text: &str| Self::picture(text).filter(shows).filter(Self::can_be_written);
        Rule::text(allowed, read)
    }

    /// The name that whoever opens it knows it by.
    pub fn name(&self) -> String {
        match self {
            Self::Tone { hertz } => format!("tone:{hertz}"),
            Self::Wav { file } => format!("wav:{}", file.display()),
            Self::Sound { card } if card.is_empty() => "sound".to_owned(),
            Self::Sound { card } => format!("sound:{card}"),
            Self::Pattern => "pattern".to_owned(),
            Self::Camera { path } => format!("camera:{}", path.display()),
            Self::Y4m { file } => format!("y4m:{}", file.display()),
            Self::Png { folder } => format!("png:{}", folder.display()),
            Self::Null => "null".to_owned(),
        }
    }

    fn sound(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None if text == "null" => Some(Self::Null),
            None if text == "tone" => Some(Self::Tone { hertz: CONCERT_PITCH }),
            Some(("tone", hertz)) => {
                let hertz = hertz.parse().ok().filter(|hertz| (20..=4000).contains(hertz))?;
                Some(Self::Tone { hertz })
            }
            Some(("wav", file)) if !file.is_empty() => Some(Self::Wav { file: file.into() }),
            None if text == "sound" && cfg!(feature = "sound") => {
                Some(Self::Sound { card: "".into() })
            }
            Some(("sound", card)) if !card.is_empty() && cfg!(feature = "sound") => {
                Some(Self::Sound { card: card.into() })
            }
            _ => None,
        }
    }

    fn picture(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None if text == "null" => Some(Self::Null),
            None if text == "pattern" => Some(Self::Pattern),
            None if text == "camera" && cfg!(feature = "camera") => {
                Some(Self::Camera { path: CAMERA.into() })
            }
            Some(("camera", path)) if !path.is_empty() && cfg!(feature = "camera") => {
                Some(Self::Camera { path: path.into() })
            }
            Some(("y4m", file)) if !file.is_empty() => Some(Self::Y4m { file: file.into() }),
            Some(("png", folder)) if !folder.is_empty() => {
                Some(Self::Png { folder: folder.into() })
            }
            _ => None,
        }
    }

    fn can_be_read(&self) -> bool {
        match self {
            Self::Wav { file } | Self::Y4m { file } => {
                std::fs::File::open(file).is_ok() && file.is_file()
            }
            Self::Tone { .. } | Self::Sound { .. } => true,
            Self::Pattern | Self::Camera { .. } | Self::Null => true,
            Self::Png { .. } => false,
        }
    }

    fn can_be_written(&self) -> bool {
        match self {
            Self::Wav { file } | Self::Y4m { file } => match file.parent() {
                Some(folder) if folder != Path::new("") => folder.is_dir(),
                _ => true,
            },
            Self::Png { folder } => folder.is_dir(),
            Self::Sound { .. } | Self::Null => true,
            Self::Tone { .. } | Self::Pattern | Self::Camera { .. } => false,
        }
    }
}

/// The media kinds there are.
pub const KINDS: [&str; 2] = ["audio", "video"];

/// Telephone events (RFC 4733), the digits of a call.
const EVENTS: (u8, &str) = (101, "telephone-event/8000");

/// Codecs that are built in, best first: media kind, payload type, rtpmap, parameters.
const KNOWN: &[(&str, u8, &str, Option<&str>)] = &[
    #[cfg(feature = "opus")]
    ("audio", 111, "opus/48000/2", Some("useinbandfec=1")),
    ("audio", 9, "G722/8000", None),
    ("audio", 0, "PCMU/8000", None),
    ("audio", 8, "PCMA/8000", None),
    #[cfg(feature = "h264")]
    ("video", 97, "H264/90000", Some("profile-level-id=42e01f;packetization-mode=1")),
    // One NAL unit a packet, which is all that Linphone asks for (RFC 6184 §6.2).
    #[cfg(feature = "h264")]
    ("video", 98, "H264/90000", Some("profile-level-id=42e01f")),
    ("video", 26, "JPEG/90000", None),
];

/// The codecs of a user agent, in its order of preference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repertoire(Vec<(Box<str>, Codec)>);

impl Default for Repertoire {
    /// Everything that is built in.
    fn default() -> Self {
        Self(known().collect())
    }
}

impl Repertoire {
    /// How `--codecs` is written: names of codecs, best first.
    pub(crate) fn rule() -> Rule<Self> {
        Rule::text(Self::allowed(), Self::parse)
    }

    /// Completes "must be …".
    pub(crate) fn allowed() -> String {
        let mut names: Vec<&str> = KNOWN.iter().map(|(_, _, rtpmap, _)| name(rtpmap)).collect();
        names.dedup();
        format!("a list of {} without spaces, best first", names.join(","))
    }

    /// Reads names of codecs with commas between them.
    pub fn parse(text: &str) -> Option<Self> {
        let mut all = Vec::new();
        for wanted in text.split(',') {
            let before = all.len();
            let same = |codec: &Codec| name(&codec.rtpmap).eq_ignore_ascii_case(wanted);
            all.extend(known().filter(|(_, codec)| same(codec)));
            (all.len() > before).then_some(())?;
        }
        Some(Self(all))
    }

    /// What we can play and record of a media kind.
    pub fn codecs(&self, media: &str) -> Vec<Codec> {
        self.0.iter().filter(|(kind, _)| **kind == *media).map(|(_, codec)| codec.clone()).collect()
    }

    /// The same and, for sound, the digits that can be dialled in a call.
    pub fn codecs_of_calls(&self, media: &str) -> Vec<Codec> {
        let (pt, rtpmap) = EVENTS;
        let events = (media == "audio").then(|| codec(pt, rtpmap, None));
        self.codecs(media).into_iter().chain(events).collect()
    }

    /// Media kinds with their codecs, for the engine's configuration.
    pub fn kinds(&self) -> Vec<(Box<str>, Vec<Codec>)> {
        let all = KINDS.iter().map(|kind| (Box::from(*kind), self.codecs_of_calls(kind)));
        all.filter(|(kind, _)| !self.codecs(kind).is_empty()).collect()
    }
}

/// Whether a codec that somebody offers is one of ours.
pub(crate) fn is_known(media: &str, rtpmap: &str) -> bool {
    let same = |(kind, codec): (Box<str>, Codec)| {
        *kind == *media && codec.rtpmap.eq_ignore_ascii_case(rtpmap)
    };
    known().any(same)
}

fn known() -> impl Iterator<Item = (Box<str>, Codec)> {
    KNOWN.iter().map(|(kind, pt, rtpmap, fmtp)| (Box::from(*kind), codec(*pt, rtpmap, *fmtp)))
}

fn codec(pt: u8, rtpmap: &str, fmtp: Option<&str>) -> Codec {
    Codec { pt, rtpmap: rtpmap.into(), fmtp: fmtp.map(Into::into) }
}

fn name(rtpmap: &str) -> &str {
    rtpmap.split('/').next().unwrap_or(rtpmap)
}

#[cfg(test)]
mod tests;
