//! Plays a plan: builds the network, the server and the devices, takes the steps at their times,
//! and waits until all is quiet.

use crate::chance::Chance;
use crate::host::Host;
use crate::network::Network;
use crate::plan::{Act, DeviceName, Party, Plan, Step};
use crate::record::{Progress, Record, Recorder, What};
use crate::server::{self, ServerHost};
use crate::user::Device;
use presently_net::Clock;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// After the last step faults end, and all that is under way comes to its end: three times 64·T1
/// (behaviour §5.2).
const SETTLING: Duration = Duration::from_secs(96);

/// When in a second the tables are looked at.
const LOOK_MS: u64 = 990;

/// Plays a plan to its end.
///
/// # Errors
/// A plan that cannot be played: an unknown device, a line that is no order.
pub fn play(plan: &Plan) -> Result<Record, String> {
    run(plan, Progress::default(), false)
}

/// The same, with somebody who watches how far it has come.
///
/// # Errors
/// As [`play`].
pub fn play_telling(plan: &Plan, progress: Progress) -> Result<Record, String> {
    run(plan, progress, false)
}

/// Plays a plan as [`play_telling`] does, and once more with a look at the server's tables each
/// second. The record has them if looking changed nothing, which its hash shows.
///
/// # Errors
/// As [`play`].
pub fn play_watched(plan: &Plan, progress: Progress) -> Result<Record, String> {
    let mut record = run(plan, progress, false)?;
    let watched = run(plan, Progress::default(), true)?;
    if record.hash() == watched.hash() {
        record.tables = watched.tables;
    }
    Ok(record)
}

fn run(plan: &Plan, progress: Progress, watching: bool) -> Result<Record, String> {
    // Outside of the runtime its clock is not the time.
    runtime(plan.seed)?.block_on(async { World::new(plan, progress, watching).play(plan).await })
}

/// One thread on which time stands still until nothing can happen without it.
pub(crate) fn runtime(seed: u64) -> Result<Runtime, String> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .rng_seed(tokio::runtime::RngSeed::from_bytes(&seed.to_le_bytes()))
        .build()
        .map_err(|why| format!("the runtime cannot start: {why}"))
}

struct World {
    start: Instant,
    network: Network,
    recorder: Recorder,
    server: ServerHost,
    devices: BTreeMap<DeviceName, Device>,
    /// Who waits for an end of the server that nobody ordered.
    guard: Option<AbortHandle>,
    /// Whether the tables are looked at.
    watching: bool,
}

impl World {
    fn new(plan: &Plan, progress: Progress, watching: bool) -> Self {
        let chance = Chance::new(plan.seed);
        let recorder = Recorder::telling(progress);
        let network = Network::new(plan.network.clone(), chance, recorder.clone());
        let clock = Clock::starting_at(server::DAWN);
        let server = ServerHost::new(plan, chance, &network, Host::new(clock));
        recorder.address(Party::Server, server::ADDRESS);
        let mut devices = BTreeMap::new();
        for user in &plan.users {
            for name in user.device_names() {
                let number = u16::try_from(devices.len() + 1).unwrap_or(u16::MAX);
                let device = Device::new(user, name.clone(), number, chance, Host::new(clock));
                recorder.address(Party::Device(name.clone()), device.address);
                if user.nat {
                    network.translate(&Party::Device(name.clone()), device.address);
                }
                devices.insert(name, device);
            }
        }
        let (start, guard) = (Instant::now(), None);
        Self { start, network, recorder, server, devices, guard, watching }
    }

    async fn play(mut self, plan: &Plan) -> Result<Record, String> {
        let recorder = self.recorder.clone();
        tokio::select! {
            biased;
            () = recorder.ran_away() => {
                let why = "more happens in a second than can be meant; the run ends here";
                self.trouble(&Party::Server, why.to_owned());
            }
            ended = self.timeline(plan) => ended?,
        }
        let ended = self.network.now_ms();
        let tables = self.server.tables().await;
        Ok(recorder.finish(ended, tables))
    }

    /// Takes the steps, and lets all come to its end.
    async fn timeline(&mut self, plan: &Plan) -> Result<(), String> {
        self.start_server().map_err(|why| format!("the server cannot start: {why}"))?;
        for step in &plan.steps {
            self.rest_until(step.at_ms).await;
            self.recorder.add(self.network.now_ms(), What::Step(step.clone()));
            self.take(step).await?;
        }
        self.rest_until(plan.duration_ms).await;
        self.network.weather(crate::plan::Weather::default());
        self.network.mend();
        let quiet = self.network.now_ms() + SETTLING.as_millis() as u64;
        self.rest_until(quiet).await;
        Ok(())
    }

    /// Starts the server if it does not run (any more); an end that is not in the plan is noted.
    fn start_server(&mut self) -> io::Result<()> {
        if self.guard.as_ref().is_some_and(AbortHandle::is_finished) {
            // It has ended by itself, and so nobody had to end it before.
            self.guard = None;
            self.server.crash();
        }
        if self.server.service.is_some() {
            return Ok(());
        }
        self.server.start()?;
        let Some(service) = &self.server.service else { return Ok(()) };
        let (ended, recorder, network) =
            (service.join(), self.recorder.clone(), self.network.clone());
        let guard = tokio::spawn(async move {
            if let Err(why) = ended.await {
                let (party, why) = (Party::Server, why.to_string());
                recorder.add(network.now_ms(), What::Trouble { party, why });
            }
        });
        self.guard = Some(guard.abort_handle());
        Ok(())
    }

