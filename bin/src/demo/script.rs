//! The play: two people and a stranger.
//!
//! It is trace T1 of the behaviour document with a presence change, an offer, messages and T10,
//! the message that waits. Each step says what must be seen before the next begins.

use super::ladder::Side;
use super::stage::{Stage, Who};
use crate::failure::Failure;
use crate::ua::link::Setup;
use crate::ua::media::{Devices, Repertoire};
use crate::ua::{Asked, Habits, Notice, pick_up};
use presently_engine::agent::{
    Command, DirectPolicy, Event, FlowPhase, MessagePhase, Package, SubscriptionPhase,
};
use presently_engine::body::pidf::{Basic, Mode, Pidf};
use presently_engine::body::presrules::{Handling, Verdict};
use presently_engine::body::winfo::Status;
use presently_engine::message::Aor;
use presently_net::Service;
use std::net::SocketAddr;

/// Who plays, and where.
pub(super) struct Cast<'a> {
    pub(super) domain: &'a str,
    /// Names and passwords.
    pub(super) accounts: &'a [(&'static str, String)],
    pub(super) server: SocketAddr,
    /// Whether the server may remember an earlier performance.
    pub(super) remembers: bool,
}

impl Cast<'_> {
    fn aor(&self, name: &str) -> Aor {
        Aor::new(name, self.domain)
    }

    fn password(&self, name: &str) -> &str {
        let found = self.accounts.iter().find(|(account, _)| *account == name);
        found.map_or("", |(_, password)| password)
    }

    fn enter(
        &self,
        stage: &mut Stage,
        name: &'static str,
        password: &str,
        side: Side,
    ) -> Result<Who, Failure> {
        let setup = Setup {
            aor: self.aor(name),
            password: password.into(),
            server: self.server,
            bind: None,
            direct: DirectPolicy::default(),
        };
        let (devices, habits) = (Devices::default(), Habits::default());
        let handset = pick_up(setup, devices, Repertoire::default(), habits)?;
        Ok(stage.enter(name, self.aor(name), handset, side))
    }
}

/// The actors once they are on stage.
struct Scene {
    stage: Stage,
    alice: Who,
    bob: Who,
    alices: Aor,
    bobs: Aor,
}

/// Plays everything, or says which step did not happen.
pub(super) async fn play(
    mut stage: Stage,
    cast: &Cast<'_>,
    service: &Service,
) -> Result<(), Failure> {
    let alice = cast.enter(&mut stage, "alice", cast.password("alice"), Side::Left)?;
    let bob = cast.enter(&mut stage, "bob", cast.password("bob"), Side::Right)?;
    stage.curtain("alice", "bob");
    let (alices, bobs) = (cast.aor("alice"), cast.aor("bob"));
    let mut scene = Scene { stage, alice, bob, alices, bobs };
    scene.log_in().await?;
    if cast.remembers {
        scene.forget().await?;
    }
    scene.stranger(cast, service).await?;
    scene.approval().await?;
    scene.presence().await?;
    scene.direct_media().await?;
    scene.messages().await?;
    scene.farewell().await?;
    scene.offline_message().await?;
    scene.log_out().await
}

impl Scene {
    async fn log_in(&mut self) -> Result<(), Failure> {
        let registered = |event: &Event| matches!(event, Event::Registered { .. });
        for (who, title) in [
            (self.alice, "alice logs in: the server asks who she is, digest proves it"),
            (self.bob, "bob logs in"),
        ] {
            self.stage.step(title).await?;
            self.stage.act(who, Command::Login);
            self.stage.expect(who, "the registration", registered).await?;
            let open = Command::SetPresence { basic: Basic::Open, note: None };
            self.stage.act(who, open);
            self.stage.expect(who, "the publication", is_published).await?;
        }
        self.stage.step("bob asks to be told who watches him").await?;
        let (target, package) = (self.bobs.clone(), Package::Winfo);
        self.stage.act(self.bob, Command::Subscribe { target, package, expires: None });
        self.subscribed(self.bob, Package::Winfo, SubscriptionPhase::Active).await
    }

    /// Takes back what an earlier performance on the same data left behind.
    async fn forget(&mut self) -> Result<(), Failure> {
        self.stage.step("bob takes back what he may have decided another time").await?;
        let decide = Command::Decide { watcher: self.alices.clone(), verdict: None };
        self.stage.act(self.bob, decide);
        let decided = |event: &Event| matches!(event, Event::Decided { status: 200, .. });
        self.stage.expect(self.bob, "the decision taken back", decided).await
    }

