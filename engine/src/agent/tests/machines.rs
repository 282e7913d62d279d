//! The agent's machines as tables: every state, every event (M10, M12, M15, M18). A dot means
//! that the state stays, a dash that nothing is sent or told.

use super::rig::*;
use crate::agent::{Command, Package, publication, registration, usage};
use crate::body::pidf::Basic;
use crate::message::{Method, Name};

fn answer_last(scene: &mut Scene, method: Method, status: u16, headers: &[(Name, &str)]) {
    if let Some(request) = scene.last(method) {
        scene.answer(&request, status, headers);
    }
}

fn challenge_last(scene: &mut Scene, method: Method) {
    if let Some(request) = scene.last(method) {
        scene.challenge(&request, "n1", "boot1", false);
    }
}

mod m10 {
    use super::*;

    fn name(scene: &Scene) -> String {
        match scene.agent.registration.state {
            registration::State::Off => "Off",
            registration::State::Registering { .. } => "Registering",
            registration::State::On { .. } => "On",
            registration::State::Backoff => "Backoff",
            registration::State::Recalling { .. } => "Recalling",
            registration::State::Leaving { .. } => "Leaving",
        }
        .into()
    }

    fn registering() -> Scene {
        let mut scene = Scene::new();
        scene.say(Command::Login);
        scene
    }

    fn on() -> Scene {
        let mut scene = registering();
        answer_last(&mut scene, Method::Register, 200, &[(Name::Expires, "600")]);
        scene
    }

    fn backoff() -> Scene {
        let mut scene = registering();
        scene.lose_server();
        scene
    }

    fn recalling() -> Scene {
        let mut scene = registering();
        scene.say(Command::Logout);
        scene
    }

    fn leaving() -> Scene {
        let mut scene = on();
        scene.say(Command::Logout);
        scene
    }

    #[test]
    fn table_of_the_registration_client() {
        let text = table(
            &[
                ("Off", Scene::new),
                ("Registering", registering),
                ("On", on),
                ("Backoff", backoff),
                ("Recalling", recalling),
                ("Leaving", leaving),
            ],
            &[
                ("login", |s| s.say(Command::Login)),
                ("logout", |s| s.say(Command::Logout)),
                ("200", |s| answer_last(s, Method::Register, 200, &[(Name::Expires, "600")])),
                ("401", |s| challenge_last(s, Method::Register)),
                ("423", |s| answer_last(s, Method::Register, 423, &[(Name::MinExpires, "9999")])),
                ("403", |s| answer_last(s, Method::Register, 403, &[])),
                ("500", |s| answer_last(s, Method::Register, 500, &[])),
                ("server unreachable", Scene::lose_server),
                ("2 s pass", |s| s.pass(secs(2))),
                ("32 s pass", |s| s.pass(secs(32))),
                ("540 s pass", |s| s.pass(secs(540))),
            ],
            name,
        );
        insta::assert_snapshot!(text);
    }
}

mod m12 {
    use super::*;

    fn name(scene: &Scene) -> String {
        match &scene.agent.publication.state {
            publication::State::Unpub => "Unpub".into(),
            publication::State::Initial { changed, .. } => mark("Initial", *changed),
            publication::State::Pub { etag, .. } => format!("Pub({etag})"),
            publication::State::Refreshing { changed, .. } => mark("Refreshing", *changed),
            publication::State::Modifying { changed, .. } => mark("Modifying", *changed),
            publication::State::Backoff { etag: None } => "Backoff".into(),
            publication::State::Backoff { etag: Some(etag) } => format!("Backoff({etag})"),
            publication::State::Removing { .. } => "Removing".into(),
        }
    }

    fn mark(state: &str, changed: bool) -> String {
        format!("{state}{}", if changed { "+" } else { "" })
    }

    fn ok(scene: &mut Scene) {
        let headers = [(Name::SipEtag, "e"), (Name::Expires, "600")];
        answer_last(scene, Method::Publish, 200, &headers);
    }

    fn initial() -> Scene {
        let mut scene = Scene::online();
        scene.open();
        scene
    }

