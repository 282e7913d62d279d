//! One run of `presence-ua`: orders in, reports out, and an orderly end.

use super::handset::{Handset, Told};
use super::mirror::Mirror;
use super::order::{HELP, Misread, Order};
use super::ordered::Ordered;
use super::owed::Debts;
use super::report::Report;
use super::waits::Waits;
use presently_engine::agent::{Command, Event};
use presently_engine::message::Aor;
use std::io::Write;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// After the end of input: how long the login and what is owed may take (64·T1, Timer F).
const LINGER: Duration = Duration::from_secs(32);

/// How long the agent's own logout may take beyond what it was told.
const LOGOUT_SLACK: Duration = Duration::from_secs(3);

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    /// All went well.
    Fine,
    /// Never registered, or a wait was in vain, or the agent stopped by itself.
    Failed,
}

/// Where the run is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Orders are taken.
    Open,
    /// No more orders; what was ordered comes to its end until then.
    Finishing(Instant),
    /// The agent takes everything back until then.
    LoggingOut(Instant),
    /// Over.
    Ended,
}

/// What the login has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Login {
    Unknown,
    Registered,
    /// Refused; the agent will not try again.
    Refused,
}

/// One user at a terminal or behind a pipe.
pub(crate) struct Session<W> {
    own: Aor,
    handset: Handset,
    output: W,
    json: bool,
    phase: Phase,
    login: Login,
    ever_registered: bool,
    waits: Waits,
    mirror: Mirror,
    tickets: u64,
    owed: Debts,
}

impl<W: Write> Session<W> {
    pub(crate) fn new(own: Aor, handset: Handset, output: W, json: bool) -> Self {
        Self {
            own,
            handset,
            output,
            json,
            phase: Phase::Open,
            login: Login::Unknown,
            ever_registered: false,
            waits: Waits::default(),
            mirror: Mirror::default(),
            tickets: 0,
            owed: Debts::default(),
        }
    }