    /// What a stranger does changes nothing (P1, P42).
    async fn stranger(&mut self, cast: &Cast<'_>, service: &Service) -> Result<(), Failure> {
        self.stage.step("a stranger tries to be carol, without her password").await?;
        let before = rows(service).await;
        let carol = cast.enter(&mut self.stage, "carol", "a guess", Side::Left)?;
        self.stage.act(carol, Command::Login);
        let refused = |event: &Event| matches!(event, Event::RegisterFailed { .. });
        self.stage.expect(carol, "the refusal", refused).await?;
        self.stage.settle().await?;
        let after = rows(service).await;
        if before != after {
            return Err(Failure::work(format!(
                "demo: a stranger changed the tables: rows of PIT, PST, WT, WST were {before:?} \
                 and are {after:?}"
            )));
        }
        crate::say(format_args!(
            "         the tables are as before: rows of PIT, PST, WT, WST {after:?}"
        ));
        Ok(())
    }

    /// T1: pending until the owner decides.
    async fn approval(&mut self) -> Result<(), Failure> {
        self.stage.step("alice wants to watch bob; nothing is shown until he decides").await?;
        let (target, package) = (self.bobs.clone(), Package::Presence);
        self.stage.act(self.alice, Command::Subscribe { target, package, expires: None });
        self.subscribed(self.alice, Package::Presence, SubscriptionPhase::Pending).await?;
        self.watched(Status::Pending).await?;

        self.stage.step("bob allows alice; she sees him").await?;
        let verdict = Some(Verdict { handling: Handling::Allow, direct: true });
        let decide = Command::Decide { watcher: self.alices.clone(), verdict };
        self.stage.act(self.bob, decide);
        let decided = |event: &Event| matches!(event, Event::Decided { status: 200, .. });
        self.stage.expect(self.bob, "his decision accepted", decided).await?;
        self.subscribed(self.alice, Package::Presence, SubscriptionPhase::Active).await?;
        self.shown("bob open", |document| has_basic(document, Basic::Open)).await?;
        self.watched(Status::Active).await
    }

    async fn presence(&mut self) -> Result<(), Failure> {
        const NOTE: &str = "in a meeting";
        self.stage.step("bob changes his presence").await?;
        let busy = Command::SetPresence { basic: Basic::Open, note: Some(NOTE.into()) };
        self.stage.act(self.bob, busy);
        let has_note = |document: &Pidf| {
            let of_tuples = document.tuples.iter().flat_map(|tuple| &tuple.notes);
            of_tuples.chain(&document.notes).any(|note| &*note.text == NOTE)
        };
        self.shown("the note", has_note).await?;

        self.stage.step("bob offers direct audio; alice sees where and how").await?;
        let (media, mode) = ("audio".into(), Mode::Ready);
        self.stage.ask(self.bob, Asked::Offer { media, mode });
        let ready = |event: &Event| matches!(event, Event::Offer { mode: Some(Mode::Ready), .. });
        self.stage.expect(self.alice, "the offer", ready).await
    }

    /// T6: no INVITE, no dialog.
    async fn direct_media(&mut self) -> Result<(), Failure> {
        self.stage.step("alice speaks to bob directly, without any INVITE").await?;
        let (target, media) = (self.bobs.clone(), "audio".into());
        self.stage.ask(self.alice, Asked::Direct { target, media });
        let streams =
            |event: &Event| matches!(event, Event::Flow { phase: FlowPhase::Streaming, .. });
        self.stage.expect(self.alice, "her flow", streams).await?;
        self.stage.expect(self.bob, "her flow", streams).await?;
        let played = |notice: &Notice| matches!(notice, Notice::FirstPlayed(_));
        self.stage.expect_media(self.bob, "the first sound", played).await?;
        let offered = |mode: Mode| {
            move |event: &Event| {
                let Event::Offer { mode: now, .. } = event else { return false };
                *now == Some(mode)
            }
        };
        self.stage.expect(self.alice, "that he is busy", offered(Mode::Busy)).await?;

        self.stage.step("alice stops; bob can be spoken to again").await?;
        self.stage.ask(self.alice, Asked::Stop { flow: None });
        let stopped =
            |event: &Event| matches!(event, Event::Flow { phase: FlowPhase::Stopped, .. });
        self.stage.expect(self.bob, "the end of the flow", stopped).await?;
        self.stage.expect(self.alice, "that he is ready", offered(Mode::Ready)).await
    }

    async fn messages(&mut self) -> Result<(), Failure> {
        let (alice, bob) = (self.alice, self.bob);
        let (alices, bobs) = (self.alices.clone(), self.bobs.clone());
        self.stage.step("alice and bob write to each other").await?;
        self.send(alice, bobs, "Are you there, bob?", 1, MessagePhase::Delivered).await?;
        self.received(bob, "Are you there, bob?", false).await?;
        self.send(bob, alices, "In a minute, alice.", 2, MessagePhase::Delivered).await?;
        self.received(alice, "In a minute, alice.", false).await
    }