    fn published() -> Scene {
        let mut scene = initial();
        ok(&mut scene);
        scene
    }

    fn refreshing() -> Scene {
        let mut scene = published();
        scene.pass(secs(540));
        scene
    }

    fn modifying() -> Scene {
        let mut scene = published();
        scene.open();
        scene
    }

    fn backoff() -> Scene {
        let mut scene = initial();
        scene.lose_server();
        scene
    }

    fn backoff_with_etag() -> Scene {
        let mut scene = modifying();
        answer_last(&mut scene, Method::Publish, 500, &[]);
        scene
    }

    fn removing() -> Scene {
        let mut scene = published();
        scene.say(Command::Logout);
        scene
    }

    #[test]
    fn table_of_the_publication_client() {
        let text = table(
            &[
                ("Unpub", Scene::online),
                ("Initial", initial),
                ("Pub(e)", published),
                ("Refreshing", refreshing),
                ("Modifying", modifying),
                ("Modifying+", || {
                    let mut scene = modifying();
                    scene.open();
                    scene
                }),
                ("Backoff", backoff),
                ("Backoff(e)", backoff_with_etag),
                ("Removing", removing),
            ],
            &[
                ("state changes", |s| {
                    s.say(Command::SetPresence { basic: Basic::Closed, note: None });
                }),
                ("200", ok),
                ("401", |s| challenge_last(s, Method::Publish)),
                ("412", |s| answer_last(s, Method::Publish, 412, &[])),
                ("423", |s| answer_last(s, Method::Publish, 423, &[(Name::MinExpires, "9999")])),
                ("403", |s| answer_last(s, Method::Publish, 403, &[])),
                ("500", |s| answer_last(s, Method::Publish, 500, &[])),
                ("server unreachable", Scene::lose_server),
                ("2 s pass", |s| s.pass(secs(2))),
                ("540 s pass", |s| s.pass(secs(540))),
                ("logout", |s| s.say(Command::Logout)),
            ],
            name,
        );
        insta::assert_snapshot!(text);
    }
}

mod m15 {
    use super::*;

    fn name(scene: &Scene) -> String {
        let Some(usage) = scene.agent.subscriptions.usages.values().next_back() else {
            return "none".into();
        };
        let state = match &usage.state {
            usage::State::Init => "Init",
            usage::State::NotifyWait { .. } => "NotifyWait",
            usage::State::Pending(_) => "Pending",
            usage::State::Active(_) => "Active",
            usage::State::Ending(_) => "Ending",
            usage::State::Terminated => "Terminated",
        };
        let refreshing = usage.dialog().is_some()
            && usage.ticket.is_some()
            && matches!(usage.state, usage::State::Pending(_) | usage::State::Active(_));
        format!("{state}{}", if refreshing { "+Refreshing" } else { "" })
    }

    fn waiting() -> Scene {
        let mut scene = Scene::online();
        let dialog = scene.watch(bob(), Package::Presence);
        scene.notifier = Some(dialog);
        scene
    }

    fn in_state(state: &str) -> Scene {
        let mut scene = waiting();
        ok(&mut scene);
        notify(&mut scene, state);
        scene
    }

    fn ok(scene: &mut Scene) {
        answer_last(scene, Method::Subscribe, 200, &[(Name::Expires, "600")]);
    }

    fn notify(scene: &mut Scene, state: &str) {
        if let Some(mut dialog) = scene.notifier.take() {
            dialog.cseq += 1;
            let bytes = scene.draft_notify(&dialog, state, Body::None);
            scene.hear(bytes);
            scene.notifier = Some(dialog);
        }
    }

    fn refreshing(state: &str) -> Scene {
        let mut scene = in_state(state);
        scene.pass(secs(540));
        scene
    }

    fn ending() -> Scene {
        let mut scene = in_state("active;expires=600");
        scene.say(Command::Unsubscribe { target: bob(), package: Package::Presence });
        scene
    }

