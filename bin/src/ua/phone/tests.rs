use super::*;
use presently_engine::body::pidf::Codec;
use presently_engine::message::Aor;

const PORTS: std::ops::Range<u16> = 40_000..40_010;

/// A studio that writes down what it is told.
#[derive(Debug, Default)]
struct Notebook {
    lines: Vec<String>,
    opened: u16,
    broken: bool,
}

impl Studio for Notebook {
    fn open(&mut self) -> io::Result<u16> {
        let port = PORTS.start + 2 * self.opened;
        self.opened += 1;
        self.lines.push(format!("open {port}"));
        PORTS.contains(&port).then_some(port).ok_or_else(|| io::ErrorKind::AddrInUse.into())
    }

    fn close(&mut self, port: u16) {
        self.lines.push(format!("close {port}"));
    }

    fn start(&mut self, id: Id, media: &str, stream: Stream) -> io::Result<()> {
        self.lines.push(format!("start {id:?} {media} {}", shown(&stream)));
        match self.broken {
            true => Err(io::Error::other("no device")),
            false => Ok(()),
        }
    }

    fn change(&mut self, id: Id, stream: Stream) {
        self.lines.push(format!("change {id:?} {}", shown(&stream)));
    }

    fn stop(&mut self, id: Id, bye: bool) {
        self.lines.push(format!("stop {id:?}{}", if bye { " bye" } else { "" }));
    }

    fn dial(&mut self, id: Id, keys: &str) {
        self.lines.push(format!("dial {id:?} {keys}"));
    }

    fn send(&mut self, port: u16, to: SocketAddr, bytes: Bytes) {
        self.lines.push(format!("send {port} {to} {}", bytes.len()));
    }

    fn welcome(&mut self, port: u16, from: BTreeSet<IpAddr>) {
        self.lines.push(format!("welcome {port} {from:?}"));
    }

    fn bye(&mut self, port: u16, to: SocketAddr, ssrc: u32, keys: Option<StreamKeys>) {
        self.lines.push(format!("bye {port} {to} {ssrc} {}", keys.is_some()));
    }

    fn key(&mut self) -> [u8; 30] {
        [7; 30]
    }

    async fn sight(&mut self) -> Sight {
        std::future::pending().await
    }

    async fn finish(&mut self) {}
}

fn shown(stream: &Stream) -> String {
    let Stream { port, remote, codec, direction, .. } = stream;
    let to = remote.map_or("nowhere".to_owned(), |to| to.to_string());
    format!("{port} {to} {} {direction:?}", codec.rtpmap)
}

fn phone(habits: Habits) -> Phone<Notebook> {
    let here = IpAddr::from([192, 0, 2, 1]);
    Phone::new(Notebook::default(), here, Repertoire::default(), habits)
}

fn bob() -> Aor {
    Aor::parse("sip:bob@example.org").expect("an address")
}

fn lines(phone: &mut Phone<Notebook>) -> Vec<String> {
    std::mem::take(&mut phone.studio().lines)
}

fn one(commands: Result<Vec<Command>, Refusal>) -> Command {
    let mut commands = commands.expect("it is possible");
    assert_eq!(commands.len(), 1, "{commands:?}");
    commands.remove(0)
}

fn remote() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 9], 5004))
}

fn flow(line: usize, media: &str, direction: Direction) -> Flow {
    let codec = Codec { pt: 0, rtpmap: "PCMU/8000".into(), fmtp: None };
    Flow {
        line,
        media: media.into(),
        to: Some(remote()),
        codec,
        heard: vec![0],
        events: None,
        direction,
        rtcp_mux: true,
        keys: None,
        ptime: None,
    }
}

fn call(phase: CallPhase, flows: Vec<Flow>) -> Event {
    let (peer, status, reason) = ("sip:bob@example.org".into(), None, None);
    Event::Call { call: CallId(1), peer, phase, flows, status, reason }
}

fn direct(way: Way, phase: FlowPhase, reason: Option<StopReason>) -> Event {
    let stream = (phase == FlowPhase::Streaming).then(|| DirectStream {
        port: PORTS.start,
        remote: remote(),
        codec: Codec { pt: 0, rtpmap: "PCMU/8000".into(), fmtp: None },
        ssrc: 1,
        remote_ssrc: 2,
        keys: None,
        budget: None,
    });
    let (flow, media) = (FlowId(1), "audio".into());
    Event::Flow { flow, peer: bob(), media, way, phase, stream, reason }
}

fn offer(mode: Mode) -> Asked {
    Asked::Offer { media: "audio".into(), mode }
}

#[test]
fn an_offer_has_a_port_until_it_is_withdrawn() {
    let mut phone = phone(Habits::default());
    let Command::SetOffer { port, codecs, .. } = one(phone.carry_out(offer(Mode::Ready))) else {
        panic!("no offer");
    };
    assert_eq!(port, 40_000);
    assert!(codecs.contains(&(9, "G722/8000").into()));
    one(phone.carry_out(offer(Mode::Ready)));
    one(phone.carry_out(offer(Mode::Off)));
    assert_eq!(lines(&mut phone), ["open 40000", "close 40000"]);
}

