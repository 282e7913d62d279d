//! Who takes part: users, their devices, crowds; and whom a word means.

use super::place::Fault;
use super::sheet::Sheet;
use super::words::Word;
use crate::plan::{DeviceName, Party, UserPlan};
use presently::nearest::nearest;

/// Words that begin a line and so cannot be names.
const RESERVED: [&str; 11] = [
    "server",
    "cut",
    "mend",
    "weather",
    "disk",
    "replay",
    "stranger",
    "expect",
    "never",
    "eventually",
    "every",
];

/// All users of a scenario.
#[derive(Clone, Default, Debug)]
pub(super) struct Cast {
    pub(super) users: Vec<UserPlan>,
    /// Names of crowds and how many each has.
    pub(super) crowds: Vec<(String, u32)>,
}

impl Cast {
    /// Reads every `[[user]]` and `[[crowd]]`.
    pub(super) fn read(file: &mut Sheet<'_>) -> Result<Self, Fault> {
        let mut cast = Self::default();
        for mut entry in file.sections("user")? {
            let user = cast.read_user(&mut entry, "a user")?;
            entry.finish()?;
            cast.users.push(user);
        }
        for mut entry in file.sections("crowd")? {
            let model = cast.read_user(&mut entry, "a crowd")?;
            let span = entry.span.clone();
            let count = entry.number("count", 1..=1000)?;
            let count = count
                .ok_or_else(|| Fault::new(span, "a crowd has no count", "expected count = 20"))?;
            entry.finish()?;
            let one =
                |number| UserPlan { name: format!("{}{number}", model.name), ..model.clone() };
            cast.users.extend((1..=count).map(one));
            cast.crowds.push((model.name, count));
        }
        if cast.users.is_empty() {
            let help = "expected [[user]] with a name, or [[crowd]] with a name and a count";
            return Err(Fault::new(0..0, "nobody takes part", help));
        }
        Ok(cast)
    }

    fn read_user(&self, entry: &mut Sheet<'_>, of: &str) -> Result<UserPlan, Fault> {
        let name = entry.needed_text("name", of)?;
        let span = name.span(0..name.text.len());
        let word = Word { text: name.text, span, quoted: true };
        self.check_name(&word)?;
        let mut devices: Vec<String> = Vec::new();
        for device in entry.texts("devices")? {
            let span = device.span(0..device.text.len());
            if !is_name(&device.text) || devices.contains(&device.text) {
                let what = format!("`{}` cannot name a device here", device.text);
                return Err(Fault::new(span, what, NAMES));
            }
            devices.push(device.text);
        }
        let refresh = entry.time("refresh")?.unwrap_or(3_600_000);
        let refresh = u32::try_from(refresh / 1000).unwrap_or(u32::MAX);
        let nat = entry.switch("nat")?.unwrap_or(false);
        let paper = entry.switch("paper")?.unwrap_or(false);
        Ok(UserPlan { name: word.text, devices, refresh, nat, paper })
    }

    fn check_name(&self, word: &Word) -> Result<(), Fault> {
        let name = &word.text;
        if RESERVED.contains(&&**name) {
            let what = format!("`{name}` begins other lines of the timeline");
            return Err(word.refused(what, "expected another name"));
        }
        if !is_name(name) {
            return Err(word.refused(format!("`{name}` cannot be a name"), NAMES));
        }
        let taken = self.users.iter().any(|user| user.name == *name)
            || self.crowds.iter().any(|(crowd, _)| crowd == name);
        match taken {
            true => Err(word.refused(format!("`{name}` is there twice"), "expected another name")),
            false => Ok(()),
        }
    }

    /// The user that a word names.
    pub(super) fn user(&self, word: &Word) -> Result<&UserPlan, Fault> {
        let found = self.users.iter().find(|user| user.name == word.text);
        found.ok_or_else(|| match word.text.split_once('/') {
            Some((user, _)) if self.users.iter().any(|known| known.name == user) => {
                word.refused(format!("`{}` is a device", word.text), format!("expected {user}"))
            }
            _ => self.nobody(word, &[]),
        })
    }

    /// Every device that a word means: `bob/desk` that one, `bob` all of bob's.
    pub(super) fn devices(&self, word: &Word) -> Result<Vec<DeviceName>, Fault> {
        let (name, device) = match word.text.split_once('/') {
            Some((name, device)) => (name, Some(device)),
            None => (&*word.text, None),
        };
        let Some(user) = self.users.iter().find(|user| user.name == name) else {
            return Err(self.nobody(word, &[]));
        };
        let all = user.device_names();
        let Some(device) = device else { return Ok(all) };
        if user.devices.is_empty() {
            let what = format!("{name} has one device, which needs no name");
            return Err(word.refused(what, format!("expected {name}")));
        }
        let found = all.iter().find(|known| known.device == device).cloned();
        found.map(|found| vec![found]).ok_or_else(|| {
            let help = match nearest(device, user.devices.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean {name}/{meant}?"),
                None => format!("{name} has {}", user.devices.join(", ")),
            };
            word.refused(format!("{name} has no device `{device}`"), help)
        })
    }

    /// The one device that a word means.
    pub(super) fn device(&self, word: &Word) -> Result<DeviceName, Fault> {
        let all = self.devices(word)?;
        match &*all {
            [one] => Ok(one.clone()),
            several => {
                let names: Vec<String> = several.iter().map(ToString::to_string).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let what = format!("{} has several devices", word.text);
                Err(word.refused(what, format!("expected {}", super::words::one_of(&names))))
            }
        }
    }

    /// The server, or every device that a word means.
    pub(super) fn parties(&self, word: &Word) -> Result<Vec<Party>, Fault> {
        if word.text == "server" {
            return Ok(vec![Party::Server]);
        }
        if !self.users.iter().any(|user| Some(&*user.name) == word.text.split('/').next()) {
            return Err(self.nobody(word, &["server"]));
        }
        Ok(self.devices(word)?.into_iter().map(Party::Device).collect())
    }

    /// How many a crowd has.
    pub(super) fn crowd(&self, word: &Word) -> Result<u32, Fault> {
        let found = self.crowds.iter().find(|(name, _)| *name == word.text);
        let names: Vec<&str> = self.crowds.iter().map(|(name, _)| &**name).collect();
        found.map(|(_, count)| *count).ok_or_else(|| match &*names {
            [] => word.refused("there is no crowd", "expected a [[crowd]] in the file"),
            names => word.unknown("the crowd", names),
        })
    }

    /// Says that a word names nobody, and who could be meant: users, or one of `others`.
    pub(super) fn nobody(&self, word: &Word, others: &[&str]) -> Fault {
        let text = &*word.text;
        let all: Vec<&str> = self.users.iter().map(|user| &*user.name).collect();
        let named = text.split('/').next().unwrap_or_default();
        let help = match nearest(named, all.iter().chain(others).copied()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => {
                let shown: Vec<&str> = all.iter().take(8).chain(others).copied().collect();
                format!("expected {}", super::words::one_of(&shown))
            }
        };
        match text {
            "" => word.refused("somebody is missing", help),
            _ => word.refused(format!("there is no user `{named}`"), help),
        }
    }
}

const NAMES: &str = "expected small letters, digits, - and _, a letter first, each name once";

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(fits)
}
