//! One run of `presence-ua`: orders in, reports out, and an orderly end.

use super::link::Link;
use super::media;
use super::mirror::Mirror;
use super::order::{HELP, Misread, Order};
use super::ordered::{Codecs, Ordered};
use super::owed::Debts;
use super::report::Report;
use super::waits::Waits;
use presently_engine::agent::{Command, Event};
use presently_engine::body::pidf::Mode;
use presently_engine::message::Aor;
use std::collections::BTreeMap;
use std::io::Write;
use std::net::UdpSocket;
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
    link: Link,
    output: W,
    json: bool,
    phase: Phase,
    login: Login,
    ever_registered: bool,
    waits: Waits,
    mirror: Mirror,
    tickets: u64,
    owed: Debts,
    /// Ports that are open for our offers, by media kind.
    ports: BTreeMap<Box<str>, UdpSocket>,
}

impl<W: Write> Session<W> {
    pub(crate) fn new(own: Aor, link: Link, output: W, json: bool) -> Self {
        Self {
            own,
            link,
            output,
            json,
            phase: Phase::Open,
            login: Login::Unknown,
            ever_registered: false,
            waits: Waits::default(),
            mirror: Mirror::default(),
            tickets: 0,
            owed: Debts::default(),
            ports: BTreeMap::new(),
        }
    }

    /// Logs in, obeys `lines` until they end or `interrupts` says so, and logs out.
    pub(crate) async fn run(
        mut self,
        mut lines: mpsc::Receiver<String>,
        mut interrupts: mpsc::Receiver<()>,
    ) -> Ending {
        self.command(Command::Login).await;
        while self.phase != Phase::Ended {
            let listening = self.phase == Phase::Open && !self.waits.is_waiting();
            let deadline = self.deadline();
            tokio::select! {
                biased;
                Some(()) = interrupts.recv() => self.interrupted().await,
                event = self.link.event() => self.happened(event),
                () = sleep_until(deadline) => self.overdue().await,
                line = lines.recv(), if listening => match line {
                    Some(line) => self.obey(&line).await,
                    None => self.finish(),
                },
            }
            self.go_on().await;
        }
        let failed = self.waits.failed() || !self.ever_registered;
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
    async fn overdue(&mut self) {
        match self.phase {
            Phase::Open => {
                if let Some(report) = self.waits.give_up() {
                    self.tell(&report);
                }
            }
            Phase::Finishing(_) => self.log_out().await,
            Phase::LoggingOut(_) => {
                self.tell(&Report::error("logout", "the server did not answer in time"));
                self.phase = Phase::Ended;
            }
            Phase::Ended => {}
        }
    }

    /// The first interrupt logs out at once, the second ends at once.
    async fn interrupted(&mut self) {
        match self.phase {
            Phase::Open | Phase::Finishing(_) => self.log_out().await,
            Phase::LoggingOut(_) | Phase::Ended => self.phase = Phase::Ended,
        }
    }

    fn finish(&mut self) {
        self.phase = Phase::Finishing(Instant::now() + LINGER);
    }

    /// Takes the next step towards the end if nothing is left to wait for.
    async fn go_on(&mut self) {
        let settled = self.login != Login::Unknown && self.owed.is_settled();
        let refused = self.login == Login::Refused;
        if matches!(self.phase, Phase::Finishing(_)) && (settled || refused) {
            self.log_out().await;
        }
    }

    async fn log_out(&mut self) {
        self.phase = Phase::LoggingOut(Instant::now() + super::link::LOGOUT + LOGOUT_SLACK);
        self.command(Command::Logout).await;
    }

    fn happened(&mut self, event: Option<(presently_engine::Instant, Event)>) {
        let Some((at, event)) = event else {
            let report = Report::error("agent", "has stopped; see the log");
            self.tell(&report);
            self.ever_registered = false;
            self.phase = Phase::Ended;
            return;
        };
        self.note(&event);
        self.mirror.follow(&event);
        let report = Report::of(&event, &self.own);
        self.tell_at(at, &report);
        self.waits.saw(&report);
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
            | Event::MediaBye { .. }
            | Event::Error { .. } => {}
        }
    }

    async fn obey(&mut self, line: &str) {
        let order = match Order::parse(line, &self.own) {
            Ok(Some(order)) => order,
            Ok(None) => return,
            Err(Misread { what, why }) => return self.tell(&Report::error(&what, &why)),
        };
        if let Order::Wait(wanted) = order {
            return self.waits.begin(wanted, Instant::now());
        }
        self.waits.commanded();
        if let Some(command) = self.translate(order) {
            self.command(command).await;
        }
    }

    /// The agent's command for an order; orders that need no agent are carried out here.
    fn translate(&mut self, order: Order) -> Option<Command> {
        match Ordered::of(order, &mut self.tickets) {
            Ordered::Command(command) => Some(command),
            Ordered::Offer { media, mode, codecs } => self.offer(media, mode, codecs),
            Ordered::Later { word } => {
                let why = "calls and direct media come with a later release";
                self.answer(&Report::error(word, why))
            }
            Ordered::Tables => {
                let report = self.mirror.report();
                self.answer(&report)
            }
            Ordered::Help => {
                for line in HELP {
                    self.tell(&Report { name: "help", fields: vec![("text", line.into())] });
                }
                None
            }
            Ordered::Quit => {
                self.finish();
                None
            }
            // A wait concerns the reading of orders and is dealt with there.
            Ordered::Wait => None,
        }
    }

    /// An offer needs a port that nobody else gets; it stays ours until the offer is withdrawn.
    fn offer(&mut self, media: Box<str>, mode: Mode, codecs: Codecs) -> Option<Command> {
        if mode == Mode::Off {
            self.ports.remove(&media);
            return Some(Command::SetOffer { media, port: 0, codecs, mode });
        }
        match media::port(self.link.local().ip()) {
            Ok((socket, port)) => {
                self.ports.insert(media.clone(), socket);
                Some(Command::SetOffer { media, port, codecs, mode })
            }
            Err(error) => {
                self.answer(&Report::error("offer", &format!("no port is free for it: {error}")))
            }
        }
    }

    async fn command(&mut self, command: Command) {
        self.owed.ordered(&command);
        self.link.command(command).await;
    }

    fn answer(&mut self, report: &Report) -> Option<Command> {
        self.tell(report);
        self.waits.saw(report);
        None
    }

    fn tell(&mut self, report: &Report) {
        self.tell_at(self.link.now(), report);
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