#[test]
fn a_call_streams_what_was_agreed_on_and_its_offer_is_busy_meanwhile() {
    let mut phone = phone(Habits::default());
    one(phone.carry_out(offer(Mode::Ready)));
    let asked = Asked::Call { target: bob(), media: vec!["audio".into()], codecs: None };
    let Command::Call { abilities, .. } = one(phone.carry_out(asked)) else { panic!("no call") };
    assert_eq!(abilities.streams[0].port, 40_000, "one port for everything");
    assert_eq!(abilities.streams[0].key, None, "most phones refuse SRTP");

    assert!(phone.follow(&call(CallPhase::Calling, vec![])).is_empty());
    let changed = phone.follow(&call(CallPhase::Up, vec![flow(0, "audio", Direction::SendRecv)]));
    assert!(matches!(changed[..], [Command::SetOffer { mode: Mode::Busy, .. }]), "{changed:?}");
    let held = vec![flow(0, "audio", Direction::RecvOnly)];
    assert!(phone.follow(&call(CallPhase::Up, held)).is_empty());
    let changed = phone.follow(&call(CallPhase::Ended, vec![]));
    assert!(matches!(changed[..], [Command::SetOffer { mode: Mode::Ready, .. }]), "{changed:?}");
    assert_eq!(
        lines(&mut phone),
        [
            "open 40000",
            "start Call(CallId(1), 0) audio 40000 192.0.2.9:5004 PCMU/8000 SendRecv",
            "change Call(CallId(1), 0) 40000 192.0.2.9:5004 PCMU/8000 RecvOnly",
            "stop Call(CallId(1), 0) bye",
        ]
    );
}

#[test]
fn the_ports_of_a_call_close_with_it() {
    let mut phone = phone(Habits { srtp: true, ..Habits::default() });
    let asked =
        Asked::Call { target: bob(), media: vec!["audio".into(), "video".into()], codecs: None };
    let Command::Call { abilities, .. } = one(phone.carry_out(asked)) else { panic!("no call") };
    assert_eq!(abilities.streams[1].key, Some([7; 30]));
    phone.follow(&call(CallPhase::Calling, vec![]));
    phone.follow(&call(CallPhase::Ended, vec![]));
    let lines = lines(&mut phone);
    assert_eq!(lines, ["open 40000", "open 40002", "close 40000", "close 40002"]);
}

#[test]
fn who_rings_is_answered_and_nobody_else() {
    let mut phone = phone(Habits::default());
    let answer = || Asked::Answer { call: None };
    assert_eq!(phone.carry_out(answer()), Err(("answer", "nobody calls".to_owned())));
    phone.follow(&call(CallPhase::Incoming, vec![]));
    let Command::Answer { call, abilities } = one(phone.carry_out(answer())) else {
        panic!("no answer");
    };
    assert_eq!((call, abilities.streams.len()), (CallId(1), 2));
    assert_eq!(abilities.streams[0].key, Some([7; 30]), "who asks for SRTP gets it");
    let refused = phone.carry_out(Asked::Hold { call: None, hold: true });
    assert_eq!(refused, Err(("hold", "no call is up".to_owned())));
}

#[test]
fn a_direct_flow_sends_or_hears_and_never_both() {
    let mut phone = phone(Habits::default());
    let asked = Asked::Direct { target: bob(), media: "audio".into() };
    one(phone.carry_out(asked));
    phone.follow(&direct(Way::Out, FlowPhase::Checking, None));
    phone.follow(&direct(Way::Out, FlowPhase::Streaming, None));
    phone.follow(&direct(Way::Out, FlowPhase::Stopped, Some(StopReason::User)));
    assert_eq!(
        lines(&mut phone),
        [
            "open 40000",
            "start Direct(FlowId(1)) audio 40000 192.0.2.9:5004 PCMU/8000 SendOnly",
            "stop Direct(FlowId(1))",
            "close 40000",
        ]
    );
    one(phone.carry_out(offer(Mode::Ready)));
    phone.follow(&direct(Way::In, FlowPhase::Streaming, None));
    let lines = lines(&mut phone);
    assert_eq!(lines.last().map(|line| line.ends_with(" RecvOnly")), Some(true), "{lines:?}");
}

