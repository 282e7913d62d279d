//! Capsules: of a planted fault, which breaks its law again and again, and of faults that were
//! found and mended, which must break nothing any more (`models/corpus/`).

use presently_engine::server::{Command, Config, Event, Record, Server, Tables};
use presently_engine::{Input, Instant, Machine, Output};
use presently_models::capsule::{Capsule, Ending};
use presently_models::catalogue::{Depth, plans};
use presently_models::law::Law;
use presently_models::run::{Limits, check};
use presently_models::world::Serves;
use std::path::Path;
use std::time::Duration;

const LIMITS: Limits = Limits {
    states: 100_000,
    time: Duration::from_secs(300),
    threads: 1,
    shortening: 20_000,
    memory: None,
};

/// A server that forgets the decisions of its users.
#[derive(Clone, Hash, Debug, Default)]
struct Forgetful(Server);

impl Machine for Forgetful {
    type Config = Config;
    type Command = Command;
    type Event = Event;
    type Record = Record;

    fn handle(
        &mut self,
        config: &Config,
        now: Instant,
        input: Input<Command>,
        out: &mut Vec<Output<Record, Event>>,
    ) {
        self.0.handle(config, now, input, out);
        out.retain(|output| !matches!(output, Output::Record(Record::Decided(..))));
    }

    fn deadline(&self) -> Option<Instant> {
        self.0.deadline()
    }
}

impl Serves for Forgetful {
    fn recover(config: &Config, now: Instant, rows: Vec<Record>) -> Self {
        Self(Server::recover(config, now, rows))
    }

    fn tables(&self, now: Instant) -> Tables {
        self.0.tables(now)
    }

    fn transactions(&self) -> usize {
        Serves::transactions(&self.0)
    }
}

/// The capsule that a run over the forgetful server leaves.
fn planted() -> Capsule {
    let mut plan = plans(Depth::Quick).into_iter().find(|it| it.name == "C2a").expect("C2a");
    plan.laws = vec![Law::PolicySurvives];
    let broken = check::<Forgetful>(plan, LIMITS, &mut |_| {}).broken.expect("a fault");
    assert_eq!((broken.law, broken.shortest), (Law::PolicySurvives, true));
    let capsule = broken.capsule.expect("models of the world leave one");
    assert_eq!(capsule.steps.len(), broken.steps);
    capsule
}

#[test]
fn a_fault_breaks_its_law_again_after_its_capsule_was_read_from_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let (capsule, path) = (planted(), folder.path().join("capsule.json"));
    capsule.write(&path).expect("written");
    let read = Capsule::read(&path).expect("read");
    assert_eq!(read, capsule);
    let walk = read.walk::<Forgetful>().expect("walked");
    assert_eq!(walk.ending, Ending::Broken(Law::PolicySurvives, capsule.steps.len()));
    assert!(walk.ladder.contains("PUBLISH x-presrules"), "{}", walk.ladder);
}

#[test]
fn the_shipped_server_holds_the_law_on_the_same_way() {
    assert_eq!(planted().walk::<Server>().expect("walked").ending, Ending::Held);
}

#[test]
fn faults_that_were_mended_stay_mended() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut walked = 0;
    for entry in std::fs::read_dir(corpus).expect("the corpus") {
        let path = entry.expect("an entry").path();
        let capsule = Capsule::read(&path).unwrap_or_else(|why| panic!("{why}"));
        let walk = capsule.walk::<Server>().unwrap_or_else(|why| panic!("{path:?}: {why}"));
        match walk.ending {
            Ending::Held => {}
            // The mended engine need not go the whole way, but a start that is none shows nothing.
            Ending::Differs(step, _) if step > 0 && !capsule.is_of_this_engine() => {}
            Ending::Differs(..) | Ending::Broken(..) => {
                panic!("{path:?}: {:?}\n{}", walk.ending, walk.ladder)
            }
        }
        walked += 1;
    }
    assert!(walked > 0, "an empty corpus");
}
