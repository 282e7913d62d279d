//! The owner's rules and the verdict about each watcher (D11, RFC 5025).

use super::Presentity;
use super::subscriptions::View;
use crate::body::presrules::{self, Handling, Verdict};
use crate::message::Aor;
use crate::mint::Id;
use crate::server::Config;
use std::collections::BTreeMap;

/// What the owner decided, watcher by watcher.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Rules {
    verdicts: BTreeMap<Aor, Verdict>,
    /// Entity-tag of the rule set, once the owner has published one.
    pub(crate) etag: Option<Id>,
}

impl Rules {
    pub(crate) fn is_empty(&self) -> bool {
        self.verdicts.is_empty() && self.etag.is_none()
    }

    pub(crate) fn get(&self, watcher: &Aor) -> Option<Verdict> {
        self.verdicts.get(watcher).copied()
    }

    pub(crate) fn set(&mut self, watcher: &Aor, verdict: Option<Verdict>) {
        match verdict {
            Some(verdict) => self.verdicts.insert(watcher.clone(), verdict),
            None => self.verdicts.remove(watcher),
        };
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Aor, Verdict)> {
        self.verdicts.iter().map(|(watcher, verdict)| (watcher, *verdict))
    }

    /// The rule set as a document.
    pub(crate) fn document(&self) -> presrules::Rules {
        presrules::Rules { verdicts: self.verdicts.clone() }
    }
}

impl Presentity {
    /// The verdict about a watcher: the owner's decision, else the default policy. The owner may
    /// always watch itself (R28).
    pub(crate) fn verdict(&self, config: &Config, watcher: &Aor) -> Verdict {
        if *watcher == self.aor {
            return Verdict { handling: Handling::Allow, direct: true };
        }
        let default = Verdict { handling: config.default_policy, direct: true };
        self.rules.get(watcher).unwrap_or(default)
    }

    /// What a watcher with a subscription in this state is shown.
    pub(super) fn view_of(&self, config: &Config, watcher: &Aor, active: bool) -> View {
        let verdict = self.verdict(config, watcher);
        match (active, verdict.handling) {
            (true, Handling::Allow) => View::Allowed { direct: verdict.direct },
            (true, Handling::PoliteBlock) => View::Polite,
            (true | false, Handling::Block | Handling::Confirm)
            | (false, Handling::Allow | Handling::PoliteBlock) => View::Neutral,
        }
    }

    /// A decision changed: every subscription of that watcher is shown something else from now on.
    pub(super) fn refresh_views(&mut self, config: &Config, watcher: &Aor) {
        let ids: Vec<Id> = self.subscriptions.of(watcher).collect();
        for id in ids {
            let Some(active) = self.subscriptions.get(id).map(|row| row.row.active) else {
                continue;
            };
            let view = self.view_of(config, watcher, active);
            if let Some(row) = self.subscriptions.get_mut(id) {
                row.view = view;
            }
        }
    }
}
