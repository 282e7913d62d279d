//! YUV4MPEG2 files: a header line, then for every picture a `FRAME` line and its planes.
//!
//! Read and written is what [`Picture`] is: 8 bits, 4:2:0, progressive. Anything else is refused
//! with the offset where it stands.

use super::device::Rate;
use super::fault::Fault;
use super::picture::{LONGEST_SIDE, Picture, samples_of};
use std::fmt;
use std::io::{self, Read, Write};

/// The longest header line that is read.
const LONGEST_LINE: usize = 1024;
const MAGIC: &str = "YUV4MPEG2";

/// Why a file was not read.
#[derive(Debug)]
pub enum Error {
    /// The file cannot be read.
    Io(io::Error),
    /// It is not what it should be.
    Fault(Fault),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads pictures from a stream. Give it a buffered one.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    at: usize,
    width: u16,
    height: u16,
    rate: Rate,
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// The stream fails, or is not a file that can be read here.
    pub fn new(input: R) -> Result<Self, Error> {
        let mut reader = Self { input, at: 0, width: 0, height: 0, rate: Rate::default() };
        let line = reader.line("a header that begins with YUV4MPEG2")?;
        let line = line.ok_or(Fault::short(0, "a header that begins with YUV4MPEG2"))?;
        let mut words = words(&line);
        match words.next() {
            Some((_, MAGIC)) => {}
            other => {
                let found = other.map_or("", |(_, word)| word);
                return Err(Fault::new(0, "YUV4MPEG2", quoted(found)).into());
            }
        }
        for (at, word) in words {
            reader.parameter(at, word)?;
        }
        let missing = [("W and a width", reader.width), ("H and a height", reader.height)];
        for (expected, side) in missing {
            if side == 0 {
                return Err(Fault::new(line.len(), expected, "the end of the header").into());
            }
        }
        Ok(reader)
    }

    /// Width of every picture.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Height of every picture.
    pub fn height(&self) -> u16 {
        self.height
    }

    /// Pictures in a second.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// The next picture; nothing at the end of the file.
    ///
    /// # Errors
    /// The stream fails, or no whole picture follows.
    pub fn picture(&mut self) -> Result<Option<Picture>, Error> {
        let start = self.at;
        let Some(line) = self.line("FRAME")? else { return Ok(None) };
        let mut words = words(&line);
        if words.next().is_none_or(|(_, word)| word != "FRAME") {
            return Err(Fault::new(start, "FRAME", quoted(&line)).into());
        }
        if let Some((at, word)) = words.find(|(_, word)| word.starts_with('I')) {
            progressive(start + at, word.get(1..2).unwrap_or(""))?;
        }
        let mut samples = vec![0; samples_of(self.width, self.height)];
        let got = fill(&mut self.input, &mut samples)?;
        self.at += got;
        if got < samples.len() {
            let found = format_args!("the end after {got} of {}", samples.len());
            return Err(Fault::new(self.at, "the samples of a whole picture", found).into());
        }
        Ok(Some(Picture::new(self.width, self.height, samples)?))
    }

    /// One line without its end; nothing at the end of the file.
    fn line(&mut self, expected: &'static str) -> Result<Option<String>, Error> {
        let (start, mut line) = (self.at, Vec::new());
        loop {
            let mut octet = [0];
            if fill(&mut self.input, &mut octet)? == 0 {
                if line.is_empty() {
                    return Ok(None);
                }
                return Err(Fault::new(self.at, "the end of a line", "the end").into());
            }
            self.at += 1;
            if octet[0] == b'\n' {
                break;
            }
            if line.len() == LONGEST_LINE {
                return Err(Fault::new(start, expected, "a line over 1024 octets").into());
            }
            line.push(octet[0]);
        }
        match String::from_utf8(line) {
            Ok(line) => Ok(Some(line)),
            Err(error) => {
                let at = start + error.utf8_error().valid_up_to();
                Err(Fault::new(at, expected, "octets that are no text").into())
            }
        }
    }

    fn parameter(&mut self, at: usize, word: &str) -> Result<(), Fault> {
        let Some(kind) = word.chars().next() else { return Ok(()) };
        let value = &word[kind.len_utf8()..];
        match kind {
            'W' => self.width = side(at, value)?,
            'H' => self.height = side(at, value)?,
            'F' => self.rate = rate(at, value)?,
            'I' => progressive(at, value)?,
            'C' if !matches!(value, "420" | "420jpeg" | "420mpeg2" | "420paldv") => {
                return Err(Fault::new(at, "C420, 8 bits", quoted(word)));
            }
            // Aspect, comments, and what others may add.
            _ => {}
        }
        Ok(())
    }
}

fn side(at: usize, value: &str) -> Result<u16, Fault> {
    let side = value.parse().ok().filter(|side| (1..=LONGEST_SIDE).contains(side));
    side.ok_or_else(|| Fault::new(at + 1, "a side of 1 to 4096", quoted(value)))
}

fn rate(at: usize, value: &str) -> Result<Rate, Fault> {
    let parts = value.split_once(':');
    let rate = parts.and_then(|(n, d)| Rate::new(n.parse().ok()?, d.parse().ok()?));
    rate.ok_or_else(|| Fault::new(at + 1, "pictures:seconds, 1 to 240 a second", quoted(value)))
}

fn progressive(at: usize, value: &str) -> Result<(), Fault> {
    match value {
        "p" | "?" | "" => Ok(()),
        _ => Err(Fault::new(at + 1, "p, progressive", quoted(value))),
    }
}

/// Words with their offsets.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    line.split(' ').scan(0, |at, word| {
        let here = *at;
        *at += word.len() + 1;
        Some((here, word))
    })
}

/// The beginning of a text, in quotes.
fn quoted(text: &str) -> String {
    format!("{:?}", text.chars().take(24).collect::<String>())
}

/// Reads until the room is full or the stream ends.
fn fill(input: &mut impl Read, mut room: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while !room.is_empty() {
        match input.read(room) {
            Ok(0) => break,
            Ok(count) => {
                got += count;
                room = &mut room[count..];
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}

/// Writes pictures, all of the size of the first.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    rate: Rate,
    size: Option<(u16, u16)>,
}

impl<W: Write> Writer<W> {
    /// Writes to this; the header goes out with the first picture, whose size it says.
    pub fn new(output: W, rate: Rate) -> Self {
        Self { output, rate, size: None }
    }

    /// Writes a picture.
    ///
    /// # Errors
    /// The stream fails, or the size differs from that of the first picture.
    pub fn picture(&mut self, picture: &Picture) -> io::Result<()> {
        let size = (picture.width(), picture.height());
        match self.size {
            None => {
                let Rate { pictures, seconds } = self.rate;
                let (width, height) = size;
                writeln!(
                    self.output,
                    "{MAGIC} W{width} H{height} F{pictures}:{seconds} Ip A1:1 C420jpeg \
                     XCOLORRANGE=FULL"
                )?;
                self.size = Some(size);
            }
            Some(first) if first != size => {
                let text = format!(
                    "a picture of {}×{} does not fit a file of {}×{}",
                    size.0, size.1, first.0, first.1
                );
                return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
            }
            Some(_) => {}
        }
        self.output.write_all(b"FRAME\n")?;
        self.output.write_all(picture.samples())
    }

    /// Writes out what is still held back.
    ///
    /// # Errors
    /// The stream fails.
    pub fn finish(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

#[cfg(test)]
mod tests;
