//! The users file, and the lines that go into it.
//!
//! A password is a secret of its owner; what is kept of it in memory and may be kept in the file
//! is `H(user:realm:password)` (RFC 7616 §3.4.2), the password equivalent of this realm alone.

use crate::config::rule::Rule;
use crate::config::sheet::{Found, Sheet, Source};
use crate::failure::Failure;
use presently_engine::digest::{Algorithm, Ha1};
use presently_engine::message::Aor;
use presently_engine::server::{User, Users};
use std::io::{BufRead, Write};
use std::path::Path;

/// Reads the users file of `domain`.
pub(crate) fn load(path: &Path, domain: &str) -> Result<Users, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("users {name}: cannot be read: {error}")))?;
    parse(Source { name: &name, text: &text }, domain)
}

/// Reads the text of a users file.
pub(crate) fn parse(source: Source<'_>, domain: &str) -> Result<Users, Failure> {
    let mut file = source.sheet()?;
    let mut users = Users::default();
    for mut entry in file.sections("user")? {
        read_user(&mut entry, domain, &mut users)?;
        entry.finish()?;
    }
    file.finish()?;
    Ok(users)
}

/// One account from its password.
pub(crate) fn user(name: &str, domain: &str, password: &str) -> User {
    User {
        sha256: Some(Ha1::of(Algorithm::Sha256, name, domain, password)),
        md5: Some(Ha1::of(Algorithm::Md5, name, domain, password)),
    }
}

/// Names of accounts that `old` has and `new` does not.
pub(crate) fn removed<'a>(old: &'a Users, new: &'a Users) -> impl Iterator<Item = &'a str> {
    old.named.keys().map(|name| &**name).filter(|name| !new.exists(name))
}

/// `presence-server user hash AOR`: a password on `input` becomes the account's lines on `output`.
pub(crate) fn hash(
    aor: &str,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<(), Failure> {
    let aor = Aor::parse(aor).map_err(|error| {
        Failure::usage(format!("AOR \"{aor}\": {error}; must be like sip:alice@example.org"))
    })?;
    let mut line = String::new();
    input.read_line(&mut line).map_err(|error| {
        Failure::usage(format!("the password cannot be read from stdin: {error}"))
    })?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(Failure::usage("no password: write it as one line to stdin"));
    }
    write_lines(&aor.name(), &user(&aor.name(), aor.domain(), password), output)
        .map_err(|error| Failure::work(format!("the lines cannot be written: {error}")))
}

fn write_lines(name: &str, user: &User, output: &mut impl Write) -> std::io::Result<()> {
    writeln!(output, "[[user]]\nname = {}", toml::Value::from(name))?;
    for (key, ha1) in [("ha1_sha256", &user.sha256), ("ha1_md5", &user.md5)] {
        if let Some(ha1) = ha1 {
            writeln!(output, "{key} = \"{}\"", ha1.as_str())?;
        }
    }
    output.flush()
}

fn read_user(entry: &mut Sheet<'_>, domain: &str, users: &mut Users) -> Result<(), Failure> {
    let at = entry.place();
    let Some(name) = entry.find("name", &name_rule())? else {
        return Err(Failure::usage(format!("{at}: user: name is missing")));
    };
    let password = entry.find("password", &password_rule())?;
    let sha256 = entry.get("ha1_sha256", &ha1_rule(Algorithm::Sha256))?;
    let md5 = entry.get("ha1_md5", &ha1_rule(Algorithm::Md5))?;
    let hashed = sha256.is_some() || md5.is_some();
    let who = &name.value;
    match password {
        Some(Found { place, .. }) if hashed => Err(Failure::usage(format!(
            "{place}: user \"{who}\" has password and ha1_*: must have one or the other"
        ))),
        None if !hashed => Err(Failure::usage(format!(
            "{at}: user \"{who}\" has no password: must have password, or ha1_sha256 and ha1_md5 \
             as `presence-server user hash` prints them"
        ))),
        Some(found) => add(users, &name, Account::Password(found.value), domain),
        None => add(users, &name, Account::Hashed(User { sha256, md5 }), domain),
    }
}

enum Account {
    Password(String),
    Hashed(User),
}

fn add(
    users: &mut Users,
    name: &Found<'_, String>,
    account: Account,
    domain: &str,
) -> Result<(), Failure> {
    let (who, place) = (name.value.as_str(), name.place);
    let twice = match (who, account) {
        ("*", Account::Password(password)) => users.anyone.replace(password.into()).is_some(),
        ("*", Account::Hashed(_)) => {
            return Err(Failure::usage(format!(
                "{place}: user \"*\" must have password: a hash holds for one name only"
            )));
        }
        (_, Account::Password(password)) => {
            users.insert(who, user(who, domain, &password)).is_some()
        }
        (_, Account::Hashed(user)) => users.insert(who, user).is_some(),
    };
    if twice {
        return Err(Failure::usage(format!("{place}: user \"{who}\" is in the file twice")));
    }
    Ok(())
}

/// A name without `@domain`: the user part of an AOR (RFC 3261 §25.1 `user`), unescaped.
fn name_rule() -> Rule<String> {
    let allowed = "a user part without domain, for example alice, or * for every name";
    Rule::text(allowed, |text| {
        let fits = !text.is_empty()
            && text.len() <= 128
            && !text.chars().any(|c| c.is_whitespace() || c.is_control() || "@:<>\"".contains(c));
        fits.then(|| text.to_owned())
    })
}

fn password_rule() -> Rule<String> {
    Rule::secret("quoted text that is not empty", |text| {
        (!text.is_empty()).then(|| text.to_owned())
    })
}

fn ha1_rule(algorithm: Algorithm) -> Rule<Ha1> {
    let allowed = match algorithm {
        Algorithm::Sha256 => "64 hex digits",
        Algorithm::Md5 => "32 hex digits",
    };
    Rule::secret(allowed, move |text| Ha1::from_hex(algorithm, text))
}

#[cfg(test)]
mod tests;