#[test]
fn a_flow_that_cannot_come_up_becomes_a_call_if_that_is_the_habit() {
    let stopped = |why| direct(Way::Out, FlowPhase::Stopped, Some(why));
    let mut willing = phone(Habits { fallback: true, ..Habits::default() });
    let called = willing.follow(&stopped(StopReason::Unreachable));
    assert!(matches!(&called[..], [Command::Call { target, .. }] if *target == bob()));
    assert!(willing.follow(&stopped(StopReason::Refused)).is_empty(), "it was not wanted");
    assert!(willing.follow(&stopped(StopReason::Busy)).is_empty());
    willing.follow(&call(CallPhase::Calling, vec![]));
    assert!(willing.follow(&stopped(StopReason::Codec)).is_empty(), "there is a call already");
    assert!(phone(Habits::default()).follow(&stopped(StopReason::Unreachable)).is_empty());
}

#[test]
fn what_the_ports_see_is_for_the_agent_or_the_user() {
    let mut phone = phone(Habits::default());
    let bytes = Bytes::from_static(b"stun");
    let stun = Stun { port: 40_000, from: remote(), bytes: bytes.clone() };
    let (command, told) = phone.seen(Sight::Stun(stun));
    assert_eq!(command, Some(Command::MediaPacket { port: 40_000, from: remote(), bytes }));
    assert_eq!(told, None);
    let heard = phone.seen(sight(Id::Direct(FlowId(4)), Told::Heard)).0;
    assert_eq!(heard, Some(Command::MediaHeard { flow: FlowId(4) }));
    let bye = phone.seen(sight(Id::Call(CallId(1), 0), Told::Bye)).0;
    assert_eq!(bye, None, "a call ends by its own BYE");
    let (id, key) = (Id::Call(CallId(1), 0), Told::Key('5'));
    assert_eq!(phone.seen(sight(id, key)).1, Some((id, Notice::Key('5'))));
}

fn sight(id: Id, told: Told) -> Sight {
    let at = presently_engine::Instant::from_millis(0);
    Sight::Stream(Happening { at, id, told })
}

/// The paper's form: the engine says who may knock, and is told who does.
#[test]
fn who_knocks_is_judged_by_the_engine() {
    let mut phone = phone(Habits::default());
    let from = BTreeSet::from([remote().ip()]);
    let told = phone.follow(&Event::MediaWelcome { port: PORTS.start, from });
    assert!(told.is_empty());
    assert_eq!(lines(&mut phone), ["welcome 40000 {192.0.2.9}"]);
    let (port, from, ssrc, pt) = (PORTS.start, remote(), 7, 0);
    let seen = phone.seen(Sight::Knock(Knock { port, from, ssrc, pt }));
    assert_eq!(seen, (Some(Command::MediaKnock { port, from, ssrc, pt }), None));
}

#[test]
fn a_device_that_does_not_open_ends_what_needs_it() {
    let mut phone = phone(Habits::default());
    phone.studio().broken = true;
    one(phone.carry_out(Asked::Direct { target: bob(), media: "audio".into() }));
    let ended = phone.follow(&direct(Way::Out, FlowPhase::Streaming, None));
    assert_eq!(ended, [Command::StopFlow { flow: FlowId(1) }]);
    let ended = phone.follow(&call(CallPhase::Up, vec![flow(0, "audio", Direction::SendRecv)]));
    assert_eq!(ended, [Command::Hangup { call: CallId(1) }]);
    assert_eq!(
        phone.troubles(),
        [("media", "no device".to_owned()), ("media", "no device".to_owned())]
    );
}

#[test]
fn keys_are_for_a_call_that_takes_them() {
    let mut phone = phone(Habits::default());
    let dial = || Asked::Dial { keys: "12#".into() };
    assert!(phone.carry_out(dial()).is_err());
    one(phone.carry_out(offer(Mode::Ready)));
    let mut deaf = flow(0, "audio", Direction::SendRecv);
    phone.follow(&call(CallPhase::Up, vec![deaf.clone()]));
    assert!(phone.carry_out(dial()).is_err());
    deaf.events = Some((101, 101));
    phone.follow(&call(CallPhase::Up, vec![deaf]));
    assert_eq!(phone.carry_out(dial()), Ok(vec![]));
    assert_eq!(lines(&mut phone).pop().as_deref(), Some("dial Call(CallId(1), 0) 12#"));
}

#[tokio::test(start_paused = true)]
async fn the_way_from_order_to_sound_is_timed() {
    let mut phone = phone(Habits::default());
    one(phone.carry_out(Asked::Direct { target: bob(), media: "audio".into() }));
    phone.follow(&direct(Way::Out, FlowPhase::Checking, None));
    tokio::time::advance(Duration::from_millis(30)).await;
    let id = Id::Direct(FlowId(1));
    let (_, told) = phone.seen(sight(id, Told::FirstSent));
    assert_eq!(told, Some((id, Notice::FirstSent(Some(Duration::from_millis(30))))));
    let other = Id::Direct(FlowId(2));
    let (_, told) = phone.seen(sight(other, Told::FirstPlayed));
    assert_eq!(told, Some((other, Notice::FirstPlayed(None))), "nobody here ordered that one");
}
