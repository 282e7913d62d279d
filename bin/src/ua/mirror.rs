//! What this agent knows, under the names of the paper's four tables, for the command `tables`.

use super::report::{self, Report};
use presently_engine::agent::{Event, Package, SubscriptionPhase};
use presently_engine::body::winfo::Status;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A picture of the agent's state, drawn from its events.
#[derive(Debug, Default)]
pub(crate) struct Mirror {
    /// Tuples of those we watch, by AOR.
    pit: BTreeMap<String, Vec<Value>>,
    /// Our presence subscriptions, by target.
    pst: BTreeMap<String, Value>,
    /// Watchers, by resource and row id.
    wt: BTreeMap<(String, String), Value>,
    /// Our watcher-information subscriptions, by target.
    wst: BTreeMap<String, Value>,
}

impl Mirror {
    /// Follows one event.
    pub(crate) fn follow(&mut self, event: &Event) {
        match event {
            Event::Presence { aor, document } => {
                let rows = document.tuples.iter().map(report::tuple).map(|mut row| {
                    row["entity"] = json!(aor.as_str());
                    row
                });
                self.pit.insert(aor.as_str().to_owned(), rows.collect());
            }
            Event::Subscription { target, package, phase, reason, expires } => {
                let row = json!({
                    "target": target.as_str(),
                    "state": report::phase_name(*phase),
                    "reason": reason,
                    "expire": expires,
                });
                self.subscription(target.as_str(), *package, *phase, row);
            }
            Event::Watcher { resource, id, uri, status, cause, name } => {
                let key = (resource.as_str().to_owned(), id.to_string());
                let row = json!({
                    "target": resource.as_str(),
                    "watcher": uri,
                    "id": id,
                    "status": status.as_str(),
                    "event": cause.as_str(),
                    "display-name": name,
                });
                match status {
                    Status::Terminated => drop(self.wt.remove(&key)),
                    Status::Pending | Status::Active | Status::Waiting => {
                        drop(self.wt.insert(key, row));
                    }
                }
            }
            Event::LoggedOut => *self = Self::default(),
            Event::Registered { .. }
            | Event::RegisterFailed { .. }
            | Event::ServerRestarted
            | Event::Published { .. }
            | Event::Offer { .. }
            | Event::Decided { .. }
            | Event::Message { .. }
            | Event::MessageStatus { .. }
            | Event::Call { .. }
            | Event::Flow { .. }
            | Event::MediaPacket { .. }
            | Event::MediaWelcome { .. }
            | Event::MediaBye { .. }
            | Event::Error { .. } => {}
        }
    }

    /// The four tables.
    pub(crate) fn report(&self) -> Report {
        let rows =
            |table: &BTreeMap<String, Value>| Value::Array(table.values().cloned().collect());
        let fields = vec![
            ("PIT", Value::Array(self.pit.values().flatten().cloned().collect())),
            ("PST", rows(&self.pst)),
            ("WT", Value::Array(self.wt.values().cloned().collect())),
            ("WST", rows(&self.wst)),
        ];
        Report { name: "tables", fields }
    }

    fn subscription(
        &mut self,
        target: &str,
        package: Package,
        phase: SubscriptionPhase,
        row: Value,
    ) {
        let table = match package {
            Package::Presence => &mut self.pst,
            Package::Winfo => &mut self.wst,
        };
        if phase != SubscriptionPhase::Terminated {
            table.insert(target.to_owned(), row);
            return;
        }
        table.remove(target);
        match package {
            Package::Presence => drop(self.pit.remove(target)),
            Package::Winfo => self.wt.retain(|(resource, _), _| resource != target),
        }
    }
}

#[cfg(test)]
mod tests;
