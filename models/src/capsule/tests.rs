use super::*;
use crate::drawing::Deed;

fn plan() -> Plan {
    plans(Depth::Quick).into_iter().find(|plan| plan.name == "C2a").expect("C2a")
}

fn deed(does: &str) -> Deed {
    Deed { does: does.to_owned(), which: 0 }
}

/// Bob asks and is told that he has to wait: nothing is broken on the way.
fn capsule() -> Capsule {
    let steps = [
        "bob watches alice",
        "deliver bob → server: SUBSCRIBE presence 1",
        "deliver server → bob: NOTIFY presence 1",
    ];
    Capsule::new(&plan(), Law::NoDocBeforeApproval, steps.map(deed).to_vec())
}

fn refused(text: &str) -> String {
    Capsule::parse(text).expect_err("refused").to_string()
}

#[test]
fn a_capsule_is_written_and_read_again() {
    let written = capsule();
    assert_eq!(Capsule::parse(&written.text()), Ok(written.clone()));
    assert_eq!(written.file_name(), "C2a-P2-NoDocBeforeApproval.json");
    assert!(written.is_of_this_engine());
}

#[test]
fn a_way_that_breaks_nothing_is_walked_to_its_end() {
    let walk = capsule().walk::<Server>().expect("walked");
    assert_eq!(walk.ending, Ending::Held);
    assert!(walk.ladder.contains("3. deliver server → bob: NOTIFY presence 1"), "{}", walk.ladder);
}

#[test]
fn a_step_that_is_not_possible_ends_the_walk_there() {
    let mut other = capsule();
    other.steps[2] = deed("deliver server → bob: NOTIFY presence 9");
    let walk = other.walk::<Server>().expect("walked");
    let Ending::Differs(2, unfound) = walk.ending else { panic!("{:?}", walk.ending) };
    let says = unfound.to_string();
    assert!(says.contains("NOTIFY presence 9” is not possible here; possible: "), "{says}");
    assert!(says.contains("deliver server → bob: NOTIFY presence 1"), "{says}");
}

#[test]
fn the_bounds_are_the_capsules_own() {
    let mut other = capsule();
    other.bounds.drops = 1;
    other.steps.push(deed("drop bob → server: 200 to NOTIFY 1"));
    assert_eq!(other.walk::<Server>().expect("walked").ending, Ending::Held);
}

#[test]
fn what_is_not_understood_is_refused() {
    let text = capsule().text();
    assert!(refused("{").starts_with("not a capsule: EOF"));
    assert!(refused("[]").ends_with("it does not say what it is"));
    let more = refused(&text.replace("\"law\"", "\"also\": 1, \"law\""));
    assert!(more.contains("unknown field `also`"), "{more}");
    let more = refused(&text.replace("\"drops\"", "\"floods\""));
    assert!(more.contains("unknown field `floods`"), "{more}");
    assert_eq!(
        refused(&text.replace("\"format\": 1", "\"format\": 2")),
        "capsule format 2; this version reads format 1 only"
    );
    assert_eq!(
        refused(&text.replace(KIND, "presence-check certificate")),
        "not a capsule of presence-check: it says it is a presence-check certificate"
    );
    let of_sim = refused("{\"format\": 1, \"plan\": {}}");
    assert!(of_sim.contains("presence-sim replay"), "{of_sim}");
}

#[test]
fn a_wish_that_was_added_since_does_not_matter_to_a_way_without_it() {
    let mut other = capsule();
    other.made_of["wishes"] = serde_json::json!(["bob watches alice"]);
    assert_eq!(other.walk::<Server>().expect("walked").ending, Ending::Held);
}

#[test]
fn what_this_version_does_not_have_is_refused_by_name() {
    let refused = |change: &dyn Fn(&mut Capsule)| {
        let mut other = capsule();
        change(&mut other);
        other.walk::<Server>().expect_err("refused").to_string()
    };
    assert_eq!(refused(&|it| it.model = "C99".to_owned()), "this version has no model C99");
    assert_eq!(
        refused(&|it| it.law = "P99 Nothing".to_owned()),
        "this version has no law “P99 Nothing”"
    );
    assert_eq!(
        refused(&|it| it.made_of["linger"] = true.into()),
        "C2a has been changed since: it has other linger"
    );
}
