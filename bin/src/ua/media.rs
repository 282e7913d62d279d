//! Devices and offers. Calls and direct media come with a later release; until then a device is
//! a name that is checked, and an offer is a port that is really ours.

use crate::config::rule::Rule;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};

/// Where sound comes from or goes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Device {
    /// A sine tone.
    Tone { hertz: u32 },
    /// A WAV file.
    Wav { file: PathBuf },
    /// Silence.
    Null,
}

impl Device {
    /// How a device to record from is written: a WAV file must be there.
    pub(crate) fn input() -> Rule<Self> {
        let allowed = "tone[:HZ] (20 to 20000), wav:FILE of a file that can be read, or null";
        Rule::text(allowed, |text| Self::parse(text).filter(Self::can_be_read))
    }

    /// How a device to play to is written: a WAV file's folder must be there.
    pub(crate) fn output() -> Rule<Self> {
        let allowed = "tone[:HZ] (20 to 20000), wav:FILE in a folder that exists, or null";
        Rule::text(allowed, |text| Self::parse(text).filter(Self::can_be_written))
    }

    fn parse(text: &str) -> Option<Self> {
        const CONCERT_PITCH: u32 = 440;
        match text.split_once(':') {
            None if text == "null" => Some(Self::Null),
            None if text == "tone" => Some(Self::Tone { hertz: CONCERT_PITCH }),
            Some(("tone", hertz)) => {
                let hertz = hertz.parse().ok().filter(|hertz| (20..=20_000).contains(hertz))?;
                Some(Self::Tone { hertz })
            }
            Some(("wav", file)) if !file.is_empty() => Some(Self::Wav { file: file.into() }),
            _ => None,
        }
    }

    fn can_be_read(&self) -> bool {
        match self {
            Self::Wav { file } => std::fs::File::open(file).is_ok() && file.is_file(),
            Self::Tone { .. } | Self::Null => true,
        }
    }

    fn can_be_written(&self) -> bool {
        match self {
            Self::Wav { file } => match file.parent() {
                Some(folder) if folder != Path::new("") => folder.is_dir(),
                _ => true,
            },
            Self::Tone { .. } | Self::Null => true,
        }
    }
}

/// Payload types and codecs that we offer for a media kind, best first.
pub(crate) fn codecs(media: &str) -> &'static [(u8, &'static str)] {
    match media {
        "audio" => &[(0, "PCMU/8000"), (8, "PCMA/8000")],
        "video" => &[(96, "VP8/90000")],
        _ => &[],
    }
}

/// Takes a port on `ip` for an offer; it is ours as long as the socket lives.
pub(crate) fn port(ip: IpAddr) -> std::io::Result<(UdpSocket, u16)> {
    let socket = UdpSocket::bind(SocketAddr::new(ip, 0))?;
    let port = socket.local_addr()?.port();
    Ok((socket, port))
}

#[cfg(test)]
mod tests;
