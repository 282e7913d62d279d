//! `conformance`: prints where we stand with the RFCs we implement, from the lists under
//! `tests/conformance/`.

use presently_tests::conformance::{self, Rfc, Row, Status, census};
use std::process::ExitCode;

const HELP: &str = "\
conformance                   the table: requirements by RFC and what became of them
conformance rows RFC          every requirement of one RFC with its tests or reasons
conformance otherwise         what we deliberately do otherwise, and why
conformance census FILE       an RFC's keywords by section, as census.toml has them
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match &*words {
        [] => conformance::load().map(|rfcs| print!("{}", conformance::render(&rfcs))),
        ["rows", number] => rows(number),
        ["otherwise"] => otherwise(),
        ["census", file] => count(file),
        ["--help" | "-h" | "help"] => {
            print!("{HELP}");
            Ok(())
        }
        _ => {
            eprint!("conformance: what is `{}`?\n\n{HELP}", words.join(" "));
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("conformance: {why}");
            ExitCode::FAILURE
        }
    }
}

fn rows(number: &str) -> Result<(), String> {
    let rfcs = conformance::load()?;
    let known = || rfcs.keys().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let rfc: &Rfc = number
        .parse()
        .ok()
        .and_then(|number: u32| rfcs.get(&number))
        .ok_or_else(|| format!("RFC `{number}` has no list; there are {}", known()))?;
    rfc.rows.iter().for_each(|(_, row)| print_row(row));
    for excluded in &rfc.excluded {
        println!("§{}: left out: {}", excluded.sections.join(", §"), excluded.reason);
    }
    Ok(())
}

fn otherwise() -> Result<(), String> {
    for (number, rfc) in conformance::load()? {
        for (_, row) in &rfc.rows {
            if row.status() == Ok(Status::DeliberatelyNot) {
                print!("RFC {number} ");
                print_row(row);
            }
        }
    }
    Ok(())
}

fn print_row(row: &Row) {
    println!("§{} {} ({}): {}", row.section, row.keyword, row.role, row.requirement);
    for test in &row.tests {
        println!("    tested: {test}");
    }
    for (status, reason) in
        [("not applicable", &row.not_applicable), ("deliberately not", &row.deliberately_not)]
    {
        if let Some(reason) = reason {
            println!("    {status}: {reason}");
        }
    }
}

fn count(file: &str) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|why| format!("{file}: {why}"))?;
    for (section, (must, should)) in census::count(&text) {
        println!("\"{section}\" = [{must}, {should}]");
    }
    Ok(())
}
