//! What is spoken in a plan: direct media and calls, in one plan of four.
//!
//! These plans draw from a chance of their own, so that all others are what they are without it,
//! and those that speak do besides all that they did.

use super::{Draw, MENDED_MS, Maker, OWNER, STRANGER};
use crate::plan::{Act, DeviceName, Party};

/// One plan in so many speaks.
const SPEAKS: u64 = 4;
/// Nobody speaks before that, ms: who may be heard has to be known.
const FROM_MS: u64 = 30_000;

impl Maker {
    /// Adds what is spoken, if this is a seed in which somebody speaks.
    pub(super) fn voices(&mut self, seed: u64) {
        self.draw = Draw::new(seed, "voice");
        if !self.draw.once_in(SPEAKS) {
            return;
        }
        self.everybody_gets_ready();
        let kinds: [fn(&mut Self, u64); 3] =
            [Self::watcher_speaks, Self::somebody_calls, Self::friends_speak];
        for kind in kinds {
            if self.draw.once_in(4) {
                continue;
            }
            for _ in 0..self.draw.between(1, 4) {
                let at_ms = self.draw.between(FROM_MS, MENDED_MS);
                kind(self, at_ms);
            }
        }
        if !self.draw.once_in(8) {
            self.everybody_falls_silent();
        }
    }

    /// An order so much later, but not in the calm at the end.
    fn later(&mut self, at_ms: u64, device: &DeviceName, line: impl Into<String>) {
        self.order(at_ms.min(MENDED_MS), device, line.into());
    }

    /// Most of the owner's devices can be spoken to, and most watchers may.
    fn everybody_gets_ready(&mut self) {
        for device in self.devices.clone() {
            let at_ms = self.draw.between(20_000, FROM_MS);
            if device.user == OWNER && !self.draw.once_in(4) {
                self.order(at_ms, &device, "offer audio ready".into());
            } else if device.user != OWNER && !self.draw.once_in(3) {
                let owner = self.device_of(OWNER);
                self.order(at_ms, &owner, format!("allow {}", device.user));
            }
        }
    }

    /// How long somebody speaks: most are brief, since every packet is played.
    fn while_ms(&mut self) -> u64 {
        let most = *self.draw.pick(&[2000, 2000, 4000, 15_000]);
        self.draw.between(200, most)
    }

    /// A watcher speaks to the owner for a while; some are answered, some are not wanted.
    fn watcher_speaks(&mut self, at_ms: u64) {
        let device = self.other();
        self.later(at_ms, &device, format!("direct {OWNER} audio"));
        if !self.draw.once_in(6) {
            let over = at_ms + self.while_ms();
            self.later(over, &device, "stop");
        }
        if self.draw.once_in(3) {
            let (owner, at_ms) = (self.device_of(OWNER), at_ms + self.draw_ms(4000));
            self.later(at_ms, &owner, format!("direct {} audio", device.user));
        }
        if self.draw.once_in(3) {
            self.owner_turns_away(at_ms, &device);
        }
        if self.draw.once_in(6) {
            let heard = at_ms + self.draw_ms(60_000);
            self.step(heard, Act::Replay(Party::Device(device.clone())));
        }
        if self.draw.once_in(4) {
            let (owner, away) = (self.device_of(OWNER), at_ms + self.draw_ms(10_000));
            self.later(away, &owner, "offer audio off");
            let back = away + self.draw_ms(20_000);
            self.later(back, &owner, "offer audio ready");
        }
    }

    /// The owner does not want to hear somebody any more; most are forgiven.
    fn owner_turns_away(&mut self, at_ms: u64, speaker: &DeviceName) {
        let (owner, turns) = (self.device_of(OWNER), at_ms + self.while_ms());
        let verb = *self.draw.pick(&["block", "block", "polite", "ask"]);
        self.later(turns, &owner, format!("{verb} {}", speaker.user));
        if !self.draw.once_in(3) {
            let (owner, back) = (self.device_of(OWNER), turns + self.draw_ms(30_000));
            self.later(back, &owner, format!("allow {}", speaker.user));
            let watches = back + self.draw_ms(10_000);
            // Who fetches does not watch as well.
            if speaker.user != STRANGER {
                self.later(watches, speaker, format!("watch {OWNER}"));
            }
            let speaks = watches + self.draw_ms(20_000);
            self.later(speaks, speaker, format!("direct {OWNER} audio"));
        }
    }

    /// The owner watches somebody too, and they speak to each other, both at once or one first.
    fn friends_speak(&mut self, at_ms: u64) {
        let (friend, owner) = (self.other(), self.device_of(OWNER));
        for line in ["presence open", "offer audio ready", "allow bob"] {
            self.later(at_ms, &friend, line);
        }
        self.later(at_ms + 1, &owner, format!("watch {}", friend.user));
        let speaks = at_ms + self.draw.between(1000, 20_000);
        self.later(speaks, &friend, format!("direct {OWNER} audio"));
        let answers = if self.draw.once_in(2) { speaks } else { speaks + self.draw_ms(1000) };
        self.later(answers, &owner, format!("direct {} audio", friend.user));
        let over = answers + self.while_ms();
        let first = if self.draw.once_in(2) { &friend } else { &owner };
        self.later(over, first, "stop");
    }

    /// A call: answered, refused, given up, or only ringing; with a pause in it, or two who call
    /// each other at once.
    fn somebody_calls(&mut self, at_ms: u64) {
        let caller = self.draw.pick(&self.devices.clone()).clone();
        let callee = if caller.user == OWNER { self.other() } else { self.device_of(OWNER) };
        self.later(at_ms, &caller, format!("call {} audio", callee.user));
        if self.draw.once_in(6) {
            let crossing = at_ms + self.draw.between(0, 300);
            self.later(crossing, &callee, format!("call {} audio", caller.user));
        }
        let mut up = at_ms;
        for device in self.devices.clone() {
            if device.user == callee.user && !self.draw.once_in(4) {
                let lifts = at_ms + self.draw_ms(8000);
                self.later(lifts, &device, "answer");
                up = up.max(lifts);
            }
        }
        let ends = [&caller, &callee];
        if self.draw.once_in(3) {
            let who = *self.draw.pick(&ends);
            let (waits, goes_on) = (up + self.draw_ms(3000), up + 3000 + self.draw_ms(3000));
            self.later(waits, who, "hold");
            self.later(goes_on, who, "resume");
        }
        if !self.draw.once_in(6) {
            // Some give up before anybody has answered.
            let from = if self.draw.once_in(3) { at_ms } else { up };
            let (over, who) = (from + self.while_ms(), *self.draw.pick(&ends));
            self.later(over, who, "hangup");
            if self.draw.once_in(4) {
                let both = if who == &caller { &callee } else { &caller };
                let at_ms = over + self.draw.between(0, 200);
                self.later(at_ms, both, "hangup");
            }
        }
    }

    /// Before the calm nobody speaks any more.
    fn everybody_falls_silent(&mut self) {
        for device in self.devices.clone() {
            for line in ["hangup", "stop"] {
                self.order(MENDED_MS, &device, line.into());
            }
        }
    }
}
