//! What can happen to one presentity, bob, and those who watch him.

use presently_engine::body::presrules::Handling;
use proptest::prelude::*;

/// Whoever takes part. Bob is the presentity.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Who {
    Bob,
    Alice,
    Carol,
    Dave,
}

impl Who {
    pub(crate) const ALL: [Self; 4] = [Self::Bob, Self::Alice, Self::Carol, Self::Dave];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bob => "bob",
            Self::Alice => "alice",
            Self::Carol => "carol",
            Self::Dave => "dave",
        }
    }

    pub(crate) fn port(self) -> u16 {
        match self {
            Self::Bob => 5070,
            Self::Alice => 6001,
            Self::Carol => 6002,
            Self::Dave => 6003,
        }
    }
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Subscribe {
        who: Who,
        asked: u32,
    },
    Winfo {
        who: Who,
        asked: u32,
    },
    Renew {
        who: Who,
        nth: usize,
        asked: u32,
    },
    Decide {
        about: Who,
        handling: Option<Handling>,
    },
    Publish {
        note: u8,
        seconds: u32,
    },
    Register {
        seconds: u32,
    },
    /// The next NOTIFYs to this one are answered with this status.
    Fail {
        who: Who,
        status: u16,
        times: u8,
    },
    Pass {
        seconds: u32,
    },
}

impl Act {
    /// Whether it is somebody's own doing.
    pub(crate) fn is_of(&self, someone: Who) -> bool {
        match self {
            Self::Subscribe { who, .. }
            | Self::Winfo { who, .. }
            | Self::Renew { who, .. }
            | Self::Fail { who, .. } => *who == someone,
            Self::Decide { about, .. } => *about == someone && someone != Who::Carol,
            Self::Publish { .. } | Self::Register { .. } => someone == Who::Bob,
            Self::Pass { .. } => false,
        }
    }

    pub(crate) fn is_time(&self) -> bool {
        matches!(self, Self::Pass { .. })
    }
}

/// A course of at most `length` acts.
pub(crate) fn course(length: usize) -> impl Strategy<Value = Vec<Act>> {
    let watcher = prop::sample::select(vec![Who::Alice, Who::Carol, Who::Dave]);
    let anybody = prop::sample::select(Who::ALL.to_vec());
    let asked = prop_oneof![Just(0), Just(30), 60..1000u32, Just(90_000)];
    let longer = prop_oneof![Just(0), 60..2000u32, Just(80_000)];
    let handling = prop::sample::select(vec![
        None,
        Some(Handling::Allow),
        Some(Handling::Allow),
        Some(Handling::Block),
        Some(Handling::PoliteBlock),
        Some(Handling::Confirm),
    ]);
    let status = prop::sample::select(vec![500, 503, 408, 481, 604, 200]);
    let act = prop_oneof![
        4 => (watcher.clone(), asked.clone())
            .prop_map(|(who, asked)| Act::Subscribe { who, asked }),
        2 => (anybody.clone(), longer).prop_map(|(who, asked)| Act::Winfo { who, asked }),
        3 => (anybody.clone(), 0..8usize, asked)
            .prop_map(|(who, nth, asked)| Act::Renew { who, nth, asked }),
        4 => (watcher, handling)
            .prop_map(|(about, handling)| Act::Decide { about, handling }),
        3 => (any::<u8>(), 60..900u32)
            .prop_map(|(note, seconds)| Act::Publish { note, seconds }),
        1 => prop_oneof![Just(0), 60..900u32].prop_map(|seconds| Act::Register { seconds }),
        2 => (anybody, status, 1..3u8)
            .prop_map(|(who, status, times)| Act::Fail { who, status, times }),
        3 => prop_oneof![0..8u32, 60..1500u32].prop_map(|seconds| Act::Pass { seconds }),
    ];
    prop::collection::vec(act, 1..length)
}
