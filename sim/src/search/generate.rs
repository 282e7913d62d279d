//! Plans from seeds: one presentity with two devices, one to five watchers, a stranger, and for
//! each plan its own selection of what users do and of what breaks (swarm testing).
//!
//! After eight minutes everything is mended; two minutes and the settling of the run are calm, so
//! that everybody has to agree in the end.

mod voice;

use crate::chance::Chance;
use crate::plan::{Act, DeviceName, Party, Plan, ServerPlan, Step, UserPlan, Weather};

/// When everything is mended, ms.
const MENDED_MS: u64 = 480_000;
/// How long the timeline is, ms.
const DURATION_MS: u64 = 600_000;

const WATCHERS: [&str; 5] = ["alice", "carol", "dave", "erin", "frank"];
const STRANGER: &str = "eve";
const OWNER: &str = "bob";

/// Draws one after the other, each list of draws for a purpose of its own.
struct Draw {
    chance: Chance,
    purpose: &'static str,
    drawn: u64,
}

impl Draw {
    fn new(seed: u64, purpose: &'static str) -> Self {
        Self { chance: Chance::new(seed), purpose, drawn: 0 }
    }

    fn between(&mut self, from: u64, to: u64) -> u64 {
        self.drawn += 1;
        self.chance.between(from, to, self.purpose, self.drawn)
    }

    /// Once in so many times.
    fn once_in(&mut self, times: u64) -> bool {
        self.between(1, times) == 1
    }

    fn share(&mut self, most_percent: u64) -> f64 {
        self.between(0, most_percent * 10) as f64 / 1000.0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let last = from.len().saturating_sub(1) as u64;
        &from[usize::try_from(self.between(0, last)).unwrap_or(0)]
    }
}

/// The plan of a seed.
pub fn plan(seed: u64) -> Plan {
    let mut draw = Draw::new(seed, "generate");
    let fetches = draw.once_in(2);
    let (steps, devices) = (Vec::new(), Vec::new());
    let mut maker = Maker { draw, steps, devices, notes: 0, texts: 0, fetches };
    maker.plan(seed)
}

struct Maker {
    draw: Draw,
    steps: Vec<Step>,
    devices: Vec<DeviceName>,
    notes: u64,
    texts: u64,
    /// Whether the stranger fetches; otherwise it watches.
    fetches: bool,
}

impl Maker {
    fn plan(&mut self, seed: u64) -> Plan {
        let users = self.users();
        self.devices = users.iter().flat_map(UserPlan::device_names).collect();
        let server = self.server();
        let network = self.weather();
        self.morning();
        self.day();
        self.faults();
        self.mend();
        self.voices(seed);
        self.steps.sort_by_key(|step| step.at_ms);
        Plan {
            title: format!("seed {seed}"),
            story: String::new(),
            seed,
            duration_ms: DURATION_MS,
            server,
            users,
            network,
            steps: std::mem::take(&mut self.steps),
            expectations: Vec::new(),
        }
    }

    fn users(&mut self) -> Vec<UserPlan> {
        let watchers = usize::try_from(self.draw.between(1, 5)).unwrap_or(1);
        // Some plans have short subscriptions, so that a stall or a cut outlasts them.
        let (from, to) = *self.draw.pick(&[(60, 120), (60, 120), (30, 60)]);
        let mut names = vec![OWNER];
        names.extend(&WATCHERS[..watchers]);
        names.push(STRANGER);
        let user = |name: &str, draw: &mut Draw| UserPlan {
            name: name.into(),
            devices: match name == OWNER {
                true => vec!["desk".into(), "phone".into()],
                false => Vec::new(),
            },
            refresh: u32::try_from(draw.between(from, to)).unwrap_or(60),
            nat: draw.once_in(3),
            paper: false,
        };
        names.into_iter().map(|name| user(name, &mut self.draw)).collect()
    }