    /// Logs in, obeys `lines` until they end or `interrupts` says so, and logs out.
    pub(crate) async fn run(
        mut self,
        mut lines: mpsc::Receiver<String>,
        mut interrupts: mpsc::Receiver<()>,
    ) -> Ending {
        self.command(Command::Login);
        while self.phase != Phase::Ended {
            let listening = self.phase == Phase::Open && !self.waits.is_waiting();
            let deadline = self.deadline();
            tokio::select! {
                biased;
                Some(()) = interrupts.recv() => self.interrupted(),
                told = self.handset.told() => self.happened(told),
                () = sleep_until(deadline) => self.overdue(),
                line = lines.recv(), if listening => match line {
                    Some(line) => self.obey(&line),
                    None => self.finish(),
                },
            }
            self.go_on();
        }
        let failed = self.waits.failed() || !self.ever_registered;
        self.handset.finish().await;
        if failed { Ending::Failed } else { Ending::Fine }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Open => self.waits.deadline(),
            Phase::Finishing(until) | Phase::LoggingOut(until) => Some(until),
            Phase::Ended => None,
        }
    }

    /// The deadline of the present phase has come.
    fn overdue(&mut self) {
        match self.phase {
            Phase::Open => {
                if let Some(report) = self.waits.give_up() {
                    self.tell(&report);
                }
            }
            Phase::Finishing(_) => self.log_out(),
            Phase::LoggingOut(_) => {
                self.tell(&Report::error("logout", "the server did not answer in time"));
                self.phase = Phase::Ended;
            }
            Phase::Ended => {}
        }
    }

    /// The first interrupt logs out at once, the second ends at once.
    fn interrupted(&mut self) {
        match self.phase {
            Phase::Open | Phase::Finishing(_) => self.log_out(),
            Phase::LoggingOut(_) | Phase::Ended => self.phase = Phase::Ended,
        }
    }

    fn finish(&mut self) {
        self.phase = Phase::Finishing(Instant::now() + LINGER);
    }

    /// Takes the next step towards the end if nothing is left to wait for.
    fn go_on(&mut self) {
        let settled = self.login != Login::Unknown && self.owed.is_settled();
        let refused = self.login == Login::Refused;
        if matches!(self.phase, Phase::Finishing(_)) && (settled || refused) {
            self.log_out();
        }
    }

    fn log_out(&mut self) {
        self.phase =
            Phase::LoggingOut(Instant::now() + presently_engine::agent::LOGOUT + LOGOUT_SLACK);
        self.command(Command::Logout);
    }

    fn happened(&mut self, told: Option<(presently_engine::Instant, Told)>) {
        let Some((at, told)) = told else {
            let report = Report::error("agent", "has stopped; see the log");
            self.tell(&report);
            self.ever_registered = false;
            self.phase = Phase::Ended;
            return;
        };
        let report = match told {
            Told::Event(event) => {
                self.note(&event);
                self.mirror.follow(&event);
                Report::of(&event, &self.own)
            }
            Told::Refused((what, why)) => Some(Report::error(what, &why)),
            Told::Media(name, notice) => Some(Report::of_stream(name, &notice)),
        };
        if let Some(report) = report {
            self.tell_at(at, &report);
            self.waits.saw(&report);
        }
    }

    /// Remembers what the end of the run depends on.
    fn note(&mut self, event: &Event) {
        self.owed.heard(event);
        match event {
            Event::Registered { .. } => {
                self.login = Login::Registered;
                self.ever_registered = true;
            }
            Event::RegisterFailed { retry_ms: None, .. } => self.login = Login::Refused,
            Event::LoggedOut => self.phase = Phase::Ended,
            Event::RegisterFailed { .. }
            | Event::ServerRestarted
            | Event::Published { .. }
            | Event::Presence { .. }
            | Event::Offer { .. }
            | Event::Subscription { .. }
            | Event::Watcher { .. }
            | Event::Decided { .. }
            | Event::Message { .. }
            | Event::MessageStatus { .. }
            | Event::Call { .. }
            | Event::Flow { .. }
            | Event::MediaPacket { .. }
            | Event::MediaWelcome { .. }
            | Event::MediaBye { .. }
            | Event::Error { .. } => {}
        }
    }

    fn obey(&mut self, line: &str) {
        let order = match Order::parse(line, &self.own) {
            Ok(Some(order)) => order,
            Ok(None) => return,
            Err(Misread { what, why }) => return self.tell(&Report::error(&what, &why)),
        };
        if let Order::Wait(wanted) = order {
            return self.waits.begin(wanted, Instant::now());
        }
        self.waits.commanded();
        match Ordered::of(order, &mut self.tickets) {
            Ordered::Command(command) => self.command(command),
            Ordered::Media(asked) => self.handset.ask(asked),
            Ordered::Tables => {
                let report = self.mirror.report();
                self.tell(&report);
                self.waits.saw(&report);
            }
            Ordered::Help => {
                for line in HELP {
                    self.tell(&Report { name: "help", fields: vec![("text", line.into())] });
                }
            }
            Ordered::Quit => self.finish(),
            // A wait concerns the reading of orders and is dealt with above.
            Ordered::Wait => {}
        }
    }

    fn command(&mut self, command: Command) {
        self.owed.ordered(&command);
        self.handset.command(command);
    }

    fn tell(&mut self, report: &Report) {
        self.tell_at(self.handset.now(), report);
    }

    /// Tells the user; whoever reads us through a pipe sees the line at once.
    fn tell_at(&mut self, at: presently_engine::Instant, report: &Report) {
        let line = if self.json { report.to_json(at.as_millis()) } else { report.to_text() };
        let told = writeln!(self.output, "{line}").and_then(|()| self.output.flush());
        if told.is_err() {
            // Nobody listens any more.
            self.finish();
        }
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
