//! The stage: agents that act, a wire that is watched, and patience with an end.

use super::ladder::{Ladder, Side};
use crate::failure::Failure;
use crate::ua::{Asked, Handset, Notice, Report, Told};
use presently_engine::agent::{Command, Event};
use presently_engine::message::{Aor, Message, Method};
use presently_net::Seen;
use std::collections::BTreeSet;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How long a step may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Fields of reports that the picture has no room for.
const DETAILS: [&str; 13] = [
    "id",
    "resource",
    "expires",
    "content_type",
    "expired",
    "usable_codec",
    "late",
    "concealed",
    "played",
    "delay_ms",
    "jitter_ms",
    "remote_lost",
    "unproved",
];

/// Somebody with an agent.
struct Actor {
    name: &'static str,
    own: Aor,
    handset: Handset,
}

/// Which actor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Who(usize);

/// Everything that happens, in the order in which it is seen.
enum Happening {
    Wire(Seen),
    Told(Who, Told),
    Nothing,
}

pub(super) struct Stage {
    actors: Vec<Actor>,
    wire: mpsc::UnboundedReceiver<Seen>,
    ladder: Ladder,
    patience: Duration,
    steps: usize,
    title: String,
    until: Instant,
    /// What the actors were told in this step.
    told: Vec<(Who, Told)>,
    /// Requests that passed and have no final answer yet: branch and method.
    open: BTreeSet<(String, Method)>,
}

impl Stage {
    pub(super) fn new(
        wire: mpsc::UnboundedReceiver<Seen>,
        colour: bool,
        patience: Duration,
    ) -> Self {
        Self {
            actors: Vec::new(),
            wire,
            ladder: Ladder::new(colour),
            patience,
            steps: 0,
            title: String::new(),
            until: Instant::now() + patience,
            told: Vec::new(),
            open: BTreeSet::new(),
        }
    }

    /// Somebody enters on a side.
    pub(super) fn enter(
        &mut self,
        name: &'static str,
        own: Aor,
        handset: Handset,
        side: Side,
    ) -> Who {
        self.ladder.place(handset.address(), name, side);
        self.actors.push(Actor { name, own, handset });
        Who(self.actors.len() - 1)
    }

    /// Writes the names over the columns.
    pub(super) fn curtain(&self, left: &str, right: &str) {
        crate::say(format_args!("\n{}", self.ladder.head(left, right)));
    }

    /// Begins a step, when everything of the last one has been answered.
    pub(super) async fn step(&mut self, title: &str) -> Result<(), Failure> {
        self.settle().await?;
        self.steps += 1;
        crate::say(format_args!("{}", self.ladder.title(self.steps, title)));
        self.title = title.to_owned();
        self.until = Instant::now() + self.patience;
        self.told.clear();
        Ok(())
    }

    /// Somebody does something.
    pub(super) fn act(&self, who: Who, command: Command) {
        self.actors[who.0].handset.command(command);
    }

    /// Somebody speaks, or wants to be spoken to.
    pub(super) fn ask(&self, who: Who, asked: Asked) {
        self.actors[who.0].handset.ask(asked);
    }

    /// Waits until `who` has been told, in this step, something that `fits`.
    pub(super) async fn expect(
        &mut self,
        who: Who,
        what: &str,
        fits: impl Fn(&Event) -> bool,
    ) -> Result<(), Failure> {
        self.told(who, what, |told| matches!(told, Told::Event(event) if fits(event))).await
    }

    /// The same of what streams.
    pub(super) async fn expect_media(
        &mut self,
        who: Who,
        what: &str,
        fits: impl Fn(&Notice) -> bool,
    ) -> Result<(), Failure> {
        self.told(who, what, |told| matches!(told, Told::Media(_, notice) if fits(notice))).await
    }

    async fn told(
        &mut self,
        who: Who,
        what: &str,
        fits: impl Fn(&Told) -> bool,
    ) -> Result<(), Failure> {
        while !self.told.iter().any(|(whom, told)| *whom == who && fits(told)) {
            if !self.watch().await {
                return Err(self.missed(&format!("{} did not see {what}", self.actors[who.0].name)));
            }
        }
        Ok(())
    }

    /// Waits until every request has its final answer.
    pub(super) async fn settle(&mut self) -> Result<(), Failure> {
        while let Ok(seen) = self.wire.try_recv() {
            self.draw(&seen);
        }
        while let Some((_, method)) = self.open.first() {
            let unanswered = format!("{} stayed without an answer", method.as_str());
            if !self.watch().await {
                return Err(self.missed(&unanswered));
            }
        }
        Ok(())
    }

    /// Watches until one more thing has happened; false if nothing did in time.
    async fn watch(&mut self) -> bool {
        match self.next().await {
            Happening::Wire(seen) => self.draw(&seen),
            Happening::Told(who, told) => self.note(who, told),
            Happening::Nothing => return false,
        }
        true
    }

    async fn next(&mut self) -> Happening {
        let (actors, wire) = (&mut self.actors, &mut self.wire);
        tokio::select! {
            biased;
            Some(seen) = wire.recv() => Happening::Wire(seen),
            (who, told) = told(actors) => Happening::Told(who, told),
            () = tokio::time::sleep_until(self.until) => Happening::Nothing,
        }
    }

    fn draw(&mut self, seen: &Seen) {
        let message = Message::parse(seen.bytes.clone()).ok();
        if let Some(message) = &message {
            self.account(message);
        }
        for line in self.ladder.message(seen, message.as_ref()) {
            crate::say(format_args!("{line}"));
        }
    }

    /// Keeps the list of requests without a final answer.
    fn account(&mut self, message: &Message) {
        let branch = message.headers().via().ok().and_then(|via| via.branch);
        let branch = branch.unwrap_or_default().to_owned();
        match message {
            Message::Request(request) if request.method() == Method::Ack => {}
            Message::Request(request) => {
                self.open.insert((branch, request.method()));
            }
            Message::Response(response) if response.status() < 200 => {}
            Message::Response(response) => {
                let method = response.cseq().map_or(Method::Other, |cseq| Method::of(cseq.method));
                self.open.remove(&(branch, method));
            }
        }
    }

    /// Says what somebody was told, and remembers it for this step.
    fn note(&mut self, who: Who, told: Told) {
        let actor = &self.actors[who.0];
        let report = match &told {
            Told::Event(Event::Published { .. }) => None,
            Told::Event(event) => Report::of(event, &actor.own),
            Told::Refused((what, why)) => Some(Report::error(what, why)),
            Told::Media(name, notice) => Some(Report::of_stream(*name, notice)),
        };
        if let Some(mut report) = report {
            report.fields.retain(|(name, value)| !DETAILS.contains(name) && !value.is_array());
            crate::say(format_args!("{}", self.ladder.told(actor.name, &report.to_text())));
        }
        self.told.push((who, told));
    }

    fn missed(&self, what: &str) -> Failure {
        Failure::work(format!(
            "demo: step {} ({}): {what} within {} s",
            self.steps,
            self.title,
            self.patience.as_secs()
        ))
    }
}

/// The next thing that any actor is told.
async fn told(actors: &mut [Actor]) -> (Who, Told) {
    std::future::poll_fn(|cx| {
        for (index, actor) in actors.iter_mut().enumerate() {
            if let Poll::Ready(Some((_, told))) = actor.handset.poll_told(cx) {
                return Poll::Ready((Who(index), told));
            }
        }
        Poll::Pending
    })
    .await
}