    /// From now on an end of the server is in the plan.
    fn dismiss_guard(&mut self) {
        if let Some(guard) = self.guard.take() {
            guard.abort();
        }
    }

    /// Lets time go on. Whoever watches looks shortly before the end of each second, when what
    /// was done at its beginning has had its consequences.
    async fn rest_until(&self, at_ms: u64) {
        let next = || (self.network.now_ms() + 1000 - LOOK_MS) / 1000 * 1000 + LOOK_MS;
        let mut look = next();
        while self.watching && look < at_ms {
            tokio::time::sleep_until(self.start + Duration::from_millis(look)).await;
            self.recorder.tables(look, self.server.tables().await);
            look = next();
        }
        tokio::time::sleep_until(self.start + Duration::from_millis(at_ms)).await;
    }

    async fn take(&mut self, step: &Step) -> Result<(), String> {
        match &step.act {
            Act::Login(name) => self.start_device(name).await?,
            Act::Order(name, line) => {
                let device = self.device(name)?;
                let done = device.order(line).await;
                if let Err(why) = done {
                    self.trouble(&Party::Device(name.clone()), why);
                }
            }
            Act::Crash(Party::Server) => {
                self.dismiss_guard();
                self.server.crash();
            }
            Act::Crash(Party::Device(name)) => self.device(name)?.crash(),
            Act::Start(Party::Server) => {
                if let Err(why) = self.start_server() {
                    self.trouble(&Party::Server, why.to_string());
                }
            }
            Act::Start(Party::Device(name)) => self.start_device(name).await?,
            Act::Stop => {
                self.dismiss_guard();
                let (recorder, network) = (self.recorder.clone(), self.network.clone());
                self.server.stop(move |why| {
                    recorder.add(network.now_ms(), What::Trouble { party: Party::Server, why });
                });
            }
            Act::Stall(party, ms) => self.host(party)?.stall(*ms),
            Act::ClockStep(party, by_ms) => self.host(party)?.step_clock(*by_ms),
            Act::Cut { from, to, both } => {
                self.network.cut(from, to);
                if *both {
                    self.network.cut(to, from);
                }
            }
            Act::Mend => self.network.mend(),
            Act::Weather(weather) => self.network.weather(weather.clone()),
            Act::Rebind(user) => {
                let theirs = self.devices.values().filter(|device| device.name.user == *user);
                theirs.for_each(|device| {
                    let party = Party::Device(device.name.clone());
                    self.network.translate(&party, device.address);
                });
            }
            Act::HoldDisk(true) => self.server.disk.hold(),
            Act::HoldDisk(false) => self.server.disk.release(),
            Act::FailDisk(failing) => {
                let with = failing.then_some(std::io::ErrorKind::StorageFull);
                self.server.disk.fail(with);
            }
            Act::Replay(party) => self.replay(party),
            Act::Flood(requests) => self.flood(*requests),
        }
        Ok(())
    }

    async fn start_device(&mut self, name: &DeviceName) -> Result<(), String> {
        let (network, recorder) = (self.network.clone(), self.recorder.clone());
        let device = self.device(name)?;
        if let Err(why) = device.start(&network, &recorder).await {
            self.trouble(&Party::Device(name.clone()), why.to_string());
        }
        Ok(())
    }

    fn device(&mut self, name: &DeviceName) -> Result<&mut Device, String> {
        self.devices.get_mut(name).ok_or_else(|| format!("there is no device {name}"))
    }

    fn host(&mut self, party: &Party) -> Result<&mut Host, String> {
        match party {
            Party::Server => Ok(&mut self.server.host),
            Party::Device(name) => self.device(name).map(|device| &mut device.host),
        }
    }

    fn trouble(&self, party: &Party, why: String) {
        self.recorder.add(self.network.now_ms(), What::Trouble { party: party.clone(), why });
    }

    /// Somebody who listened sends everything again, from an address of their own.
    fn replay(&self, party: &Party) {
        let sent = self.recorder.sent_by(party);
        for (to, bytes) in sent {
            self.network.send(stranger(1), to, &bytes);
        }
    }

    /// Requests without credentials, each from another port.
    fn flood(&self, requests: u32) {
        for number in 0..requests {
            let from = stranger(u16::try_from(number % 60_000).unwrap_or(0) + 1024);
            let text = format!(
                "SUBSCRIBE sip:{user}@{domain} SIP/2.0\r\n\
                 Via: SIP/2.0/UDP {from};branch=z9hG4bK-flood-{number}\r\n\
                 From: <sip:mallory@{domain}>;tag={number}\r\nTo: <sip:{user}@{domain}>\r\n\
                 Call-ID: flood-{number}\r\nCSeq: 1 SUBSCRIBE\r\nContact: <sip:mallory@{from}>\r\n\
                 Event: presence\r\nExpires: 3600\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
                user = self.devices.keys().next().map_or("alice", |name| &name.user),
                domain = server::DOMAIN,
            );
            self.network.send(from, server::ADDRESS, text.as_bytes());
        }
    }
}

/// Somebody who is nobody in the plan.
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 66));

fn stranger(port: u16) -> SocketAddr {
    SocketAddr::new(STRANGER, port)
}

/// Whether an address is nobody's in the plan.
pub(crate) fn is_stranger(address: SocketAddr) -> bool {
    address.ip() == STRANGER
}

#[cfg(test)]
mod tests;
