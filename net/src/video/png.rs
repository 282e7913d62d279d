//! Pictures out as PNG files, one each, numbered in a folder.

use super::picture::Picture;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The picture as a PNG file, 8 bits RGB.
///
/// # Errors
/// The stream fails.
pub fn write(picture: &Picture, output: impl Write) -> io::Result<()> {
    let (width, height) = (u32::from(picture.width()), u32::from(picture.height()));
    let mut encoder = png::Encoder::new(output, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&rgb(picture))?;
    Ok(writer.finish()?)
}

/// Red, green and blue of every sample, BT.601 of full range (JFIF).
pub fn rgb(picture: &Picture) -> Vec<u8> {
    let [luma, u, v] = picture.planes();
    let width = usize::from(picture.width());
    let chroma_width = usize::from(picture.chroma_size().0);
    let mut out = Vec::with_capacity(3 * luma.len());
    for (row, samples) in luma.chunks_exact(width).enumerate() {
        let chroma = row / 2 * chroma_width;
        for (column, y) in samples.iter().enumerate() {
            let at = chroma + column / 2;
            let (y, u, v) = (i32::from(*y) << 16, i32::from(u[at]) - 128, i32::from(v[at]) - 128);
            // 1.402, 0.344136, 0.714136 and 1.772 as parts of 65536.
            let mixed = [y + 91_881 * v, y - 22_554 * u - 46_802 * v, y + 116_130 * u];
            out.extend(mixed.map(|sample| ((sample + 32_768) >> 16).clamp(0, 255) as u8));
        }
    }
    out
}

/// A folder that pictures are written into: `000001.png`, `000002.png` and so on.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    written: u32,
}

impl Folder {
    /// Makes the folder if it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        Ok(Self { path: path.to_path_buf(), written: 0 })
    }

    /// Writes the next picture.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn picture(&mut self, picture: &Picture) -> io::Result<()> {
        let file = std::fs::File::create(self.path.join(format!("{:06}.png", self.written + 1)))?;
        write(picture, BufWriter::new(file))?;
        self.written += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