    fn server(&mut self) -> ServerPlan {
        let policy = *self.draw.pick(&["confirm", "confirm", "confirm", "allow"]);
        ServerPlan {
            default_policy: policy.into(),
            notify_gap_ms: *self.draw.pick(&[0, 1000, 5000]),
            shards: usize::try_from(self.draw.between(1, 3)).unwrap_or(1),
            // Some servers give watchers up about whom nobody decides.
            giveup_ms: match self.draw.once_in(3) {
                true => 1000 * self.draw.between(30, 240),
                false => ServerPlan::default().giveup_ms,
            },
            sub_min: *self.draw.pick(&[60, 60, 30, 90]),
        }
    }

    /// Each kind of bad weather in half of the plans.
    fn weather(&mut self) -> Weather {
        let mut share = |most: u64| if self.draw.once_in(2) { self.draw.share(most) } else { 0.0 };
        let (loss, duplicate, reorder) = (share(20), share(5), share(20));
        let corrupt = if self.draw.once_in(10) { self.draw.share(2) } else { 0.0 };
        Weather {
            latency_ms: self.draw.between(1, 100),
            jitter_ms: if self.draw.once_in(2) { self.draw.between(0, 700) } else { 0 },
            loss,
            duplicate,
            reorder,
            corrupt,
            ..Weather::default()
        }
    }

    fn order(&mut self, at_ms: u64, device: &DeviceName, line: String) {
        self.steps.push(Step { at_ms, act: Act::Order(device.clone(), line) });
    }

    /// Everybody comes; most start to watch, the owner looks who watches.
    fn morning(&mut self) {
        for device in self.devices.clone() {
            let at_ms = self.draw.between(0, 20_000);
            self.steps.push(Step { at_ms, act: Act::Login(device.clone()) });
            let later = at_ms + self.draw_ms(10_000);
            self.settle_in(later, &device);
        }
    }

    /// What somebody does who has just come.
    fn settle_in(&mut self, at_ms: u64, device: &DeviceName) {
        if device.user == OWNER {
            self.order(at_ms, device, "winfo".into());
            let line = self.presence();
            self.order(at_ms, device, line);
        } else if device.user != STRANGER {
            self.order(at_ms, device, format!("watch {OWNER}"));
        }
    }

    fn draw_ms(&mut self, most: u64) -> u64 {
        self.draw.between(1, most)
    }

    fn presence(&mut self) -> String {
        self.notes += 1;
        let basic = self.draw.pick(&["open", "open", "closed"]);
        format!("presence {basic} n{}", self.notes)
    }

    /// What users do, each kind in its own share of the plans.
    fn day(&mut self) {
        let kinds: [fn(&mut Self, u64); 7] = [
            Self::owner_publishes,
            Self::owner_decides,
            Self::watcher_changes_its_mind,
            Self::somebody_writes,
            Self::owner_offers,
            Self::stranger_asks,
            Self::somebody_leaves,
        ];
        for kind in kinds {
            if self.draw.once_in(3) {
                continue;
            }
            for _ in 0..self.draw.between(1, 8) {
                let at_ms = self.draw.between(20_000, MENDED_MS);
                kind(self, at_ms);
            }
        }
    }

    fn device_of(&mut self, user: &str) -> DeviceName {
        let of_user: Vec<DeviceName> =
            self.devices.iter().filter(|name| name.user == user).cloned().collect();
        self.draw.pick(&of_user).clone()
    }

    /// A user who is no owner.
    fn other(&mut self) -> DeviceName {
        let others: Vec<DeviceName> =
            self.devices.iter().filter(|name| name.user != OWNER).cloned().collect();
        self.draw.pick(&others).clone()
    }

    fn owner_publishes(&mut self, at_ms: u64) {
        let device = self.device_of(OWNER);
        let line = self.presence();
        self.order(at_ms, &device, line);
    }

    fn owner_decides(&mut self, at_ms: u64) {
        let (device, about) = (self.device_of(OWNER), self.other().user);
        let verb = *self.draw.pick(&["allow", "allow", "allow", "block", "polite", "ask"]);
        self.order(at_ms, &device, format!("{verb} {about}"));
    }

