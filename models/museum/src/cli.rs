//! The command line of `presence-museum`: exit code 0 if every exhibit is found as the table says,
//! 1 if one is not, 2 for wrong usage or exhibits that do not fit the sources.

use crate::exhibit::{self, Exhibit, Hunter, Unfit};
use crate::show::{Shown, jobs, show};
use crate::{root, table, trial, workshop};
use clap::{Parser, Subcommand};
use std::io::{IsTerminal, Write, stderr};
use std::process::ExitCode;
use std::time::Instant;

/// Plants known faults in a copy of the engine, all at once, and shows what finds each of them.
#[derive(Parser, Debug)]
#[command(name = "presence-museum", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Exhibits to show, by name; all if none is given
    #[arg(value_name = "EXHIBIT")]
    names: Vec<String>,
    /// Say what there is, and run nothing
    #[arg(long)]
    list: bool,
    /// Print one JSON object for each run instead of a table
    #[arg(long)]
    json: bool,
    /// Print what was seen: the ladder of a model, the steps of a plan
    #[arg(long)]
    why: bool,
    /// Put the table into models/museum/README.md instead of comparing it
    #[arg(long)]
    write_table: bool,
    /// Runs at once [default: one for each processor]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// One run, in the planted program
    #[command(hide = true, subcommand)]
    Try(Try),
}

#[derive(Subcommand, Debug)]
enum Try {
    Model {
        name: String,
        law: Option<String>,
    },
    Search {
        property: Option<String>,
        #[arg(long, default_value_t = 100)]
        plays: usize,
        #[arg(long)]
        seed: Option<u64>,
    },
}

/// Reads the arguments and does what they say.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Without a terminal there is nobody to tell.
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()) * 2);
        }
    };
    let done = match &cli.verb {
        Some(Verb::Try(what)) => attempt(what),
        None => visit(&cli),
    };
    done.unwrap_or_else(|Unfit(why)| {
        eprintln!("presence-museum: {why}");
        ExitCode::from(2)
    })
}

fn attempt(what: &Try) -> Result<ExitCode, Unfit> {
    let outcome = match what {
        Try::Model { name, law } => trial::model(name, law.as_deref()).map_err(Unfit)?,
        Try::Search { property: Some(property), seed: Some(seed), .. } => {
            trial::seed(property, *seed)
        }
        Try::Search { property: Some(property), plays, .. } => trial::hunt(property, *plays),
        Try::Search { property: None, .. } => trial::seeds(),
    };
    let text = serde_json::to_string(&outcome).map_err(|error| Unfit(error.to_string()))?;
    println!("{text}");
    Ok(ExitCode::SUCCESS)
}

fn visit(cli: &Cli) -> Result<ExitCode, Unfit> {
    let root = root();
    let exhibits = exhibit::all(&root)?;
    if cli.list {
        list(&exhibits);
        return Ok(ExitCode::SUCCESS);
    }
    let stranger = cli.names.iter().find(|name| !exhibits.iter().any(|one| one.name == **name));
    if let Some(name) = stranger {
        return Err(Unfit(format!("there is no exhibit {name}; --list says what there is")));
    }
    let all = cli.names.is_empty();
    if cli.write_table && !all {
        return Err(Unfit("--write-table writes all of the table: name no exhibit".to_owned()));
    }
    let wanted = |one: &&Exhibit| all || cli.names.contains(&one.name);
    let chosen: Vec<&Exhibit> = exhibits.iter().filter(wanted).collect();
    line("building the planted workspace");
    let built = workshop::build(&root, &exhibits)?;
    let began = Instant::now();
    let jobs = jobs(&chosen, all);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let shown = show(&built.program, &jobs, cli.jobs.unwrap_or(processors), &|done, one| {
        line(&format!("{done} of {} runs: {}", jobs.len(), label(one)));
    });
    line("");
    let found = table::table(&exhibits, &shown);
    report(cli, &shown, &found);
    let (building, running) = (built.took.as_secs(), began.elapsed().as_secs());
    eprintln!("{} runs: {building} s to build, {running} s to run", jobs.len());
    let mut failed = shown.iter().any(|one| one.fault.is_some());
    if cli.write_table && !failed {
        table::write(&root, &found)?;
    } else if all {
        let differences = table::differences(&table::kept(&root)?, &found);
        failed |= !differences.is_empty();
        for row in differences {
            eprintln!("models/museum/README.md: {row}");
        }
    }
    Ok(ExitCode::from(u8::from(failed)))
}

fn list(exhibits: &[Exhibit]) {
    for exhibit in exhibits {
        println!("{}: {} ({})", exhibit.name, exhibit.title, exhibit.story);
        for hunter in exhibit.hunters() {
            match hunter {
                Hunter::Model { model, law } => println!("    model {model}: {law}"),
                Hunter::Search { property, .. } => println!("    search: {property}"),
                Hunter::Test { file, name } => println!("    test: {name} in {file}"),
            }
        }
    }
}

fn report(cli: &Cli, shown: &[Shown], table: &str) {
    if cli.json {
        for one in shown {
            println!("{}", json(one));
        }
    } else {
        print!("{table}");
    }
    for one in shown {
        if let Some(fault) = &one.fault {
            eprintln!("{}: {fault}", label(one));
        } else if let (true, Some(outcome)) = (cli.why, &one.outcome) {
            println!("\n{}: {:.1} s\n{}", label(one), outcome.seconds, outcome.told);
        }
    }
}

/// Which run it is, in words.
fn label(one: &Shown) -> String {
    let name = one.job.exhibit.as_deref().unwrap_or("no fault");
    match &one.job.hunter {
        Hunter::Model { model, .. } => format!("{name}, model {model}"),
        Hunter::Search { .. } => format!("{name}, search"),
        Hunter::Test { .. } => format!("{name}, test"),
    }
}

fn json(one: &Shown) -> serde_json::Value {
    let (tool, wanted) = match &one.job.hunter {
        Hunter::Model { model, law } => (format!("model {model}"), law),
        Hunter::Search { property, .. } => ("search".to_owned(), property),
        Hunter::Test { file, name } => (format!("test {file}"), name),
    };
    serde_json::json!({
        "exhibit": one.job.exhibit,
        "tool": tool,
        "wanted": wanted,
        "outcome": one.outcome,
        "fault": one.fault,
    })
}

/// The line that shows that something is going on; only on a terminal.
fn line(text: &str) {
    if stderr().is_terminal() {
        // Whoever watched may have gone.
        let _ = write!(stderr(), "\r\x1b[K{text}");
    }
}