    /// The end of T1.
    async fn farewell(&mut self) -> Result<(), Failure> {
        self.stage.step("alice stops watching; bob is told").await?;
        let (target, package) = (self.bobs.clone(), Package::Presence);
        self.stage.act(self.alice, Command::Unsubscribe { target, package });
        self.subscribed(self.alice, Package::Presence, SubscriptionPhase::Terminated).await?;
        self.watched(Status::Terminated).await
    }

    /// T10.
    async fn offline_message(&mut self) -> Result<(), Failure> {
        let (alice, bob, bobs) = (self.alice, self.bob, self.bobs.clone());
        self.logged_out(bob, "bob goes offline").await?;
        self.stage.step("alice writes to him: the server keeps the message").await?;
        self.send(alice, bobs, "See you tomorrow.", 3, MessagePhase::Stored).await?;
        self.stage.step("bob comes back: the message is waiting").await?;
        self.stage.act(bob, Command::Login);
        self.received(bob, "See you tomorrow.", true).await?;
        self.stage.expect(bob, "the publication", is_published).await?;
        self.subscribed(bob, Package::Winfo, SubscriptionPhase::Active).await
    }

    async fn log_out(&mut self) -> Result<(), Failure> {
        self.logged_out(self.bob, "both log out").await?;
        self.stage.act(self.alice, Command::Logout);
        let gone = |event: &Event| matches!(event, Event::LoggedOut);
        self.stage.expect(self.alice, "the end of the logout", gone).await?;
        self.stage.settle().await
    }

    async fn logged_out(&mut self, who: Who, title: &str) -> Result<(), Failure> {
        self.stage.step(title).await?;
        self.stage.act(who, Command::Logout);
        let gone = |event: &Event| matches!(event, Event::LoggedOut);
        self.stage.expect(who, "the end of the logout", gone).await
    }

    async fn send(
        &mut self,
        who: Who,
        target: Aor,
        text: &str,
        ticket: u64,
        end: MessagePhase,
    ) -> Result<(), Failure> {
        self.stage.act(who, Command::SendMessage { target, text: text.into(), ticket });
        let ended = |event: &Event| {
            matches!(event, Event::MessageStatus { ticket: of, phase, .. }
                if *of == ticket && *phase == end)
        };
        self.stage.expect(who, "the fate of the message", ended).await
    }

    async fn received(&mut self, who: Who, words: &str, was_stored: bool) -> Result<(), Failure> {
        let fits = |event: &Event| {
            matches!(event, Event::Message { text, stored, .. }
                if &**text == words && *stored == was_stored)
        };
        self.stage.expect(who, "the message", fits).await
    }

    async fn subscribed(
        &mut self,
        who: Who,
        wanted: Package,
        state: SubscriptionPhase,
    ) -> Result<(), Failure> {
        let fits = |event: &Event| {
            matches!(event, Event::Subscription { package, phase, .. }
                if *package == wanted && *phase == state)
        };
        let what = format!("the subscription {}", crate::ua::report::phase_name(state));
        self.stage.expect(who, &what, fits).await
    }

    /// Bob is told about alice in his watcher information.
    async fn watched(&mut self, wanted: Status) -> Result<(), Failure> {
        let alices = self.alices.clone();
        let fits = |event: &Event| {
            matches!(event, Event::Watcher { uri, status, .. }
                if **uri == *alices.as_str() && *status == wanted)
        };
        let what = format!("alice {} among his watchers", wanted.as_str());
        self.stage.expect(self.bob, &what, fits).await
    }

    /// Alice is shown a document of bob.
    async fn shown(&mut self, what: &str, has: impl Fn(&Pidf) -> bool) -> Result<(), Failure> {
        let fits =
            |event: &Event| matches!(event, Event::Presence { document, .. } if has(document));
        self.stage.expect(self.alice, what, fits).await
    }
}

fn is_published(event: &Event) -> bool {
    matches!(event, Event::Published { .. })
}

fn has_basic(document: &Pidf, basic: Basic) -> bool {
    document.tuples.iter().any(|tuple| tuple.basic == Some(basic))
}

/// How many rows the server's four tables have.
async fn rows(service: &Service) -> [usize; 4] {
    let shards = service.inspect(|server, now| server.tables(now)).await;
    shards.iter().fold([0; 4], |[pit, pst, wt, wst], tables| {
        [
            pit + tables.pit.len(),
            pst + tables.pst.len(),
            wt + tables.wt.len(),
            wst + tables.wst.len(),
        ]
    })
}