    fn watcher_changes_its_mind(&mut self, at_ms: u64) {
        let device = self.other();
        if device.user == STRANGER && self.fetches {
            return;
        }
        self.order(at_ms, &device, format!("unwatch {OWNER}"));
        if !self.draw.once_in(3) {
            let at_ms = at_ms + self.draw_ms(30_000);
            self.order(at_ms.min(MENDED_MS), &device, format!("watch {OWNER}"));
        }
    }

    fn somebody_writes(&mut self, at_ms: u64) {
        let (from, to) = (self.draw.pick(&self.devices.clone()).clone(), self.other());
        let to = if from.user == to.user { OWNER } else { &to.user };
        if from.user != to {
            self.texts += 1;
            self.order(at_ms, &from, format!("message {to} t{}", self.texts));
        }
    }

    fn owner_offers(&mut self, at_ms: u64) {
        let device = self.device_of(OWNER);
        let mode = *self.draw.pick(&["ready", "ready", "off"]);
        self.order(at_ms, &device, format!("offer audio {mode}"));
    }

    fn stranger_asks(&mut self, at_ms: u64) {
        let device = self.device_of(STRANGER);
        // Who does both cannot tell the end of the one from the end of the other.
        let verb = *self.draw.pick(&[if self.fetches { "fetch" } else { "watch" }, "winfo"]);
        self.order(at_ms, &device, format!("{verb} {OWNER}"));
    }

    /// A device logs out; most come back, as a program that is started again or as one that is
    /// only told to log in again.
    fn somebody_leaves(&mut self, at_ms: u64) {
        let device = self.draw.pick(&self.devices.clone()).clone();
        self.order(at_ms, &device, "quit".into());
        if self.draw.once_in(4) {
            return;
        }
        let back = (at_ms + self.draw_ms(60_000)).min(MENDED_MS);
        if self.draw.once_in(2) {
            self.step(back, Act::Crash(Party::Device(device.clone())));
        }
        self.step(back, Act::Login(device.clone()));
        self.settle_in((back + 1).min(MENDED_MS), &device);
    }

    /// What breaks, each kind in its own share of the plans.
    fn faults(&mut self) {
        let kinds: [fn(&mut Self, u64); 11] = [
            Self::server_crashes,
            Self::server_stops,
            Self::device_crashes,
            Self::somebody_is_cut_off,
            Self::weather_changes,
            Self::translator_forgets,
            Self::disk_holds,
            Self::disk_fails,
            Self::stranger_floods,
            Self::somebody_stalls,
            Self::clock_jumps,
        ];
        for kind in kinds {
            if !self.draw.once_in(3) {
                continue;
            }
            for _ in 0..self.draw.between(1, 3) {
                let at_ms = self.draw.between(10_000, MENDED_MS - 60_000);
                kind(self, at_ms);
            }
        }
    }

    fn step(&mut self, at_ms: u64, act: Act) {
        self.steps.push(Step { at_ms: at_ms.min(MENDED_MS), act });
    }

    fn server_crashes(&mut self, at_ms: u64) {
        self.step(at_ms, Act::Crash(Party::Server));
        let back = at_ms + self.draw_ms(60_000);
        self.step(back, Act::Start(Party::Server));
    }

    fn server_stops(&mut self, at_ms: u64) {
        self.step(at_ms, Act::Stop);
        let back = at_ms + 6000 + self.draw_ms(30_000);
        self.step(back, Act::Start(Party::Server));
    }

    fn device_crashes(&mut self, at_ms: u64) {
        let device = self.draw.pick(&self.devices.clone()).clone();
        self.step(at_ms, Act::Crash(Party::Device(device.clone())));
        if !self.draw.once_in(4) {
            let back = at_ms + self.draw_ms(60_000);
            self.step(back, Act::Start(Party::Device(device.clone())));
            self.settle_in((back + 1).min(MENDED_MS), &device);
        }
    }

