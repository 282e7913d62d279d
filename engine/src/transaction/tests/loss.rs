//! A client and a server table with a network between them that loses, doubles and delays: every
//! fate of the first packets is tried (P18, P19, P51).

use super::*;

/// What the network does to one packet.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Arrive,
    Lose,
    Double,
    Delay,
}

const FATES: [Fate; 4] = [Fate::Arrive, Fate::Lose, Fate::Double, Fate::Delay];
const DECIDED: u32 = 6;

/// Packets under way: when they arrive, whether at the server, and what they are.
type Air = Vec<(Instant, bool, Bytes)>;

struct Run {
    client: World,
    server: World,
    air: Air,
    fates: Vec<Fate>,
    /// How often the server's transaction user saw a request, and the client's a final answer.
    asked: u32,
    answered: Vec<u16>,
}

impl Run {
    fn new(number: u32) -> Self {
        let fates = (0..DECIDED).map(|digit| FATES[(number >> (2 * digit) & 3) as usize]).rev();
        Self {
            client: World::new(),
            server: World::new(),
            air: Air::new(),
            fates: fates.collect(),
            asked: 0,
            answered: Vec::new(),
        }
    }

    /// Hands what both ends have sent to the network.
    fn collect(&mut self, now: Instant) {
        for at_server in [true, false] {
            let end = if at_server { &mut self.client } else { &mut self.server };
            for (_, _, bytes) in end.sent.drain(..) {
                let fate = self.fates.pop().unwrap_or(Fate::Arrive);
                let arrivals: &[u64] = match fate {
                    Fate::Arrive => &[10],
                    Fate::Lose => &[],
                    Fate::Double => &[10, 700],
                    Fate::Delay => &[6000],
                };
                let spans = arrivals.iter().map(|at| now + ms(*at));
                self.air.extend(spans.map(|at| (at, at_server, bytes.clone())));
            }
        }
        self.air.sort();
    }

    fn next(&self) -> Option<Instant> {
        let flying = self.air.first().map(|(at, _, _)| *at);
        let timers = [self.client.tx.deadline(), self.server.tx.deadline()];
        timers.into_iter().chain([flying]).flatten().min()
    }

    fn run(&mut self, think: Duration, status: u16) {
        let mut thinking = Vec::new();
        while let Some(at) =
            self.next().into_iter().chain(thinking.first().map(|t: &(Instant, _, _)| t.0)).min()
        {
            for end in [&mut self.client, &mut self.server] {
                let span = at.since(end.now);
                end.wait(span);
            }
            while self.air.first().is_some_and(|(due, _, _)| *due <= at) {
                let (_, at_server, bytes) = self.air.remove(0);
                match (at_server, Message::parse(bytes)) {
                    (true, Ok(Message::Request(request))) => {
                        if let Arrival::New(key) = self.server.arrive(&request)
                            && request.method() != Method::Ack
                        {
                            let (tx, now) = (&mut self.server.tx, self.server.now);
                            tx.open(&SECRET, &self.server.timing, now, key, near(), &request);
                            self.asked += 1;
                            thinking.push((now + think, key, request));
                        }
                    }
                    (false, Ok(Message::Response(response))) => {
                        let mut out = Out::new();
                        let (tx, now) = (&mut self.client.tx, self.client.now);
                        let owner = tx.receive(&self.client.timing, now, &response, &mut out);
                        self.client.note(out);
                        if owner.is_some() && response.status() >= 200 {
                            self.answered.push(response.status());
                        }
                    }
                    other => panic!("{other:?}"),
                }
            }
            while thinking.first().is_some_and(|(due, _, _)| *due <= at) {
                let (_, key, request) = thinking.remove(0);
                self.server.answer(&request, key, status);
            }
            self.collect(at);
        }
    }
}

/// Sends one request through every fate of its first packets.
fn through_every_fate(method: &str, think: Duration, status: u16, check: impl Fn(&Run)) {
    for number in 0..FATES.len().pow(DECIDED) as u32 {
        let mut run = Run::new(number);
        let fates = run.fates.clone();
        run.client.send(1, &ours(method, 1), "owner");
        run.collect(BEGINNING);
        run.run(think, status);
        assert_eq!(run.answered, [status], "{fates:?}");
        assert!(run.client.told.is_empty() && run.server.told.is_empty(), "{fates:?}");
        assert_eq!(run.client.tx, Transactions::default(), "{fates:?}");
        assert_eq!(run.server.tx, Transactions::default(), "{fates:?}");
        check(&run);
    }
}

#[test]
fn a_request_is_asked_once_and_answered_once_whatever_happens_to_six_packets() {
    through_every_fate("NOTIFY", ms(0), 200, |run| assert_eq!(run.asked, 1));
}

#[test]
fn a_request_that_takes_five_seconds_is_asked_once_and_answered_once() {
    through_every_fate("SUBSCRIBE", ms(5000), 200, |run| assert_eq!(run.asked, 1));
}

#[test]
fn an_invite_is_refused_once_whatever_happens_to_six_packets() {
    through_every_fate("INVITE", ms(1000), 486, |_| {});
}
