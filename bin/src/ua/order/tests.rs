use super::*;

fn own() -> Aor {
    Aor::parse("sip:alice@example.org").expect("an address")
}

fn read(line: &str) -> Order {
    match Order::parse(line, &own()) {
        Ok(Some(order)) => order,
        other => panic!("{line:?} was read as {other:?}"),
    }
}

fn asked(line: &str) -> Asked {
    match read(line) {
        Order::Media(asked) => asked,
        other => panic!("{line:?} was read as {other:?}"),
    }
}

fn misread(line: &str) -> (String, String) {
    let Misread { what, why } = Order::parse(line, &own()).expect_err("was read");
    (what, why)
}

fn bob() -> Aor {
    Aor::parse("sip:bob@example.org").expect("an address")
}

#[test]
fn an_address_may_be_short_or_with_domain_or_whole() {
    for written in ["bob", "bob@example.org", "sip:bob@example.org", "sip:bob@EXAMPLE.org"] {
        assert_eq!(read(&format!("fetch {written}")), Order::Fetch { target: bob() }, "{written}");
    }
    let elsewhere = Aor::parse("sip:bob@example.net").expect("an address");
    assert_eq!(read("fetch bob@example.net"), Order::Fetch { target: elsewhere });
}

#[test]
fn every_command_is_read_with_its_words() {
    let note = |text: &str| Some(text.into());
    assert_eq!(
        read("presence open in a  meeting"),
        Order::Presence { basic: Basic::Open, note: note("in a  meeting") }
    );
    assert_eq!(read("presence closed"), Order::Presence { basic: Basic::Closed, note: None });
    assert_eq!(read("watch bob"), Order::Watch { target: bob(), seconds: None });
    assert_eq!(read("watch bob 60"), Order::Watch { target: bob(), seconds: Some(60) });
    assert_eq!(read("unwatch bob"), Order::Unwatch { target: bob() });
    assert_eq!(
        read(" message bob hello, you  there "),
        Order::Message { target: bob(), text: "hello, you  there".into() }
    );
    let (media, mode) = ("audio".into(), Mode::Ready);
    assert_eq!(asked("offer audio ready"), Asked::Offer { media, mode });
    for (line, paper) in [("paper bob", true), ("paper bob on", true), ("paper bob off", false)] {
        assert_eq!(read(line), Order::Mark { peer: bob(), paper }, "{line}");
    }
    assert_eq!(misread("paper bob maybe").1, "must be paper AOR [on|off]");
    assert_eq!(read("tables"), Order::Tables);
    assert_eq!(read("quit"), Order::Quit);
    let [audio, video]: [Box<str>; 2] = ["audio".into(), "video".into()];
    assert_eq!(asked("direct bob"), Asked::Direct { target: bob(), media: audio.clone() });
    assert_eq!(asked("direct bob video"), Asked::Direct { target: bob(), media: video.clone() });
    assert_eq!(asked("stop"), Asked::Stop { flow: None });
    assert_eq!(asked("stop 3"), Asked::Stop { flow: Some(FlowId(3)) });
    let call = |media, codecs| Asked::Call { target: bob(), media, codecs };
    assert_eq!(asked("call bob"), call(vec![audio.clone()], None));
    assert_eq!(asked("call bob both"), call(vec![audio.clone(), video], None));
    assert_eq!(asked("call bob audio PCMA"), call(vec![audio], Repertoire::parse("PCMA")));
    assert_eq!(asked("answer"), Asked::Answer { call: None });
    assert_eq!(asked("hold 2"), Asked::Hold { call: Some(CallId(2)), hold: true });
    assert_eq!(asked("resume"), Asked::Hold { call: None, hold: false });
    assert_eq!(asked("dial 12a#"), Asked::Dial { keys: "12A#".into() });
    assert_eq!(asked("hangup"), Asked::Hangup { call: None });
    assert_eq!(Order::parse("   ", &own()), Ok(None));
    assert_eq!(Order::parse("# a remark", &own()), Ok(None));
}

#[test]
fn decisions_name_the_handling_and_only_allow_lets_media_through() {
    let verdict = |handling, direct| Some(Verdict { handling, direct });
    let decide = |verdict| Order::Decide { watcher: bob(), verdict };
    assert_eq!(read("allow bob"), decide(verdict(Handling::Allow, true)));
    assert_eq!(read("block bob"), decide(verdict(Handling::Block, false)));
    assert_eq!(read("polite bob"), decide(verdict(Handling::PoliteBlock, false)));
    assert_eq!(read("ask bob"), decide(None));
}

#[test]
fn winfo_is_about_oneself_unless_somebody_is_named() {
    let winfo = |target, seconds| Order::Winfo { target, seconds };
    assert_eq!(read("winfo"), winfo(own(), None));
    assert_eq!(read("winfo 60"), winfo(own(), Some(60)));
    assert_eq!(read("winfo bob"), winfo(bob(), None));
    assert_eq!(read("winfo bob 0"), winfo(bob(), Some(0)));
}

#[test]
fn wait_takes_an_event_fields_and_seconds() {
    let Order::Wait(wanted) = read("wait subscription state=active target=sip:b@x 0.5") else {
        panic!("no wait");
    };
    assert_eq!(&*wanted.event, "subscription");
    assert_eq!(wanted.fields.len(), 2);
    assert_eq!(wanted.patience, Duration::from_millis(500));
    let Order::Wait(wanted) = read("wait presence") else { panic!("no wait") };
    assert_eq!(wanted.patience, USUAL_WAIT);
}

#[test]
fn mistakes_are_named_with_what_helps() {
    assert_eq!(
        misread("wacth bob"),
        ("wacth".to_owned(), "there is no such command; did you mean watch?".to_owned())
    );
    assert_eq!(
        misread("wait precense"),
        (
            "wait precense".to_owned(),
            "there is no event of that name; did you mean presence?".to_owned()
        )
    );
    assert_eq!(misread("watch bob 0").1, "seconds must be a whole number from 1");
    assert_eq!(misread("watch bob soon").0, "watch soon");
    assert_eq!(
        misread("watch").1,
        "watch needs an address like bob, bob@example.org or sip:bob@example.org"
    );
    assert_eq!(misread("presence away").1, "must be presence open|closed [note]");
    assert_eq!(misread("message bob").1, "must be message AOR text…");
    assert_eq!(misread("offer smell ready").1, "must be offer audio|video ready|off");
    assert_eq!(misread("unwatch bob now").1, "\"now\" is too much; see help");
    assert_eq!(misread("wait presence soon").1, "must be wait EVENT [field=value…] [seconds]");
    assert_eq!(misread("wait presence -1").1, "must be wait EVENT [field=value…] [seconds]");
}

#[test]
fn help_names_every_command_word() {
    let help = HELP.join("\n");
    for word in WORDS.iter().filter(|word| **word != "exit") {
        assert!(help.contains(word), "{word}");
    }
}
