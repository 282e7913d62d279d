//! How a program of this package ends when it does not end well: one line and an exit code.

use std::fmt;
use std::io::Write;
use std::process::ExitCode;

/// Why a program stops: what its one line on stderr says, and its exit code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    kind: Kind,
    line: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// The work failed: exit code 1.
    Work,
    /// Wrong usage, configuration or surroundings, found before anything began: exit code 2.
    Usage,
}

impl Failure {
    /// The program was started wrongly; nothing has begun.
    pub fn usage(line: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, line: one_line(&line.into()) }
    }

    /// The program was started rightly and could not do its work.
    pub fn work(line: impl Into<String>) -> Self {
        Self { kind: Kind::Work, line: one_line(&line.into()) }
    }

    /// 1 or 2.
    pub fn code(&self) -> u8 {
        match self.kind {
            Kind::Work => 1,
            Kind::Usage => 2,
        }
    }

    /// Says on stderr what stopped `program` and gives its exit code.
    pub fn report(&self, program: &str) -> ExitCode {
        // Whoever reads it may have gone; the exit code says it too.
        let _ = writeln!(std::io::stderr(), "{program}: {self}");
        ExitCode::from(self.code())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line)
    }
}

impl std::error::Error for Failure {}

/// Errors of libraries may span lines; ours never do.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}
