//! What is done to the server. A scenario is a script: it prepares what has to be there, hands the
//! bench a source of operations to measure, and says what came out.

mod echo;
mod hold;
mod message;
mod office;
mod overload;
mod publish;
mod register;
mod ring;
mod storm;
mod subscribe;
mod winfo;

use super::bench::Bench;
use super::options::Scenario;
use super::report::Report;
use presently::failure::Failure;

/// Plays the scenario of these options.
pub(crate) use echo::serve as serve_echo;

pub(crate) fn play(bench: &mut Bench) -> Result<Report, Failure> {
    let report = act(bench)?;
    bench.take_leave()?;
    Ok(report)
}

fn act(bench: &mut Bench) -> Result<Report, Failure> {
    match bench.options.scenario {
        Scenario::RegisterNew => register::new(bench),
        Scenario::RegisterRefresh | Scenario::RegisterReused => register::refresh(bench),
        Scenario::RegisterChallenged => register::challenged(bench),
        Scenario::SubscribeNew => subscribe::new(bench),
        Scenario::SubscribeRefresh => subscribe::refresh(bench),
        Scenario::SubscribeEnd => subscribe::end(bench),
        Scenario::Message => message::relay(bench),
        Scenario::Publish => publish::fan_out(bench),
        Scenario::PublishMany => publish::many(bench),
        Scenario::Winfo => winfo::owners(bench),
        Scenario::Office => office::day(bench),
        Scenario::Storm => storm::restart(bench),
        Scenario::Hold => hold::measure(bench),
        Scenario::Overload => overload::pressure(bench),
        Scenario::Echo => echo::measure(bench),
        Scenario::ServeEcho => Err(Failure::usage("serve-echo: it asks nobody anything")),
    }
}