    fn old_notify(scene: &mut Scene) {
        if let Some(dialog) = &mut scene.notifier {
            dialog.cseq = dialog.cseq.saturating_sub(1);
        }
        notify(scene, "active;expires=600");
    }

    fn forked_notify(scene: &mut Scene) {
        if let Some(dialog) = &mut scene.notifier {
            dialog.tag = "fork";
        }
        notify(scene, "active;expires=600");
    }

    const EVENTS: &[EventRow] = &[
        ("subscribe", |s| {
            let package = Package::Presence;
            s.say(Command::Subscribe { target: bob(), package, expires: None });
        }),
        ("unsubscribe", |s| {
            s.say(Command::Unsubscribe { target: bob(), package: Package::Presence });
        }),
        ("NOTIFY pending", |s| notify(s, "pending;expires=600")),
        ("NOTIFY active", |s| notify(s, "active;expires=600")),
        ("NOTIFY timeout", |s| notify(s, "terminated;reason=timeout")),
        ("NOTIFY rejected", |s| notify(s, "terminated;reason=rejected")),
        ("NOTIFY, CSeq not higher", old_notify),
        ("NOTIFY, other From tag", forked_notify),
        ("200", ok),
        ("401", |s| challenge_last(s, Method::Subscribe)),
        ("403", |s| answer_last(s, Method::Subscribe, 403, &[])),
        ("423", |s| answer_last(s, Method::Subscribe, 423, &[(Name::MinExpires, "9999")])),
        ("481", |s| answer_last(s, Method::Subscribe, 481, &[])),
        ("503", |s| answer_last(s, Method::Subscribe, 503, &[])),
        ("server unreachable", Scene::lose_server),
        ("2 s pass", |s| s.pass(secs(2))),
        ("32 s pass", |s| s.pass(secs(32))),
        ("600 s pass", |s| s.pass(secs(600))),
    ];

    #[test]
    fn table_of_the_subscriber() {
        let states: &[StateRow] = &[
            ("NotifyWait", waiting),
            ("Pending", || in_state("pending;expires=600")),
            ("Active", || in_state("active;expires=600")),
            ("Pending+Refreshing", || refreshing("pending;expires=600")),
            ("Active+Refreshing", || refreshing("active;expires=600")),
            ("Ending", ending),
            ("Terminated", || in_state("terminated;reason=rejected")),
            ("none", Scene::online),
        ];
        insta::assert_snapshot!(table(states, EVENTS, name));
    }
}

mod m18 {
    use super::*;

    fn name(scene: &Scene) -> String {
        scene.agent.outbox.phase_of(&bob()).unwrap_or("none").into()
    }

    fn sending() -> Scene {
        let mut scene = Scene::online();
        scene.say(Command::SendMessage { target: bob(), text: "hi".into(), ticket: 1 });
        scene
    }

    fn retry() -> Scene {
        let mut scene = sending();
        scene.lose_server();
        scene
    }

    fn queued() -> Scene {
        let mut scene = Scene::new();
        scene.say(Command::SendMessage { target: bob(), text: "hi".into(), ticket: 1 });
        scene
    }

    #[test]
    fn table_of_the_message_sender() {
        let text = table(
            &[("none", Scene::online), ("Queued", queued), ("Sending", sending), ("Retry", retry)],
            &[
                ("another message", |s| {
                    s.say(Command::SendMessage { target: bob(), text: "2".into(), ticket: 2 });
                }),
                ("200", |s| answer_last(s, Method::Message, 200, &[])),
                ("202", |s| answer_last(s, Method::Message, 202, &[])),
                ("401", |s| challenge_last(s, Method::Message)),
                ("404", |s| answer_last(s, Method::Message, 404, &[])),
                ("500", |s| answer_last(s, Method::Message, 500, &[])),
                ("603", |s| answer_last(s, Method::Message, 603, &[])),
                ("server unreachable", Scene::lose_server),
                ("2 s pass", |s| s.pass(secs(2))),
                ("32 s pass", |s| s.pass(secs(32))),
            ],
            name,
        );
        insta::assert_snapshot!(text);
    }
}
