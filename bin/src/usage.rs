//! The command line's own mistakes in one line, like every other mistake.

use clap::Parser;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use std::process::ExitCode;

/// Parses the arguments of this process. The error is the exit code after everything was said:
/// help and version go to stdout with code 0, a mistake is one line on stderr with code 2.
pub fn parse<C: Parser>(program: &str) -> Result<C, ExitCode> {
    C::try_parse().map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A reader who has gone away misses nothing.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        _ => crate::failure::Failure::usage(one_line(&error)).report(program),
    })
}

fn one_line(error: &Error) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "the command is incomplete (see --help)".to_owned();
    }
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let mut line = first.strip_prefix("error: ").unwrap_or(first).to_owned();
    // "… were not provided:" is followed by a list of what is missing.
    if line.ends_with(':') {
        for missing in text.lines().skip(1).take_while(|line| !line.is_empty()) {
            line = format!("{line} {}", missing.trim());
        }
    }
    if let Some(ContextValue::String(meant)) = error.get(ContextKind::SuggestedArg) {
        line = format!("{line}; did you mean {meant}?");
    }
    format!("{line} (see --help)")
}
