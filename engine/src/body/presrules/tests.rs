use super::*;
use proptest::prelude::*;

macro_rules! example {
    ($name:literal) => {
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/examples/xml/",
            $name,
            ".xml"
        ))
    };
}

fn rule_set(rules: &str) -> String {
    format!(
        "<ruleset xmlns='{COMMON_POLICY}' xmlns:pr='{PRES_RULES}' xmlns:dm='{DIRECT_MEDIA}'>\
         {rules}</ruleset>"
    )
}

fn rule(conditions: &str, actions: &str) -> String {
    format!("<rule id='a'><conditions>{conditions}</conditions><actions>{actions}</actions></rule>")
}

fn one(id: &str) -> String {
    format!("<identity><one id='{id}'/></identity>")
}

fn handling(word: &str) -> String {
    format!("<pr:sub-handling>{word}</pr:sub-handling>")
}

fn read(rules: &str) -> Rules {
    Rules::parse(rule_set(rules).as_bytes()).unwrap()
}

fn verdict(rules: &Rules, watcher: &str) -> Option<(Handling, bool)> {
    let verdict = rules.verdicts.get(&Aor::parse(watcher).unwrap());
    verdict.map(|verdict| (verdict.handling, verdict.direct))
}

const ALICE: &str = "sip:alice@example.com";

#[test]
fn the_example_of_rfc_5025_allows_its_user() {
    let rules = Rules::parse(example!("rfc5025-s6-01-ruleset")).unwrap();
    assert_eq!(rules.verdicts.len(), 1);
    assert_eq!(verdict(&rules, "sip:user@example.com"), Some((Handling::Allow, true)));
}

#[test]
fn rules_under_conditions_we_cannot_judge_grant_nothing() {
    for text in [
        &example!("rfc4745-s7.1.3.2-01-ruleset")[..],
        example!("rfc4745-s7.3-01-ruleset"),
        example!("rfc4745-s12-01-ruleset"),
    ] {
        assert_eq!(Rules::parse(text).unwrap(), Rules::default());
    }
    let allow = handling("allow");
    let alice = one(ALICE);
    for conditions in [
        "<identity><many/></identity>",
        "<identity><many domain='example.com'><except id='tel:+1'/></many></identity>",
        "",
        &[&alice, "<sphere value='work'/>"].concat(),
        &[&alice, "<x:y xmlns:x='urn:x'/>"].concat(),
        &[&alice, "<validity><from>2003-12-24T17:00:00Z</from></validity>"].concat(),
        &[&*alice, &one("sip:bob@example.com")].concat(),
    ] {
        assert_eq!(read(&rule(conditions, &allow)), Rules::default(), "{conditions}");
    }
    let unconditional = ["<rule id='a'><actions>", &allow, "</actions></rule>"].concat();
    assert_eq!(read(&unconditional), Rules::default());
}

#[test]
fn an_identity_names_whoever_one_of_its_children_names() {
    let identity = "<identity><one id='sip:alice@example.com'/><many/>\
                    <one id='sip:bob@example.com'>\
                    <x:y xmlns:x='urn:x'/></one></identity>";
    let rules = read(&rule(identity, &handling("confirm")));
    assert_eq!(verdict(&rules, ALICE), Some((Handling::Confirm, false)));
    assert_eq!(verdict(&rules, "sip:bob@example.com"), Some((Handling::Confirm, false)));
}

#[test]
fn an_identity_that_is_no_address_of_record_is_an_error_with_its_line() {
    let fault = Rules::parse(example!("rfc4745-s7.1.2-01-ruleset")).unwrap_err();
    assert_eq!(fault.line, 8);
    assert!(fault.what.contains("tel:+1-212-555-1234"), "{fault}");
    for bad in ["", "alice", "mailto:a@b", "sip:example.com"] {
        let text = rule_set(&rule(&one(bad), &handling("allow")));
        assert!(Rules::parse(text.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn identities_are_compared_in_canonical_form() {
    let rules = read(&rule(&one("sips:%61lice@EXAMPLE.com;user=x"), &handling("allow")));
    assert_eq!(verdict(&rules, ALICE), Some((Handling::Allow, true)));
}

#[test]
fn several_rules_combine_to_the_highest_value_of_each_action() {
    let first = rule(&one(ALICE), &handling("polite-block"));
    let second = rule(&one(ALICE), &handling("allow"));
    let third = rule(&one(ALICE), &handling("block"));
    let rules = read(&[first, second.clone(), third].concat());
    assert_eq!(verdict(&rules, ALICE), Some((Handling::Allow, true)));
    let no_direct = rule(&one(ALICE), "<dm:direct>false</dm:direct>");
    let rules = read(&[second, no_direct].concat());
    assert_eq!(verdict(&rules, ALICE), Some((Handling::Allow, false)));
}

#[test]
fn a_rule_without_handling_blocks() {
    let rules = read(&rule(&one(ALICE), ""));
    assert_eq!(verdict(&rules, ALICE), Some((Handling::Block, false)));
}

#[test]
fn faults_are_refused() {
    for bad in [
        rule(&one(ALICE), &handling("maybe")),
        rule(&one(ALICE), "<dm:direct>perhaps</dm:direct>"),
        "<rule><conditions/></rule>".to_owned(),
    ] {
        assert!(Rules::parse(rule_set(&bad).as_bytes()).is_err(), "{bad}");
    }
    assert!(Rules::parse(b"<ruleset/>").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_reads_back(
        verdicts in proptest::collection::btree_map(
            "[a-z]{1,4}",
            (proptest::sample::select(&Handling::ALL[..]), any::<bool>()),
            0..6,
        )
    ) {
        let verdict = |(user, (handling, direct)): (String, (Handling, bool))| {
            (Aor::new(&user, "example.org"), Verdict { handling, direct })
        };
        let rules = Rules { verdicts: verdicts.into_iter().map(verdict).collect() };
        prop_assert_eq!(Rules::parse(&rules.write()).unwrap(), rules);
    }
}