    fn somebody_is_cut_off(&mut self, at_ms: u64) {
        let device = Party::Device(self.draw.pick(&self.devices.clone()).clone());
        let both = self.draw.once_in(2);
        let (from, to) = match self.draw.once_in(2) {
            true => (device, Party::Server),
            false => (Party::Server, device),
        };
        self.step(at_ms, Act::Cut { from, to, both });
        let healed = at_ms + self.draw_ms(90_000);
        self.step(healed, Act::Mend);
    }

    fn weather_changes(&mut self, at_ms: u64) {
        let weather = self.weather();
        self.step(at_ms, Act::Weather(weather));
    }

    fn translator_forgets(&mut self, at_ms: u64) {
        let user = self.draw.pick(&self.devices.clone()).user.clone();
        self.step(at_ms, Act::Rebind(user));
    }

    fn disk_holds(&mut self, at_ms: u64) {
        self.step(at_ms, Act::HoldDisk(true));
        let later = at_ms + self.draw_ms(20_000);
        if self.draw.once_in(2) {
            self.step(later, Act::Crash(Party::Server));
            self.step(later + 1, Act::HoldDisk(false));
            self.step(later + 1000, Act::Start(Party::Server));
        } else {
            self.step(later, Act::HoldDisk(false));
        }
    }

    /// A full disk ends the server; somebody makes room and starts it again.
    fn disk_fails(&mut self, at_ms: u64) {
        self.step(at_ms, Act::FailDisk(true));
        let later = at_ms + self.draw_ms(30_000);
        self.step(later, Act::Crash(Party::Server));
        self.step(later + 1, Act::FailDisk(false));
        self.step(later + 2, Act::Start(Party::Server));
    }

    fn stranger_floods(&mut self, at_ms: u64) {
        let device = self.draw.pick(&self.devices.clone()).clone();
        let act = match self.draw.once_in(2) {
            true => Act::Flood(u32::try_from(self.draw.between(1, 200)).unwrap_or(1)),
            false => Act::Replay(Party::Device(device)),
        };
        self.step(at_ms, act);
    }

    /// The server in half of the cases, else a device.
    fn anybody(&mut self) -> Party {
        match self.draw.once_in(2) {
            true => Party::Server,
            false => Party::Device(self.draw.pick(&self.devices.clone()).clone()),
        }
    }

    fn somebody_stalls(&mut self, at_ms: u64) {
        let (party, ms) = (self.anybody(), 1000 * self.draw.between(1, 60));
        self.step(at_ms, Act::Stall(party, ms));
    }

    /// A clock is noticed by what starts afterwards, so something does in most cases.
    fn clock_jumps(&mut self, at_ms: u64) {
        // Most jumps are small: after a long one back the server keeps what it has for long.
        let most = *self.draw.pick(&[2000, 30_000, 7_200_000]);
        let (party, ms) = (self.anybody(), self.draw.between(1, most));
        let by_ms = i64::try_from(ms).unwrap_or(0);
        let by_ms = if self.draw.once_in(2) { -by_ms } else { by_ms };
        self.step(at_ms, Act::ClockStep(party.clone(), by_ms));
        if !self.draw.once_in(3) {
            let ended = at_ms + self.draw_ms(30_000);
            self.step(ended, Act::Crash(party.clone()));
            let back = ended + self.draw_ms(10_000);
            self.step(back, Act::Start(party.clone()));
            if let Party::Device(device) = party {
                self.settle_in((back + 1).min(MENDED_MS), &device);
            }
        }
    }

    /// The network, the disk and the server are well again.
    fn mend(&mut self) {
        let acts = [
            Act::Mend,
            Act::Weather(Weather::default()),
            Act::FailDisk(false),
            Act::HoldDisk(false),
            Act::Start(Party::Server),
        ];
        self.steps.sort_by_key(|step| step.at_ms);
        self.steps.extend(acts.map(|act| Step { at_ms: MENDED_MS, act }));
    }
}
