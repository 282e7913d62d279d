//! A scenario file becomes a [`Plan`]: users, weather, a timeline that reads like a ladder, and
//! expectations in the words of users.
//!
//! [`HELP`] is the whole language. A file that says something else gets its line, its column and
//! what was expected, for every line of the timeline at once.

mod cast;
mod claim;
mod crowd;
mod place;
mod sheet;
mod timeline;
mod weather;
mod words;

pub use place::{Mistake, Mistakes};

use crate::plan::{Expectation, Plan, ServerPlan, Weather, When};
use cast::Cast;
use place::{Fault, Said};
use sheet::Sheet;
use timeline::Timeline;

/// The language of scenario files, for people.
pub const HELP: &str = include_str!("scenario/help.txt");

/// How long a run goes on behind its last line when the file does not say.
const AFTER_THE_LAST_MS: u64 = 5000;

/// Reads a scenario. `name` is what mistakes call the file.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(name: &str, text: &str) -> Result<Plan, Mistakes> {
    plan(text).map_err(|faults| {
        Mistakes(faults.into_iter().map(|fault| Mistake::new(name, text, fault)).collect())
    })
}

fn plan(text: &str) -> Result<Plan, Vec<Fault>> {
    let (draft, timeline, always) = frame(text).map_err(|fault| vec![fault])?;
    let mut reader = Timeline::new(&draft.cast, &draft.network, draft.duration_ms);
    for line in timeline.iter().flat_map(Said::lines) {
        reader.line(&line);
    }
    for line in &always {
        reader.always(line);
    }
    let (mut steps, expectations, faults) = reader.finish();
    if !faults.is_empty() {
        return Err(faults);
    }
    steps.sort_by_key(|step| step.at_ms);
    let last_step = steps.iter().map(|step| step.at_ms + step.act.lasts_ms());
    let last = last_step.chain(expectations.iter().map(last_moment)).max().unwrap_or(0);
    Ok(Plan {
        title: draft.title,
        story: draft.story,
        seed: draft.seed,
        duration_ms: draft.duration_ms.unwrap_or(last + AFTER_THE_LAST_MS),
        server: draft.server,
        users: draft.cast.users,
        network: draft.network,
        steps,
        expectations,
    })
}

fn last_moment(expectation: &Expectation) -> u64 {
    match expectation.when {
        When::Within { until_ms, .. } => until_ms,
        When::Never { .. } | When::Eventually => 0,
    }
}

/// All of a file but its lines.
struct Draft {
    title: String,
    story: String,
    seed: u64,
    duration_ms: Option<u64>,
    server: ServerPlan,
    cast: Cast,
    network: Weather,
}

type Frame = (Draft, Option<Said>, Vec<Said>);

fn frame(text: &str) -> Result<Frame, Fault> {
    let mut file = Sheet::of(text)?;
    let title = file.needed_text("title", "the scenario")?.text;
    let story = file.text("story")?.map(|story| story.text.trim().to_owned()).unwrap_or_default();
    let seed = file.number("seed", 0..=i64::MAX.unsigned_abs())?.unwrap_or(1);
    let duration_ms = file.time("duration")?;
    let server = match file.section("server")? {
        Some(mut section) => server(&mut section)?,
        None => ServerPlan::default(),
    };
    let network = match file.section("network")? {
        Some(mut section) => {
            let weather = weather::read(&mut section)?;
            section.finish()?;
            weather
        }
        None => Weather::default(),
    };
    let cast = Cast::read(&mut file)?;
    let timeline = file.text("timeline")?;
    let always = file.texts("always")?;
    file.finish()?;
    let draft = Draft { title, story, seed, duration_ms, server, cast, network };
    Ok((draft, timeline, always))
}

fn server(section: &mut Sheet<'_>) -> Result<ServerPlan, Fault> {
    let usual = ServerPlan::default();
    let policies = ["confirm", "allow", "block"];
    let seconds = |ms: u64| u32::try_from(ms / 1000).unwrap_or(u32::MAX);
    let server = ServerPlan {
        default_policy: section
            .choice("default_policy", &policies)?
            .unwrap_or(usual.default_policy),
        notify_gap_ms: section.time("notify_gap")?.unwrap_or(usual.notify_gap_ms),
        shards: section.number("shards", 1..=16)?.unwrap_or(usual.shards),
        giveup_ms: section.time("giveup")?.unwrap_or(usual.giveup_ms),
        sub_min: section.time("sub_min")?.map_or(usual.sub_min, seconds),
    };
    section.finish()?;
    Ok(server)
}

#[cfg(test)]
mod tests;
