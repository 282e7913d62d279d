//! What the network is like: the keys of `[network]` and of a `weather` line.

use super::place::Fault;
use super::sheet::Sheet;
use super::words::Word;
use crate::plan::Weather;

/// Every key, in the order in which people are told.
pub(super) const KEYS: [&str; 7] =
    ["latency", "jitter", "loss", "duplicate", "reorder", "corrupt", "mtu"];

/// Reads `[network]`.
pub(super) fn read(section: &mut Sheet<'_>) -> Result<Weather, Fault> {
    let mut weather = Weather::default();
    for key in KEYS {
        if let Some(value) = section.scalar(key)? {
            set(&mut weather, key, &value)?;
        }
    }
    Ok(weather)
}

/// Sets one key, which is one of [`KEYS`].
pub(super) fn set(weather: &mut Weather, key: &str, value: &Word) -> Result<(), Fault> {
    match key {
        "latency" => weather.latency_ms = value.time()?,
        "jitter" => weather.jitter_ms = value.time()?,
        "loss" => weather.loss = share(value)?,
        "duplicate" => weather.duplicate = share(value)?,
        "reorder" => weather.reorder = share(value)?,
        "corrupt" => weather.corrupt = share(value)?,
        _ => weather.mtu = size(value)?,
    }
    Ok(())
}

fn share(value: &Word) -> Result<f64, Fault> {
    let number = value.text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    number.ok_or_else(|| {
        let what = format!("`{}` is no share of datagrams", value.text);
        value.refused(what, "expected a number from 0 to 1, like 0.05")
    })
}

fn size(value: &Word) -> Result<usize, Fault> {
    let number = value.text.parse().ok().filter(|size| (300..=65_507).contains(size));
    number.ok_or_else(|| {
        let what = format!("`{}` is no size of a datagram", value.text);
        value.refused(what, "expected bytes, from 300 to 65507")
    })
}
